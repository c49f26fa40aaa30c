package org.ippon.test.core

import net.corda.core.crypto.Crypto
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.core.settlement.Choice
import org.ippon.core.settlement.Movement
import org.ippon.core.settlement.Shortage
import org.ippon.core.settlement.chooseFills
import org.junit.Test
import java.time.Instant
import java.time.LocalDate
import java.util.Random

/** Who stays in a settlement and what the others lack. */
class ChooseFillsTest {
    private val party = Party(CordaX500Name("Somebody", "Tokyo", "JP"), Crypto.generateKeyPair().public)
    private val day = LocalDate.of(2026, 7, 1)
    private val morning = Instant.parse("2026-07-01T00:00:00Z")

    private fun purse(id: String) = Position(Holder(party, id), Asset.Coins(party))

    private val x = purse("x")
    private val y = purse("y")

    private fun fill(id: String, takes: Map<Position, Long>, gives: Map<Position, Long> = emptyMap(), minute: Long = 0, date: LocalDate = day) =
            Movement(id, date, morning.plusSeconds(60 * minute), takes, gives)

    @Test
    fun `what fits stays in`() {
        assertThat(chooseFills(listOf(fill("1", mapOf(x to 3L)), fill("2", mapOf(x to 7L))), mapOf(x to 10L))).isEqualTo(Choice(listOf("1", "2"), emptyList()))
        assertThat(chooseFills(emptyList(), emptyMap())).isEqualTo(Choice(emptyList(), emptyList()))
    }

    @Test
    fun `the order is settle date, then time executed, then id`() {
        val fills = listOf(
                fill("d", mapOf(x to 1L), minute = 1), fill("c", mapOf(x to 1L), minute = 1), fill("b", mapOf(x to 1L), minute = 0), fill("a", mapOf(x to 1L), minute = 0, date = day.plusDays(1))
        )
        assertThat(chooseFills(fills, mapOf(x to 9L)).inside).containsExactly("b", "c", "d", "a")
        assertThat(chooseFills(fills, mapOf(x to 2L)).inside).containsExactly("b", "c")
    }

    @Test
    fun `a fill that does not fit holds up no smaller one behind it, and the shortages add up`() {
        val choice = chooseFills(listOf(fill("1", mapOf(x to 8L)), fill("2", mapOf(x to 5L), minute = 1), fill("3", mapOf(x to 2L), minute = 2), fill("4", mapOf(x to 4L), minute = 3)), mapOf(x to 11L))
        assertThat(choice.inside).containsExactly("1", "3")
        assertThat(choice.short).containsExactly(Shortage("2", x, 4), Shortage("4", x, 4))
    }

    @Test
    fun `what a fill brings can be spent by another, before it or after it`() {
        val brings = fill("1", mapOf(x to 5L), mapOf(y to 5L), minute = 1)
        val spends = fill("2", mapOf(y to 5L), minute = 0)
        assertThat(chooseFills(listOf(brings, spends), mapOf(x to 5L)).inside).containsExactly("2", "1")
    }

    @Test
    fun `what a fill that stays out would have brought cannot be spent`() {
        val brings = fill("1", mapOf(x to 5L), mapOf(y to 5L))
        val spends = fill("2", mapOf(y to 5L), minute = 1)
        val choice = chooseFills(listOf(brings, spends), mapOf(x to 4L))
        assertThat(choice.inside).isEmpty()
        assertThat(choice.short).containsExactly(Shortage("1", x, 1), Shortage("2", y, 5))
    }

    @Test
    fun `a circle in which each pays with what the other brings settles as a whole`() {
        val circle = listOf(fill("1", mapOf(x to 5L), mapOf(y to 5L)), fill("2", mapOf(y to 5L), mapOf(x to 5L)))
        assertThat(chooseFills(circle, emptyMap()).inside).containsExactly("1", "2")
    }

    @Test
    fun `a fill put out early comes back when what it needs is free again`() {
        // 1 takes all of y, counting on x that never comes; 2 is put out by it and returns once 1 is out.
        val fills = listOf(fill("1", mapOf(x to 5L, y to 5L)), fill("2", mapOf(y to 5L), minute = 1))
        assertThat(chooseFills(fills, mapOf(y to 5L)).inside).containsExactly("2")
    }

    @Test
    fun `for any fills the choice can be paid, nothing more fits, and the shortages are exact`() {
        val random = Random(20260701)
        repeat(3_000) { round ->
            val purses = (0..random.nextInt(4)).map { purse("p$it") }
            val available = purses.associate { it to random.nextInt(30).toLong() }
            val bringing = random.nextBoolean()
            val fills = (1..1 + random.nextInt(8)).map { number ->
                val takes = (listOf(purses[random.nextInt(purses.size)]) + if (bringing) purses.filter { random.nextInt(4) == 0 } else emptyList()).distinct().associate { it to 1L + random.nextInt(20) }
                val gives = if (bringing) purses.filter { it !in takes && random.nextInt(3) == 0 }.associate { it to 1L + random.nextInt(20) } else emptyMap()
                fill("f$number", takes, gives, random.nextInt(3).toLong())
            }
            check(round, fills, available, chooseFills(fills.shuffled(random), available))
        }
    }

    private fun check(round: Int, fills: List<Movement>, available: Map<Position, Long>, choice: Choice) {
        val inside = fills.filter { it.executionId in choice.inside }
        val outside = fills - inside
        fun after(of: List<Movement>) = available.keys.associate { purse -> purse to available[purse]!! + of.map { (it.gives[purse] ?: 0L) - (it.takes[purse] ?: 0L) }.sum() }
        assertThat(after(inside).values).`as`("round $round: affordable").allMatch { it >= 0 }
        outside.forEach { fill -> assertThat(after(inside + fill).values).`as`("round $round: $fill does not fit any more").anyMatch { it < 0 } }
        assertThat(choice.inside).`as`("round $round: order").isEqualTo(inside.sortedWith(compareBy<Movement>({ it.settleDate }, { it.executedAt }, { it.executionId })).map { it.executionId })
        assertThat(choice.short.map { it.executionId }.toSet()).`as`("round $round: each that stays out is told").isEqualTo(outside.map { it.executionId }.toSet())
        available.keys.forEach { purse ->
            val lacking = outside.filter { it.takes.containsKey(purse) }.map { it.takes[purse]!! }.sum()
            val told = choice.short.filter { it.position == purse }.map { it.missing }.sum()
            assertThat(told).`as`("round $round: $purse").isEqualTo(maxOf(0L, lacking - after(inside)[purse]!!))
        }
    }
}
