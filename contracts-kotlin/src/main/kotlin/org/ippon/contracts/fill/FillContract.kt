package org.ippon.contracts.fill

import net.corda.core.contracts.CommandData
import net.corda.core.contracts.CommandWithParties
import net.corda.core.contracts.Contract
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.requireSingleCommand
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.LedgerTransaction
import org.ippon.contracts.Holder
import org.ippon.contracts.MAX_FILLS_PER_TRANSACTION
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.requireCommands
import org.ippon.contracts.requireDay
import org.ippon.contracts.requireId
import org.ippon.contracts.requireMoment
import org.ippon.contracts.requireOnlyStates
import org.ippon.contracts.requireReason
import org.ippon.contracts.requireSigners
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import java.math.BigDecimal
import java.time.ZoneOffset

/** What may be done with a [Fill]. */
sealed class FillCommand : CommandData {
    /** The venue puts fills on the ledger. Signed by the venue; a reversing fill by both its custodians too. */
    class Notify : FillCommand() {
        override fun equals(other: Any?) = other is Notify
        override fun hashCode() = javaClass.hashCode()
    }

    /** The venue withdraws unsettled fills. Signed by the venue alone. */
    data class Bust(val executionIds: List<String>, val reason: String) : FillCommand()

    /** The exchange itself. Signed by both custodians, the registrar and the coin issuer of every fill in [terms]. */
    data class Settle(val terms: List<SettleTerm>) : FillCommand()
}

/**
 * The holding accounts between which one fill settles, each vouched for by its side's custodian, and the buyer's funds
 * route in force. The ids may differ from the fill's: the coin account of an investor may have an id of its own, and
 * the venue may know a pseudonym.
 */
@CordaSerializable
data class SettleTerm(
        val executionId: String,
        val sellerTokenId: String,
        val buyerTokenId: String,
        val sellerCoinId: String,
        val buyerCoinId: String,
        val routeId: String,
        val routeVersion: Int
)

/** The law of fills. A function of the transaction alone. */
class FillContract : Contract {
    override fun verify(tx: LedgerTransaction) {
        val command = tx.commands.requireSingleCommand<FillCommand>()
        when (command.value) {
            is FillCommand.Notify -> verifyNotify(tx, command)
            is FillCommand.Bust -> verifyBust(tx, command, command.value as FillCommand.Bust)
            is FillCommand.Settle -> verifySettle(tx, command, command.value as FillCommand.Settle)
        }
    }

    private fun verifyNotify(tx: LedgerTransaction, command: CommandWithParties<*>) {
        requireOnlyStates("A notice", tx, Fill::class.java)
        requireCommands("A notice", tx, FillCommand.Notify::class.java)
        require(tx.inputs.isEmpty()) { "A notice must consume nothing, but consumes ${tx.inputs.size} states." }
        val fills = tx.outputsOfType<Fill>()
        requireDistinctIds("A notice", fills.map { it.executionId })
        fills.forEach { fill ->
            requireWellFormed(fill)
            requireSigners("The notice of ${fill.executionId}", command, listOf(fill.venue))
            if (fill.reverses != null) requireSigners("The reversing fill ${fill.executionId}", command, fill.custodians)
        }
    }

    private fun verifyBust(tx: LedgerTransaction, command: CommandWithParties<*>, bust: FillCommand.Bust) {
        requireOnlyStates("A bust", tx, Fill::class.java)
        requireCommands("A bust", tx, FillCommand.Bust::class.java)
        requireReason("A bust", bust.reason)
        require(tx.outputs.isEmpty()) { "A bust must leave no fill, but leaves ${tx.outputs.size}." }
        val fills = tx.inputsOfType<Fill>()
        requireSameIds("A bust", bust.executionIds, fills)
        fills.forEach { requireSigners("The bust of ${it.executionId}", command, listOf(it.venue)) }
    }

    private fun verifySettle(tx: LedgerTransaction, command: CommandWithParties<*>, settle: FillCommand.Settle) {
        requireOnlyStates("A settlement", tx, Fill::class.java, SecurityToken::class.java, Coin::class.java)
        requireSettleCommands(tx)
        require(tx.outputsOfType<Fill>().isEmpty()) { "A settlement must leave no fill, but leaves ${tx.outputsOfType<Fill>().size}." }
        val fills = tx.inputsOfType<Fill>()
        requireSameIds("A settlement", settle.terms.map { it.executionId }, fills)
        fills.forEach { requireSigners("The settlement of ${it.executionId}", command, it.settlementSigners) }
        val termById = settle.terms.associateBy { it.executionId }
        fills.forEach { requireTerm(it, termById.getValue(it.executionId)) }
        requireWindow(tx, fills)
        ExchangeRule(fills, settle.terms).verify(tx)
    }

    /** Bad ids could not be stored by those who must record the settlement, and an account cannot exchange with itself. */
    private fun requireTerm(fill: Fill, term: SettleTerm) {
        requireId("The seller's token account of ${fill.executionId}", term.sellerTokenId)
        requireId("The buyer's token account of ${fill.executionId}", term.buyerTokenId)
        requireId("The seller's coin account of ${fill.executionId}", term.sellerCoinId)
        requireId("The buyer's coin account of ${fill.executionId}", term.buyerCoinId)
        requireId("The route id of ${fill.executionId}", term.routeId)
        require(term.routeVersion >= 1) { "The route of ${fill.executionId} must be of version 1 or above, but is of ${term.routeVersion}." }
        requireTwoAccounts(fill, Holder(fill.seller.custodian, term.sellerTokenId), Holder(fill.buyer.custodian, term.buyerTokenId))
        requireTwoAccounts(fill, Holder(fill.seller.custodian, term.sellerCoinId), Holder(fill.buyer.custodian, term.buyerCoinId))
    }

    private fun requireTwoAccounts(fill: Fill, sellers: Holder, buyers: Holder) =
            require(sellers != buyers) { "${fill.executionId} must settle between two accounts, but $sellers stands on both sides." }

    private fun requireSettleCommands(tx: LedgerTransaction) {
        val touched: Set<Class<out ContractState>> = (tx.inputStates + tx.outputStates).map { it.javaClass }.toSet()
        val expected = mutableListOf<Class<out CommandData>>(FillCommand.Settle::class.java)
        if (SecurityToken::class.java in touched) expected += SecurityTokenCommand.Transfer::class.java
        if (Coin::class.java in touched) expected += CoinCommand.Transfer::class.java
        requireCommands("A settlement", tx, *expected.toTypedArray())
    }

    private fun requireWindow(tx: LedgerTransaction, fills: List<Fill>) {
        val from = tx.timeWindow?.fromTime
        require(from != null && tx.timeWindow?.untilTime != null) {
            "A settlement must have a time-window with a beginning and an end, but has ${tx.timeWindow}."
        }
        fills.forEach { fill ->
            val opens = fill.settleDate.atStartOfDay(TOKYO).toInstant()
            require(!from!!.isBefore(opens)) {
                "${fill.executionId} may settle from $opens (${fill.settleDate} in Tokyo), but the time-window begins at $from."
            }
        }
    }

    private fun requireWellFormed(fill: Fill) {
        requireId("The execution id", fill.executionId)
        requireId("The platform code", fill.platformCode)
        requireId("The security code", fill.security.code)
        requireId("The seller's investor id", fill.seller.investorId)
        requireId("The buyer's investor id", fill.buyer.investorId)
        requireExactAmount(fill)
        require(fill.seller != fill.buyer) { "${fill.executionId} must have two holders, but ${fill.seller} stands on both sides." }
        requireMoment("The time executed", fill.executedAt)
        requireDay("The trade date", fill.tradeDate)
        requireDay("The settle date", fill.settleDate)
        require(!fill.settleDate.isBefore(fill.tradeDate)) {
            "${fill.executionId} must settle on or after its trade date ${fill.tradeDate}, but its settle date is ${fill.settleDate}."
        }
        fill.reverses?.let {
            requireId("The reversed execution id", it.executionId)
            requireReason("A reversing fill", it.reason)
            require(it.executionId != fill.executionId) { "${fill.executionId} must reverse another execution, but names itself." }
        }
    }

    private fun requireExactAmount(fill: Fill) {
        require(fill.quantity > 0) { "${fill.executionId} must be for more than zero units, but is for ${fill.quantity}." }
        require(fill.unitPrice.scale() == 2 && fill.unitPrice > BigDecimal.ZERO) {
            "${fill.executionId} must have a unit price above zero with two decimals, but has ${fill.unitPrice}."
        }
        val exact = fill.unitPrice.multiply(BigDecimal(fill.quantity))
        require(exact.compareTo(BigDecimal(fill.amount)) == 0) {
            "${fill.executionId} must be for quantity × unit price = $exact yen, but is for ${fill.amount} yen."
        }
    }

    private fun requireSameIds(what: String, named: List<String>, fills: List<Fill>) {
        requireDistinctIds(what, named)
        val consumed = fills.map { it.executionId }
        require(named.sorted() == consumed.sorted()) { "$what names the fills $named, but consumes the fills $consumed." }
    }

    private fun requireDistinctIds(what: String, ids: List<String>) {
        require(ids.isNotEmpty() && ids.size <= MAX_FILLS_PER_TRANSACTION) {
            "$what must be of 1 to $MAX_FILLS_PER_TRANSACTION fills, but is of ${ids.size}."
        }
        require(ids.toSet().size == ids.size) { "$what must name each execution id once, but names ${ids.groupBy { it }.filter { it.value.size > 1 }.keys} twice." }
    }

    companion object {
        /** Contract name, for transaction builders. */
        val ID: String = FillContract::class.java.name

        /** Asia/Tokyo, whose days settle dates are; an offset, since a JVM's table of zones may change and a chain must verify for ever. */
        val TOKYO: ZoneOffset = ZoneOffset.ofHours(9)
    }
}
