package org.ippon.custodian.funds

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.StateAndRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.node.StatesToRecord
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import net.corda.core.utilities.unwrap
import org.ippon.contracts.Holder
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.FundsRouteCommand
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.contracts.isLedgerId
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.ReceiveDelivery
import org.ippon.core.Refusal
import org.ippon.core.RoutePullSession
import org.ippon.core.RouteShareSession
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.select
import org.ippon.core.signFirst
import org.ippon.core.trust
import org.ippon.custodian.requireInvestor
import org.ippon.custodian.routeOf

/** Most investors whose routes one request shares or pulls. */
const val MAX_ROUTES_PER_REQUEST = 100

/** @property version 0 when withdrawn. */
@CordaSerializable
data class RouteReport(val routeId: String, val version: Int, val transactionId: String)

/** @property shared how many routes were sent. */
@CordaSerializable
data class SharedReport(val shared: Int)

/** @property pulled how many routes the other custodian sent. */
@CordaSerializable
data class PulledReport(val pulled: Int)

/**
 * Registers an investor's funds route, or replaces the one in force by the next version. The same route again changes
 * nothing. Recorded here at once; sharing it with the other custodians is [ShareFundsRoutes], so that one that is down
 * blocks nobody.
 */
@StartableByRPC
class RegisterFundsRoute(private val investorId: String, private val institutionCode: String, private val method: PaymentMethod) : FlowLogic<RouteReport>() {
    @Suspendable
    override fun call(): RouteReport {
        serviceHub.requireInvestor(investorId, "investor_id")
        refuseUnless(isLedgerId(institutionCode), ErrorCode.BAD_REQUEST, "institution_code") { "The institution code '$institutionCode' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        val old = serviceHub.routeOf(Holder(ourIdentity, investorId))
        val same = old?.state?.data?.takeIf { it.institutionCode == institutionCode && it.method == method }
        if (same != null) return RouteReport(same.routeId, same.version, old.ref.txhash.toString())
        val builder = TransactionBuilder(serviceHub.trust.notary)
        val route = next(old, builder)
        val full = subFlow(DeliverTransaction(serviceHub.signFirst(builder), emptyList()))
        return RouteReport(route.routeId, route.version, full.id.toString())
    }

    private fun next(old: StateAndRef<FundsRoute>?, builder: TransactionBuilder): FundsRoute {
        val holder = Holder(ourIdentity, investorId)
        val before = old?.state?.data
        val route = FundsRoute(before?.routeId ?: newRouteId(), (before?.version ?: 0) + 1, holder, institutionCode, method)
        old?.let { builder.addInputState(it) }
        builder.addOutputState(route).addCommand(Command(if (old == null) FundsRouteCommand.Register() else FundsRouteCommand.Replace(), ourIdentity.owningKey))
        return route
    }

    /** Readable where it fits; two long investor ids must not end in one route id. */
    private fun newRouteId(): String = "R-$investorId".takeIf { isLedgerId(it) } ?: "R-${SecureHash.sha256(investorId.toByteArray()).toString().take(HASH_CHARACTERS)}"

    private companion object {
        const val HASH_CHARACTERS = 40
    }
}

/** Ends an investor's funds route. The same again, with none registered since, changes nothing. */
@StartableByRPC
class WithdrawFundsRoute(private val investorId: String) : FlowLogic<RouteReport>() {
    @Suspendable
    override fun call(): RouteReport {
        val route = serviceHub.routeOf(Holder(ourIdentity, investorId)) ?: return withdrawnBefore()
        val builder = TransactionBuilder(serviceHub.trust.notary).addInputState(route).addCommand(Command(FundsRouteCommand.Withdraw(), ourIdentity.owningKey))
        val full = subFlow(DeliverTransaction(serviceHub.signFirst(builder), emptyList()))
        return RouteReport(route.state.data.routeId, 0, full.id.toString())
    }

    private fun withdrawnBefore(): RouteReport = serviceHub.select(
            "SELECT r.route_id, s.spent_by FROM ippon_funds_route r JOIN ippon_spent s ON s.transaction_id = r.transaction_id AND s.output_index = r.output_index " +
                    "WHERE r.investor_id = ? AND r.custodian = ? ORDER BY r.version DESC LIMIT 1", investorId, ourIdentity.name.toString()
    ) { RouteReport(it.getString(1), 0, it.getString(2)) }.singleOrNull() ?: throw Refusal(ErrorCode.ROUTE_MISSING, "$investorId has never had a funds route.", "investor_id")
}

/** Sends the newest word on the funds routes of [investorIds] (withdrawal, then route) to [custodian], who checks and records it. Repeating it does no harm. */
@StartableByRPC
class ShareFundsRoutes(private val custodian: Party, private val investorIds: List<String>) : FlowLogic<SharedReport>() {
    @Suspendable
    override fun call(): SharedReport {
        refuseUnless(investorIds.size <= MAX_ROUTES_PER_REQUEST, ErrorCode.TOO_MANY, "investor_ids") { "investor_ids must be at most $MAX_ROUTES_PER_REQUEST, but are ${investorIds.size}." }
        refuseUnless(serviceHub.trust.isCustodian(custodian) && custodian != ourIdentity, ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { "${custodian.name} is not another custodian accepted here." }
        val newest = investorIds.flatMap { newest(it) }
        for (stx in newest) {
            val session = subFlow(RouteShareSession(custodian))
            subFlow(DeliverTransaction(stx, listOf(listOf(session))))
        }
        return SharedReport(newest.size)
    }

    /** The last withdrawal, which must go before a new registration, and the route in force. */
    private fun newest(investorId: String): List<SignedTransaction> {
        val routes = serviceHub.select(
                "SELECT r.transaction_id, s.spent_by, s.commands FROM ippon_funds_route r JOIN vault_states v ON v.transaction_id = r.transaction_id AND v.output_index = r.output_index " +
                        "LEFT JOIN ippon_spent s ON s.transaction_id = r.transaction_id AND s.output_index = r.output_index " +
                        "WHERE r.investor_id = ? AND r.custodian = ? ORDER BY v.recorded_timestamp, r.version", investorId, serviceHub.me.name.toString()
        ) { Triple(it.getString(1), it.getString(2), it.getString(3)) }
        val withdrawn = routes.lastOrNull { it.third == FundsRouteCommand.Withdraw::class.java.simpleName }?.second
        val inForce = routes.lastOrNull { it.second == null }?.first
        return listOfNotNull(withdrawn, inForce).map { serviceHub.validatedTransactions.getTransaction(SecureHash.parse(it))!! }
    }
}

/** Records another custodian's route: about its own investor, newer than what is here, and no second route beside one in force. */
@InitiatedBy(RouteShareSession::class)
class ReceiveFundsRoute(session: FlowSession) : ReceiveDelivery(session) {
    override val statesToRecord get() = StatesToRecord.ALL_VISIBLE

    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        refuseUnless(serviceHub.trust.isCustodian(session.counterparty), ErrorCode.NOT_ACCEPTED_PARTY) { "${session.counterparty.name} is not a custodian accepted here." }
        refuseUnless(stx.tx.commands.singleOrNull()?.value is FundsRouteCommand, ErrorCode.UNEXPECTED_COMMAND, "commands") { "A funds route must come under one route command, but comes under ${stx.tx.commands.size}." }
        val touched = (serviceHub.loadStates(stx.inputs.toSet()).map { it.state.data } + stx.tx.outputs.map { it.data }).filterIsInstance<FundsRoute>()
        refuseUnless(touched.all { it.holder.custodian == session.counterparty }, ErrorCode.WRONG_ACCOUNT, "custodian") { "${session.counterparty.name.organisation} may share the routes of its own investors only." }
        stx.tx.outputsOfType<FundsRoute>().forEach { route ->
            val here = serviceHub.routeOf(route.holder)?.state?.data
            refuseUnless(here == null || here.routeId == route.routeId && here.version <= route.version, ErrorCode.ROUTE_CONFLICT, "route_id") {
                "${route.holder} has the route ${here?.routeId} version ${here?.version} here already; ${route.routeId} version ${route.version} cannot stand beside it."
            }
        }
    }
}

/** Asks [custodian] to send its routes of [investorIds] again: for a custodian that joins late or missed one. */
@StartableByRPC
class PullFundsRoutes(private val custodian: Party, private val investorIds: List<String>) : FlowLogic<PulledReport>() {
    @Suspendable
    override fun call(): PulledReport {
        val session = subFlow(RoutePullSession(custodian))
        val answer = session.sendAndReceive<SharedReport>(RoutePullRequest(investorIds)).unwrap { it }
        return PulledReport(answer.shared)
    }
}

/** The question of [PullFundsRoutes]. */
@CordaSerializable
data class RoutePullRequest(val investorIds: List<String>)

/** Sends what is asked for, to accepted custodians only. */
@InitiatedBy(RoutePullSession::class)
class AnswerRoutePull(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        val request = session.receive<RoutePullRequest>().unwrap { it }
        session.send(subFlow(ShareFundsRoutes(session.counterparty, request.investorIds)))
    }
}
