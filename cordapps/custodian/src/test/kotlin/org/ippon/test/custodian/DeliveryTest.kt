package org.ippon.test.custodian

import net.corda.core.contracts.StateAndRef
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.Party
import net.corda.core.internal.createComponentGroups
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.WireTransaction
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.FundsRouteCommand
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.ippon.liars.LyingReceiver
import org.ippon.liars.PushBoth
import org.ippon.liars.Scrawl
import org.ippon.liars.WatchedDelivery
import org.junit.Rule
import org.junit.Test
import java.time.Instant

/** What holds for every delivery, whatever it delivers. */
class DeliveryTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB
    private val coin = network.coin

    private fun route(version: Int = 1) = FundsRoute(network.id("R"), version, Holder(b.party, network.investor(b, method = null)), "9001", PaymentMethod.COIN)

    private fun register(route: FundsRoute, by: StartedMockNode = b): SignedTransaction = by.sign { addOutputState(route).addCommand(FundsRouteCommand.Register(), b.party.owningKey) }

    private fun nobody() = emptyList<Party>()

    @Test
    fun `what breaks a contract is recorded by nobody, though nobody is asked`() {
        val stx = register(route(version = 2))
        refused(ErrorCode.CONTRACT_REFUSED) { b.run(Deliver(stx, Door.ROUTE, nobody())) }
        assertThat(b.has(stx)).isFalse()
    }

    @Test
    fun `what is not signed by all who must is recorded by nobody, though nobody is asked`() {
        val stx = register(route(), by = a)
        refused(ErrorCode.MISSING_SIGNATURE) { a.run(Deliver(stx, Door.ROUTE, nobody())) }
        assertThat(a.has(stx)).isFalse()
    }

    @Test
    fun `the notary is not asked for what is not signed by all others`() {
        val investor = network.investor(b)
        val open: StateAndRef<FundsRoute> = b.states<FundsRoute> { it.holder.investorId == investor }.single()
        val stx = a.sign { addInputState(open).addCommand(FundsRouteCommand.Withdraw(), b.party.owningKey) }
        refused(ErrorCode.MISSING_SIGNATURE) { a.run(WatchedDelivery(stx)) }
        assertThat(WatchedDelivery.asked).doesNotContainKey(stx.id)
        assertThat(a.has(stx)).isFalse()
    }

    @Test
    fun `a receiver's signature is its own and of this transaction`() {
        network.outsider.registerInitiatedFlow(LyingReceiver::class.java)
        Scrawl.values().forEach {
            LyingReceiver.next = it
            val stx = register(route())
            assertThat(refused(ErrorCode.MISSING_SIGNATURE) { b.run(Deliver(stx, Door.LIAR, network.outsider.party)) }.message).contains("its signature does not fit")
            assertThat(b.has(stx)).isFalse()
        }
    }

    @Test
    fun `another notary of the transaction, or of its outputs, is refused`() {
        listOf(network.otherNotary to network.notary, network.notary to network.otherNotary).forEach { (ofAll, ofOutputs) ->
            refused(ErrorCode.WRONG_NOTARY, "notary") { b.run(Deliver(withNotaries(register(route()).tx, ofAll, ofOutputs), Door.ROUTE, a.party)) }
        }
    }

    /** A builder would give the outputs the notary of the whole. */
    private fun withNotaries(tx: WireTransaction, ofAll: Party, ofOutputs: Party): SignedTransaction {
        val outputs = tx.outputs.map { it.copy(notary = ofOutputs) }
        val groups = createComponentGroups(tx.inputs, outputs, tx.commands, tx.attachments, ofAll, tx.timeWindow, tx.references, tx.networkParametersHash)
        val changed = WireTransaction(groups, tx.privacySalt, tx.digestService)
        return SignedTransaction(changed, listOf(b.signatureOf(changed.id)))
    }

    /** Of two transactions that are accepted at the same time [to] records one. */
    private fun takesOne(both: List<SignedTransaction>, door: Door, by: StartedMockNode, to: StartedMockNode, note: DeliveryNote = DeliveryNote()) {
        assertThat(by.run(PushBoth(both, door, to.party, note)).map { it.refusal }).containsOnlyNulls()
        eventually { network.pending(to).none { row -> row.text("transaction_id") in both.map { it.id.toString() } } }
        assertThat(both.filter { to.has(it) }).hasSize(1)
    }

    @Test
    fun `of two instructions of one id, accepted at the same time, the issuer records one`() {
        val holder = Holder(b.party, network.investor(b, method = null))
        val id = network.id("TI")
        val both = listOf(1L, 2L).map { amount ->
            b.sign { addOutputState(TrustInstruction(id, holder, amount, coin.party, Instant.parse("2099-01-01T00:00:00Z"))).addCommand(TrustInstructionCommand.Instruct(), b.party.owningKey) }
        }
        takesOne(both, Door.INSTRUCTION, b, coin)
    }

    @Test
    fun `of two fills of one id, accepted at the same time, a custodian records one`() {
        val details = OrderDetails("T-1", "SO-1", "BO-1", "00112233445566778899aabbccddeeff")
        val known = market.onRecord(market.fill()).state.data
        val fill = known.copy(executionId = network.id("EX"), orderProof = details.proof())
        val both = listOf(fill, fill.copy(tokenTransactionId = SecureHash.zeroHash)).map { network.exchange.sign { addOutputState(it).addCommand(FillCommand.Notify(), network.exchange.party.owningKey) } }
        takesOne(both, Door.FILL, network.exchange, b, DeliveryNote(listOf(details)))
        market.settles(known.executionId)
    }
}
