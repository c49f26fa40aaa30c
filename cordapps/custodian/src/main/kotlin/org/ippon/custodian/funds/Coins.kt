package org.ippon.custodian.funds

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.contracts.isLedgerId
import org.ippon.core.AskOutcome
import org.ippon.core.CoinSession
import org.ippon.core.DeliverTransaction
import org.ippon.core.ErrorCode
import org.ippon.core.LedgerOutcome
import org.ippon.core.OutcomeReport
import org.ippon.core.Refusal
import org.ippon.core.UNCONSUMED
import org.ippon.core.lockId
import org.ippon.core.ref
import org.ippon.core.refuseUnless
import org.ippon.core.reserve
import org.ippon.core.select
import org.ippon.core.signFirst
import org.ippon.core.trust
import org.ippon.core.unpend
import org.ippon.custodian.REDEMPTION
import org.ippon.custodian.investor
import org.ippon.custodian.noteStarted
import org.ippon.custodian.onLedger
import org.ippon.custodian.requireInvestor
import org.ippon.custodian.startedBefore

/** @property transactionId the transaction that took the coins away. */
@CordaSerializable
data class RedemptionReport(val redemptionId: String, val transactionId: String)

/** Gives an investor's coins back to the issuer for yen. The redemption id redeems once. Signed by custodian and coin node. */
@StartableByRPC
class RedeemCoins(private val redemptionId: String, private val investorId: String, private val amount: Long) : FlowLogic<RedemptionReport>() {
    @Suspendable
    override fun call(): RedemptionReport {
        refuseUnless(isLedgerId(redemptionId), ErrorCode.BAD_REQUEST, "redemption_id") { "The redemption id '$redemptionId' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        refuseUnless(amount > 0, ErrorCode.BAD_REQUEST, "amount") { "The amount must be more than zero yen, but is $amount." }
        serviceHub.startedBefore(REDEMPTION, redemptionId, contents(), ErrorCode.REDEMPTION_ID_REUSED, "redemption_id")?.let { return RedemptionReport(redemptionId, it.toString()) }
        val issuer = serviceHub.trust.coinIssuer
        val holder = Holder(ourIdentity, serviceHub.requireInvestor(investorId, "investor_id").coinInvestorId)
        val builder = build(holder, issuer)
        val session = subFlow(CoinSession(issuer))
        val full = subFlow(Delivery(serviceHub.signFirst(builder), session, redemptionId, contents().first()))
        return RedemptionReport(redemptionId, full.id.toString())
    }

    private fun build(holder: Holder, issuer: Party): TransactionBuilder {
        val coins = serviceHub.reserve<Coin>(Position(holder, Asset.Coins(issuer)), amount, lockId)
        val builder = TransactionBuilder(serviceHub.trust.notary)
        coins.forEach { builder.addInputState(it) }
        val change = coins.map { it.state.data.amount }.reduce { a, b -> Math.addExact(a, b) } - amount
        if (change > 0) builder.addOutputState(Coin(change, holder, issuer))
        return builder.addCommand(Command(CoinCommand.Redeem(redemptionId, amount), listOf(ourIdentity, issuer).distinct().map { it.owningKey }))
    }

    private fun contents() = listOf("$investorId|$amount", onLedger(serviceHub.investor(investorId)?.coinInvestorId ?: investorId, amount))

    private class Delivery(stx: SignedTransaction, session: FlowSession, private val id: String, private val content: String) : DeliverTransaction(stx, listOf(listOf(session))) {
        override fun onRecorded(stx: SignedTransaction) = serviceHub.noteStarted(REDEMPTION, id, content, stx.id)
    }
}

/**
 * Ends the doubt about a settlement that this node signed as the buyer's custodian and nobody knows of, after its window:
 * the coins that it would spend are moved to their own holder. Done means that it can never settle; a conflict means that
 * it has, and then whoever has it is asked again.
 */
@StartableByRPC
class ReclaimCoins(private val transactionId: SecureHash) : FlowLogic<OutcomeReport>() {
    @Suspendable
    override fun call(): OutcomeReport {
        val found = subFlow(AskOutcome(transactionId))
        if (found.outcome == LedgerOutcome.RECORDED) return found.copy(outcome = LedgerOutcome.SETTLED)
        val coins = mine()
        refuseUnless(coins.isNotEmpty(), ErrorCode.UNKNOWN_TRANSACTION, "transaction_id") { "No unspent coins of this node wait for $transactionId." }
        return try {
            val session = subFlow(CoinSession(coins.first().state.data.issuer))
            val full = subFlow(DeliverTransaction(serviceHub.signFirst(build(coins)), listOf(listOf(session))))
            pendingRuns().forEach { serviceHub.unpend(it) }
            OutcomeReport(transactionId.toString(), LedgerOutcome.RECLAIMED, null, full.id.toString())
        } catch (e: Refusal) {
            if (e.code != ErrorCode.NOTARY_CONFLICT) throw e
            subFlow(AskOutcome(transactionId)).copy(outcome = LedgerOutcome.SETTLED)
        }
    }

    private fun build(coins: List<StateAndRef<Coin>>): TransactionBuilder {
        val builder = TransactionBuilder(serviceHub.trust.notary)
        coins.forEach { builder.addInputState(it) }
        coins.groupBy { it.state.data.holder }.forEach { (holder, of) -> builder.addOutputState(Coin(of.map { it.state.data.amount }.reduce { a, b -> Math.addExact(a, b) }, holder, of.first().state.data.issuer)) }
        val signers = listOf(ourIdentity, coins.first().state.data.issuer).distinct().map { it.owningKey }
        return builder.addCommand(Command(CoinCommand.Transfer("reclaim-${transactionId.toString().take(RECLAIM_ID_CHARACTERS)}"), signers))
    }

    private fun mine(): List<StateAndRef<Coin>> {
        val refs: List<StateRef> = serviceHub.select(
                "SELECT i.transaction_id, i.output_index FROM ippon_pending p JOIN ippon_pending_input i ON i.run_id = p.run_id " +
                        "JOIN vault_states v ON v.transaction_id = i.transaction_id AND v.output_index = i.output_index " +
                        "JOIN ippon_coin c ON c.transaction_id = i.transaction_id AND c.output_index = i.output_index " +
                        "WHERE p.pending_tx = ? AND v.state_status = $UNCONSUMED AND c.custodian = ? AND p.deadline < ?",
                transactionId.toString(), ourIdentity.name.toString(), serviceHub.clock.instant()
        ) { it.ref() }
        return refs.map { ref -> @Suppress("UNCHECKED_CAST") (serviceHub.toStateAndRef<ContractState>(ref) as StateAndRef<Coin>) }
    }

    private fun pendingRuns() = serviceHub.select("SELECT run_id FROM ippon_pending WHERE pending_tx = ?", transactionId.toString()) { it.getString(1) }

    private companion object {
        const val RECLAIM_ID_CHARACTERS = 40
    }
}
