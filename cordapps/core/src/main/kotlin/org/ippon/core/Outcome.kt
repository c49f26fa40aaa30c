package org.ippon.core

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.ReceiveTransactionFlow
import net.corda.core.flows.SendTransactionFlow
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap

/** What the ledger says of a transaction. */
@CordaSerializable
enum class LedgerOutcome { RECORDED, UNKNOWN, RECLAIMED, SETTLED }

/** @property from who had it, when another node. @property byTransactionId the transaction that took the coins back. */
@CordaSerializable
data class OutcomeReport(val transactionId: String, val outcome: LedgerOutcome, val from: String?, val byTransactionId: String? = null)

/**
 * What became of a transaction that this node signed and never saw again: the answer to a seller that notarises and
 * tells nobody, and to a link that broke after signing.
 *
 * 1. Recorded here: done.
 * 2. Coin issuers, registrars and custodians accepted here are asked, one after the other; one that cannot answer is
 *    passed over, and only one that has the transaction and sees that this node had to sign it says so.
 * 3. Whoever has it sends it. It is recorded only with every signature, the notary's included, and only under the id asked for.
 * 4. Nobody has it, and its window is over: those who signed it put their signatures together and ask the notary, who
 *    answers as it has before ([FinishSigned]).
 */
@StartableByRPC
class AskOutcome(private val transactionId: SecureHash) : FlowLogic<OutcomeReport>() {
    @Suspendable
    override fun call(): OutcomeReport {
        if (serviceHub.isRecorded(transactionId)) return OutcomeReport(transactionId.toString(), LedgerOutcome.RECORDED, null)
        for (party in serviceHub.trust.signers.filter { it != ourIdentity }) {
            val found = ask(party) ?: continue
            serviceHub.recordChecked(found)
            serviceHub.pending()
            return OutcomeReport(transactionId.toString(), LedgerOutcome.RECORDED, party.name.toString())
        }
        val finished = subFlow(FinishSigned(transactionId)) ?: return OutcomeReport(transactionId.toString(), LedgerOutcome.UNKNOWN, null)
        serviceHub.recordChecked(finished)
        serviceHub.pending()
        return OutcomeReport(transactionId.toString(), LedgerOutcome.RECORDED, null)
    }

    @Suspendable
    private fun ask(party: Party): SignedTransaction? = try {
        val session = subFlow(OutcomeSession(party))
        val known = session.sendAndReceive<Boolean>(transactionId).unwrap { it }
        if (!known) null else {
            // With all signatures asked for here, Corda would store it as a part of a chain, and the vault would take others' states too.
            val stx = subFlow(ReceiveTransactionFlow(session, checkSufficientSignatures = false))
            stx.verifyRequiredSignatures()
            refuseUnless(stx.id == transactionId, ErrorCode.UNKNOWN_TRANSACTION) { "${party.name.organisation} must send $transactionId, but sends ${stx.id}." }
            stx
        }
    } catch (e: Exception) {
        // One that sends what is not signed by all who must, or signed with rubbish, keeps nobody from asking the next.
        if (!isSessionEnd(e) && verificationRefusal(e) == null) throw e
        logger.warn("${party.name.organisation} does not say what became of $transactionId: ${e.message}")
        null
    }
}

/** Answers [AskOutcome], and only to those who had to sign the transaction: to others it is as unknown as any. */
@InitiatedBy(OutcomeSession::class)
class AnswerOutcome(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        val id = session.receive<SecureHash>().unwrap { it }
        val stx = serviceHub.validatedTransactions.getTransaction(id)
        val tell = stx != null && session.counterparty.owningKey in stx.requiredSigningKeys
        session.send(tell)
        if (tell) subFlow(SendTransactionFlow(session, stx!!))
    }
}
