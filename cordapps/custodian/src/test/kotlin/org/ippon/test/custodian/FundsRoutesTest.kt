package org.ippon.test.custodian

import net.corda.core.transactions.SignedTransaction
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.FundsRouteCommand
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.core.ErrorCode
import org.ippon.core.query.PageRequest
import org.ippon.core.settlement.Outcome
import org.ippon.core.settlement.Reason
import org.ippon.custodian.funds.PullFundsRoutes
import org.ippon.custodian.funds.RegisterFundsRoute
import org.ippon.custodian.funds.ShareFundsRoutes
import org.ippon.custodian.funds.WithdrawFundsRoute
import org.ippon.custodian.query.QueryNotices
import org.ippon.custodian.query.QueryRoutes
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.junit.Rule
import org.junit.Test

class FundsRoutesTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB

    /** Version and institution of the routes in force that [node] knows. */
    private fun routes(node: StartedMockNode, investorId: String) =
            node.run(QueryRoutes(listOf(investorId), PageRequest())).rows.map { "${it.number("version")} ${it.text("institution_code")}" }

    private fun share(investorId: String) = b.run(ShareFundsRoutes(a.party, listOf(investorId)))

    private fun fillFor(buyer: String): String {
        val notice = network.notice(a to market.seller, b to buyer, market.security, 5, "100.00")
        network.notify(notice)
        return notice.executionId
    }

    @Test
    fun `a route is registered once, replaced by the next version, withdrawn, and shared when told to`() {
        val investor = network.investor(b, method = null)
        val first = b.run(RegisterFundsRoute(investor, "9001", PaymentMethod.COIN))
        assertThat(first.version).isEqualTo(1)
        assertThat(b.run(RegisterFundsRoute(investor, "9001", PaymentMethod.COIN))).isEqualTo(first)
        assertThat(routes(a, investor)).isEmpty()
        share(investor)
        share(investor)
        eventually { routes(a, investor) == listOf("1 9001") }
        b.run(RegisterFundsRoute(investor, "9002", PaymentMethod.COIN))
        assertThat(routes(b, investor)).containsExactly("2 9002")
        a.run(PullFundsRoutes(b.party, listOf(investor)))
        eventually { routes(a, investor) == listOf("2 9002") }
        val withdrawn = b.run(WithdrawFundsRoute(investor))
        assertThat(withdrawn.version).isEqualTo(0)
        assertThat(b.run(WithdrawFundsRoute(investor))).isEqualTo(withdrawn)
        refused(ErrorCode.ROUTE_MISSING, "investor_id") { b.run(WithdrawFundsRoute(network.investor(b, method = null))) }
        share(investor)
        eventually { routes(a, investor).isEmpty() }
    }

    @Test
    fun `a route registered anew after a withdrawal that the other missed reaches it`() {
        val investor = network.investor(b)
        b.run(RegisterFundsRoute(investor, "9002", PaymentMethod.COIN))
        share(investor)
        eventually { routes(a, investor) == listOf("2 9002") }
        b.run(WithdrawFundsRoute(investor))
        b.run(RegisterFundsRoute(investor, "9003", PaymentMethod.COIN))
        share(investor)
        eventually { routes(a, investor) == listOf("1 9003") }
    }

    @Test
    fun `routes of unknown investors, bad codes and parties that are no custodians are refused`() {
        refused(ErrorCode.UNKNOWN_INVESTOR, "investor_id") { b.run(RegisterFundsRoute("NOBODY", "9001", PaymentMethod.COIN)) }
        refused(ErrorCode.BAD_REQUEST, "institution_code") { b.run(RegisterFundsRoute(market.buyer, "", PaymentMethod.COIN)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { b.run(ShareFundsRoutes(network.outsider.party, listOf(market.buyer))) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { b.run(ShareFundsRoutes(b.party, listOf(market.buyer))) }
        refused(ErrorCode.TOO_MANY, "investor_ids") { b.run(ShareFundsRoutes(a.party, (0..100).map { "I-$it" })) }
    }

    @Test
    fun `a settlement pulls the version that it needs`() {
        val buyer = network.investor(b)
        network.giveCoins(b, buyer, 500)
        b.run(RegisterFundsRoute(buyer, "9002", PaymentMethod.COIN))
        assertThat(routes(a, buyer)).containsExactly("1 9001")
        market.settles(fillFor(buyer))
        assertThat(routes(a, buyer)).containsExactly("2 9002")
    }

    @Test
    fun `a buyer without a route, and one who pays by bank, wait for confirmation`() {
        val without = network.investor(b, method = null)
        val bank = network.investor(b, method = PaymentMethod.BANK)
        listOf(without to ErrorCode.ROUTE_MISSING, bank to ErrorCode.ROUTE_BANK).forEach { (buyer, cause) ->
            val id = fillFor(buyer)
            val result = network.settle(a, id).single()
            assertThat(listOf(result.outcome, result.reason, result.cause)).isEqualTo(listOf(Outcome.WAITING, Reason.CONF, cause))
            eventually { b.run(QueryNotices(0, PageRequest(1, 200))).rows.any { it.text("execution_id") == id && it.text("kind") == "ROUTE_NEEDED" } }
        }
    }

    private fun register(route: FundsRoute, by: StartedMockNode): SignedTransaction = by.sign { addOutputState(route).addCommand(FundsRouteCommand.Register(), route.holder.custodian.owningKey) }

    @Test
    fun `a route of another's investor is refused`() {
        val route = FundsRoute(network.id("R"), 1, Holder(a.party, market.seller), "9001", PaymentMethod.COIN)
        refused(ErrorCode.WRONG_ACCOUNT, "custodian") { b.run(Deliver(register(route, a), Door.ROUTE, a.party)) }
        val foreign = route.copy(holder = Holder(network.outsider.party, "X"))
        refused(ErrorCode.NOT_ACCEPTED_PARTY) { network.outsider.run(Deliver(register(foreign, network.outsider), Door.ROUTE, a.party)) }
    }

    @Test
    fun `a second route beside one in force, and an older version, are refused`() {
        val investor = network.investor(b)
        val beside = FundsRoute(network.id("R"), 1, Holder(b.party, investor), "9009", PaymentMethod.COIN)
        refused(ErrorCode.ROUTE_CONFLICT, "route_id") { b.run(Deliver(register(beside, b), Door.ROUTE, a.party)) }
        val first = b.states<FundsRoute> { it.holder.investorId == investor }.single().ref.txhash
        b.run(RegisterFundsRoute(investor, "9002", PaymentMethod.COIN))
        share(investor)
        eventually { routes(a, investor) == listOf("2 9002") }
        refused(ErrorCode.ROUTE_CONFLICT, "route_id") { b.run(Deliver(b.services.validatedTransactions.getTransaction(first)!!, Door.ROUTE, a.party)) }
        assertThat(routes(a, investor)).containsExactly("2 9002")
    }

    @Test
    fun `only routes come through the door for routes, and only custodians get answers`() {
        val instruction = org.ippon.contracts.funds.TrustInstruction(network.id("TI"), Holder(b.party, market.buyer), 1, network.coin.party, java.time.Instant.parse("2030-01-01T00:00:00Z"))
        val stx = b.sign { addOutputState(instruction).addCommand(org.ippon.contracts.funds.TrustInstructionCommand.Instruct(), b.party.owningKey) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { b.run(Deliver(stx, Door.ROUTE, a.party)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { network.outsider.run(PullFundsRoutes(b.party, listOf(market.buyer))) }
    }
}
