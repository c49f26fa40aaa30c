package org.ippon.test.custodian

import net.corda.core.contracts.StateRef
import net.corda.core.transactions.SignedTransaction
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.coin.ExpireInstruction
import org.ippon.coin.IssueCoins
import org.ippon.coin.RecordStatement
import org.ippon.coin.RejectInstruction
import org.ippon.coin.StatementEntry
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.ErrorCode
import org.ippon.core.QueryInstructions
import org.ippon.core.Refusal
import org.ippon.core.query.PageRequest
import org.ippon.custodian.funds.CancelInstruction
import org.ippon.custodian.funds.InstructTrust
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.junit.Rule
import org.junit.Test
import java.time.Instant
import java.time.LocalDate

/** Trust instructions and the coins that they become (spec I4: one issue per instruction). */
class InstructionsTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val a = network.custodianA
    private val b = network.custodianB
    private val coin = network.coin
    private val later = Instant.parse("2099-01-01T00:00:00Z")

    /** On record at both: the coin node records a moment after the custodian. */
    private fun instruct(investor: String, amount: Long = 1_000, expiresAt: Instant = later): String = network.id("TI").also {
        coin.awaits(b.run(InstructTrust(it, investor, amount, expiresAt)).transactionId)
    }

    private fun line(reference: String, amount: Long = 1_000, custodian: StartedMockNode = b): String = network.id("LINE").also {
        coin.run(RecordStatement(listOf(StatementEntry(it, LocalDate.of(2026, 7, 1), amount, reference, custodian.party.name.toString()))))
    }

    private fun status(id: String, node: StartedMockNode = b) = node.run(QueryInstructions(listOf(id), PageRequest())).rows.single().text("status")

    @Test
    fun `an instruction becomes exactly its coins, once, against its own line of the statement`() {
        val investor = network.investor(b, method = null)
        val id = instruct(investor)
        assertThat(b.run(InstructTrust(id, investor, 1_000, later)).alreadyInstructed).isTrue()
        refused(ErrorCode.INSTRUCTION_ID_REUSED, "instruction_id") { b.run(InstructTrust(id, investor, 1_001, later)) }
        val line = line(id)
        assertThat(coin.run(IssueCoins(b.party, id, line)).amount).isEqualTo(1_000L)
        eventually { network.coins(b, investor) == Pair(1_000L, 0L) && status(id) == "EXECUTED" }
        refused(ErrorCode.INSTRUCTION_ENDED, "instruction_id") { coin.run(IssueCoins(b.party, id, line)) }
        refused(ErrorCode.INSTRUCTION_ENDED, "instruction_id") { coin.run(IssueCoins(b.party, id, line(id))) }
        refused(ErrorCode.INSTRUCTION_ENDED, "instruction_id") { b.run(CancelInstruction(id)) }
        assertThat(network.coins(coin, investor)).isEqualTo(Pair(1_000L, 0L))
    }

    @Test
    fun `coins go to the coin account of an investor who has one`() {
        val account = network.id("ACC")
        val investor = network.investor(b, coinId = account, method = null)
        network.giveCoins(b, investor, 500)
        eventually { network.coins(b, account).first == 500L }
        assertThat(network.coins(b, investor).first).isEqualTo(0L)
    }

    @Test
    fun `an instruction for nobody, of nothing or by no custodian is refused`() {
        val investor = network.investor(b, method = null)
        refused(ErrorCode.UNKNOWN_INVESTOR, "investor_id") { instruct("NOBODY") }
        refused(ErrorCode.BAD_REQUEST, "amount") { instruct(investor, 0) }
        refused(ErrorCode.BAD_REQUEST, "instruction_id") { b.run(InstructTrust("", investor, 1, later)) }
        val foreign = TrustInstruction(network.id("TI"), Holder(network.outsider.party, "X"), 1, coin.party, later)
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { network.outsider.run(Deliver(instructed(foreign, network.outsider), Door.INSTRUCTION, coin.party)) }
    }

    @Test
    fun `two requests with one instruction id make one instruction`() {
        val investor = network.investor(b, method = null)
        val id = network.id("TI")
        val outcomes = listOf(1, 2).map { b.startFlow(InstructTrust(id, investor, 7, later)) }.map {
            try {
                it.waitFor().transactionId
            } catch (e: Refusal) {
                e.code.name
            }
        }
        assertThat(outcomes.filter { it.length == 64 }.toSet()).hasSize(1)
        assertThat(outcomes.toSet() - "INSTRUCTION_ID_REUSED").hasSize(1)
        eventually { coin.run(QueryInstructions(listOf(id), PageRequest())).rows.size == 1 }
    }

    @Test
    fun `a line of another amount, reference or custodian, an unknown one and a used one are refused`() {
        val investor = network.investor(b, method = null)
        val id = instruct(investor)
        refused(ErrorCode.STATEMENT_LINE_DIFFERS, "amount") { coin.run(IssueCoins(b.party, id, line(id, 999))) }
        refused(ErrorCode.STATEMENT_LINE_DIFFERS) { coin.run(IssueCoins(b.party, id, line("TI-OTHER"))) }
        refused(ErrorCode.STATEMENT_LINE_DIFFERS) { coin.run(IssueCoins(b.party, id, line(id, custodian = a))) }
        refused(ErrorCode.UNKNOWN_STATEMENT_LINE, "line_id") { coin.run(IssueCoins(b.party, id, "LINE-NEVER")) }
        refused(ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") { coin.run(IssueCoins(a.party, id, line(id))) }
        val line = line(id)
        coin.run(IssueCoins(b.party, id, line))
        val neighbour = network.investor(a, method = null)
        a.run(InstructTrust(id, neighbour, 1_000, later))
        refused(ErrorCode.STATEMENT_LINE_USED, "line_id") { coin.run(IssueCoins(a.party, id, line)) }
        a.run(CancelInstruction(id))
        assertThat(network.coins(coin, neighbour).first).isEqualTo(0L)
    }

    @Test
    fun `one line for two requests at once issues once`() {
        val investor = network.investor(b, method = null)
        val id = instruct(investor)
        val line = line(id)
        val issued = listOf(1, 2).map { coin.startFlow(IssueCoins(b.party, id, line)) }.count {
            try {
                it.waitFor()
                true
            } catch (e: Refusal) {
                false
            }
        }
        assertThat(issued).isEqualTo(1)
        eventually { network.coins(b, investor).first == 1_000L }
        assertThat(network.coins(coin, investor).first).isEqualTo(1_000L)
    }

    @Test
    fun `a statement line stands for one line for ever`() {
        val entry = StatementEntry(network.id("LINE"), LocalDate.of(2026, 7, 1), 10, "TI-X", b.party.name.toString())
        assertThat(coin.run(RecordStatement(listOf(entry))).recorded).isEqualTo(1)
        assertThat(coin.run(RecordStatement(listOf(entry))).known).isEqualTo(1)
        val other = entry.copy(lineId = network.id("LINE"))
        refused(ErrorCode.STATEMENT_LINE_DIFFERS, "line_id") { coin.run(RecordStatement(listOf(other, entry.copy(amount = 11)))) }
        refused(ErrorCode.BAD_REQUEST, "line_id") { coin.run(RecordStatement(listOf(other, other))) }
        assertThat(coin.run(RecordStatement(listOf(other))).recorded).isEqualTo(1)
    }

    @Test
    fun `an instruction is rejected, cancelled, or expires after its time, and then becomes no coins`() {
        val investor = network.investor(b, method = null)
        val rejected = instruct(investor)
        coin.run(RejectInstruction(b.party, rejected, "no such payment"))
        eventually { status(rejected) == "REJECTED" }
        assertThat(b.run(QueryInstructions(listOf(rejected), PageRequest())).rows.single().text("reason")).isEqualTo("no such payment")
        val cancelled = instruct(investor)
        b.run(CancelInstruction(cancelled))
        eventually { status(cancelled, coin) == "CANCELLED" }
        val expired = instruct(investor, expiresAt = Instant.parse("2026-01-01T00:00:00Z"))
        coin.run(ExpireInstruction(b.party, expired))
        eventually { status(expired) == "EXPIRED" }
        val open = instruct(investor)
        refused(ErrorCode.NOT_YET, "instruction_id") { coin.run(ExpireInstruction(b.party, open)) }
        listOf(rejected, cancelled, expired).forEach { refused(ErrorCode.INSTRUCTION_ENDED) { coin.run(IssueCoins(b.party, it, line(it))) } }
        refused(ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") { b.run(CancelInstruction("TI-NEVER")) }
        assertThat(network.coins(coin, investor).first).isEqualTo(0L)
    }

    // By hand, as a custodian or a coin node gone wrong might.

    private fun instructed(instruction: TrustInstruction, by: StartedMockNode): SignedTransaction =
            by.sign { addOutputState(instruction).addCommand(TrustInstructionCommand.Instruct(), instruction.holder.custodian.owningKey) }

    private fun onLedger(stx: SignedTransaction, by: StartedMockNode) = by.state<TrustInstruction>(StateRef(stx.id, 0))

    @Test
    fun `the issuer takes a custodian's own instructions to itself only, the first of each id`() {
        val investor = network.investor(b, method = null)
        val id = instruct(investor)
        val again = TrustInstruction(id, Holder(b.party, investor), 5, coin.party, later)
        refused(ErrorCode.INSTRUCTION_ID_REUSED, "instruction_id") { b.run(Deliver(instructed(again, b), Door.INSTRUCTION, coin.party)) }
        val others = again.copy(instructionId = network.id("TI"), holder = Holder(a.party, investor))
        refused(ErrorCode.WRONG_ACCOUNT, "custodian") { b.run(Deliver(instructed(others, a), Door.INSTRUCTION, coin.party)) }
        val elsewhere = again.copy(instructionId = network.id("TI"), issuer = network.outsider.party)
        refused(ErrorCode.WRONG_ACCOUNT, "custodian") { b.run(Deliver(instructed(elsewhere, b), Door.INSTRUCTION, coin.party)) }
        b.run(CancelInstruction(id))
    }

    @Test
    fun `a cancellation of what is over, and any other command, are refused by the issuer`() {
        val investor = network.investor(b, method = null)
        val id = instruct(investor)
        val open = b.states<TrustInstruction> { it.instructionId == id }.single()
        val cancel = b.sign { addInputState(open).addCommand(TrustInstructionCommand.Cancel(), b.party.owningKey) }
        val reject = b.sign { addInputState(open).addCommand(TrustInstructionCommand.Reject("mine"), coin.party.owningKey) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { b.run(Deliver(reject, Door.INSTRUCTION, coin.party)) }
        coin.run(IssueCoins(b.party, id, line(id)))
        refused(ErrorCode.INSTRUCTION_ENDED, "instruction_id") { b.run(Deliver(cancel, Door.INSTRUCTION, coin.party)) }
    }

    private fun issue(instruction: TrustInstruction, stx: SignedTransaction, by: StartedMockNode): SignedTransaction = by.sign {
        addInputState(onLedger(stx, by)).addOutputState(Coin(instruction.amountInstructed, instruction.holder, instruction.issuer))
        addCommand(CoinCommand.Issue(instruction.amountInstructed), instruction.issuer.owningKey)
        addCommand(TrustInstructionCommand.Execute(), instruction.issuer.owningKey)
    }

    @Test
    fun `a custodian takes coins only from its issuer, for an instruction of its own that is open in its records`() {
        val investor = network.investor(b, method = null)
        // One that this custodian never gave, though its key has signed it.
        val forged = TrustInstruction(network.id("TI"), Holder(b.party, investor), 5, coin.party, later)
        val made = instructed(forged, b)
        coin.force(made)
        refused(ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") { coin.run(Deliver(issue(forged, made, coin), Door.INSTRUCTION_END, b.party)) }
        // Another custodian's.
        refused(ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") { coin.run(Deliver(issue(forged, made, coin), Door.INSTRUCTION_END, a.party)) }
        // Another issuer.
        val foreign = forged.copy(instructionId = network.id("TI"), issuer = network.outsider.party)
        val abroad = instructed(foreign, b)
        network.outsider.force(abroad)
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "coin_issuer") { network.outsider.run(Deliver(issue(foreign, abroad, network.outsider), Door.INSTRUCTION_END, b.party)) }
        // The first of the id is ended; a second one of it is not the one on record.
        val id = instruct(investor)
        coin.run(IssueCoins(b.party, id, line(id)))
        eventually { status(id) == "EXECUTED" }
        val twin = instructed(forged.copy(instructionId = id), b)
        listOf(coin, b).forEach { it.force(twin) }
        refused(ErrorCode.INSTRUCTION_ENDED, "instruction_id") { coin.run(Deliver(issue(forged.copy(instructionId = id), twin, coin), Door.INSTRUCTION_END, b.party)) }
        eventually { network.coins(b, investor).first == 1_000L }
    }

    @Test
    fun `an instruction is ended by its own issuer, in the state on record here, and by nothing else`() {
        val investor = network.investor(b, method = null)
        val id = instruct(investor)
        val given = b.states<TrustInstruction> { it.instructionId == id }.single()
        val made = b.services.validatedTransactions.getTransaction(given.ref.txhash)!!
        network.asset.force(made)
        refused(ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") { network.asset.run(Deliver(issue(given.state.data, made, coin), Door.INSTRUCTION_END, b.party)) }
        val twin = instructed(given.state.data, b)
        coin.force(twin)
        refused(ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") { coin.run(Deliver(issue(given.state.data, twin, coin), Door.INSTRUCTION_END, b.party)) }
        coin.run(IssueCoins(b.party, id, line(id)))
        eventually { network.coins(b, investor).first == 1_000L }
        val redeem = coin.sign {
            coin.states<Coin> { it.holder.investorId == investor }.forEach { addInputState(it) }
            addCommand(CoinCommand.Redeem(network.id("RED"), 1_000), b.party.owningKey, coin.party.owningKey)
        }
        refused(ErrorCode.UNKNOWN_INSTRUCTION, "instruction_id") { coin.run(Deliver(redeem, Door.INSTRUCTION_END, b.party)) }
    }
}
