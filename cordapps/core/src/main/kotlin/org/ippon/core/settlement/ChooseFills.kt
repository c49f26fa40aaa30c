package org.ippon.core.settlement

import net.corda.core.serialization.CordaSerializable
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.Position
import java.time.Instant
import java.time.LocalDate

/**
 * What one fill takes from and gives to the positions that the choosing side answers for.
 *
 * @property takes units or yen that the position must have. @property gives units or yen that arrive in it.
 */
data class Movement(
        val executionId: String, val settleDate: LocalDate, val executedAt: Instant,
        val takes: Map<Position, Long>, val gives: Map<Position, Long>
)

/** A fill that stays out, and what its position lacks, in units or yen, given everything ahead of it. */
@CordaSerializable
data class Shortage(val executionId: String, val position: Position, val missing: Long)

/** Who stays in, in order of settlement, and what the others lack. */
data class Choice(val inside: List<String>, val short: List<Shortage>)

/**
 * Who stays in: by settle date, then time executed, then id; each position covers its fills one after the other out of
 * what it has and what the fills that stay in bring it. A fill that does not fit is passed over and does not hold up
 * smaller ones behind it; taking it out takes away what it would have brought, so the rest is looked at again until
 * nothing changes. The shortages of one position add up to exactly what all of its fills together lack.
 */
fun chooseFills(fills: List<Movement>, available: Map<Position, Long>): Choice {
    val ordered = fills.sortedWith(compareBy<Movement>({ it.settleDate }, { it.executedAt }).thenBy { it.executionId })
    var inside = ordered
    while (true) {
        val fitting = fitting(inside, available)
        if (fitting.size == inside.size) break
        inside = fitting
    }
    inside = readmitted(ordered, inside, available)
    return Choice(inside.map { it.executionId }, shortages(ordered, inside, available))
}

/**
 * A fill taken out in an early round may fit again after others went: it comes back if it takes nothing from those inside.
 * What it brings may let in one ahead of it, so that every fill left out at the end lacks something.
 */
private fun readmitted(ordered: List<Movement>, inside: List<Movement>, available: Map<Position, Long>): List<Movement> {
    var all = inside
    while (true) {
        val next = (ordered - all).firstOrNull { fill -> (all + fill).let { with -> fitting(with, available).size == with.size } } ?: break
        all = ordered.filter { it in all || it === next }
    }
    return all
}

/** Those of [fills] that fit one after the other when all of [fills] bring what they bring. */
private fun fitting(fills: List<Movement>, available: Map<Position, Long>): List<Movement> {
    val left = balance(available, fills.map { it.gives })
    return fills.filter { fill ->
        fill.takes.all { (position, size) -> (left[position] ?: 0L) >= size }.also { fits ->
            if (fits) fill.takes.forEach { (position, size) -> left[position] = Math.subtractExact(left[position]!!, size) }
        }
    }
}

private fun shortages(ordered: List<Movement>, inside: List<Movement>, available: Map<Position, Long>): List<Shortage> {
    val left = balance(available, inside.map { it.gives })
    inside.forEach { fill -> fill.takes.forEach { (position, size) -> left[position] = Math.subtractExact(left[position] ?: 0L, size) } }
    return (ordered - inside).flatMap { fill ->
        fill.takes.mapNotNull { (position, size) ->
            val has = left[position] ?: 0L
            left[position] = maxOf(0L, has - size)
            if (has < size) Shortage(fill.executionId, position, size - has) else null
        }
    }
}

private fun balance(available: Map<Position, Long>, arriving: List<Map<Position, Long>>): MutableMap<Position, Long> {
    val sums = available.toMutableMap()
    arriving.forEach { gives -> gives.forEach { (position, size) -> sums[position] = Math.addExact(sums[position] ?: 0L, size) } }
    return sums
}

/** [fill] as a [Movement] over the positions of [takes] and [gives]. */
fun movement(fill: Fill, takes: Map<Position, Long>, gives: Map<Position, Long> = emptyMap()) =
        Movement(fill.executionId, fill.settleDate, fill.executedAt, takes, gives)
