package org.ippon.test.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.identity.Party
import net.corda.core.utilities.unwrap
import net.corda.testing.node.StartedMockNode
import net.corda.testing.node.TestClock
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.core.BuyerSession
import org.ippon.core.ErrorCode
import org.ippon.core.abandoned
import org.ippon.core.fillOnRecord
import org.ippon.core.select
import org.ippon.core.settlement.BuyerAccount
import org.ippon.core.settlement.BuyerLine
import org.ippon.core.settlement.BuyerStand
import org.ippon.core.settlement.FillRef
import org.ippon.core.settlement.SellerAccount
import org.ippon.core.settlement.SettlementAnswer
import org.ippon.core.settlement.SettlementQuery
import org.ippon.custodian.settlement.AssessedFill
import org.ippon.custodian.settlement.BuyerSide
import org.ippon.custodian.settlement.OpenFill
import org.ippon.custodian.settlement.SellerSide
import org.ippon.custodian.settlement.SettlementRequest
import org.ippon.exchange.BustFill
import org.ippon.liars.custodian.AskBuyer
import org.ippon.liars.custodian.FloodBuyer
import org.junit.Rule
import org.junit.Test
import java.time.Duration
import java.time.Instant
import java.util.UUID
import java.util.concurrent.CompletableFuture

/** What the two sides of a settlement say to each other before there is a transaction, one of them gone wrong. */
class BuyerSideTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB

    private fun ref(id: String, at: StartedMockNode = a): FillRef {
        eventually { at.transaction { at.services.fillOnRecord(id) != null } }
        return FillRef(id, at.transaction { at.services.fillOnRecord(id)!!.fill.ref })
    }

    private fun ask(refs: List<FillRef>, settle: List<String> = emptyList(), by: StartedMockNode = a) = by.run(AskBuyer(refs, settle, b.party))

    private fun says(ref: FillRef) = ask(listOf(ref)).single().let { it.stand to it.cause }

    private fun traded(seller: Pair<StartedMockNode, String>, buyer: Pair<StartedMockNode, String>): String {
        val notice = network.notice(seller, buyer, market.security, 5, "100.00")
        network.notify(notice)
        return notice.executionId
    }

    @Test
    fun `only a custodian is answered, about one fill or more, but not too many`() {
        val ref = ref(market.fill())
        refused(ErrorCode.NOT_ACCEPTED_PARTY) { ask(listOf(ref), by = network.outsider) }
        listOf(emptyList(), (1..51).map { FillRef("EX-$it", ref.ref) }).forEach { refs -> refused(ErrorCode.TOO_MANY) { ask(refs) } }
        assertThat(says(ref)).isEqualTo(BuyerStand.READY to null)
        market.settles(ref.executionId)
    }

    @Test
    fun `a fill by another state, of another seller, settled or busted is not ready`() {
        val ref = ref(market.fill())
        assertThat(says(ref.copy(ref = StateRef(SecureHash.zeroHash, 0)))).isEqualTo(BuyerStand.REFUSED to ErrorCode.DUPLICATE_FILL)
        market.settles(ref.executionId)
        assertThat(says(ref)).isEqualTo(BuyerStand.REFUSED to ErrorCode.ALREADY_SETTLED)
        val busted = ref(market.fill())
        network.exchange.run(BustFill(busted.executionId, "entered twice"))
        eventually { says(busted) == BuyerStand.REFUSED to ErrorCode.ALREADY_BUSTED }
        val within = traded(b to network.investor(b), b to market.buyer)
        assertThat(says(ref(within, b))).isEqualTo(BuyerStand.REFUSED to ErrorCode.MIXED_COUNTERPARTIES)
        val back = traded(b to market.buyer, a to market.seller)
        assertThat(says(ref(back, b))).isEqualTo(BuyerStand.REFUSED to ErrorCode.MIXED_COUNTERPARTIES)
    }

    @Test
    fun `a decision settles what is ready, and each once`() {
        val ref = ref(market.fill())
        refused(ErrorCode.BAD_REQUEST) { ask(listOf(ref), listOf(ref.executionId, ref.executionId)) }
        refused(ErrorCode.BAD_REQUEST) { ask(listOf(ref), listOf("EX-NEVER")) }
        market.settles(ref.executionId)
    }

    @Test
    fun `of many settlements of one fill at the same time the buyer's side reserves for one`() {
        market.coinsKnownToSeller()
        val ref = ref(market.fill())
        val answers = a.run(FloodBuyer(listOf(ref), 8, b.party))
        assertThat(answers.count { it.refusal == null }).isEqualTo(1)
        assertThat(answers.mapNotNull { it.refusal }.map { it.code to it.field }.toSet()).containsExactly(ErrorCode.SESSION_BUSY to "execution_id")
        eventually { says(ref) == BuyerStand.READY to null }
        market.settles(ref.executionId)
    }

    @Test
    fun `a session that is opened and left is shown once it has been silent for too long`() {
        val id = market.fill()
        val clock = b.services.clock as TestClock
        val gate = CompletableFuture<Unit>()
        HoldOn.gates[HoldOn.ID] = gate
        val left = a.startFlow(AskAndLeave(listOf(ref(id)), b.party))
        eventually { live().isNotEmpty() }
        assertThat(idle()).isEmpty()
        clock.advanceBy(Duration.ofMinutes(10))
        val row = try {
            idle().single()
        } finally {
            clock.setTo(Instant.now())
        }
        assertThat(row.counterparty).contains("O=Custodian A")
        assertThat(live()).containsExactly(row.runId)
        assertThat(row.deadline).isEqualTo(row.since.plusSeconds(120))
        // It holds nothing and holds up nobody.
        market.settles(id)
        gate.complete(Unit)
        left.waitFor()
        eventually { live().isEmpty() }
    }

    private fun idle() = b.transaction { b.services.abandoned(10) }

    /** Runs here that answer a settlement. */
    private fun live(): List<String> = b.transaction {
        b.services.select("SELECT c.flow_id FROM node_checkpoints c JOIN node_flow_metadata m ON m.flow_id = c.flow_id WHERE c.status = 0 AND m.flow_name LIKE '%AsBuyer'") { it.getString(1) }
    }

    @Test
    fun `the route in force is a coin route, or none`() {
        val investor = network.investor(b, method = PaymentMethod.BANK)
        val line = BuyerLine("EX", BuyerStand.READY, null, "", BuyerAccount(investor, investor, "R-$investor", 1))
        assertThat(b.transaction { BuyerSide(b.services, a.party, UUID.randomUUID()).routeNow(AssessedFill(line, null)) }).isNull()
    }

    // The seller's side of it, before a buyer gone wrong.

    private fun side() = SellerSide(a.services, UUID.randomUUID())

    private fun open(id: String) = OpenFill(market.onRecord(id), SellerAccount(id, market.seller, market.seller), null)

    private fun line(id: String, account: BuyerAccount?) = BuyerLine(id, BuyerStand.READY, null, "", account)

    private val account = BuyerAccount(market.buyer, market.buyer, "R-${market.buyer}", 1)

    @Test
    fun `the buyer's side answers about what it was asked, and names its accounts`() {
        val open = open(market.fill())
        side().checkLines(listOf(open), listOf(line(open.id, account)))
        refused(ErrorCode.COUNTERPARTY_FAILED) { side().checkLines(listOf(open), listOf(line("EX-OTHER", account))) }
        refused(ErrorCode.COUNTERPARTY_FAILED) { side().checkLines(listOf(open), listOf(line(open.id, null))) }
        market.settles(open.id)
    }

    @Test
    fun `a route of another id, version or method than the buyer's side names is stale`() {
        fun stale(buyer: String, change: (BuyerAccount) -> BuyerAccount = { it }): List<String> {
            val open = open(traded(a to market.seller, b to buyer))
            return a.transaction { side().staleRoutes(listOf(open), listOf(line(open.id, change(account.copy(routeId = "R-$buyer"))))) }
        }
        assertThat(stale(market.buyer)).isEmpty()
        assertThat(stale(market.buyer) { it.copy(routeId = "R-OTHER") }).containsExactly(market.buyer)
        assertThat(stale(market.buyer) { it.copy(routeVersion = 2) }).containsExactly(market.buyer)
        val bank = network.investor(b, method = PaymentMethod.BANK)
        assertThat(stale(bank)).containsExactly(bank)
    }

    @Test
    fun `the seller's side starts no settlement between parties that it does not accept`() {
        val open = open(market.fill())
        val foreign = open.fill.state.data.copy(coinIssuer = network.outsider.party)
        val forged = open.copy(fill = open.fill.copy(state = open.fill.state.copy(data = foreign)))
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "coin_issuer") { a.transaction { side().singleBuyer(listOf(forged)) } }
        market.settles(open.id)
    }
}

/** Asks about [refs], and then says nothing until a gate opens. */
class AskAndLeave(private val refs: List<FillRef>, private val buyer: Party) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        val session = subFlow(BuyerSession(buyer))
        session.sendAndReceive<SettlementAnswer>(SettlementRequest(SettlementQuery(refs), null)).unwrap { it }
        await(HoldOn.Gate())
    }
}
