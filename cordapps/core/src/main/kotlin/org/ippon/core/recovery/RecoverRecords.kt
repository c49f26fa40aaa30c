package org.ippon.core.recovery

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.AttachmentResolutionException
import net.corda.core.contracts.TransactionResolutionException
import net.corda.core.contracts.TransactionVerificationException
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.ReceiveTransactionFlow
import net.corda.core.identity.Party
import net.corda.core.node.StatesToRecord
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.OrderDetails
import org.ippon.core.ErrorCode
import org.ippon.core.OpenSession
import org.ippon.core.RecoveryAssetSession
import org.ippon.core.RecoveryCoinSession
import org.ippon.core.RecoveryCustodianSession
import org.ippon.core.RecoveryVenueSession
import org.ippon.core.Refusal
import org.ippon.core.isRecorded
import org.ippon.core.isSessionEnd
import org.ippon.core.recordChecked
import org.ippon.core.refuseUnless
import org.ippon.core.trust
import java.security.SignatureException
import java.time.Instant

/**
 * A node that was restored from its backup learns from [member] what it had recorded after it. One subclass per role of
 * the restored node, one run per member, and repeating it does no harm.
 *
 * 1. For each role of the member, a session ([AnswerRecovery]). The member is asked page by page what it has recorded
 *    since [since] of which this node had to sign or has a part in a state.
 * 2. What is on record here is only shown to [onRecovered]. The rest is fetched, with its chain.
 * 3. Each is checked (Corda: every signature, the notary's included, contracts, chain; then [RecoveryReview]) and recorded,
 *    after those of its inputs' transactions that concern this node and are not on record: a consumer recorded first would
 *    let the vault take what it has consumed for unspent.
 * 4. [onRecovered] puts this role's own tables right, in the same database transaction.
 *
 * One that is refused keeps none of the others out. Nothing is signed here, and nothing is decided: what is recorded is
 * what the notary has decided. A member that does not answer holds this flow, and only this flow: start one per member.
 */
abstract class RecoverRecords(private val member: Party, private val since: Instant?) : FlowLogic<RecoveryReport>() {
    private var recorded = 0
    private var known = 0
    private val refused = mutableListOf<String>()

    /** Whether this node was told of [stx] though it has no part in it. Must not suspend. */
    protected open fun toldToo(stx: SignedTransaction): Boolean = false

    /**
     * Puts this role's tables right by [stx], which is on record now; [orders] of its fills as far as the member knows
     * them, checked against the fills' proofs. Must change nothing when it is called again, and must not suspend.
     */
    protected abstract fun onRecovered(stx: SignedTransaction, orders: List<OrderDetails>)

    /** One session for each role that the member has. */
    protected open fun doors(): List<OpenSession> {
        val trust = serviceHub.trust
        return listOfNotNull(
                if (trust.isCoinIssuer(member)) RecoveryCoinSession(member) else null, if (trust.isRegistrar(member)) RecoveryAssetSession(member) else null,
                if (trust.isCustodian(member)) RecoveryCustodianSession(member) else null, if (trust.isVenue(member)) RecoveryVenueSession(member) else null
        )
    }

    @Suspendable
    override fun call(): RecoveryReport {
        refuseUnless(member != ourIdentity && serviceHub.trust.isMember(member), ErrorCode.NOT_ACCEPTED_PARTY, "member") { "${member.name} is not another member accepted here." }
        val doors = doors()
        for (door in doors) recover(door)
        return RecoveryReport(member.name.toString(), recorded, known, refused.size, refused.take(MAX_RECOVERY_REFUSALS))
    }

    @Suspendable
    private fun recover(open: OpenSession) {
        val session = subFlow(open)
        var after: RecoveryCursor? = null
        for (asked in 1..MAX_RECOVERY_REQUESTS / 2) {
            val page = session.sendAndReceive<RecoveryAnswer>(RecoveryRequest(since, after, emptyList(), over = false)).unwrap { checked(it) }
            fetch(session, page)
            page.items.forEach { follow(it) }
            after = page.next ?: break
        }
        session.send(RecoveryRequest(null, null, emptyList(), over = true))
    }

    private fun checked(answer: RecoveryAnswer): RecoveryPage {
        val page = accepted(answer).page ?: throw Refusal(ErrorCode.COUNTERPARTY_FAILED, "${member.name.organisation} must send a page, but sends none.")
        refuseUnless(page.items.size <= MAX_RECOVERY_PAGE, ErrorCode.TOO_MANY) { "A page must have at most $MAX_RECOVERY_PAGE transactions, but has ${page.items.size}." }
        return page
    }

    private fun accepted(answer: RecoveryAnswer): RecoveryAnswer = answer.also { answer.refusal?.let { throw it.toRefusal(member.name.organisation) } }

    @Suspendable
    private fun fetch(session: FlowSession, page: RecoveryPage) {
        val missing = page.items.map { it.transactionId }.distinct().filter { !serviceHub.isRecorded(it) }
        known += page.items.size - missing.size
        if (missing.isEmpty()) return
        session.sendAndReceive<RecoveryAnswer>(RecoveryRequest(null, null, missing, over = false)).unwrap { accepted(it) }
        for (id in missing) take(session, id)
    }

    @Suspendable
    private fun take(session: FlowSession, id: SecureHash) {
        try {
            // With all signatures asked for here, Corda would store it before this node has looked at it.
            val stx = subFlow(ReceiveTransactionFlow(session, checkSufficientSignatures = false))
            stx.verifyRequiredSignatures()
            refuseUnless(stx.id == id, ErrorCode.UNKNOWN_TRANSACTION) { "${member.name.organisation} must send $id, but sends ${stx.id}." }
            record(stx)
        } catch (e: Exception) {
            refused += "$id: ${reason(e) ?: throw e}"
            // A member that sends one wrong thing after the other is not to be waited for.
            if (refused.size >= MAX_RECOVERY_REFUSALS) throw Refusal(ErrorCode.TOO_MANY, "${member.name.organisation} has sent $MAX_RECOVERY_REFUSALS transactions that cannot be recorded here: ${refused.joinToString("; ").take(MAX_REASONS)}")
        }
    }

    /** Why a transaction was not recorded; null when it is no matter of that transaction, such as the session's end. */
    private fun reason(e: Exception): String? = when {
        e is Refusal && e.where == null -> "${e.code} ${e.message}"
        e is TransactionVerificationException || e is SignatureException -> e.message.orEmpty()
        e is TransactionResolutionException || e is AttachmentResolutionException || isSessionEnd(e) -> null
        e is IllegalStateException || e is IllegalArgumentException -> e.message.orEmpty()
        else -> null
    }

    private fun record(stx: SignedTransaction) {
        val review = RecoveryReview(serviceHub) { toldToo(it) }
        val due = withProducers(stx)
        due.forEach { review.check(it) }
        due.forEach {
            // Of what others told, not only what has this node among its participants.
            serviceHub.recordChecked(it, if (toldToo(it)) StatesToRecord.ALL_VISIBLE else StatesToRecord.ONLY_RELEVANT)
            onRecovered(it, emptyList())
            recorded++
        }
    }

    /** [stx] after those that made its inputs, as far as they concern this node and are not on record: found in its chain. */
    private fun withProducers(stx: SignedTransaction): List<SignedTransaction> {
        val due = LinkedHashMap<SecureHash, SignedTransaction>()
        val seen = mutableSetOf<SecureHash>()
        val path = mutableListOf(stx)
        while (path.isNotEmpty()) {
            val next = path.last()
            val before = if (seen.add(next.id)) next.inputs.map { it.txhash }.distinct().filter { it !in due && !serviceHub.isRecorded(it) } else emptyList()
            val producers = before.map { serviceHub.validatedTransactions.getTransaction(it)!! }.filter { serviceHub.concerns(it, ourIdentity) || toldToo(it) }
            if (producers.isEmpty()) {
                path.removeAt(path.lastIndex)
                due[next.id] = next
            } else path += producers
        }
        return due.values.toList()
    }

    private fun follow(item: RecoveryItem) {
        if (!serviceHub.isRecorded(item.transactionId)) return
        val stx = serviceHub.validatedTransactions.getTransaction(item.transactionId)!!
        val fills = stx.tx.outputsOfType<Fill>()
        val orders = item.orders.takeIf { it.size == fills.size && it.zip(fills).all { (details, fill) -> details.proof() == fill.orderProof } }
        onRecovered(stx, orders.orEmpty())
    }

    private companion object {
        const val MAX_REASONS = 800
    }
}
