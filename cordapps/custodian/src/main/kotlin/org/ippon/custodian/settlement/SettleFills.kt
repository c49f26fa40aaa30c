package org.ippon.custodian.settlement

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.TimeWindow
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.serialization.serialize
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.FillContract
import org.ippon.contracts.fill.SettleTerm
import org.ippon.core.AskOutcome
import org.ippon.core.BuyerSession
import org.ippon.core.DeliverTransaction
import org.ippon.core.ErrorCode
import org.ippon.core.PendingKind
import org.ippon.core.ReceiveNamed
import org.ippon.core.Refusal
import org.ippon.core.SettlementAssetSession
import org.ippon.core.SettlementCoinSession
import org.ippon.core.count
import org.ippon.core.isSessionEnd
import org.ippon.core.lockId
import org.ippon.core.pend
import org.ippon.core.refuseUnless
import org.ippon.core.settlement.BuyerLine
import org.ippon.core.settlement.BuyerStand
import org.ippon.core.settlement.FillResult
import org.ippon.core.settlement.ReserveAnswer
import org.ippon.core.settlement.SettlementAnswer
import org.ippon.core.settlement.SettlementDecision
import org.ippon.core.settlement.SettlementPlan
import org.ippon.core.settlement.SettlementQuery
import org.ippon.core.settlement.SettlementResults
import org.ippon.core.settlement.SettlementReview
import org.ippon.core.signFirst
import org.ippon.core.trust
import org.ippon.core.unpend
import org.ippon.custodian.funds.PullFundsRoutes
import java.time.Instant

/**
 * Settles fills of one ordered pair (seller's custodian, buyer's custodian): the main job. Runs on the seller's
 * custodian node, never waits for money or people, and ends with a result per fill.
 *
 * 1. Reads the fills from this node's own records: first of their id, open, on or after their settle date, this node
 *    the seller's custodian. What an earlier try left undecided is decided first ([FinishEarlier]).
 * 2. Asks the buyer's custodian ([SettleAsBuyer]) which of them it can pay, and gets what has settled and is lost here;
 *    compares its copy of each funds route and pulls a newer one. Looks at its own units. Nothing is locked. Repeats while the list still narrows.
 * 3. Tells the buyer's custodian the decision: what settles, and for what this side lacks units. Every shortage is told
 *    to its own side, with the amount; the other learns only that there is one.
 * 4. Both reserve, and the buyer's coins come over with their chains.
 * 5. Builds the one transaction ([SettlementPlan]) with a time-window and signs it; then the buyer's custodian, then asset
 *    node and coin node at the same time, check and sign; the notary; recorded here; signatures to all ([DeliverTransaction]).
 *
 * When both custodians are this node, steps 2 to 4 happen here, by the same functions, and there is no buyer's session.
 */
@StartableByRPC
class SettleFills(private val executionIds: List<String>) : FlowLogic<SettlementResults>() {
    @Suspendable
    override fun call(): SettlementResults {
        refuseUnless(executionIds.size in 1..serviceHub.trust.maxFillsPerSettlement && executionIds.distinct().size == executionIds.size, ErrorCode.TOO_MANY, "execution_ids") {
            "execution_ids must be 1 to ${serviceHub.trust.maxFillsPerSettlement} different ids, but are ${executionIds.size}."
        }
        subFlow(FinishEarlier(executionIds))
        val side = SellerSide(serviceHub, lockId)
        val (open, ended) = side.read(executionIds)
        if (open.isEmpty()) return results(ended)
        val buyer = side.singleBuyer(open)
        return results(ended + if (buyer == ourIdentity) settleHere(side, open) else settleWith(side, buyer, open))
    }

    private fun results(all: List<FillResult>) = SettlementResults(executionIds.map { id -> all.single { it.executionId == id } })

    @Suspendable
    private fun settleHere(side: SellerSide, open: List<OpenFill>): List<FillResult> {
        val buyerSide = BuyerSide(serviceHub, ourIdentity, lockId)
        val agreed = side.agreeHere(open, buyerSide)
        if (agreed.ready.isEmpty()) return agreed.others
        return attempt(agreed) {
            val coins = side.reserveHere(agreed)
            settle(side, agreed, coins, null)
        }
    }

    @Suspendable
    private fun settleWith(side: SellerSide, buyer: Party, open: List<OpenFill>): List<FillResult> = try {
        val session = subFlow(BuyerSession(buyer))
        val agreed = agreeWith(side, session, open)
        val decision = SettlementDecision(agreed.ready.map { side.account(it) }, agreed.lacking)
        if (agreed.ready.isEmpty()) {
            session.send(SettlementRequest(null, decision))
            agreed.others
        } else attempt(agreed) {
            val coins = reserveWith(side, session, decision)
            settle(side, agreed, coins, session)
        }
    } catch (e: Exception) {
        if (!isSessionEnd(e)) throw e
        if (!notaryAsked()) serviceHub.unpend(runId.uuid)
        open.map { side.refused(it.id, (e as? Refusal)?.code ?: ErrorCode.COUNTERPARTY_FAILED, e.message ?: "${buyer.name.organisation} ended the session.") }
    }

    /** Then the transaction is kept: only [FinishEarlier] may say that it never will be. */
    private fun notaryAsked() = serviceHub.count("SELECT COUNT(*) FROM ippon_pending WHERE run_id = ? AND content IS NOT NULL", runId.uuid.toString()) > 0

    /** Step 2: until neither side takes anything more out. */
    @Suspendable
    private fun agreeWith(side: SellerSide, session: FlowSession, open: List<OpenFill>): Agreement {
        var agreement = Agreement(open, emptyList(), emptyList())
        var asked = open
        repeat(MAX_QUERY_ROUNDS - 1) {
            val lines = session.sendAndReceive<SettlementAnswer>(SettlementRequest(SettlementQuery(asked.map { it.toRef() }), null)).unwrap { side.checkLines(asked, it.lines) }
            learn(lines)
            val stale = side.staleRoutes(asked, lines)
            if (stale.isNotEmpty()) subFlow(PullFundsRoutes(session.counterparty, stale))
            val next = side.agree(asked, lines)
            agreement = Agreement(next.ready, agreement.others.filter { old -> asked.none { it.id == old.executionId } } + next.others, agreement.lacking + next.lacking)
            // The buyer's shortages were told on the assumption that what lacks units here would settle; ask again without it.
            if (next.lacking.isEmpty()) return agreement
            asked = asked.filter { it.id !in agreement.lacking }
            if (asked.isEmpty()) return agreement
        }
        return agreement
    }

    /** What the buyer's side says has settled is open here: this node has lost it, and whoever has it is asked. */
    @Suspendable
    private fun learn(lines: List<BuyerLine>) {
        val lost = lines.mapNotNull { it.settledBy }.distinct()
        for (id in lost) subFlow(AskOutcome(id))
    }

    @Suspendable
    private fun reserveWith(side: SellerSide, session: FlowSession, decision: SettlementDecision): List<StateAndRef<Coin>> {
        val answer = session.sendAndReceive<ReserveAnswer>(SettlementRequest(null, decision)).unwrap { it }
        answer.refusal?.let { throw it.toRefusal(session.counterparty.name.organisation) }
        val named = subFlow(ReceiveNamed(session, answer.coins, answer.near))
        return side.coins(named)
    }

    /** Steps 4 and 5 for what was agreed. */
    @Suspendable
    private fun settle(side: SellerSide, agreed: Agreement, coins: List<StateAndRef<Coin>>, buyer: FlowSession?): List<FillResult> {
        val trust = serviceHub.trust
        val tokens = side.reserveUnits(agreed)
        serviceHub.pend(runId.uuid, PendingKind.SETTLING, buyer?.counterparty ?: ourIdentity, serviceHub.clock.instant().plusSeconds(trust.sessionSeconds + trust.settlementWindowSeconds), executionIds = agreed.ready.map { it.id })
        val fills = agreed.ready.sortedBy { it.id }
        val terms: List<SettleTerm> = fills.map { it.term!! }
        val plan = SettlementPlan(fills.map { it.fill }, terms, tokens, coins)
        val stx = serviceHub.signFirst(plan.build(trust.notary, window(fills)))
        // This node may be registrar or issuer as well; and a plan that breaks our own rules must not leave the house.
        SettlementReview(serviceHub).review(stx, ourIdentity) { emptyList() }
        val full = subFlow(SettlementDelivery(stx, rounds(fills, buyer)))
        return fills.map { side.settled(it.id, full.id) }
    }

    @Suspendable
    private fun rounds(fills: List<OpenFill>, buyer: FlowSession?): List<List<FlowSession>> {
        val registrars = fills.map { it.data.security.registrar }.distinct() - ourIdentity
        val issuers = fills.map { it.data.coinIssuer }.distinct() - ourIdentity
        val signing = mutableListOf<FlowSession>()
        for (registrar in registrars) signing += subFlow(SettlementAssetSession(registrar))
        for (issuer in issuers) signing += subFlow(SettlementCoinSession(issuer))
        return listOf(listOfNotNull(buyer), signing)
    }

    private fun window(fills: List<OpenFill>): TimeWindow {
        val now = serviceHub.clock.instant()
        val opens: Instant = fills.map { it.data.settleDate.atStartOfDay(FillContract.TOKYO).toInstant() }.max()!!
        val from = maxOf(opens, now.minusSeconds(serviceHub.trust.clockSkewSeconds))
        return TimeWindow.between(from, now.plusSeconds(serviceHub.trust.settlementWindowSeconds))
    }

    /** A refusal on the way is the result of every fill that was on the way. */
    @Suspendable
    private inline fun attempt(agreed: Agreement, settle: () -> List<FillResult>): List<FillResult> = try {
        settle() + agreed.others
    } catch (e: Refusal) {
        serviceHub.unpend(runId.uuid)
        agreed.ready.map { SellerSide.refusedResult(it.id, e) } + agreed.others
    }
}

/** Keeps the signed transaction before the notary is asked, so that a settlement cut off there can be finished ([FinishEarlier]). */
private class SettlementDelivery(stx: SignedTransaction, rounds: List<List<FlowSession>>) : DeliverTransaction(stx, rounds) {
    override fun beforeNotary(stx: SignedTransaction) {
        val until = stx.tx.timeWindow!!.untilTime!!.plusSeconds(serviceHub.trust.clockSkewSeconds)
        serviceHub.pend(runId.uuid, PendingKind.SETTLING, ourIdentity, until, stx.id, content = stx.serialize().bytes)
    }

    override fun onRecorded(stx: SignedTransaction) = serviceHub.unpend(runId.uuid)
}
