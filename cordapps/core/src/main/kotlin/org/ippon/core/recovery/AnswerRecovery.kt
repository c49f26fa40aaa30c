package org.ippon.core.recovery

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.SendTransactionFlow
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.contracts.fill.OrderDetails
import org.ippon.core.ErrorCode
import org.ippon.core.PendingKind
import org.ippon.core.Refusal
import org.ippon.core.WireRefusal
import org.ippon.core.isRecorded
import org.ippon.core.pend
import org.ippon.core.refuseUnless
import org.ippon.core.select
import org.ippon.core.trust
import org.ippon.core.unpend
import java.time.Instant

/**
 * The other end of [RecoverRecords]: tells a member what this node has recorded of its dealings, and sends it again.
 * Only what the asker had to sign or has a part in, and what it was told beside that: whatever is asked for else is as
 * unknown here as any. One subclass per role, since a role tells what its tables add.
 */
abstract class AnswerRecovery(protected val session: FlowSession) : FlowLogic<Unit>() {

    /** Whether this role has told the asker of [stx] though it has no part in it. Must not suspend. */
    protected open fun toldToo(stx: SignedTransaction): Boolean = false

    /** What the order proofs of the fills made by [stx] hide, one each in their order, as far as this role knows. Must not suspend. */
    protected open fun ordersOf(stx: SignedTransaction): List<OrderDetails> = emptyList()

    @Suspendable
    override fun call() {
        for (asked in 1..MAX_RECOVERY_REQUESTS) {
            holdOpen()
            val request = session.receive<RecoveryRequest>().unwrap { it }
            if (request.over || !answer(request)) break
        }
        serviceHub.unpend(runId.uuid)
    }

    /** A member that stops asking without a word is let go of by this node's agent. */
    private fun holdOpen() = serviceHub.pend(runId.uuid, PendingKind.SESSION, session.counterparty, serviceHub.clock.instant().plusSeconds(serviceHub.trust.sessionSeconds))

    /** Whether there is more to say. A refusal is an answer too: thrown, it would leave this session on the books. */
    @Suspendable
    private fun answer(request: RecoveryRequest): Boolean {
        val refusal = refusal(request)
        val page = if (refusal == null && request.fetch.isEmpty()) page(request) else null
        session.send(RecoveryAnswer(refusal, page))
        if (refusal == null) for (id in request.fetch) {
            val stx = serviceHub.validatedTransactions.getTransaction(id)!!
            subFlow(SendTransactionFlow(session, stx))
        }
        return refusal == null
    }

    private fun refusal(request: RecoveryRequest): WireRefusal? = try {
        refuseUnless(serviceHub.trust.isMember(session.counterparty), ErrorCode.NOT_ACCEPTED_PARTY) { "${session.counterparty.name} is no member accepted here." }
        refuseUnless(request.fetch.size <= MAX_RECOVERY_PAGE, ErrorCode.TOO_MANY) { "A request must fetch at most $MAX_RECOVERY_PAGE transactions, but fetches ${request.fetch.size}." }
        request.fetch.forEach { refuseUnless(isOwn(it), ErrorCode.UNKNOWN_TRANSACTION) { "There is no transaction $it of ${session.counterparty.name.organisation} here." } }
        null
    } catch (e: Refusal) {
        e.toWire()
    }

    private fun isOwn(id: SecureHash): Boolean {
        val stx = if (serviceHub.isRecorded(id)) serviceHub.validatedTransactions.getTransaction(id) else null
        return stx != null && mayHave(stx)
    }

    private fun mayHave(stx: SignedTransaction) = serviceHub.concerns(stx, session.counterparty) || toldToo(stx)

    private fun page(request: RecoveryRequest): RecoveryPage {
        val looked = recorded(request)
        val items = looked.mapNotNull { serviceHub.validatedTransactions.getTransaction(it.transactionId) }.filter { mayHave(it) }.map { RecoveryItem(it.id, ordersOf(it)) }
        return RecoveryPage(items, looked.lastOrNull()?.takeIf { looked.size == MAX_RECOVERY_PAGE })
    }

    private fun recorded(request: RecoveryRequest): List<RecoveryCursor> {
        val after = request.after ?: RecoveryCursor(Instant.EPOCH, SecureHash.zeroHash)
        return serviceHub.select(
                "SELECT transaction_id, recorded_at FROM ippon_recorded WHERE recorded_at >= ? AND (recorded_at > ? OR (recorded_at = ? AND transaction_id > ?)) " +
                        "ORDER BY recorded_at, transaction_id LIMIT $MAX_RECOVERY_PAGE",
                request.since ?: Instant.EPOCH, after.recordedAt, after.recordedAt, after.transactionId.toString()
        ) { RecoveryCursor(it.getTimestamp(2).toInstant(), SecureHash.parse(it.getString(1))) }
    }
}
