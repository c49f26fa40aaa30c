package org.ippon.exchange

import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.OrderDetails
import org.ippon.core.RecoveryVenueSession
import org.ippon.core.me
import org.ippon.core.recovery.AnswerRecovery
import org.ippon.core.recovery.RecoverRecords
import java.time.Instant

/**
 * A restored exchange node learns what it had signed: an execution id stays used, a bust stays a bust. Its custodians
 * know what it had told them beside the fill, so that a notice that is repeated is known again.
 */
@StartableByRPC
class RecoverAsExchange(member: Party, since: Instant?) : RecoverRecords(member, since) {
    override fun onRecovered(stx: SignedTransaction, orders: List<OrderDetails>) {
        for (command in stx.tx.commands.map { it.value }) {
            if (command is FillCommand.Notify) notified(stx, orders)
            if (command is FillCommand.Bust) command.executionIds.forEach { busted(stx, it) }
        }
    }

    private fun notified(stx: SignedTransaction, orders: List<OrderDetails>) = stx.tx.outputs.map { it.data }.forEachIndexed { index, fill ->
        if (fill is Fill && fill.venue == serviceHub.me && orders.isNotEmpty()) keep(fill, stx.id, index, orders[stx.tx.outputsOfType<Fill>().indexOf(fill)])
    }

    private fun keep(fill: Fill, transactionId: SecureHash, index: Int, details: OrderDetails) = serviceHub.withEntityManager {
        if (find(NotifiedFill::class.java, fill.executionId) == null) {
            persist(NotifiedFill(
                    fill.executionId, NotifiedFill.RECOVERED, transactionId.toString(), index, details.salt, details.tradeId, details.sellOrderId, details.buyOrderId,
                    NotifiedFill.NOTIFIED, serviceHub.clock.instant()
            ))
            flush()
        }
    }

    // A fill is shown here before its bust: whoever tells has recorded it first.
    private fun busted(stx: SignedTransaction, executionId: String) = serviceHub.withEntityManager {
        find(NotifiedFill::class.java, executionId)?.let {
            it.status = NotifiedFill.BUSTED
            it.endedBy = stx.id.toString()
        }
        flush()
    }
}

/** The venue tells a restored custodian what it has recorded of its fills, and what their order proofs hide. */
@InitiatedBy(RecoveryVenueSession::class)
class AnswerRecoveryAsExchange(session: FlowSession) : AnswerRecovery(session) {
    override fun ordersOf(stx: SignedTransaction): List<OrderDetails> = stx.tx.outputsOfType<Fill>()
            .mapNotNull { fill -> serviceHub.withEntityManager { find(NotifiedFill::class.java, fill.executionId) }?.takeIf { it.transactionId == stx.id.toString() } }
            .map { OrderDetails(it.tradeId, it.sellOrderId, it.buyOrderId, it.salt) }
}
