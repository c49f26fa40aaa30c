package org.ippon.test.core

import net.corda.core.contracts.Command
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.SignatureAttachmentConstraint
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TransactionState
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import net.corda.core.internal.createComponentGroups
import net.corda.core.internal.requiredContractClassName
import net.corda.core.transactions.WireTransaction
import net.corda.testing.core.SerializationEnvironmentRule
import net.corda.testing.core.TestIdentity
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.settlement.SettlementPlan
import org.junit.Rule
import org.junit.Test
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate

/**
 * What a signer says of a transaction that is not its fills' own, whatever the contracts say: those that run are the
 * version that the transaction attaches, this check is the signer's.
 */
class SettlementPlanTest {
    @get:Rule
    val serialization = SerializationEnvironmentRule()

    private fun party(name: String): Party = TestIdentity(CordaX500Name(name, "Tokyo", "JP")).party
    private val notary = party("Notary")
    private val a = party("Custodian A")
    private val b = party("Custodian B")
    private val issuer = party("Coin Issuer")
    private val security = Security("S", party("Registrar"))
    private val seller = Holder(a, "INV-A")
    private val buyer = Holder(b, "INV-B")
    private var count = 0

    private fun <T : ContractState> onLedger(state: T): StateAndRef<T> = StateAndRef(on(state), StateRef(SecureHash.sha256("${++count}"), 0))

    private fun <T : ContractState> on(state: T) = TransactionState(state, state.requiredContractClassName!!, notary, null, SignatureAttachmentConstraint(notary.owningKey))

    /** 5 units for 500 yen. */
    private val fill = onLedger(Fill(
            "EX-1", party("Venue"), "IPPON", security, 5, BigDecimal("100.00"), 500, seller, buyer, issuer, LocalDate.of(2026, 7, 1),
            Instant.parse("2026-07-01T00:15:00Z"), LocalDate.of(2026, 7, 1), OrderDetails("T", "S", "B", "0".repeat(32)).proof(), null, null
    ))
    private val term = SettleTerm("EX-1", "INV-A", "INV-B", "INV-A", "INV-B", "R-1", 1)
    private val tokens = onLedger(SecurityToken(security, 7, seller))
    private val coins = onLedger(Coin(900, buyer, issuer))
    private val plan = SettlementPlan(listOf(fill), listOf(term), listOf(tokens), listOf(coins))

    private fun paper(
            inputs: List<StateRef> = plan.inputs, outputs: List<TransactionState<ContractState>> = plan.outputs.map { on(it) },
            commands: List<Command<*>> = plan.commands, references: List<StateRef> = emptyList()
    ) = WireTransaction(createComponentGroups(inputs, outputs, commands, emptyList(), notary, null, references, null))

    private fun refused(code: ErrorCode, field: String, action: () -> Unit) {
        val refusal = try {
            action()
            null
        } catch (e: Refusal) {
            e
        }
        assertThat(refusal?.code to refusal?.field).`as`(refusal?.message).isEqualTo(code to field)
    }

    @Test
    fun `the transaction that fills, terms and inputs make is the only one taken`() {
        plan.check(paper())
        assertThat(plan.outputs).containsExactlyInAnyOrder(
                SecurityToken(security, 2, seller), SecurityToken(security, 5, buyer), Coin(400, buyer, issuer), Coin(500, seller, issuer)
        )
    }

    @Test
    fun `an input more, less or planned twice is refused`() {
        val other = onLedger(Coin(1, buyer, issuer)).ref
        refused(ErrorCode.UNEXPECTED_STATE, "inputs") { plan.check(paper(inputs = plan.inputs + other)) }
        refused(ErrorCode.UNEXPECTED_STATE, "inputs") { plan.check(paper(inputs = plan.inputs.dropLast(1) + other)) }
        val twice = SettlementPlan(listOf(fill), listOf(term), listOf(tokens), listOf(coins, coins))
        refused(ErrorCode.UNEXPECTED_STATE, "inputs") { twice.check(paper(outputs = twice.outputs.map { on(it) }, commands = twice.commands)) }
    }

    @Test
    fun `a state that is only read is refused`() =
            refused(ErrorCode.UNEXPECTED_STATE, "references") { plan.check(paper(references = listOf(onLedger(Coin(1, buyer, issuer)).ref))) }

    @Test
    fun `an output more, and one of another size, are refused`() {
        val outputs = plan.outputs.map { on(it) }
        refused(ErrorCode.UNEXPECTED_STATE, "outputs") { plan.check(paper(outputs = outputs + on(Coin(1, seller, issuer)))) }
        refused(ErrorCode.UNEXPECTED_STATE, "outputs") { plan.check(paper(outputs = outputs.dropLast(1) + on(Coin(1, seller, issuer)))) }
    }

    @Test
    fun `a state tied to another is refused`() {
        val tied = plan.outputs.mapIndexed { index, state -> on(state).copy(encumbrance = (index + 1) % plan.outputs.size) }
        refused(ErrorCode.UNEXPECTED_STATE, "encumbrance") { plan.check(paper(outputs = tied)) }
    }

    @Test
    fun `a command more, and one signed by others, are refused`() {
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { plan.check(paper(commands = plan.commands + plan.commands.last())) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { plan.check(paper(commands = plan.commands.map { Command(it.value, it.signers.drop(1)) })) }
    }

    @Test
    fun `inputs that do not cover what the fills take make no plan`() {
        refused(ErrorCode.UNEXPECTED_STATE, "inputs") { SettlementPlan(listOf(fill), listOf(term), listOf(tokens), emptyList()) }
    }
}
