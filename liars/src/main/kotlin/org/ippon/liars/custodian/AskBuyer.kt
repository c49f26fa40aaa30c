package org.ippon.liars.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowException
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.UnexpectedFlowEndException
import net.corda.core.identity.Party
import net.corda.core.utilities.unwrap
import org.ippon.core.BuyerSession
import org.ippon.core.DeliveryAnswer
import org.ippon.core.settlement.BuyerLine
import org.ippon.core.settlement.FillRef
import org.ippon.core.settlement.ReserveAnswer
import org.ippon.core.settlement.SellerAccount
import org.ippon.core.settlement.SettlementAnswer
import org.ippon.core.settlement.SettlementDecision
import org.ippon.core.settlement.SettlementQuery
import org.ippon.custodian.settlement.SettlementRequest
import org.ippon.liars.Told

internal fun question(refs: List<FillRef>) = SettlementRequest(SettlementQuery(refs), null)

internal fun decision(ids: List<String>) = SettlementRequest(null, SettlementDecision(ids.map { SellerAccount(it, "X", "X") }, emptyList()))

/** Asks the buyer's custodian about [refs], [times] times, and then decides on [settle]. */
class AskBuyer(private val refs: List<FillRef>, private val settle: List<String>, private val buyer: Party, private val times: Int = 1) : FlowLogic<List<BuyerLine>>() {
    @Suspendable
    override fun call(): List<BuyerLine> {
        val session = subFlow(BuyerSession(buyer))
        var lines = emptyList<BuyerLine>()
        repeat(times) { lines = session.sendAndReceive<SettlementAnswer>(question(refs)).unwrap { it }.lines }
        if (settle.isEmpty()) session.send(decision(settle)) else session.sendAndReceive<ReserveAnswer>(decision(settle)).unwrap { it }
        return lines
    }
}

/** Opens [sessions] settlements of [refs] at the same time and decides to settle in all of them, when all have been answered. */
class FloodBuyer(private val refs: List<FillRef>, private val sessions: Int, private val buyer: Party) : FlowLogic<List<ReserveAnswer>>() {
    @Suspendable
    override fun call(): List<ReserveAnswer> {
        val open = mutableListOf<FlowSession>()
        for (count in 1..sessions) {
            val session = subFlow(BuyerSession(buyer))
            open += session
        }
        for (session in open) session.send(question(refs))
        for (session in open) session.receive<SettlementAnswer>().unwrap { it }
        for (session in open) session.send(decision(refs.map { it.executionId }))
        val answers = mutableListOf<ReserveAnswer>()
        for (session in open) answers += session.receive<ReserveAnswer>().unwrap { it }
        return answers
    }
}

/** Opens [sessions] settlements of [refs], asks in each, and says nothing more until the buyer's side has ended them all. */
class LeaveBuyer(private val refs: List<FillRef>, private val sessions: Int, private val buyer: Party) : FlowLogic<List<Told>>() {
    @Suspendable
    override fun call(): List<Told> {
        val open = mutableListOf<FlowSession>()
        for (count in 1..sessions) {
            val session = subFlow(BuyerSession(buyer))
            open += session
        }
        for (session in open) session.sendAndReceive<SettlementAnswer>(question(refs)).unwrap { it }
        val told = mutableListOf<Told>()
        for (session in open) told += end(session)
        return told
    }

    @Suspendable
    private fun end(session: FlowSession): Told = try {
        session.receive<ReserveAnswer>().unwrap { Told.by(buyer, DeliveryAnswer(it.refusal, null)) }
    } catch (e: FlowException) {
        Told.by(buyer, e)
    } catch (e: UnexpectedFlowEndException) {
        Told.by(buyer, e)
    }
}
