package org.ippon.custodian.fill

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.MAX_FILLS_PER_TRANSACTION
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.OrderDetails
import org.ippon.core.BustSession
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.FillSession
import org.ippon.core.FillStatus
import org.ippon.core.ReceiveDelivery
import org.ippon.core.fillOnRecord
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.trust
import org.ippon.custodian.FillOrder
import org.ippon.custodian.ReversalAcceptance
import org.ippon.custodian.requireInvestor

/**
 * A custodian takes a fill from the venue: from an accepted venue and its own, with accepted parties, for an investor of
 * its own, with order ids that fit their hashes, and only if it never had another fill of this venue and execution id.
 */
@InitiatedBy(FillSession::class)
class ReceiveFill(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        val fills = stx.tx.outputsOfType<Fill>()
        refuseUnless(stx.tx.commands.singleOrNull()?.value is FillCommand.Notify && stx.inputs.isEmpty(), ErrorCode.UNEXPECTED_COMMAND, "commands") {
            "A venue may send a notice, but sends ${stx.tx.commands.map { it.value.javaClass.simpleName }}."
        }
        refuseUnless(fills.size in 1..MAX_FILLS_PER_TRANSACTION && note.orders.size == fills.size, ErrorCode.ORDER_PROOF_MISMATCH, "trade_id") {
            "A notice must bring the order ids of each of its ${fills.size} fills, but brings ${note.orders.size}."
        }
        fills.zip(note.orders).forEach { (fill, details) -> checkFill(stx, fill, details) }
    }

    private fun checkFill(stx: SignedTransaction, fill: Fill, details: OrderDetails) {
        val trust = serviceHub.trust
        trust.checkParty(fill.venue == session.counterparty, "venue", fill.venue)
        trust.checkParties(fill)
        refuseUnless(serviceHub.me in fill.custodians, ErrorCode.NOT_ACCEPTED_PARTY, "seller_custodian") { "${fill.executionId} names other custodians than ${serviceHub.me.name.organisation}." }
        if (fill.seller.custodian == serviceHub.me) serviceHub.requireInvestor(fill.seller.investorId, "seller_investor_id")
        if (fill.buyer.custodian == serviceHub.me) serviceHub.requireInvestor(fill.buyer.investorId, "buyer_investor_id")
        refuseUnless(details.salt.length >= MIN_SALT_LENGTH && details.proof() == fill.orderProof, ErrorCode.ORDER_PROOF_MISMATCH, "trade_id") {
            "${fill.executionId} must carry the hashes of its trade id and order ids with a salt of $MIN_SALT_LENGTH characters or more, but does not."
        }
        checkFirst(stx, fill)
        checkReversal(fill)
    }

    override fun checkAgain(stx: SignedTransaction) = stx.tx.outputsOfType<Fill>().forEach { checkFirst(stx, it) }

    private fun checkFirst(stx: SignedTransaction, fill: Fill) {
        val earlier = serviceHub.fillOnRecord(fill.executionId, fill.venue)
        refuseUnless(earlier == null || earlier.fill.ref.txhash == stx.id, ErrorCode.DUPLICATE_FILL, "execution_id") {
            "${fill.executionId} of ${fill.venue.name.organisation} is on record already, in transaction ${earlier?.fill?.ref?.txhash}."
        }
    }

    private fun checkReversal(fill: Fill) {
        val reverses = fill.reverses ?: return
        val settled = serviceHub.fillOnRecord(reverses.executionId, fill.venue)
        refuseUnless(settled?.status == FillStatus.SETTLED, ErrorCode.UNKNOWN_FILL, "reverses") {
            "${fill.executionId} must reverse a settled fill, but ${reverses.executionId} is ${settled?.status ?: "unknown"}."
        }
        val old = settled!!.fill.state.data
        refuseUnless(fill.seller == old.buyer && fill.buyer == old.seller && fill.security == old.security && fill.quantity <= old.quantity, ErrorCode.BAD_REQUEST, "reverses") {
            "${fill.executionId} must give back at most what ${old.executionId} moved, from its buyer to its seller."
        }
        val accepted = serviceHub.withEntityManager { find(ReversalAcceptance::class.java, fill.executionId) }
        refuseUnless(accepted?.reverses == reverses.executionId, ErrorCode.REVERSAL_NOT_ACCEPTED, "reverses") {
            "${serviceHub.me.name.organisation} has not accepted that ${fill.executionId} reverses ${reverses.executionId}."
        }
    }

    override fun onRecorded(stx: SignedTransaction, note: DeliveryNote) {
        stx.tx.outputsOfType<Fill>().zip(note.orders).forEach { (fill, details) ->
            serviceHub.withEntityManager { merge(FillOrder(fill.executionId, fill.venue.name.toString(), details.tradeId, details.sellOrderId, details.buyOrderId, details.salt)) }
        }
    }

    private companion object {
        /** 16 bytes in hex. */
        const val MIN_SALT_LENGTH = 32
    }
}

/** A custodian records a bust: by the fill's own venue, of fills it has on record. */
@InitiatedBy(BustSession::class)
class ReceiveBust(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        val bust = stx.tx.commands.singleOrNull()?.value as? FillCommand.Bust
        refuseUnless(bust != null, ErrorCode.UNEXPECTED_COMMAND, "commands") { "A venue may send a bust, but sends ${stx.tx.commands.map { it.value.javaClass.simpleName }}." }
        bust!!.executionIds.forEach { id ->
            val record = serviceHub.fillOnRecord(id, session.counterparty)
            refuseUnless(record != null && record.fill.ref in stx.inputs, ErrorCode.UNKNOWN_FILL, "execution_id") { "$id of ${session.counterparty.name.organisation} is not on record here, or is another fill." }
            refuseUnless(record!!.status != FillStatus.SETTLED, ErrorCode.ALREADY_SETTLED, "execution_id") { "$id has settled in transaction ${record.endedBy}." }
        }
        refuseUnless(stx.inputs.size == bust.executionIds.size, ErrorCode.UNEXPECTED_STATE, "inputs") { "A bust must consume the ${bust.executionIds.size} fills that it names, but consumes ${stx.inputs.size} states." }
    }
}

/** @property accepted whether it is noted now. */
@CordaSerializable
data class AcceptanceReport(val accepted: Boolean)

/** This custodian's people accept, before the venue sends it, that [executionId] will reverse the settled fill [reverses]. */
@StartableByRPC
class AcceptReversal(private val executionId: String, private val reverses: String) : FlowLogic<AcceptanceReport>() {
    @Suspendable
    override fun call(): AcceptanceReport {
        refuseUnless(serviceHub.fillOnRecord(reverses)?.status == FillStatus.SETTLED, ErrorCode.UNKNOWN_FILL, "reverses") { "$reverses must be a settled fill, but is ${serviceHub.fillOnRecord(reverses)?.status ?: "unknown"}." }
        serviceHub.withEntityManager { merge(ReversalAcceptance(executionId, reverses, serviceHub.clock.instant())) }
        return AcceptanceReport(true)
    }
}
