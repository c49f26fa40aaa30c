package org.ippon.contracts.fill

import net.corda.core.contracts.ContractState
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.LedgerTransaction
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken

/** What a holder may hold: units of a security, or yen of an issuer's coins. */
@CordaSerializable
sealed class Asset {
    /** Units of [security]. */
    data class Units(val security: Security) : Asset() {
        override fun toString() = "units of ${security.code} of ${security.registrar.name.organisation}"
    }

    /** Coins of [issuer], in yen. */
    data class Coins(val issuer: Party) : Asset() {
        override fun toString() = "coins of ${issuer.name.organisation}"
    }
}

/** One holder's account in one asset. */
@CordaSerializable
data class Position(val holder: Holder, val asset: Asset) {
    override fun toString() = "$asset held by $holder"
}

/**
 * The rule of exchange: over the whole transaction each holder's change in each security, and in coins, is exactly the
 * sum of what the fills consumed say, and nothing else moves. It is the same for one fill and for many, gross or net,
 * and whether or not both custodians are the same node.
 *
 * @param fills the fills that the transaction consumes.
 * @param terms one term for each of them, by execution id.
 */
class ExchangeRule(private val fills: List<Fill>, terms: List<SettleTerm>) {
    private val termById = terms.associateBy { it.executionId }

    /** The change that each fill makes to each of its four positions: positive in, negative out; zero sums included. */
    fun changes(): Map<Position, Long> = sum(fills.flatMap { fill ->
        val term = termById[fill.executionId] ?: throw IllegalArgumentException("${fill.executionId} must have a term, but has none.")
        val units = Asset.Units(fill.security)
        val coins = Asset.Coins(fill.coinIssuer)
        listOf(
                Position(Holder(fill.seller.custodian, term.sellerTokenId), units) to -fill.quantity,
                Position(Holder(fill.buyer.custodian, term.buyerTokenId), units) to fill.quantity,
                Position(Holder(fill.buyer.custodian, term.buyerCoinId), coins) to -fill.amount,
                Position(Holder(fill.seller.custodian, term.sellerCoinId), coins) to fill.amount
        )
    })

    /** Checks [tx] against the rule. */
    fun verify(tx: LedgerTransaction) {
        val expected = changes()
        val before = sum(tx.inputStates.mapNotNull { positionOf(it) })
        val after = sum(tx.outputStates.mapNotNull { positionOf(it) })
        val bystanders = (before.keys + after.keys) - expected.keys
        require(bystanders.isEmpty()) { "A settlement may move only what its fills name, but touches ${bystanders.joinToString()}." }
        expected.forEach { (position, change) ->
            val actual = Math.subtractExact(after[position] ?: 0L, before[position] ?: 0L)
            require(actual == change) { "The $position must change by $change, but change by $actual." }
        }
    }

    companion object {
        /** The position and size of a holding state; null for any other state. Sizes must be above zero. */
        fun positionOf(state: ContractState): Pair<Position, Long>? = when (state) {
            is SecurityToken -> Position(state.holder, Asset.Units(state.security)) to state.units
            is Coin -> Position(state.holder, Asset.Coins(state.issuer)) to state.amount
            else -> null
        }?.also { (position, size) -> require(size > 0) { "A holding must be above zero, but the $position are $size." } }

        /** Sums sizes by position, refusing to overflow. */
        fun sum(holdings: List<Pair<Position, Long>>): Map<Position, Long> =
                holdings.groupBy({ it.first }, { it.second }).mapValues { (_, sizes) -> sizes.reduce { a, b -> Math.addExact(a, b) } }
    }
}
