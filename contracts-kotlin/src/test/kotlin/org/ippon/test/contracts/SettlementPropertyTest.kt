package org.ippon.test.contracts

import net.corda.core.contracts.ContractState
import net.corda.core.identity.Party
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.util.Random

/**
 * Random fills, settled net with random splits and now and then broken on purpose, against a gross ledger that moves
 * each fill by itself and shares no code with the contracts. To see one case again, put its seed into `IPPON_SEED`.
 */
class SettlementPropertyTest {
    private val chosen = System.getenv("IPPON_SEED")?.toLong()
    private val seeds = if (chosen == null) (1..CASES).toList() else listOf(chosen)

    @Test
    fun `settlement is accepted if and only if it leaves what the fills one by one would leave`() {
        val refusedByBreak = sortedMapOf<String, Int>()
        var accepted = 0
        seeds.forEach { seed ->
            val random = Random(seed)
            val case = SettlementCase(random)
            val whole = case.settlement()
            val (how, settlement) = if (random.nextInt(5) < 2) broken(whole, random) else "nothing broken" to whole
            val refusal = refusalOf(settlement)
            // A break may undo itself, as when a state's holder changes for the same holder, so the gross ledger decides.
            if (settlement.signers == whole.signers && case.balancesAfter(settlement) == case.grossBalances()) {
                assertNull("Seed $seed, $how: $settlement must be accepted", refusal)
                accepted++
            } else {
                assertNotNull("Seed $seed, $how: $settlement must be refused", refusal)
                refusedByBreak.merge(how, 1) { a, b -> a + b }
            }
        }
        println("Settlement property, seeds ${seeds.first()} to ${seeds.last()}: accepted $accepted, refused $refusedByBreak")
        if (chosen != null) return
        assertTrue("At least half of ${seeds.size} must be accepted, but $accepted are", 2 * accepted >= seeds.size)
        assertEquals("Every way to break must be met", 6, refusedByBreak.filterValues { it >= 20 }.size)
    }

    private fun refusalOf(settlement: PlainSettlement): String? = try {
        settlement.verify()
        null
    } catch (refusal: IllegalArgumentException) {
        refusal.message
    }

    /** One random damage to [whole], and its name. */
    private fun broken(whole: PlainSettlement, random: Random): Pair<String, PlainSettlement> {
        val unsigned = whole.copy(signers = whole.signers - whole.signers[random.nextInt(whole.signers.size)])
        if (whole.left.isEmpty()) return "a signer missing" to unsigned
        val at = random.nextInt(whole.left.size)
        val other = random.nextInt(whole.left.size)
        fun leaving(change: (Int, ContractState) -> ContractState?) = whole.copy(left = whole.left.mapIndexedNotNull(change))
        return when (random.nextInt(6)) {
            0 -> "a signer missing" to unsigned
            1 -> "one more" to leaving { i, state -> resized(state, if (i == at) 1 else 0) }
            2 -> "one less" to leaving { i, state -> resized(state, if (i == at) -1 else 0) }
            3 -> "one moved elsewhere" to leaving { i, state -> resized(state, (if (i == other) 1L else 0L) - (if (i == at) 1L else 0L)) }
            4 -> "another holder" to leaving { i, state -> if (i == at) moved(state, holderOf(whole.left[other])) else state }
            else -> "a state left out" to leaving { i, state -> if (i == at) null else state }
        }
    }

    private fun resized(state: ContractState, by: Long): ContractState? = when (state) {
        is SecurityToken -> state.copy(units = state.units + by).takeIf { it.units != 0L }
        is Coin -> state.copy(amount = state.amount + by).takeIf { it.amount != 0L }
        else -> state
    }

    private fun moved(state: ContractState, holder: Holder): ContractState = when (state) {
        is SecurityToken -> state.copy(holder = holder)
        is Coin -> state.copy(holder = holder)
        else -> state
    }

    private fun holderOf(state: ContractState) = if (state is SecurityToken) state.holder else (state as Coin).holder

    private companion object {
        const val CASES = 2000L
    }
}

/** A random market: fills, what everybody holds before, and one settlement of all of it. */
private class SettlementCase(private val random: Random) {
    private val custodians = listOf(CUSTODIAN_A, CUSTODIAN_B, OUTSIDER).take(1 + random.nextInt(3))
    private val investors = custodians.flatMap { custodian -> (1..2 + random.nextInt(3)).map { Holder(custodian, "I-$it") } }
    // One code at two registrars: two securities.
    private val securities = listOf(SECURITY, Security("2970", OTHER_REGISTRAR), Security("2971", REGISTRAR)).take(1 + random.nextInt(3))
    private val issuers = listOf(COIN_ISSUER, OTHER_COIN_ISSUER).take(1 + random.nextInt(2))
    private val fills = (1..1 + random.nextInt(12)).map { randomFill("EX-$it") }

    /** Net change per account, moved fill by fill. Keys are plain text: custodian, account, asset. */
    private val net = mutableMapOf<String, Long>()
    private val opening = mutableMapOf<String, Long>()
    private val stateOf = mutableMapOf<String, (Long) -> ContractState>()

    init {
        fills.forEach { fill ->
            move(tokenAccount(fill.seller), fill.security, -fill.quantity)
            move(tokenAccount(fill.buyer), fill.security, fill.quantity)
            move(coinAccount(fill.buyer), fill.coinIssuer, -fill.amount)
            move(coinAccount(fill.seller), fill.coinIssuer, fill.amount)
        }
        net.forEach { (account, change) -> opening[account] = maxOf(0, -change) + if (random.nextBoolean()) random.nextInt(1000) else 0 }
    }

    private fun move(holder: Holder, security: Security, by: Long) =
            move("${holder.custodian.name}/${holder.investorId}/${security.code}/${security.registrar.name}", by) { SecurityToken(security, it, holder) }

    private fun move(holder: Holder, issuer: Party, by: Long) =
            move("${holder.custodian.name}/${holder.investorId}/yen/${issuer.name}", by) { Coin(it, holder, issuer) }

    private fun move(account: String, by: Long, state: (Long) -> ContractState) {
        net[account] = (net[account] ?: 0) + by
        stateOf[account] = state
    }

    /** What everybody holds once every fill has been carried out by itself; empty accounts left out. */
    fun grossBalances(): Map<String, Long> = opening.mapValues { (account, held) -> held + net.getValue(account) }.filterValues { it != 0L }

    /** What everybody holds once [settlement] is on the ledger; empty accounts left out. */
    fun balancesAfter(settlement: PlainSettlement): Map<String, Long> {
        val balances = opening.toMutableMap()
        settlement.spent.forEach { balances.merge(accountOf(it), -sizeOf(it)) { a, b -> a + b } }
        settlement.left.forEach { balances.merge(accountOf(it), sizeOf(it)) { a, b -> a + b } }
        return balances.filterValues { it != 0L }
    }

    /** All fills at once: some or all of what each account holds goes in, in pieces, and what is due comes out, in pieces. */
    fun settlement(): PlainSettlement {
        val spent = mutableListOf<ContractState>()
        val left = mutableListOf<ContractState>()
        net.forEach { (account, change) ->
            val least = maxOf(0, -change)
            val goesIn = if (random.nextBoolean()) least else least + (random.nextDouble() * (opening.getValue(account) - least + 1)).toLong()
            spent += pieces(goesIn).map(stateOf.getValue(account))
            left += pieces(goesIn + change).map(stateOf.getValue(account))
        }
        val signers = fills.flatMap { listOf(it.seller.custodian, it.buyer.custodian, it.security.registrar, it.coinIssuer) }.distinct()
        return PlainSettlement(fills.shuffled(random), fills.map { term(it) }, spent.shuffled(random), left.shuffled(random), signers)
    }

    private fun pieces(total: Long): List<Long> {
        val pieces = mutableListOf<Long>()
        var rest = total
        while (rest > 0) {
            val piece = if (pieces.size == 3) rest else 1 + (random.nextDouble() * rest).toLong()
            pieces += piece
            rest -= piece
        }
        return pieces
    }

    private fun randomFill(id: String): Fill {
        val seller = any(investors)
        val quantity = 2L * (1 + random.nextInt(500))
        val sen = 50L * (1 + random.nextInt(4_000_00))
        return fill(id, seller, any(investors - seller), quantity, "${sen / 100}.${"%02d".format(sen % 100)}", quantity * sen / 100, any(securities))
                .copy(coinIssuer = any(issuers))
    }

    /** Some custodians keep coins under ids of their own. */
    private fun coinAccount(holder: Holder) = if (holder.custodian == CUSTODIAN_B) holder.copy(investorId = "SC-${holder.investorId}") else holder

    private fun tokenAccount(holder: Holder) = if (holder.custodian == OUTSIDER) holder.copy(investorId = "ST-${holder.investorId}") else holder

    private fun term(fill: Fill) = SettleTerm(
            fill.executionId, tokenAccount(fill.seller).investorId, tokenAccount(fill.buyer).investorId,
            coinAccount(fill.seller).investorId, coinAccount(fill.buyer).investorId, "R-1", 1
    )

    private fun accountOf(state: ContractState) = when (state) {
        is SecurityToken -> "${state.holder.custodian.name}/${state.holder.investorId}/${state.security.code}/${state.security.registrar.name}"
        is Coin -> "${state.holder.custodian.name}/${state.holder.investorId}/yen/${state.issuer.name}"
        else -> throw AssertionError("No account holds $state")
    }

    private fun sizeOf(state: ContractState) = if (state is SecurityToken) state.units else (state as Coin).amount

    private fun <T> any(list: List<T>) = list[random.nextInt(list.size)]
}
