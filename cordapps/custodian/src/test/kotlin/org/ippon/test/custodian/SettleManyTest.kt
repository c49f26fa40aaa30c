package org.ippon.test.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowExternalAsyncOperation
import net.corda.core.flows.FlowLogic
import net.corda.core.serialization.serialize
import net.corda.core.transactions.SignedTransaction
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.core.AskOutcome
import org.ippon.core.ErrorCode
import org.ippon.core.PendingKind
import org.ippon.core.fillOnRecord
import org.ippon.core.lockId
import org.ippon.core.pend
import org.ippon.core.pending
import org.ippon.core.query.PageRequest
import org.ippon.core.query.Row
import org.ippon.core.settlement.FillResult
import org.ippon.core.settlement.Outcome.SETTLED
import org.ippon.core.settlement.Outcome.WAITING
import org.ippon.core.settlement.Reason
import org.ippon.core.update
import org.ippon.custodian.funds.AnnounceFunds
import org.ippon.custodian.query.QueryNotices
import org.ippon.custodian.settlement.SettleFills
import org.ippon.exchange.FillNotice
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.ippon.liars.custodian.Notarise
import org.ippon.liars.custodian.RecordLate
import org.ippon.liars.custodian.Silence
import org.ippon.liars.custodian.SilentSeller
import org.junit.Rule
import org.junit.Test
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneOffset
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap

/** Settlements of many fills, of short ones, and of several at the same time. */
class SettleManyTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val a = network.custodianA
    private val b = network.custodianB

    private fun notices(node: StartedMockNode, id: String, kind: String): List<Row> =
            (1..5).flatMap { node.run(QueryNotices(0, PageRequest(it, 200))).rows }.filter { it.text("execution_id") == id && it.text("kind") == kind }

    /** A fill executed [minute] minutes after the first, on record at both custodians. */
    private fun fill(seller: Pair<StartedMockNode, String>, buyer: Pair<StartedMockNode, String>, security: String, quantity: Long, minute: Long = 0, change: (FillNotice) -> FillNotice = { it }): String {
        val notice = change(network.notice(seller, buyer, security, quantity, "100.00").let { it.copy(executedAt = it.executedAt.plusSeconds(60 * minute)) })
        network.notify(notice)
        listOf(seller.first, buyer.first).forEach { node -> eventually { node.transaction { node.services.fillOnRecord(notice.executionId) != null } } }
        return notice.executionId
    }

    private fun FillResult.say() = listOf(outcome, reason, missing)

    @Test
    fun `of many fills those settle that can, and what the others lack adds up exactly`() {
        val seller = a to network.investor(a)
        val buyer = b to network.investor(b)
        val security = network.id("S")
        network.giveUnits(a, seller.second, security, 100)
        network.giveCoins(b, buyer.second, 1_500)
        val ids = listOf(10L, 20, 4, 3).mapIndexed { minute, quantity -> fill(seller, buyer, security, quantity, minute.toLong()) }

        val results = network.settle(a, *ids.toTypedArray())

        assertThat(results.map { it.executionId }).isEqualTo(ids)
        assertThat(results.map { it.outcome }).containsExactly(SETTLED, WAITING, SETTLED, WAITING)
        assertThat(results.filter { it.outcome == WAITING }.map { it.say() }.toSet()).containsExactly(listOf(WAITING, Reason.CMON, null))
        // 3,700 yen asked, 1,500 there: 2,200 missing, of which the 100 left go to the first that waits.
        val missing = listOf(ids[1], ids[3]).map { id -> notices(b, id, "SHORTAGE").single().number("missing") }
        assertThat(missing).containsExactly(1_900L, 300L)
        assertThat(results.filter { it.outcome == SETTLED }.map { it.transactionId }.toSet()).hasSize(1)
        eventually { network.coins(b, buyer.second) == Pair(100L, 0L) && network.units(b, buyer.second).first == 14L }
    }

    @Test
    fun `units missing are told to the seller's side with their number, to the buyer's without`() {
        val seller = a to network.investor(a)
        val buyer = b to network.investor(b)
        val security = network.id("S")
        network.giveUnits(a, seller.second, security, 7)
        network.giveCoins(b, buyer.second, 10_000)
        val (first, second) = listOf(10L, 5).mapIndexed { minute, quantity -> fill(seller, buyer, security, quantity, minute.toLong()) }

        val results = network.settle(a, first, second)

        assertThat(results.map { it.say() }).containsExactly(listOf(WAITING, Reason.LACK, 8L), listOf(SETTLED, null, null))
        assertThat(results[0].cause).isEqualTo(ErrorCode.SHORT_OF_UNITS)
        assertThat(notices(a, first, "SHORTAGE").single().number("missing")).isEqualTo(8L)
        eventually { notices(b, first, "COUNTERPARTY_SHORT").singleOrNull()?.text("reason") == "CLAC" }
        assertThat(notices(b, first, "COUNTERPARTY_SHORT").single().fields.single { it.name == "missing" }.number).isNull()
    }

    @Test
    fun `money freed by a fill that lacks units settles another in the same call`() {
        val poor = a to network.investor(a)
        val rich = a to network.investor(a)
        val buyer = b to network.investor(b)
        val security = network.id("S")
        network.giveUnits(a, rich.second, security, 10)
        network.giveCoins(b, buyer.second, 1_000)
        val first = fill(poor, buyer, security, 10)
        val second = fill(rich, buyer, security, 10, 1)

        val results = network.settle(a, first, second)

        assertThat(results.map { it.outcome }).containsExactly(WAITING, SETTLED)
        assertThat(results[0].reason).isEqualTo(Reason.LACK)
        eventually { notices(b, first, "COUNTERPARTY_SHORT").size == 1 }
        assertThat(notices(b, second, "SHORTAGE")).isEmpty()
    }

    @Test
    fun `a fill waits for its day`() {
        val market = Market
        val today = LocalDate.now(ZoneOffset.ofHours(9))
        val id = fill(a to market.seller, b to market.buyer, market.security, 5) { it.copy(settleDate = today.plusDays(1)) }
        val result = network.settle(a, id).single()
        assertThat(listOf(result.outcome, result.reason, result.cause)).isEqualTo(listOf(WAITING, Reason.FUTU, ErrorCode.NOT_YET))
        market.settles(fill(a to market.seller, b to market.buyer, market.security, 5) { it.copy(settleDate = today) })
    }

    @Test
    fun `fills of two pairs, of another's sellers, too many, twice the same, or none are refused`() {
        val market = Market
        val id = market.fill()
        val here = fill(a to market.seller, a to network.investor(a), market.security, 5)
        refused(ErrorCode.MIXED_COUNTERPARTIES, "execution_ids") { network.settle(a, id, here) }
        assertThat(network.settle(b, id).single().cause).isEqualTo(ErrorCode.MIXED_COUNTERPARTIES)
        listOf(emptyList(), listOf(id, id), (1..51).map { "EX-$it" }).forEach { refused(ErrorCode.TOO_MANY, "execution_ids") { a.run(SettleFills(it)) } }
        market.settles(id)
    }

    @Test
    fun `the mapped coin account pays and is paid`() {
        val (sellerAccount, buyerAccount) = Pair(network.id("ACC"), network.id("ACC"))
        val seller = a to network.investor(a, coinId = sellerAccount)
        val buyer = b to network.investor(b, coinId = buyerAccount)
        val security = network.id("S")
        network.giveUnits(a, seller.second, security, 5)
        network.giveCoins(b, buyer.second, 600)
        assertThat(network.settle(a, fill(seller, buyer, security, 5)).single().outcome).isEqualTo(SETTLED)
        assertThat(network.coins(a, sellerAccount)).isEqualTo(Pair(500L, 0L))
        eventually { network.coins(b, buyerAccount) == Pair(100L, 0L) && network.units(b, buyer.second).first == 5L }
    }

    @Test
    fun `an investor who buys and sells in one call passes on what comes in`() {
        val (x, y, z) = listOf(1, 2, 3).map { a to network.investor(a) }
        val security = network.id("S")
        network.giveUnits(a, x.second, security, 10)
        network.giveCoins(a, z.second, 1_200)
        // y has neither units nor coins: it buys 10 from x for 1,000 and sells 10 to z for 1,200.
        val buys = fill(x, y, security, 10)
        val sells = fill(y, z, security, 10, 1) { it.copy(unitPrice = BigDecimal("120.00"), amount = 1_200) }
        val results = network.settle(a, buys, sells)
        assertThat(results.map { it.outcome }).`as`(results.toString()).containsExactly(SETTLED, SETTLED)
        assertThat(listOf(x, y, z).map { network.units(a, it.second).first }).containsExactly(0L, 0L, 10L)
        assertThat(listOf(x, y, z).map { network.coins(a, it.second).first }).containsExactly(1_000L, 200L, 0L)
    }

    @Test
    fun `short of units and of coins within one custodian, each is told its own`() {
        val (x, y) = listOf(1, 2).map { a to network.investor(a) }
        val security = network.id("S")
        network.giveUnits(a, x.second, security, 10)
        network.giveCoins(a, y.second, 900)
        val noMoney = fill(x, y, security, 10)
        val noUnits = fill(y, x, network.id("S"), 1, 1)
        assertThat(network.settle(a, noMoney, noUnits).map { it.say() }).containsExactly(listOf(WAITING, Reason.MONY, 100L), listOf(WAITING, Reason.LACK, 1L))
        assertThat(notices(a, noMoney, "SHORTAGE").single().number("missing")).isEqualTo(100L)
    }

    @Test
    fun `two settlements of one fill at the same time settle it once`() {
        val market = Market
        val id = market.fill()
        val units = network.units(b, market.buyer).first
        val results = listOf(1, 2).map { a.startFlow(SettleFills(listOf(id))) }.map { it.waitFor().results.single() }
        assertThat(results.mapNotNull { it.transactionId }.toSet()).`as`(results.toString()).hasSize(1)
        results.filter { it.outcome != SETTLED }.forEach { assertThat(it.cause).isIn(ErrorCode.SESSION_BUSY, ErrorCode.NOTARY_CONFLICT, ErrorCode.SHORT_OF_UNITS, ErrorCode.SHORT_OF_COINS, ErrorCode.ALREADY_SETTLED, ErrorCode.NOT_ON_REGISTER, ErrorCode.DUPLICATE_FILL) }
        eventually { network.units(b, market.buyer).first == units + 5 }
        market.settles(id)
    }

    @Test
    fun `of two settlements after the same coins one goes through and the other has to wait`() {
        val sellers = listOf(1, 2).map { a to network.investor(a) }
        val buyer = b to network.investor(b)
        val security = network.id("S")
        sellers.forEach { network.giveUnits(a, it.second, security, 5) }
        network.giveCoins(b, buyer.second, 700)
        val ids = sellers.map { fill(it, buyer, security, 5) }
        val results = ids.map { a.startFlow(SettleFills(listOf(it))) }.map { it.waitFor().results.single() }
        assertThat(results.map { it.outcome }).`as`(results.toString()).containsOnlyOnce(SETTLED)
        assertThat(results.single { it.outcome != SETTLED }.cause).isIn(ErrorCode.SHORT_OF_COINS, ErrorCode.SESSION_BUSY)
        eventually { network.coins(b, buyer.second) == Pair(200L, 0L) }
        network.giveCoins(b, buyer.second, 300)
        assertThat(network.settle(a, *ids.toTypedArray()).map { it.outcome }).containsOnly(SETTLED)
    }

    @Test
    fun `money announced wakes the seller's side, for open fills between the two only`() {
        val market = Market
        val open = market.fill()
        val settled = market.fill()
        market.settles(settled)
        val here = fill(a to market.seller, a to network.investor(a), market.security, 5)
        assertThat(b.run(AnnounceFunds(a.party, listOf(open, settled, here, "EX-NEVER"))).announced).isEqualTo(1)
        assertThat(notices(a, open, "FUNDS_ANNOUNCED")).hasSize(1)
        assertThat(network.outsider.run(AnnounceFunds(a.party, listOf(open))).announced).isEqualTo(0)
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { b.run(AnnounceFunds(network.outsider.party, listOf(open))) }
        refused(ErrorCode.TOO_MANY, "execution_ids") { b.run(AnnounceFunds(a.party, emptyList())) }
        market.settles(open)
    }

    // A settle flow that was cut off: what it had written down remains.

    private fun leave(id: String, stx: SignedTransaction?, seconds: Long) = a.run(LeaveBehind(id, stx, Instant.now().plusSeconds(seconds)))

    @Test
    fun `a settlement cut off after the notary was asked is finished by the next`() {
        val id = Market.fill()
        val stx = a.run(SilentSeller(listOf(id), Silence.NEVER_NOTARISES, b.party, network.asset.party, network.coin.party))
        leave(id, stx, -1)
        val result = network.settle(a, id).single()
        assertThat(result.outcome).`as`(result.message).isEqualTo(SETTLED)
        assertThat(result.transactionId).isEqualTo(stx.id.toString())
        listOf(b, network.asset, network.coin).forEach { it.run(AskOutcome(stx.id)) }
    }

    @Test
    fun `a settlement cut off whose fills have ended, as is learnt from others, is forgotten`() {
        val id = Market.fill()
        val stx = a.run(SilentSeller(listOf(id), Silence.NEVER_NOTARISES, b.party, network.asset.party, network.coin.party))
        leave(id, stx, -1)
        fun isPending() = network.pending(a).any { row -> row.fields.single { it.name == "execution_ids" }.texts!!.contains(id) }
        assertThat(isPending()).isTrue()
        a.run(RecordLate(a.run(Notarise(stx))))
        assertThat(isPending()).isFalse()
        listOf(b, network.asset, network.coin).forEach { it.run(AskOutcome(stx.id)) }
    }

    @Test
    fun `a settlement cut off and refused by the notary gives way to a new one`() {
        val id = Market.fill()
        val stx = a.run(SilentSeller(listOf(id), Silence.NEVER_NOTARISES, b.party, network.asset.party, network.coin.party))
        // The buyer's coins have gone elsewhere since.
        val other = b.sign {
            val gone = b.states<Coin> { true }.filter { it.ref in stx.inputs }
            gone.forEach { addInputState(it).addOutputState(it.state.data) }
            addCommand(CoinCommand.Transfer(network.id("TR")), b.party.owningKey, network.coin.party.owningKey)
        }
        b.run(Deliver(other, Door.COINS, network.coin.party))
        leave(id, stx, -1)
        assertThat(network.settle(a, id).single().transactionId).isNotNull().isNotEqualTo(stx.id.toString())
        eventually { network.units(b, Market.buyer).first > 0 }
    }

    @Test
    fun `a settlement cut off before the notary was asked holds its fills until its deadline and no longer`() {
        val id = Market.fill()
        leave(id, null, 60)
        assertThat(network.settle(a, id).single().cause).isEqualTo(ErrorCode.SESSION_BUSY)
        a.transaction { a.services.update("UPDATE ippon_pending SET deadline = ? WHERE run_id IN (SELECT run_id FROM ippon_pending_fill WHERE execution_id = ?)", Instant.now().minusSeconds(1), id) }
        Market.settles(id)
    }

    @Test
    fun `what a flow holds past its deadline is shown while it lives, and forgotten when it is gone`() {
        val gate = CompletableFuture<Unit>()
        HoldOn.gates[HoldOn.ID] = gate
        val flow = a.startFlow(HoldOn())
        eventually { held() == 1 }
        a.transaction { a.services.update("UPDATE ippon_pending SET deadline = ? WHERE counterparty = ? AND kind = 'ACCEPTED'", Instant.now().minusSeconds(1), HoldOn.MARK) }
        assertThat(held()).isEqualTo(1)
        gate.complete(Unit)
        flow.waitFor()
        eventually { held() == 0 }
    }

    private fun held() = a.transaction { a.services.pending(Int.MAX_VALUE).count { it.counterparty == HoldOn.MARK } }
}

/** Holds something until its gate opens, and forgets to forget it. */
class HoldOn : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        serviceHub.pend(lockId, PendingKind.ACCEPTED, ourIdentity, Instant.now().plusSeconds(60))
        serviceHub.update("UPDATE ippon_pending SET counterparty = ? WHERE run_id = ?", MARK, lockId.toString())
        await(Gate())
    }

    class Gate : FlowExternalAsyncOperation<Unit> {
        override fun execute(deduplicationId: String): CompletableFuture<Unit> = gates[ID]!!
    }

    companion object {
        const val ID = "gate"
        const val MARK = "O=Held, L=Tokyo, C=JP"
        val gates = ConcurrentHashMap<String, CompletableFuture<Unit>>()
    }
}

/** Writes what a settle flow of [id] has written by the time that it is cut off. */
class LeaveBehind(private val id: String, private val stx: SignedTransaction?, private val deadline: Instant) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() = serviceHub.pend(lockId, PendingKind.SETTLING, ourIdentity, deadline, stx?.id, listOf(id), content = stx?.serialize()?.bytes)
}
