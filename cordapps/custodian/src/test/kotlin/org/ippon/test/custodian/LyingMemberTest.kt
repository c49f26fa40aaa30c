package org.ippon.test.custodian

import net.corda.core.contracts.Command
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.AskOutcome
import org.ippon.core.ErrorCode
import org.ippon.core.count
import org.ippon.core.recovery.RecoveryReport
import org.ippon.core.update
import org.ippon.liars.custodian.Notarise
import org.ippon.liars.custodian.Silence
import org.ippon.liars.custodian.SilentSeller
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import java.time.Instant
import java.util.concurrent.atomic.AtomicBoolean

/** A member that gives a restored node what it never had: none of it is recorded. */
class LyingMemberTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val a = network.custodianA
    private val b = network.custodianB
    private val outsider = network.outsider

    @Before
    fun registerLiar() {
        if (registered.compareAndSet(false, true)) b.registerInitiatedFlow(LyingMember::class.java)
    }

    @After
    fun honest() {
        LyingMember.says = emptyList()
        LyingMember.lies = emptyMap()
        LyingMember.silent = false
    }

    private fun says(vararg lies: SignedTransaction): RecoveryReport {
        LyingMember.says = lies.map { it.id }
        LyingMember.lies = lies.associateBy { it.id }
        return a.run(RecoverFromLiar(b.party))
    }

    private fun refuses(code: String, lie: SignedTransaction) {
        val report = says(lie)
        assertThat(report.recorded).isEqualTo(0)
        assertThat(report.refusals.single()).contains(lie.id.toString()).contains(code)
        assertThat(a.has(lie)).isFalse()
        assertThat(a.transaction { a.services.count("SELECT COUNT(*) FROM vault_states WHERE transaction_id = ?", lie.id.toString()) }).isEqualTo(0)
    }

    private fun issue(by: StartedMockNode, to: StartedMockNode): SignedTransaction = by.sign {
        addOutputState(SecurityToken(Security(network.id("S"), by.party), 5, Holder(to.party, "INV-X")))
        addCommand(Command(SecurityTokenCommand.Issue(network.id("ISS")), by.party.owningKey))
    }

    /** A fill of A's that [venue] signs. */
    private fun fill(venue: StartedMockNode, like: Fill, registrar: Party = like.security.registrar): SignedTransaction = venue.sign {
        addOutputState(like.copy(venue = venue.party, security = like.security.copy(registrar = registrar)))
        addCommand(Command(FillCommand.Notify(), venue.party.owningKey))
    }

    private fun anyFill(): Fill = Market.onRecord(Market.fill()).state.data

    @Test
    fun `units of a registrar that is none, or for somebody else`() {
        refuses("NOT_ACCEPTED_PARTY", issue(outsider, a))
        refuses("must concern Custodian A", issue(network.asset, b))
        refuses("NOT_ACCEPTED_PARTY", issue(network.asset, outsider))
    }

    @Test
    fun `fills of a venue that is none, of a registrar that is none, and a second one of an id`() {
        val like = anyFill()
        refuses("NOT_ACCEPTED_PARTY", fill(outsider, like.copy(executionId = network.id("EX"))))
        refuses("NOT_ACCEPTED_PARTY", fill(b, like.copy(executionId = network.id("EX"))))
        refuses("NOT_ACCEPTED_PARTY", fill(network.exchange, like.copy(executionId = network.id("EX")), registrar = outsider.party))
        refuses("DUPLICATE_FILL", fill(network.exchange, like.copy(unitPrice = like.unitPrice.setScale(2), tokenTransactionId = SecureHash.randomSHA256())))
        Market.settles(like.executionId)
    }

    @Test
    fun `instructions to an issuer that is none, and a second one of an id`() {
        fun instruct(id: String, issuer: Party) = a.sign {
            addOutputState(TrustInstruction(id, Holder(a.party, "INV-X"), 5, issuer, Instant.parse("2030-01-01T00:00:00Z")))
            addCommand(Command(TrustInstructionCommand.Instruct(), a.party.owningKey))
        }
        refuses("NOT_ACCEPTED_PARTY", instruct(network.id("TI"), outsider.party))
        val instruction = network.giveCoins(a, network.investor(a, method = null), 10)
        refuses("INSTRUCTION_ID_REUSED", instruct(instruction, network.coin.party))
    }

    @Test
    fun `a settlement that is not signed by all, and one that the notary has not signed`() {
        val id = Market.fill()
        val stx = a.run(SilentSeller(listOf(id), Silence.NEVER_NOTARISES, b.party, network.asset.party, network.coin.party))
        refuses("by signers: notary", stx)
        val full = a.run(Notarise(stx))
        val fewer = SignedTransaction(full.txBits, full.sigs.filter { it.by != network.coin.party.owningKey })
        refuses("Missing signatures", fewer)
        // The true one is taken, and everybody else asks for it.
        assertThat(says(full).recorded).isEqualTo(1)
        assertThat(a.has(full)).isTrue()
        listOf(b, network.asset, network.coin).forEach { it.run(AskOutcome(full.id)) }
        a.transaction { a.services.update("DELETE FROM ippon_pending WHERE pending_tx = ?", full.id.toString()) }
    }

    @Test
    fun `another transaction than it has named`() {
        val (named, sent) = Pair(issue(network.asset, a), issue(network.asset, a))
        LyingMember.says = listOf(named.id)
        LyingMember.lies = mapOf(named.id to sent)
        val report = a.run(RecoverFromLiar(b.party))
        assertThat(report.refusals.single()).contains("UNKNOWN_TRANSACTION").contains(named.id.toString())
        assertThat(a.has(sent)).isFalse()
        // What is true beside a lie is taken.
        val good = says(issue(outsider, a), sent)
        assertThat(listOf(good.recorded, good.refused)).isEqualTo(listOf(1, 1))
    }

    @Test
    fun `another notary's`() {
        val stx = network.asset.transaction {
            network.asset.services.signInitialTransaction(net.corda.core.transactions.TransactionBuilder(network.otherNotary)
                    .addOutputState(SecurityToken(Security(network.id("S"), network.asset.party), 5, Holder(a.party, "INV-X")))
                    .addCommand(Command(SecurityTokenCommand.Issue(network.id("ISS")), network.asset.party.owningKey)))
        }
        refuses("WRONG_NOTARY", stx)
    }

    @Test
    fun `too long a page, no page, and too many lies end it`() {
        LyingMember.says = (1..101).map { SecureHash.randomSHA256() }
        refused(ErrorCode.TOO_MANY) { a.run(RecoverFromLiar(b.party)) }
        LyingMember.silent = true
        refused(ErrorCode.COUNTERPARTY_FAILED) { a.run(RecoverFromLiar(b.party)) }
        LyingMember.silent = false
        val many = (1..20).map { issue(outsider, a) }
        refused(ErrorCode.TOO_MANY) { says(*many.toTypedArray()) }
    }

    private companion object {
        val registered = AtomicBoolean()
    }
}
