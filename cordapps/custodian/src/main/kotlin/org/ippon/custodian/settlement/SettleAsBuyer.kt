package org.ippon.custodian.settlement

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.StateAndRef
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.contracts.coin.Coin
import org.ippon.core.BuyerSession
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.PendingKind
import org.ippon.core.ReceiveDelivery
import org.ippon.core.Refusal
import org.ippon.core.busyFills
import org.ippon.core.fillOnRecord
import org.ippon.core.isSessionEnd
import org.ippon.core.lockId
import org.ippon.core.me
import org.ippon.core.nearChain
import org.ippon.core.pend
import org.ippon.core.refuseUnless
import org.ippon.core.settlement.BuyerStand
import org.ippon.core.settlement.ReserveAnswer
import org.ippon.core.settlement.SettlementAnswer
import org.ippon.core.settlement.SettlementDecision
import org.ippon.core.settlement.SettlementQuery
import org.ippon.core.settlement.SettlementReview
import org.ippon.core.settlement.Shortage
import org.ippon.core.trust
import org.ippon.core.unpendUnlessSigned

/** What the seller's custodian sends in a settlement: a query, or the decision that ends the questions. */
@CordaSerializable
data class SettlementRequest(val query: SettlementQuery?, val decision: SettlementDecision?)

/** Most queries in one settlement session: each narrows the list, so honest sellers need few. */
const val MAX_QUERY_ROUNDS = 5

/**
 * The buyer's custodian in a settlement; the other end of [SettleFills].
 *
 * 1. Answers, for each fill asked about, whether it is ready: on record here, first of its id, open, between these two,
 *    with a coin route in force and enough coins. Nothing is locked. The amount that is missing does not travel.
 * 2. At the decision, tells its own people and agent what is missing, exactly and at once.
 * 3. Reserves coins for the fills decided on and names them, with what the other side probably lacks of their chains.
 * 4. Takes the transaction: everything that [SettlementReview] checks, and that it settles just these fills, with its
 *    investors' accounts, by the route in force, out of exactly the coins reserved. Signs.
 * 5. Records it when every signature is there. What never comes back is the agent's to ask for (AskOutcome, ReclaimCoins).
 */
@InitiatedBy(BuyerSession::class)
class SettleAsBuyer(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        refuseUnless(serviceHub.trust.isCustodian(session.counterparty), ErrorCode.NOT_ACCEPTED_PARTY) { "${session.counterparty.name} is not a custodian accepted here." }
        val (assessed, decision) = answerQueries() ?: return
        val chosen = decision.settle.map { account -> assessed.single { it.line.executionId == account.executionId } }
        if (chosen.isEmpty()) return
        val coins = reserve(chosen) ?: return
        try {
            subFlow(SignAsBuyer(session, chosen, coins))
        } catch (e: Exception) {
            if (!isSessionEnd(e)) throw e
            // The seller's side ended or sent what cannot be read: what was reserved is free with the end of this flow.
            logger.warn("The settlement of ${chosen.map { it.line.executionId }} with ${session.counterparty.name.organisation} ended: ${e.message}")
        }
        // Refused here, ended or over: the next settlement of these fills need not wait for the deadline.
        serviceHub.unpendUnlessSigned(runId.uuid)
    }

    @Suspendable
    private fun answerQueries(): Pair<List<AssessedFill>, SettlementDecision>? {
        val side = BuyerSide(serviceHub, session.counterparty, lockId)
        var assessed = emptyList<AssessedFill>()
        var short = emptyList<Shortage>()
        // What lacks units is asked about once and left out of the next query.
        val asked = mutableSetOf<String>()
        repeat(MAX_QUERY_ROUNDS) {
            val request = session.receive<SettlementRequest>().unwrap { it }
            val decision = request.decision
            if (decision != null) {
                checkDecision(assessed, decision)
                side.note(assessed, short, decision.lacking.filter { it in asked })
                return Pair(assessed, decision)
            }
            val refs = request.query?.fills.orEmpty()
            refuseUnless(refs.size in 1..serviceHub.trust.maxFillsPerSettlement, ErrorCode.TOO_MANY) { "A query must be of 1 to ${serviceHub.trust.maxFillsPerSettlement} fills, but is of ${refs.size}." }
            val found = side.withMoney(side.assess(refs.distinctBy { it.executionId }))
            assessed = found.first
            short = found.second
            asked += assessed.filter { it.fill != null }.map { it.line.executionId }
            session.send(SettlementAnswer(assessed.map { it.line }))
        }
        logger.warn("${session.counterparty.name.organisation} asked $MAX_QUERY_ROUNDS times and decided nothing.")
        return null
    }

    private fun checkDecision(assessed: List<AssessedFill>, decision: SettlementDecision) {
        val ready = assessed.filter { it.line.stand == BuyerStand.READY }.map { it.line.executionId }
        val wanted = decision.settle.map { it.executionId }
        refuseUnless(wanted.toSet().size == wanted.size && ready.containsAll(wanted), ErrorCode.BAD_REQUEST) { "A decision must settle each of $ready at most once, but settles $wanted." }
    }

    @Suspendable
    private fun reserve(chosen: List<AssessedFill>): List<StateAndRef<Coin>>? = try {
        checkFree(chosen.map { it.line.executionId })
        val coins = BuyerSide(serviceHub, session.counterparty, lockId).reserveCoins(chosen)
        val deadline = serviceHub.clock.instant().plusSeconds(serviceHub.trust.sessionSeconds)
        serviceHub.pend(runId.uuid, PendingKind.SESSION, session.counterparty, deadline, executionIds = chosen.map { it.line.executionId })
        val refs = coins.map { it.ref }
        session.send(ReserveAnswer(null, refs, serviceHub.nearChain(refs, session.counterparty)))
        coins
    } catch (e: Refusal) {
        session.send(ReserveAnswer(e.toWire()))
        null
    }

    /** A seller that asks in many sessions at once, and decides in all, would else have all of the buyer's coins reserved. */
    private fun checkFree(ids: List<String>) {
        val busy = serviceHub.busyFills(ids, runId.uuid)
        refuseUnless(busy.isEmpty(), ErrorCode.SESSION_BUSY, "execution_id") { "$busy are in another settlement already." }
    }
}

/** Step 4 of [SettleAsBuyer]. */
private class SignAsBuyer(session: FlowSession, private val chosen: List<AssessedFill>, private val coins: List<StateAndRef<Coin>>) : ReceiveDelivery(session) {
    override val named: List<StateAndRef<*>> get() = coins

    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        val settlement = SettlementReview(serviceHub).review(stx, session.counterparty) { listOf(session.counterparty) }
        val accounts = chosen.associate { it.line.executionId to it.line.account!! }
        refuseUnless(settlement.terms.map { it.executionId }.sorted() == accounts.keys.sorted(), ErrorCode.UNEXPECTED_STATE, "terms") {
            "The settlement must be of the fills agreed, ${accounts.keys.sorted()}, but is of ${settlement.terms.map { it.executionId }.sorted()}."
        }
        settlement.fills.zip(settlement.terms).forEach { (fill, term) ->
            val id = term.executionId
            val record = serviceHub.fillOnRecord(id)
            refuseUnless(record?.fill?.ref == fill.ref, ErrorCode.DUPLICATE_FILL, "execution_id") { "$id must be ${record?.fill?.ref}, but is ${fill.ref}." }
            val account = accounts[id]!!
            refuseUnless(term.buyerTokenId == account.tokenId && term.buyerCoinId == account.coinId, ErrorCode.WRONG_ACCOUNT, "terms") {
                "$id must go to ${account.tokenId} and be paid by ${account.coinId}, but goes to ${term.buyerTokenId} and is paid by ${term.buyerCoinId}."
            }
            checkRoute(id, term.routeId, term.routeVersion)
        }
        val mine = settlement.coins.filter { it.state.data.holder.custodian == serviceHub.me }.map { it.ref }.toSet()
        refuseUnless(mine == coins.map { it.ref }.toSet(), ErrorCode.UNEXPECTED_STATE, "coins") { "The settlement must spend exactly the ${coins.size} coin states reserved for it, but spends $mine." }
    }

    private fun checkRoute(id: String, routeId: String, version: Int) {
        val line = chosen.single { it.line.executionId == id }
        val now = BuyerSide(serviceHub, session.counterparty, lockId).routeNow(line)
        refuseUnless(now == Pair(routeId, version), ErrorCode.ROUTE_CHANGED, "terms") { "$id must be paid by the route in force, ${now?.first} version ${now?.second}, but names $routeId version $version." }
    }
}
