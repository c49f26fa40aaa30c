package org.ippon.custodian

import net.corda.core.contracts.ContractState
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.RecoveryCustodianSession
import org.ippon.core.me
import org.ippon.core.recovery.AnswerRecovery
import org.ippon.core.recovery.RecoverRecords
import org.ippon.core.recovery.inputsOf
import org.ippon.core.trust
import java.time.Instant

/**
 * A restored custodian learns what [member] has recorded of its fills, settlements, units, coins, instructions and
 * routes, and the other custodians' routes. Business ids stay used. Investors, reversals accepted and notices are on no
 * ledger: the agent sends the first two again, the last come again with the next try.
 */
@StartableByRPC
class RecoverAsCustodian(member: Party, since: Instant?) : RecoverRecords(member, since) {
    override fun toldToo(stx: SignedTransaction) = serviceHub.sharesRoute(stx) { it != serviceHub.me && serviceHub.trust.isCustodian(it) }

    override fun onRecovered(stx: SignedTransaction, orders: List<OrderDetails>) {
        stx.tx.outputsOfType<Fill>().zip(orders).forEach { (fill, details) ->
            serviceHub.withEntityManager { merge(FillOrder(fill.executionId, fill.venue.name.toString(), details.tradeId, details.sellOrderId, details.buyOrderId, details.salt)) }
        }
        stx.tx.outputsOfType<TrustInstruction>().filter { isMine(it.holder.custodian) }.forEach { started(INSTRUCTION, it.instructionId, onLedger(it.holder.investorId, it.amountInstructed), stx) }
        for (command in stx.tx.commands.map { it.value }) {
            if (command is CoinCommand.Redeem) redeemed(stx, command)
            if (command is SecurityTokenCommand.Transfer) transferred(stx, command)
        }
    }

    private fun redeemed(stx: SignedTransaction, redeem: CoinCommand.Redeem) {
        val holder = serviceHub.inputsOf(stx).filterIsInstance<Coin>().first().holder
        if (isMine(holder.custodian)) started(REDEMPTION, redeem.redemptionId, onLedger(holder.investorId, redeem.amountRedeemed), stx)
    }

    private fun transferred(stx: SignedTransaction, transfer: SecurityTokenCommand.Transfer) {
        val from = serviceHub.inputsOf(stx).filterIsInstance<SecurityToken>().first().holder
        // The giver's flow makes what it gives the first output, its change the second.
        val given = stx.tx.outputsOfType<SecurityToken>().first()
        if (isMine(from.custodian)) started(TRANSFER, transfer.transferId, transferContent(given, from.investorId), stx)
    }

    private fun started(kind: String, businessId: String, content: String, stx: SignedTransaction) {
        if (serviceHub.withEntityManager { find(Started::class.java, StartedKey(businessId, kind)) } == null) serviceHub.noteStarted(kind, businessId, content, stx.id)
    }

    private fun isMine(custodian: Party) = custodian == serviceHub.me
}

/** A custodian tells a restored member what it has recorded of its dealings; another custodian also its own investors' routes, as it shared them. */
@InitiatedBy(RecoveryCustodianSession::class)
class AnswerRecoveryAsCustodian(session: FlowSession) : AnswerRecovery(session) {
    override fun toldToo(stx: SignedTransaction) = serviceHub.trust.isCustodian(session.counterparty) && serviceHub.sharesRoute(stx) { it == serviceHub.me }

    override fun ordersOf(stx: SignedTransaction): List<OrderDetails> = stx.tx.outputsOfType<Fill>()
            .mapNotNull { fill -> serviceHub.withEntityManager { find(FillOrder::class.java, FillOrderKey(fill.executionId, fill.venue.name.toString())) } }
            .map { OrderDetails(it.tradeId, it.sellOrderId, it.buyOrderId, it.salt) }
}

/** Whether [stx] is about funds routes alone, of custodians that [fits] takes. */
private fun ServiceHub.sharesRoute(stx: SignedTransaction, fits: (Party) -> Boolean): Boolean {
    val touched: List<ContractState> = stx.tx.outputs.map { it.data } + inputsOf(stx)
    return touched.isNotEmpty() && touched.all { it is FundsRoute && fits(it.holder.custodian) }
}
