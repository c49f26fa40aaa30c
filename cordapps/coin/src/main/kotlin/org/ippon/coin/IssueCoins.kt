package org.ippon.coin

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.TimeWindow
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.DeliverTransaction
import org.ippon.core.ErrorCode
import org.ippon.core.InstructionEndSession
import org.ippon.core.Refusal
import org.ippon.core.instructionOf
import org.ippon.core.refuseUnless
import org.ippon.core.signFirst
import org.ippon.core.trust

/** @property amount yen issued. */
@CordaSerializable
data class CoinIssueReport(val instructionId: String, val amount: Long, val transactionId: String)

/** @property transactionId the transaction that ended the instruction. */
@CordaSerializable
data class InstructionEndReport(val instructionId: String, val transactionId: String)

/**
 * Issues exactly the coins of one trust instruction against exactly one line of the trust account's statement: of the
 * same custodian, with the instruction's id as its reference, of the same amount, not used before. The line is used in
 * the database transaction that records the issue.
 */
@StartableByRPC
class IssueCoins(private val custodian: Party, private val instructionId: String, private val lineId: String) : FlowLogic<CoinIssueReport>() {
    @Suspendable
    override fun call(): CoinIssueReport {
        val open = serviceHub.instructionOf(custodian, instructionId)
        val instruction = open.state.data
        checkLine(serviceHub, instruction, lineId)
        val coin = Coin(instruction.amountInstructed, instruction.holder, ourIdentity)
        val builder = TransactionBuilder(serviceHub.trust.notary)
                .addInputState(open).addOutputState(coin)
                .addCommand(Command(CoinCommand.Issue(instruction.amountInstructed), ourIdentity.owningKey))
                .addCommand(Command(TrustInstructionCommand.Execute(), ourIdentity.owningKey))
        val session = subFlow(InstructionEndSession(custodian))
        val full = subFlow(Delivery(serviceHub.signFirst(builder), session, instruction, lineId))
        return CoinIssueReport(instructionId, instruction.amountInstructed, full.id.toString())
    }

    private class Delivery(stx: SignedTransaction, session: FlowSession, private val instruction: TrustInstruction, private val lineId: String) : DeliverTransaction(stx, listOf(listOf(session))) {
        // Before the notary, not before recording: what the notary has accepted must be recorded. The line is taken here and given back never:
        // a notary refusal means that the instruction is over, and its cash is then for people to return.
        override fun beforeNotary(stx: SignedTransaction) {
            val line = checkLine(serviceHub, instruction, lineId)
            line.usedBy = lineUser(instruction)
            line.usedTransaction = stx.id.toString()
            serviceHub.withEntityManager {
                merge(line)
                flush()
            }
        }
    }

    private companion object {
        fun checkLine(services: net.corda.core.node.ServiceHub, instruction: TrustInstruction, lineId: String): StatementLine {
            val line = services.withEntityManager { find(StatementLine::class.java, lineId) }
                    ?: throw Refusal(ErrorCode.UNKNOWN_STATEMENT_LINE, "The trust account's statement has no line $lineId.", "line_id")
            refuseUnless(line.usedBy == null, ErrorCode.STATEMENT_LINE_USED, "line_id") { "The line $lineId was used for ${line.usedBy} already." }
            refuseUnless(line.custodian == instruction.holder.custodian.name.toString() && line.reference == instruction.instructionId && line.amount == instruction.amountInstructed, ErrorCode.STATEMENT_LINE_DIFFERS, "amount") {
                "${instruction.instructionId} of ${instruction.holder.custodian.name.organisation} is over ${instruction.amountInstructed} yen, but the line $lineId says ${line.amount} yen, reference ${line.reference}, from ${line.custodian}."
            }
            return line
        }
    }
}

/** The issuer declines an instruction, with the reason that the custodian will read. */
@StartableByRPC
class RejectInstruction(private val custodian: Party, private val instructionId: String, private val reason: String) : FlowLogic<InstructionEndReport>() {
    @Suspendable
    override fun call(): InstructionEndReport {
        val open = serviceHub.instructionOf(custodian, instructionId)
        return subFlow(EndInstruction(open, TrustInstructionCommand.Reject(reason), null))
    }
}

/** The issuer lets an instruction lapse after its time. */
@StartableByRPC
class ExpireInstruction(private val custodian: Party, private val instructionId: String) : FlowLogic<InstructionEndReport>() {
    @Suspendable
    override fun call(): InstructionEndReport {
        val open = serviceHub.instructionOf(custodian, instructionId)
        val expiresAt = open.state.data.expiresAt
        refuseUnless(!serviceHub.clock.instant().isBefore(expiresAt), ErrorCode.NOT_YET, "instruction_id") { "$instructionId may expire from $expiresAt, which is still to come." }
        return subFlow(EndInstruction(open, TrustInstructionCommand.Expire(), TimeWindow.fromOnly(expiresAt)))
    }
}

/** Ends an instruction without coins, and tells its custodian. */
private class EndInstruction(private val open: StateAndRef<TrustInstruction>, private val command: TrustInstructionCommand, private val window: TimeWindow?) : FlowLogic<InstructionEndReport>() {
    @Suspendable
    override fun call(): InstructionEndReport {
        val builder = TransactionBuilder(serviceHub.trust.notary).addInputState(open).addCommand(Command(command, ourIdentity.owningKey))
        window?.let { builder.setTimeWindow(it) }
        val session = subFlow(InstructionEndSession(open.state.data.holder.custodian))
        val full = subFlow(DeliverTransaction(serviceHub.signFirst(builder), listOf(listOf(session))))
        return InstructionEndReport(open.state.data.instructionId, full.id.toString())
    }
}
