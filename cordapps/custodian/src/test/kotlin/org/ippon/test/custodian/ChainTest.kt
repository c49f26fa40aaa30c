package org.ippon.test.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.SendTransactionFlow
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.FundsRouteCommand
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.core.BuyerSession
import org.ippon.core.DeliveryAnswer
import org.ippon.core.DeliveryVerdict
import org.ippon.core.ErrorCode
import org.ippon.core.MAX_NEAR_TRANSACTIONS
import org.ippon.core.MAX_SELECTED_STATES
import org.ippon.core.NamedWanted
import org.ippon.core.ReceiveNamed
import org.ippon.core.TransactionDelivery
import org.ippon.core.fillOnRecord
import org.ippon.core.nearChain
import org.ippon.core.reserve
import org.ippon.core.settlement.FillRef
import org.ippon.core.settlement.ReserveAnswer
import org.ippon.core.settlement.SellerAccount
import org.ippon.core.settlement.SettlementAnswer
import org.ippon.core.settlement.SettlementDecision
import org.ippon.core.settlement.SettlementQuery
import org.ippon.core.takeNear
import org.ippon.custodian.settlement.SellerSide
import org.ippon.custodian.settlement.SettlementRequest
import org.ippon.liars.Door
import org.ippon.liars.custodian.Lie
import org.ippon.liars.custodian.SellerByHand
import org.ippon.liars.custodian.Signer
import org.junit.Rule
import org.junit.Test
import java.util.UUID

/** What comes along with a transaction, what is fetched, and what a selection takes. */
class ChainTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB

    private fun route(version: Int = 1, by: StartedMockNode = b): SignedTransaction {
        val route = FundsRoute(network.id("R"), version, Holder(b.party, network.investor(b, method = null)), "9001", PaymentMethod.COIN)
        return by.sign { addOutputState(route).addCommand(FundsRouteCommand.Register(), b.party.owningKey) }
    }

    private fun take(near: List<SignedTransaction>, wanted: SignedTransaction) = a.transaction { a.services.takeNear(near, setOf(wanted.id)) }

    private fun stored(stx: SignedTransaction) = a.services.validatedTransactions.getTransaction(stx.id) != null

    @Test
    fun `what comes along is stored once it is verified, and goes on no record`() {
        val stx = route()
        assertThat(take(emptyList(), stx)).isFalse()
        assertThat(take(listOf(stx), stx)).isTrue()
        assertThat(stored(stx)).isTrue()
        assertThat(a.has(stx)).isFalse()
        assertThat(a.states<FundsRoute> { it.routeId == (stx.tx.outputStates.single() as FundsRoute).routeId }).isEmpty()
    }

    @Test
    fun `what comes along and breaks a contract, or is not signed, is refused and not stored`() {
        val broken = route(version = 2)
        refused(ErrorCode.CONTRACT_REFUSED) { take(listOf(broken), broken) }
        val unsigned = route(by = a)
        refused(ErrorCode.MISSING_SIGNATURE) { take(listOf(unsigned), unsigned) }
        assertThat(listOf(broken, unsigned).filter { stored(it) }).isEmpty()
    }

    @Test
    fun `not more than so many come along`() {
        val stx = route()
        refused(ErrorCode.TOO_MANY, "near") { take((0..MAX_NEAR_TRANSACTIONS).map { stx }, stx) }
    }

    @Test
    fun `who took part in a transaction is not sent it`() {
        val fill = market.onRecord(market.fill())
        fun near(to: StartedMockNode) = a.transaction { a.services.nearChain(listOf(fill.ref), to.party) }.map { it.id }
        assertThat(near(b)).isEmpty()
        assertThat(near(network.asset)).containsExactly(fill.ref.txhash)
        market.settles(fill.state.data.executionId)
    }

    @Test
    fun `a receiver that lacks the chain fetches it, and signs`() {
        val id = market.fill()
        val answer = a.run(ShowAlone(listOf(id), false, b.party, network.asset.party))
        assertThat(answer.refusal).isNull()
        assertThat(answer.signature!!.by).isEqualTo(network.asset.party.owningKey)
        market.settles(id)
    }

    @Test
    fun `the chain fetched is that of the transaction delivered`() {
        val id = market.fill()
        val answer = a.run(ShowAlone(listOf(id), true, b.party, network.asset.party))
        market.assertRefused(listOf(answer), ErrorCode.UNKNOWN_TRANSACTION)
        market.settles(id)
    }

    @Test
    fun `coins named come with their chain when that is wanted`() {
        val buyer = network.investor(b)
        network.giveCoins(b, buyer, 500)
        val notice = network.notice(a to market.seller, b to buyer, market.security, 5, "100.00")
        network.notify(notice)
        val coins = a.run(WantCoins(notice.executionId, market.seller, b.party))
        assertThat(coins.map { (it.state.data as Coin).amount }).containsExactly(500)
        market.settles(notice.executionId)
    }

    @Test
    fun `a transaction comes in the end, and not something else`() {
        val id = market.fill()
        refused(ErrorCode.BAD_REQUEST) { a.run(WantNamedTwice(route(), network.asset.party)) }
        market.settles(id)
    }

    @Test
    fun `what the buyer's side names is coins`() {
        val side = SellerSide(a.services, UUID.randomUUID())
        refused(ErrorCode.UNEXPECTED_STATE, "coins") { side.coins(market.units()) }
    }

    @Test
    fun `a state named is an output of its transaction`() {
        val fill = market.onRecord(market.fill())
        refused(ErrorCode.UNEXPECTED_STATE) { a.run(TakeNamed(listOf(StateRef(fill.ref.txhash, 7)), b.party)) }
        market.settles(fill.state.data.executionId)
    }

    @Test
    fun `where the oldest states do not make it, the largest are taken`() {
        val seller = network.investor(a)
        val security = network.id("S")
        repeat(3) { network.giveUnits(a, seller, security, 1) }
        network.giveUnits(a, seller, security, 100)
        fun chosen(needed: Long, most: Int): List<Long> = a.transaction {
            val run = UUID.randomUUID()
            val position = Position(Holder(a.party, seller), Asset.Units(org.ippon.contracts.security.Security(security, network.asset.party)))
            val states: List<StateAndRef<org.ippon.contracts.security.SecurityToken>> = a.services.reserve(position, needed, run, most)
            a.services.vaultService.softLockRelease(run)
            states.map { it.state.data.units }
        }
        assertThat(chosen(2, 2)).containsExactly(1, 1)
        assertThat(chosen(101, 2)).containsExactly(100, 1)
        assertThat(chosen(102, MAX_SELECTED_STATES)).containsExactly(1, 1, 1, 100)
        refused(ErrorCode.SHORT_OF_UNITS) { chosen(102, 2) }
    }
}

/** Shows the asset node an honest settlement without what should come along; or, when it fetches, another transaction ([other]). */
class ShowAlone(ids: List<String>, private val other: Boolean, private val buyer: Party, private val asset: Party) : SellerByHand<DeliveryAnswer>(ids, Lie.keep(Lie())) {
    @Suspendable
    override fun call(): DeliveryAnswer {
        val session = subFlow(BuyerSession(buyer))
        val deal = agree(session)
        var stx = write(deal)
        stx += show(session, stx).signature!!
        val signing = open(Signer.ASSET, asset, asset)
        val first = signing.sendAndReceive<DeliveryAnswer>(TransactionDelivery(stx)).unwrap { it }
        check(first.chainWanted) { "the asset node had everything" }
        subFlow(SendTransactionFlow(signing, if (other) write(deal) else stx))
        val answer = signing.receive<DeliveryAnswer>().unwrap { it }
        if (answer.refusal == null) signing.send(DeliveryVerdict(null))
        session.send(DeliveryVerdict(null))
        return answer
    }
}

/** A seller's side to which no coins are sent along. */
class WantCoins(private val id: String, private val seller: String, private val buyer: Party) : FlowLogic<List<StateAndRef<*>>>() {
    @Suspendable
    override fun call(): List<StateAndRef<*>> {
        val session = subFlow(BuyerSession(buyer))
        val fill = serviceHub.fillOnRecord(id)!!.fill
        session.sendAndReceive<SettlementAnswer>(SettlementRequest(SettlementQuery(listOf(FillRef(id, fill.ref))), null)).unwrap { it }
        val decision = SettlementDecision(listOf(SellerAccount(id, seller, seller)), emptyList())
        val answer = session.sendAndReceive<ReserveAnswer>(SettlementRequest(null, decision)).unwrap { it }
        return subFlow(ReceiveNamed(session, answer.coins, emptyList()))
    }
}

/** Says to a node that has named nothing that it wants what was named. */
class WantNamedTwice(private val stx: SignedTransaction, private val to: Party) : FlowLogic<DeliveryAnswer>() {
    @Suspendable
    override fun call(): DeliveryAnswer {
        val opener = Door.ROUTE.open(to)
        val session: FlowSession = subFlow(opener)
        session.send(NamedWanted)
        return session.sendAndReceive<DeliveryAnswer>(TransactionDelivery(stx)).unwrap { it }
    }
}

/** Takes [refs] as if somebody had named them. */
class TakeNamed(private val refs: List<StateRef>, private val other: Party) : FlowLogic<List<StateAndRef<*>>>() {
    @Suspendable
    override fun call(): List<StateAndRef<*>> {
        val session = subFlow(BuyerSession(other))
        return subFlow(ReceiveNamed(session, refs, emptyList()))
    }
}
