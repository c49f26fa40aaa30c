package org.ippon.custodian.settlement

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.NotaryException
import net.corda.core.flows.NotaryFlow
import net.corda.core.serialization.deserialize
import net.corda.core.transactions.SignedTransaction
import org.ippon.core.PendingKind
import org.ippon.core.isRecorded
import org.ippon.core.recordChecked
import org.ippon.core.select
import org.ippon.core.unpend

/**
 * Decides what an earlier settlement of these fills, cut off for good (its flow killed), left open. If the notary may
 * have been asked, it is asked again for the very same transaction: it answers that one as it did before. Signed, it is
 * recorded here, and the others, who have signed it too, ask for it; declined, it never can be and a new one may be built.
 */
class FinishEarlier(private val executionIds: List<String>) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        for ((runId, content) in leftovers()) {
            if (content != null) finish(transaction(content))
            serviceHub.unpend(runId)
        }
    }

    @Suspendable
    private fun finish(stx: SignedTransaction) {
        if (serviceHub.isRecorded(stx.id)) return
        try {
            val full = stx + subFlow(NotaryFlow.Client(stx))
            serviceHub.recordChecked(full)
        } catch (e: NotaryException) {
            logger.info("The settlement ${stx.id} was never notarised and cannot be: ${e.message}")
        }
    }

    // A function of its own: what deserialising leaves on the stack cannot go into a checkpoint.
    private fun transaction(content: ByteArray): SignedTransaction = content.deserialize()

    private fun leftovers(): List<Pair<String, ByteArray?>> {
        val marks = executionIds.joinToString(",") { "?" }
        return serviceHub.select(
                "SELECT p.run_id, p.content FROM ippon_pending p WHERE p.kind = ? AND p.deadline < ? AND p.run_id IN (SELECT f.run_id FROM ippon_pending_fill f WHERE f.execution_id IN ($marks))",
                PendingKind.SETTLING.name, serviceHub.clock.instant(), *executionIds.toTypedArray()
        ) { it.getString(1) to it.getBytes(2) }
    }
}
