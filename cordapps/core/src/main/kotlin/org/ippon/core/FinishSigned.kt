package org.ippon.core

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.NotaryException
import net.corda.core.flows.NotaryFlow
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.serialization.CordaSerializable
import net.corda.core.serialization.deserialize
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap

/** The signatures of a transaction that one of its signers has; none when it knows nothing of it. */
@CordaSerializable
data class KnownSignatures(val signatures: List<TransactionSignature>)

/** Most signatures that are taken from one node. */
private const val MAX_SIGNATURES = 100

/**
 * Decides a settlement that this node has signed and that nobody has on record when its window is over: whoever built it
 * was lost, or keeps silent, after the notary had answered.
 *
 * 1. It is taken as this node kept it when it signed; only after its window and what clocks may differ.
 * 2. The others who had to sign it are asked for their signatures ([AnswerSignatures]): each has those before its own.
 * 3. With all of them the notary is asked for this very transaction. It answers the same as before; its time being over, it
 *    signs nothing that it had not signed then. So nothing settles by this that had not settled.
 *
 * @return the whole transaction, recorded by nobody yet, or null: it was never notarised, or a signer does not answer.
 */
class FinishSigned(private val transactionId: SecureHash) : FlowLogic<SignedTransaction?>() {
    @Suspendable
    override fun call(): SignedTransaction? {
        var stx = serviceHub.keptSigned(transactionId) ?: return null
        for (party in signers(stx)) {
            val known = ask(party)
            stx = stx.withAdditionalSignatures(fitting(stx, known))
        }
        val notary = stx.notary ?: return null
        if (stx.getMissingSigners().any { it != notary.owningKey }) return null
        return try {
            stx + subFlow(NotaryFlow.Client(stx))
        } catch (e: NotaryException) {
            logger.info("The settlement $transactionId was never notarised and cannot be: ${e.message}")
            null
        }
    }

    private fun signers(stx: SignedTransaction): List<Party> = serviceHub.trust.signers.filter { it != ourIdentity && it.owningKey in stx.requiredSigningKeys }

    /** Those of [known] that are missing and fit: a node may send whatever it likes. */
    private fun fitting(stx: SignedTransaction, known: KnownSignatures): List<TransactionSignature> {
        val missing = stx.getMissingSigners()
        return known.signatures.take(MAX_SIGNATURES).filter { it.by in missing && fits(it, stx) }.distinctBy { it.by }
    }

    @Suspendable
    private fun ask(party: Party): KnownSignatures = try {
        val session = subFlow(SignaturesSession(party))
        session.sendAndReceive<KnownSignatures>(transactionId).unwrap { it }
    } catch (e: Exception) {
        if (!isSessionEnd(e)) throw e
        logger.warn("${party.name.organisation} does not say which signatures of $transactionId it has: ${e.message}")
        KnownSignatures(emptyList())
    }
}

/** Answers [FinishSigned], and only those who had to sign, after the window: before it is over, whoever built it decides. */
@InitiatedBy(SignaturesSession::class)
class AnswerSignatures(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        val id = session.receive<SecureHash>().unwrap { it }
        val known = known(id)
        session.send(known)
    }

    private fun known(id: SecureHash): KnownSignatures {
        val stx = serviceHub.keptSigned(id)
        return KnownSignatures(if (stx != null && session.counterparty.owningKey in stx.requiredSigningKeys) stx.sigs else emptyList())
    }
}

/** The transaction [id] as this node signed it, while nobody knows what became of it and its window is over. */
private fun ServiceHub.keptSigned(id: SecureHash): SignedTransaction? = select(
        "SELECT content FROM ippon_pending WHERE pending_tx = ? AND kind IN ('SIGNED', 'DROPPED') AND deadline < ? AND content IS NOT NULL", id.toString(), clock.instant()
) { it.getBytes(1) }.firstOrNull()?.deserialize<SignedTransaction>()
