package org.ippon.liars

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.SendTransactionFlow
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.core.BustSession
import org.ippon.core.CoinSession
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryAnswer
import org.ippon.core.DeliveryNote
import org.ippon.core.DeliveryVerdict
import org.ippon.core.FillSession
import org.ippon.core.InstructionEndSession
import org.ippon.core.InstructionSession
import org.ippon.core.OpenSession
import org.ippon.core.RouteShareSession
import org.ippon.core.SecurityIssueSession
import org.ippon.core.SettlementAssetSession
import org.ippon.core.SettlementCoinSession
import org.ippon.core.TransferAssetSession
import org.ippon.core.TransactionDelivery
import org.ippon.core.TransferReceiverSession
import org.ippon.core.nearChain

/** Which of the doors of a node a liar knocks at. */
@CordaSerializable
enum class Door(val open: (Party) -> OpenSession) {
    FILL({ FillSession(it) }), BUST({ BustSession(it) }), SETTLEMENT_ASSET({ SettlementAssetSession(it) }), SETTLEMENT_COIN({ SettlementCoinSession(it) }),
    ISSUE({ SecurityIssueSession(it) }), TRANSFER_RECEIVER({ TransferReceiverSession(it) }), TRANSFER_ASSET({ TransferAssetSession(it) }),
    ROUTE({ RouteShareSession(it) }), INSTRUCTION({ InstructionSession(it) }), INSTRUCTION_END({ InstructionEndSession(it) }), COINS({ CoinSession(it) }),
    LIAR({ LiarSession(it) })
}

/** Sends a transaction made by hand through [door], as a node gone wrong might. */
class Deliver(private val stx: SignedTransaction, private val door: Door, private val to: List<Party>, private val note: DeliveryNote = DeliveryNote()) : FlowLogic<SignedTransaction>() {
    constructor(stx: SignedTransaction, door: Door, to: Party, note: DeliveryNote = DeliveryNote()) : this(stx, door, listOf(to), note)

    @Suspendable
    override fun call(): SignedTransaction {
        val sessions = mutableListOf<FlowSession>()
        for (party in to) {
            val opener = door.open(party)
            sessions += subFlow(opener)
        }
        return subFlow(DeliverTransaction(stx, listOf(sessions), note))
    }
}

/** Shows [stx] as the honest do, with what comes along, or the long way when that is wanted or [alone] is set. */
class Show(private val session: FlowSession, private val stx: SignedTransaction, private val note: DeliveryNote = DeliveryNote(), private val alone: Boolean = false) : FlowLogic<DeliveryAnswer>() {
    @Suspendable
    override fun call(): DeliveryAnswer {
        val near = if (alone) emptyList() else serviceHub.nearChain(stx.inputs + stx.references, session.counterparty)
        val answer = session.sendAndReceive<DeliveryAnswer>(TransactionDelivery(stx, note, near)).unwrap { it }
        if (!answer.chainWanted) return answer
        subFlow(SendTransactionFlow(session, stx))
        return session.receive<DeliveryAnswer>().unwrap { it }
    }
}

/** Shows a transaction through [door] without a look at it, and drops it when it is accepted; or claims at once that it is [complete], with the signatures that it has. */
class ShowAt(private val stx: SignedTransaction, private val door: Door, private val to: Party, private val note: DeliveryNote = DeliveryNote(), private val complete: Boolean = false) : FlowLogic<DeliveryAnswer>() {
    @Suspendable
    override fun call(): DeliveryAnswer {
        val opener = door.open(to)
        val session = subFlow(opener)
        val showing = Show(session, stx, note)
        val answer = subFlow(showing)
        if (answer.refusal == null) session.send(DeliveryVerdict(if (complete) stx.sigs else null))
        return answer
    }
}

/** Shows two transactions at the same time, and claims that both are complete only when both are answered. */
class PushBoth(private val both: List<SignedTransaction>, private val door: Door, private val to: Party, private val note: DeliveryNote = DeliveryNote()) : FlowLogic<List<DeliveryAnswer>>() {
    @Suspendable
    override fun call(): List<DeliveryAnswer> {
        val sessions = mutableListOf<FlowSession>()
        val answers = mutableListOf<DeliveryAnswer>()
        for (stx in both) {
            val opener = door.open(to)
            val session = subFlow(opener)
            sessions += session
            val showing = Show(session, stx, note)
            answers += subFlow(showing)
        }
        for (index in both.indices) if (answers[index].refusal == null) sessions[index].send(DeliveryVerdict(both[index].sigs))
        return answers
    }
}
