package org.ippon.core

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.SignatureAttachmentConstraint
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TransactionVerificationException
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.FlowException
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.NotaryError
import net.corda.core.flows.NotaryException
import net.corda.core.flows.NotaryFlow
import net.corda.core.flows.ReceiveStateAndRefFlow
import net.corda.core.flows.ReceiveTransactionFlow
import net.corda.core.flows.SendStateAndRefFlow
import net.corda.core.flows.SendTransactionFlow
import net.corda.core.flows.UnexpectedFlowEndException
import net.corda.core.node.ServiceHub
import net.corda.core.node.StatesToRecord
import net.corda.core.serialization.CordaSerializable
import net.corda.core.serialization.serialize
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.OrderDetails
import java.security.GeneralSecurityException
import java.security.SignatureException

/** Goes with a transaction: what the receiver must know to check it and what the ledger must not carry. */
@CordaSerializable
data class DeliveryNote(val orders: List<OrderDetails> = emptyList(), val reference: String = "")

/** What the receiver of a delivery may be sent first. */
@CordaSerializable
interface DeliveryMessage

/** The transaction to be checked, its note, and the transactions before it that the receiver is likely to lack ([nearChain]). */
@CordaSerializable
data class TransactionDelivery(val stx: SignedTransaction, val note: DeliveryNote = DeliveryNote(), val near: List<SignedTransaction> = emptyList()) : DeliveryMessage

/** The sender cannot yet build its transaction: it lacks the chain of what the receiver has named to it. */
@CordaSerializable
object NamedWanted : DeliveryMessage

/** The receiver's answer: a refusal, or acceptance with its signature where it has one to give; or, first of all, that it lacks the chain. */
@CordaSerializable
data class DeliveryAnswer(val refusal: WireRefusal?, val signature: TransactionSignature?, val chainWanted: Boolean = false)

/** The end of a delivery: [signatures] complete the transaction, or null: it was dropped and never will be recorded by the sender. */
@CordaSerializable
data class DeliveryVerdict(val signatures: List<TransactionSignature>?)

/**
 * The one way in which a transaction reaches other nodes: nobody records what it has not checked.
 *
 * 1. To each session, round by round, those of a round at the same time: the transaction, its note, and what the
 *    receiver probably lacks of its chain. One that lacks more says so, and fetches it.
 * 2. Each answers: accepted, with its signature if it must sign, or refused. One refusal drops the whole.
 * 3. The complete transaction is notarised if it needs to be.
 * 4. It is recorded here, and the signatures go to everybody at once; each of them, having the transaction already, needs
 *    nothing more. Nobody's answer is waited for: Corda's queues are durable, and a dead node undoes nothing.
 *
 * The same node never gets a session: whoever calls must have made the checks of its own roles before signing.
 *
 * @param partly signed by this node.
 * @param rounds sessions asked one round after the other; those in one round at the same time.
 * @return the transaction recorded. @throws Refusal if a receiver or the notary refuses.
 */
open class DeliverTransaction(
        private val partly: SignedTransaction,
        private val rounds: List<List<FlowSession>>,
        private val note: DeliveryNote = DeliveryNote()
) : FlowLogic<SignedTransaction>() {

    /** Runs with all signatures but the notary's, and a checkpoint before the notary is asked. */
    protected open fun beforeNotary(stx: SignedTransaction) = Unit

    /** The last look before recording; a refusal here still drops the whole. Must not suspend. */
    protected open fun beforeRecording(stx: SignedTransaction) = Unit

    /** Runs in the database transaction in which the transaction is recorded here. */
    protected open fun onRecorded(stx: SignedTransaction) = Unit

    @Suspendable
    override fun call(): SignedTransaction {
        verify()
        var stx = partly
        val asked = mutableListOf<FlowSession>()
        for (round in rounds.filter { it.isNotEmpty() }) {
            asked += round
            for (signature in ask(round, asked, stx)) stx += signature
        }
        val full = notarise(stx, asked)
        try {
            beforeRecording(full)
        } catch (e: Refusal) {
            tell(asked, DeliveryVerdict(null))
            throw e
        }
        // A repetition is recorded already.
        if (!serviceHub.isRecorded(full.id)) {
            serviceHub.recordChecked(full)
            onRecorded(full)
        }
        tell(asked, DeliveryVerdict(full.sigs))
        return full
    }

    /** The contracts run here too: a transaction without receivers would otherwise be recorded unverified. */
    private fun verify() = try {
        partly.verify(serviceHub, checkSufficientSignatures = false)
    } catch (e: TransactionVerificationException) {
        throw verificationRefusal(e)!!
    }

    /** Tells everybody the verdict. Somebody whose side of the session is gone can only ask the ledger ([AskOutcome]), and keeps nobody else from hearing. */
    @Suspendable
    private fun tell(asked: List<FlowSession>, verdict: DeliveryVerdict) {
        if (asked.isEmpty()) return
        try {
            sendAll(verdict, asked.toSet())
        } catch (e: Exception) {
            if (!isSessionEnd(e)) throw e
            for (session in asked) tellOne(session, verdict)
        }
    }

    @Suspendable
    private fun tellOne(session: FlowSession, verdict: DeliveryVerdict) {
        try {
            session.send(verdict)
        } catch (e: Exception) {
            if (!isSessionEnd(e)) throw e
            logger.warn("${session.counterparty.name.organisation} ended its session before the verdict: ${e.message}")
        }
    }

    /** One round; a receiver that fails without an answer has refused. */
    @Suspendable
    private fun ask(round: List<FlowSession>, asked: List<FlowSession>, stx: SignedTransaction): List<TransactionSignature> = try {
        sendAllMap(deliveries(round, stx))
        answers(round, stx)
    } catch (e: Exception) {
        if (!isSessionEnd(e)) throw e
        // Those who have signed must not wait for the window's end to learn that it came to nothing.
        tell(asked, DeliveryVerdict(null))
        throw e as? Refusal ?: Refusal(ErrorCode.COUNTERPARTY_FAILED, "One of ${round.map { it.counterparty.name.organisation }} ended its session without an answer: ${e.message?.take(MAX_MESSAGE_LENGTH)}")
    }

    private fun deliveries(round: List<FlowSession>, stx: SignedTransaction): Map<FlowSession, Any> =
            round.associate { it to TransactionDelivery(stx, note, serviceHub.nearChain(stx.inputs + stx.references, it.counterparty)) }

    @Suspendable
    private fun answers(round: List<FlowSession>, stx: SignedTransaction): List<TransactionSignature> {
        val answers = receiveAll(DeliveryAnswer::class.java, round).map { it.unwrap { answer -> answer } }.toMutableList()
        for (index in round.indices) if (answers[index].chainWanted) answers[index] = sendChain(round[index], stx)
        val refused = round.zip(answers).firstOrNull { it.second.refusal != null }
        if (refused != null) throw refused.second.refusal!!.toRefusal(refused.first.counterparty.name.organisation)
        return round.zip(answers).mapNotNull { (session, answer) ->
            answer.signature?.also {
                refuseUnless(it.by == session.counterparty.owningKey && fits(it, stx), ErrorCode.MISSING_SIGNATURE) {
                    "${session.counterparty.name.organisation} must sign ${stx.id}, but its signature does not fit."
                }
            }
        }
    }

    @Suspendable
    private fun sendChain(session: FlowSession, stx: SignedTransaction): DeliveryAnswer {
        subFlow(SendTransactionFlow(session, stx))
        return session.receive<DeliveryAnswer>().unwrap { it }
    }

    @Suspendable
    private fun notarise(stx: SignedTransaction, asked: List<FlowSession>): SignedTransaction {
        val complete = stx.inputs.isEmpty() && stx.tx.timeWindow == null || stx.sigs.any { it.by == stx.notary!!.owningKey }
        try {
            if (complete) {
                stx.verifyRequiredSignatures()
                return stx
            }
            stx.verifySignaturesExcept(stx.notary!!.owningKey)
            beforeNotary(stx)
            return stx + subFlow(NotaryFlow.Client(stx))
        } catch (e: NotaryException) {
            tell(asked, DeliveryVerdict(null))
            throw notaryRefusal(e)
        } catch (e: SignatureException) {
            tell(asked, DeliveryVerdict(null))
            throw Refusal(ErrorCode.MISSING_SIGNATURE, "The transaction ${stx.id} is not signed by all who must: ${e.message}")
        }
    }
}

/**
 * Takes states that the other side has named, which is about to receive a delivery that spends them ([ReceiveDelivery]):
 * out of transactions that are here or came along ([near]), or else with their chain.
 *
 * @throws Refusal if what came along does not verify, or there is no such state.
 */
class ReceiveNamed(private val session: FlowSession, private val refs: List<StateRef>, private val near: List<SignedTransaction>) : FlowLogic<List<StateAndRef<*>>>() {
    @Suspendable
    override fun call(): List<StateAndRef<*>> {
        if (serviceHub.takeNear(near, refs.map { it.txhash }.toSet())) return serviceHub.statesAt<ContractState>(refs)
        session.send(NamedWanted)
        val fetched = subFlow(ReceiveStateAndRefFlow<ContractState>(session))
        refuseUnless(fetched.map { it.ref } == refs, ErrorCode.UNKNOWN_TRANSACTION) { "The states must be those named, $refs, but are ${fetched.map { it.ref }}." }
        return fetched
    }
}

/** Whether [signature] is one of [stx]. What is no signature at all is thrown out by the algorithm, each in its own way. */
internal fun fits(signature: TransactionSignature, stx: SignedTransaction): Boolean = try {
    signature.isValid(stx.id)
} catch (e: GeneralSecurityException) {
    false
} catch (e: IllegalArgumentException) {
    false
}

/** Whether [e] says that the other side of a session failed, ended or sent what is no message of ours: two families in Corda, and a plain exception. */
fun isSessionEnd(e: Exception): Boolean = e is FlowException || e is UnexpectedFlowEndException || isBabble(e)

/** What Corda 4.10 throws, in words alone, when a message cannot be read, or is not of the class expected. */
private fun isBabble(e: Exception): Boolean = e is IllegalArgumentException && BABBLE.any { e.message.orEmpty().startsWith(it) }

private val BABBLE = listOf("Payload invalid", "We were expecting a ")

/** The notary's no, in our words. */
fun notaryRefusal(e: NotaryException): Refusal {
    val error = e.error
    return when (error) {
        is NotaryError.Conflict -> Refusal(ErrorCode.NOTARY_CONFLICT, "Another transaction has consumed ${error.consumedStates.keys.joinToString { it.toString() }} already.")
        is NotaryError.TimeWindowInvalid -> Refusal(ErrorCode.WRONG_TIME_WINDOW, "The notary's time ${error.currentTime} is outside the window ${error.txTimeWindow}.")
        else -> Refusal(ErrorCode.INTERNAL, "The notary refuses: $error")
    }
}

/** What holds for every ippon transaction: our notary, outputs that only our contracts' signed code can spend. */
fun ServiceHub.checkShape(stx: SignedTransaction) {
    val notary = trust.notary
    refuseUnless(stx.tx.outputs.all { it.notary == notary } && (stx.tx.notary == null || stx.tx.notary == notary), ErrorCode.WRONG_NOTARY, "notary") {
        "The notary must be ${notary.name}, but is ${(stx.tx.outputs.map { it.notary } + stx.tx.notary).filterNotNull().map { it.name }.distinct()}."
    }
    refuseUnless(stx.tx.outputs.all { it.constraint is SignatureAttachmentConstraint }, ErrorCode.UNEXPECTED_STATE, "constraint") {
        "Every state must have a signature constraint, but there is ${stx.tx.outputs.map { it.constraint.javaClass.simpleName }.distinct()}."
    }
}

/**
 * The other end of [DeliverTransaction]; a responder says in [check] what it will not record or sign.
 *
 * @return the recorded transaction, or null when it was refused here or dropped there.
 */
abstract class ReceiveDelivery(protected val session: FlowSession) : FlowLogic<SignedTransaction?>() {

    /** Throws a [Refusal] unless this node, from its own records, agrees. Must not suspend. */
    protected abstract fun check(stx: SignedTransaction, note: DeliveryNote)

    /** What may have changed between answer and verdict is checked once more. Must not suspend. */
    protected open fun checkAgain(stx: SignedTransaction) = Unit

    /** Runs in the database transaction in which the transaction is recorded here. */
    protected open fun onRecorded(stx: SignedTransaction, note: DeliveryNote) = Unit

    /** States that this side has named to the other before, and whose chain it may have to send. */
    protected open val named: List<StateAndRef<*>> get() = emptyList()

    /** Which of the transaction's states go into the vault here. */
    protected open val statesToRecord: StatesToRecord get() = StatesToRecord.ONLY_RELEVANT

    @Suspendable
    override fun call(): SignedTransaction? {
        val delivery = receiveDelivery()
        val stx = delivery.stx
        val refusal = verified(delivery) ?: refusalOf(stx, delivery.note)
        if (refusal != null) {
            logger.info("Refused a transaction of ${session.counterparty.name.organisation}: ${refusal.code} ${refusal.message}")
            session.send(DeliveryAnswer(refusal, null))
            return null
        }
        val signature = if (ourIdentity.owningKey in stx.tx.requiredSigningKeys) serviceHub.createSignature(stx, ourIdentity.owningKey) else null
        pend(stx, signature)
        return conclude(stx, DeliveryAnswer(null, signature), delivery.note)
    }

    @Suspendable
    private fun receiveDelivery(): TransactionDelivery {
        var message = session.receive<DeliveryMessage>().unwrap { it }
        if (message is NamedWanted && named.isNotEmpty()) {
            subFlow(SendStateAndRefFlow(session, named))
            message = session.receive<DeliveryMessage>().unwrap { it }
        }
        refuseUnless(message is TransactionDelivery, ErrorCode.BAD_REQUEST) { "A transaction must come now, but what comes is a ${message.javaClass.simpleName}." }
        return message as TransactionDelivery
    }

    /** Null when Corda and the contracts accept the transaction and everything before it. */
    @Suspendable
    private fun verified(delivery: TransactionDelivery): WireRefusal? = try {
        if (serviceHub.hasAllOf(delivery.stx, delivery.near)) delivery.stx.verify(serviceHub, checkSufficientSignatures = false)
        else fetch(delivery.stx)
        null
    } catch (e: Exception) {
        (verificationRefusal(e) ?: throw e).toWire()
    }

    /** Gets the chain and the transaction the long way; it must still be the one delivered. */
    @Suspendable
    private fun fetch(stx: SignedTransaction) {
        session.send(DeliveryAnswer(null, null, chainWanted = true))
        val fetched = subFlow(ReceiveTransactionFlow(session, checkSufficientSignatures = false))
        refuseUnless(fetched.id == stx.id, ErrorCode.UNKNOWN_TRANSACTION) { "The chain must be that of ${stx.id}, but is of ${fetched.id}." }
    }

    private fun refusalOf(stx: SignedTransaction, note: DeliveryNote): WireRefusal? = try {
        serviceHub.checkShape(stx)
        check(stx, note)
        null
    } catch (e: Refusal) {
        e.toWire()
    }

    private fun pend(stx: SignedTransaction, signature: TransactionSignature?) {
        val now = serviceHub.clock.instant()
        val signed = signature != null
        // Unsigned, it holds nothing of anybody's, and a receiver that gave up would miss for good what the others record.
        val patience = if (signed) serviceHub.trust.sessionSeconds else serviceHub.trust.acceptedSeconds
        val until = (if (signed) stx.tx.timeWindow?.untilTime else null) ?: now.plusSeconds(patience)
        val fills = stx.tx.commands.map { it.value }.filterIsInstance<FillCommand.Settle>().flatMap { it.terms }.map { it.executionId }
        serviceHub.pend(
                runId.uuid, if (signed) PendingKind.SIGNED else PendingKind.ACCEPTED, session.counterparty,
                until.plusSeconds(serviceHub.trust.clockSkewSeconds), stx.id, fills, if (signed) stx.inputs else emptyList(),
                // What has a window can be finished after it, were its builder lost: see FinishSigned.
                signature?.takeIf { stx.tx.timeWindow?.untilTime != null }?.let { (stx + it).serialize().bytes }
        )
    }

    @Suspendable
    private fun conclude(stx: SignedTransaction, answer: DeliveryAnswer, note: DeliveryNote): SignedTransaction? {
        val verdict = try {
            session.sendAndReceive<DeliveryVerdict>(answer).unwrap { it }
        } catch (e: Exception) {
            if (!isSessionEnd(e)) throw e
            // The other side died. If this node has signed, its row stays: only the ledger can say what became of it.
            logger.warn("${session.counterparty.name.organisation} ended before its verdict on ${stx.id}: ${e.message}")
            serviceHub.unpendUnlessSigned(runId.uuid)
            return null
        }
        if (verdict.signatures == null) {
            // A sender may say "dropped" and notarise all the same; a signature once given is watched until its window ends.
            serviceHub.dropped(runId.uuid)
            return null
        }
        val full = stx.withAdditionalSignatures(verdict.signatures.filter { it !in stx.sigs && fits(it, stx) })
        try {
            full.verifyRequiredSignatures()
            if (!serviceHub.isRecorded(full.id)) checkAgain(full)
        } catch (e: SignatureException) {
            return dropUnrecorded(full, e)
        } catch (e: Refusal) {
            return dropUnrecorded(full, e)
        }
        if (!serviceHub.isRecorded(full.id)) {
            serviceHub.recordChecked(full, statesToRecord)
            onRecorded(full, note)
        }
        serviceHub.unpend(runId.uuid)
        return full
    }

    /** A verdict that does not complete the transaction, or one that came too late, is as good as none. */
    private fun dropUnrecorded(stx: SignedTransaction, why: Exception): SignedTransaction? {
        logger.warn("The transaction ${stx.id} of ${session.counterparty.name.organisation} is not recorded here: ${why.message}")
        serviceHub.unpendUnlessSigned(runId.uuid)
        return null
    }
}
