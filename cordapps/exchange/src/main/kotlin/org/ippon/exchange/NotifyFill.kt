package org.ippon.exchange

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.newSecureRandom
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.StartableByRPC
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import net.corda.core.utilities.toHexString
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.fill.Reversal
import org.ippon.contracts.isLedgerId
import org.ippon.contracts.security.Security
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.FillSession
import org.ippon.core.Refusal
import org.ippon.core.refuseUnless
import org.ippon.core.signFirst
import org.ippon.core.trust
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate

/** A fill as the venue's connector hands it to its node: see `notify_fill` in docs/node-operations.md. */
@CordaSerializable
data class FillNotice(
        val executionId: String, val platformCode: String, val securityCode: String, val quantity: Long, val unitPrice: BigDecimal, val amount: Long,
        val sellerCustodian: String, val sellerInvestorId: String, val buyerCustodian: String, val buyerInvestorId: String,
        val tradeDate: LocalDate, val executedAt: Instant, val settleDate: LocalDate,
        val tradeId: String, val sellOrderId: String, val buyOrderId: String,
        val tokenTransactionId: String?, val reverses: Reversal?
)

/** @property alreadyNotified the same notice had been signed before; it was sent again, nothing was made. */
@CordaSerializable
data class NotifiedReport(val executionId: String, val transactionId: String, val alreadyNotified: Boolean)

/**
 * The venue signs a fill onto the ledger.
 *
 * 1. An execution id signed before: the same content is sent again as the same transaction, other content is refused.
 * 2. The fill is built, its platform code choosing registrar and coin issuer, and signed.
 * 3. Both custodians check it ([DeliverTransaction]): venue, parties, their own investor, order proof, and that they never
 *    had another fill of this id. One refusal and nobody records.
 * 4. It is recorded here together with its row in [NotifiedFill], then by both custodians.
 */
@StartableByRPC
class NotifyFill(private val notice: FillNotice) : FlowLogic<NotifiedReport>() {
    @Suspendable
    override fun call(): NotifiedReport {
        val before = notified(notice.executionId)
        if (before != null) return sendAgain(before)
        val details = OrderDetails(notice.tradeId, notice.sellOrderId, notice.buyOrderId, newSalt())
        val fill = fill(details)
        val stx = build(fill)
        val sessions = sessions(fill)
        val full = subFlow(Delivery(stx, sessions, details, notice))
        return NotifiedReport(notice.executionId, full.id.toString(), alreadyNotified = false)
    }

    @Suspendable
    private fun sendAgain(before: NotifiedFill): NotifiedReport {
        refuseUnless(isSame(before), ErrorCode.EXECUTION_ID_REUSED, "execution_id") {
            "The execution id ${notice.executionId} was notified on ${before.notifiedAt} with other content; a correction is a bust and a new execution id."
        }
        if (before.status == NotifiedFill.NOTIFIED) {
            val stx = serviceHub.validatedTransactions.getTransaction(SecureHash.parse(before.transactionId))!!
            val details = OrderDetails(before.tradeId, before.sellOrderId, before.buyOrderId, before.salt)
            val sessions = sessions(stx.tx.outputsOfType<Fill>()[before.outputIndex])
            subFlow(Repetition(stx, sessions, details))
        }
        return NotifiedReport(notice.executionId, before.transactionId, alreadyNotified = true)
    }

    /** Of a row made anew from the ledger there is no hash: the notice must make the very fill that is there. */
    private fun isSame(before: NotifiedFill): Boolean {
        if (before.contentHash != NotifiedFill.RECOVERED) return before.contentHash == contentHash(notice)
        val recorded = serviceHub.validatedTransactions.getTransaction(SecureHash.parse(before.transactionId))!!.tx.outputs[before.outputIndex].data
        return try {
            fill(OrderDetails(notice.tradeId, notice.sellOrderId, notice.buyOrderId, before.salt)).copy(unitPrice = twoDecimals(notice.unitPrice)) == recorded
        } catch (e: Refusal) {
            false
        }
    }

    @Suspendable
    private fun sessions(fill: Fill): List<FlowSession> {
        val sessions = mutableListOf<FlowSession>()
        for (custodian in fill.custodians) sessions += subFlow(FillSession(custodian))
        return sessions
    }

    private fun fill(details: OrderDetails): Fill {
        checkIds()
        val trust = serviceHub.trust
        val platform = trust.platform(notice.platformCode)
        return Fill(
                notice.executionId, ourIdentity, notice.platformCode, Security(notice.securityCode, platform.registrar),
                notice.quantity, notice.unitPrice, notice.amount,
                Holder(trust.custodian(notice.sellerCustodian, "seller_custodian"), notice.sellerInvestorId),
                Holder(trust.custodian(notice.buyerCustodian, "buyer_custodian"), notice.buyerInvestorId),
                platform.coinIssuer, notice.tradeDate, notice.executedAt, notice.settleDate, details.proof(),
                tokenTransaction(), notice.reverses
        )
    }

    private fun tokenTransaction(): SecureHash? = notice.tokenTransactionId?.let {
        try {
            SecureHash.parse(it)
        } catch (e: IllegalArgumentException) {
            throw Refusal(ErrorCode.BAD_REQUEST, "token_transaction_id must be a transaction id of 64 hex digits, but is '$it'.", "token_transaction_id")
        }
    }

    private fun checkIds() = listOf(
            "execution_id" to notice.executionId, "trade_id" to notice.tradeId, "sell_order_id" to notice.sellOrderId, "buy_order_id" to notice.buyOrderId
    ).forEach { (field, id) ->
        refuseUnless(isLedgerId(id), ErrorCode.BAD_REQUEST, field) { "$field must be 1 to 64 letters, digits, '.', '_', ':' or '-', but is '$id'." }
    }

    private fun build(fill: Fill): SignedTransaction {
        val signers = if (fill.reverses == null) listOf(fill.venue) else listOf(fill.venue) + fill.custodians
        val builder = TransactionBuilder(serviceHub.trust.notary)
                .addOutputState(fill)
                .addCommand(Command(FillCommand.Notify(), signers.distinct().map { it.owningKey }))
        return serviceHub.signFirst(builder)
    }

    private fun notified(executionId: String): NotifiedFill? = serviceHub.withEntityManager { find(NotifiedFill::class.java, executionId) }

    private fun newSalt() = ByteArray(SALT_BYTES).also { newSecureRandom().nextBytes(it) }.toHexString()

    /** The first delivery: recording and the row that makes the id unique are one database transaction. */
    private class Delivery(stx: SignedTransaction, sessions: List<FlowSession>, private val details: OrderDetails, private val notice: FillNotice) :
            DeliverTransaction(stx, listOf(sessions), DeliveryNote(listOf(details))) {
        override fun beforeRecording(stx: SignedTransaction) {
            // Another flow may have notified the same id while the custodians checked; one thread runs flows, and nothing suspends from here to the row.
            val taken = serviceHub.withEntityManager { find(NotifiedFill::class.java, notice.executionId) }
            refuseUnless(taken == null, ErrorCode.EXECUTION_ID_REUSED, "execution_id") { "The execution id ${notice.executionId} is being notified by another request." }
        }

        override fun onRecorded(stx: SignedTransaction) {
            val ref = StateRef(stx.id, 0)
            serviceHub.withEntityManager {
                persist(NotifiedFill(
                        notice.executionId, contentHash(notice), ref.txhash.toString(), ref.index, details.salt, details.tradeId, details.sellOrderId, details.buyOrderId,
                        NotifiedFill.NOTIFIED, serviceHub.clock.instant()
                ))
            }
        }
    }

    /** A repetition: for a custodian that was down when the fill was first recorded. */
    private class Repetition(stx: SignedTransaction, sessions: List<FlowSession>, details: OrderDetails) :
            DeliverTransaction(stx, listOf(sessions), DeliveryNote(listOf(details)))

    private companion object {
        const val SALT_BYTES = 16

        fun contentHash(notice: FillNotice): String = SecureHash.sha256(notice.copy(unitPrice = twoDecimals(notice.unitPrice)).toString().toByteArray()).toString()

        /** A price of more decimals is no fill's, but must not keep a repetition from being compared. */
        private fun twoDecimals(price: BigDecimal): BigDecimal = if (price.stripTrailingZeros().scale() <= 2) price.setScale(2) else price
    }
}
