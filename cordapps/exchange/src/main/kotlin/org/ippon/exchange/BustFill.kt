package org.ippon.exchange

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.StartableByRPC
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.core.BustSession
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.signFirst
import org.ippon.core.trust

/** @property transactionId the transaction that busted the fill. */
@CordaSerializable
data class BustReport(val executionId: String, val transactionId: String)

/**
 * The venue withdraws a fill that has not settled.
 *
 * 1. The fill is found in this venue's table; one busted before is reported again.
 * 2. Its consumption is signed by the venue alone and checked by both custodians.
 * 3. Against a settlement the notary decides: whoever comes first.
 */
@StartableByRPC
class BustFill(private val executionId: String, private val reason: String) : FlowLogic<BustReport>() {
    @Suspendable
    override fun call(): BustReport {
        val row = serviceHub.withEntityManager { find(NotifiedFill::class.java, executionId) }
                ?: throw Refusal(ErrorCode.UNKNOWN_FILL, "The execution id $executionId was never notified by this venue.", "execution_id")
        if (row.status == NotifiedFill.BUSTED) return BustReport(executionId, row.endedBy!!)
        val fill = serviceHub.toStateAndRef<Fill>(StateRef(SecureHash.parse(row.transactionId), row.outputIndex))
        val builder = TransactionBuilder(serviceHub.trust.notary)
                .addInputState(fill)
                .addCommand(Command(FillCommand.Bust(listOf(executionId), reason), ourIdentity.owningKey))
        val sessions = mutableListOf<FlowSession>()
        for (custodian in fill.state.data.custodians) sessions += subFlow(BustSession(custodian))
        val full = deliver(serviceHub.signFirst(builder), sessions)
        return BustReport(executionId, full.id.toString())
    }

    @Suspendable
    private fun deliver(stx: SignedTransaction, sessions: List<FlowSession>): SignedTransaction = try {
        subFlow(Delivery(stx, sessions, executionId))
    } catch (e: Refusal) {
        if (e.code != ErrorCode.NOTARY_CONFLICT) throw e
        throw Refusal(ErrorCode.ALREADY_SETTLED, "$executionId has settled and cannot be busted any more; a new fill may reverse it.", "execution_id")
    }

    private class Delivery(stx: SignedTransaction, sessions: List<FlowSession>, private val executionId: String) :
            DeliverTransaction(stx, listOf(sessions), DeliveryNote(reference = executionId)) {
        override fun onRecorded(stx: SignedTransaction) {
            serviceHub.withEntityManager {
                val row = find(NotifiedFill::class.java, executionId)
                row.status = NotifiedFill.BUSTED
                row.endedBy = stx.id.toString()
                merge(row)
            }
        }
    }
}
