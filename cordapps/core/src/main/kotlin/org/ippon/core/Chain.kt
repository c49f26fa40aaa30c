package org.ippon.core

import net.corda.core.contracts.AttachmentResolutionException
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TransactionResolutionException
import net.corda.core.contracts.TransactionVerificationException
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.node.StatesToRecord
import net.corda.core.transactions.SignedTransaction
import java.security.GeneralSecurityException

/** Most transactions that are sent along with another one. */
const val MAX_NEAR_TRANSACTIONS = 256

/** Most bytes of them together: far from what a message may be, and from what a node of 512 MB minds. */
const val MAX_NEAR_BYTES = 1 shl 20

/**
 * The transactions behind [refs] that [receiver] is likely to lack, each after those that it needs: fetched one level
 * after the other they would cost a round trip a level. Whoever signed a transaction or is party to a state of it has
 * it, and what came before it. Empty when there are too many; then they are fetched.
 */
fun ServiceHub.nearChain(refs: Collection<StateRef>, receiver: Party): List<SignedTransaction> {
    val found = LinkedHashMap<SecureHash, SignedTransaction>()
    val complete = refs.map { it.txhash }.distinct().all { collect(it, receiver, found) }
    return if (complete && found.values.map { it.txBits.size }.sum() <= MAX_NEAR_BYTES) found.values.toList() else emptyList()
}

private fun ServiceHub.collect(id: SecureHash, receiver: Party, found: MutableMap<SecureHash, SignedTransaction>): Boolean {
    val stx = validatedTransactions.getTransaction(id) ?: return false
    if (id in found || tookPart(stx, receiver)) return true
    if (found.size == MAX_NEAR_TRANSACTIONS) return false
    val before = stx.before().all { collect(it, receiver, found) }
    found[id] = stx
    return before && found.size <= MAX_NEAR_TRANSACTIONS
}

private fun tookPart(stx: SignedTransaction, party: Party): Boolean =
        party.owningKey in stx.requiredSigningKeys || stx.tx.outputStates.any { state -> state.participants.any { it.owningKey == party.owningKey } }

private fun SignedTransaction.before(): Set<SecureHash> = (inputs + references).map { it.txhash }.toSet()

/**
 * Verifies and stores what came along ([near]), as far as it is needed for the transactions [wanted]. Nothing of it
 * reaches the vault, as with a chain that is fetched.
 *
 * @return whether all that is wanted is here now; if not, it has to be fetched.
 * @throws Refusal if [near] is longer than it may be; or one of it does not verify.
 */
fun ServiceHub.takeNear(near: List<SignedTransaction>, wanted: Set<SecureHash>): Boolean {
    refuseUnless(near.size <= MAX_NEAR_TRANSACTIONS, ErrorCode.TOO_MANY, "near") { "At most $MAX_NEAR_TRANSACTIONS transactions may come along, but ${near.size} do." }
    val given = near.associateBy { it.id }
    return wanted.all { take(it, given, 0) }
}

private fun ServiceHub.take(id: SecureHash, given: Map<SecureHash, SignedTransaction>, depth: Int): Boolean {
    if (validatedTransactions.getTransaction(id) != null) return true
    val stx = given[id] ?: return false
    if (depth == MAX_NEAR_TRANSACTIONS || !knows(stx) || !stx.before().all { take(it, given, depth + 1) }) return false
    try {
        stx.verify(this)
    } catch (e: Exception) {
        throw verificationRefusal(e) ?: e
    }
    recordTransactions(StatesToRecord.NONE, listOf(stx))
    return true
}

/** What this node says when Corda's rules or a contract refuse a transaction; null when [e] is something else. */
fun verificationRefusal(e: Exception): Refusal? = when (e) {
    is Refusal -> e
    is TransactionVerificationException -> Refusal(ErrorCode.CONTRACT_REFUSED, text(e.cause ?: e))
    is GeneralSecurityException -> Refusal(ErrorCode.MISSING_SIGNATURE, text(e))
    is TransactionResolutionException -> Refusal(ErrorCode.UNKNOWN_TRANSACTION, "The chain lacks the transaction ${e.hash}.")
    is AttachmentResolutionException -> Refusal(ErrorCode.UNEXPECTED_ATTACHMENT, "The chain lacks the attachment ${e.hash}.")
    // Corda's own rules of a transaction (one notary, signers, links) are plain checks.
    is IllegalStateException, is IllegalArgumentException -> Refusal(ErrorCode.CONTRACT_REFUSED, text(e))
    else -> null
}

private fun text(e: Throwable) = (e.message ?: e.javaClass.simpleName).take(MAX_MESSAGE_LENGTH)

/** Whether this node has the attachments and the network parameters of [stx]. */
fun ServiceHub.knows(stx: SignedTransaction): Boolean =
        stx.tx.attachments.all { attachments.hasAttachment(it) } && (stx.networkParametersHash == null || networkParametersService.lookup(stx.networkParametersHash!!) != null)

/** Whether [stx] can be verified with what is here and what came along, nothing being fetched. */
fun ServiceHub.hasAllOf(stx: SignedTransaction, near: List<SignedTransaction>): Boolean = knows(stx) && takeNear(near, stx.before())
