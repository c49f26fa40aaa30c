package org.ippon.custodian.funds

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.StateAndRef
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.isLedgerId
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.InstructionEndSession
import org.ippon.core.InstructionSession
import org.ippon.core.ReceiveDelivery
import org.ippon.core.instructionOf
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.signFirst
import org.ippon.core.trust
import org.ippon.custodian.INSTRUCTION
import org.ippon.custodian.investor
import org.ippon.custodian.noteStarted
import org.ippon.custodian.onLedger
import org.ippon.custodian.requireInvestor
import org.ippon.custodian.startedBefore
import java.time.Instant

/** @property alreadyInstructed the same instruction had been given before; nothing was made. */
@CordaSerializable
data class InstructionReport(val instructionId: String, val transactionId: String, val alreadyInstructed: Boolean)

/**
 * Orders coins for an investor against cash paid into the trust account. The instruction id makes one instruction,
 * whatever is repeated; the coin node checks and records it. The coins go to the investor's coin account.
 */
@StartableByRPC
class InstructTrust(private val instructionId: String, private val investorId: String, private val amount: Long, private val expiresAt: Instant) : FlowLogic<InstructionReport>() {
    @Suspendable
    override fun call(): InstructionReport {
        refuseUnless(isLedgerId(instructionId), ErrorCode.BAD_REQUEST, "instruction_id") { "The instruction id '$instructionId' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        refuseUnless(amount > 0, ErrorCode.BAD_REQUEST, "amount") { "The amount must be more than zero yen, but is $amount." }
        serviceHub.startedBefore(INSTRUCTION, instructionId, contents(), ErrorCode.INSTRUCTION_ID_REUSED, "instruction_id")?.let { return InstructionReport(instructionId, it.toString(), true) }
        val investor = serviceHub.requireInvestor(investorId, "investor_id")
        val issuer = serviceHub.trust.coinIssuer
        val instruction = TrustInstruction(instructionId, Holder(ourIdentity, investor.coinInvestorId), amount, issuer, expiresAt)
        val builder = TransactionBuilder(serviceHub.trust.notary).addOutputState(instruction).addCommand(Command(TrustInstructionCommand.Instruct(), ourIdentity.owningKey))
        val session = subFlow(InstructionSession(issuer))
        val full = subFlow(Delivery(serviceHub.signFirst(builder), session, instructionId, contents()))
        return InstructionReport(instructionId, full.id.toString(), false)
    }

    private fun contents() = listOf("$investorId|$amount", onLedger(serviceHub.investor(investorId)?.coinInvestorId ?: investorId, amount))

    private class Delivery(stx: SignedTransaction, session: FlowSession, private val id: String, private val contents: List<String>) : DeliverTransaction(stx, listOf(listOf(session))) {
        override fun beforeRecording(stx: SignedTransaction) {
            // Another request may have instructed under the same id while the coin node checked.
            val taken = serviceHub.startedBefore(INSTRUCTION, id, contents, ErrorCode.INSTRUCTION_ID_REUSED, "instruction_id")
            refuseUnless(taken == null, ErrorCode.INSTRUCTION_ID_REUSED, "instruction_id") { "The instruction id $id is being used by another request." }
        }

        override fun onRecorded(stx: SignedTransaction) = serviceHub.noteStarted(INSTRUCTION, id, contents.first(), stx.id)
    }
}

/** Takes an instruction back before it is executed; against an issue the notary decides. */
@StartableByRPC
class CancelInstruction(private val instructionId: String) : FlowLogic<InstructionReport>() {
    @Suspendable
    override fun call(): InstructionReport {
        val open: StateAndRef<TrustInstruction> = serviceHub.instructionOf(ourIdentity, instructionId)
        val builder = TransactionBuilder(serviceHub.trust.notary).addInputState(open).addCommand(Command(TrustInstructionCommand.Cancel(), ourIdentity.owningKey))
        val session = subFlow(InstructionSession(open.state.data.issuer))
        val full = subFlow(DeliverTransaction(serviceHub.signFirst(builder), listOf(listOf(session))))
        return InstructionReport(instructionId, full.id.toString(), false)
    }
}

/** A custodian records what the coin node made of an instruction of its own: coins issued, rejected, expired. */
@InitiatedBy(InstructionEndSession::class)
class ReceiveInstructionEnd(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        serviceHub.trust.checkParty(serviceHub.trust.isCoinIssuer(session.counterparty), "coin_issuer", session.counterparty)
        val ended = serviceHub.loadStates(stx.inputs.toSet()).map { it.state.data }
        val instruction = ended.singleOrNull() as? TrustInstruction
        refuseUnless(instruction != null && instruction.holder.custodian == serviceHub.me && instruction.issuer == session.counterparty, ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") {
            "${session.counterparty.name.organisation} may end one instruction that ${serviceHub.me.name.organisation} gave it, but ends ${ended.size} others."
        }
        refuseUnless(stx.inputs.single() == serviceHub.instructionOf(serviceHub.me, instruction!!.instructionId).ref, ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") {
            "${instruction.instructionId} must be open in the records of ${serviceHub.me.name.organisation}, but is not."
        }
        refuseUnless(stx.tx.outputs.all { it.data is Coin }, ErrorCode.UNEXPECTED_STATE, "outputs") { "An instruction ends in coins or in nothing, not in ${stx.tx.outputs.map { it.data.javaClass.simpleName }}." }
    }
}
