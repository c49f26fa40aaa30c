package org.ippon.coin

import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.RecoveryCoinSession
import org.ippon.core.recovery.AnswerRecovery
import org.ippon.core.recovery.RecoverRecords
import org.ippon.core.recovery.inputsOf
import java.time.Instant

/**
 * A restored coin node learns what [member] has recorded of its instructions, coins and settlements. A redemption id
 * stays used, and so does the statement line of each instruction that was executed: one that is not on record here any
 * more is marked when the bank's statement is recorded again ([RecordStatement]).
 */
@StartableByRPC
class RecoverAsCoin(member: Party, since: Instant?) : RecoverRecords(member, since) {
    override fun onRecovered(stx: SignedTransaction, orders: List<OrderDetails>) {
        for (command in stx.tx.commands.map { it.value }) {
            if (command is CoinCommand.Redeem) redeemed(stx, command)
            if (command is TrustInstructionCommand.Execute) executed(stx)
        }
    }

    private fun redeemed(stx: SignedTransaction, redeem: CoinCommand.Redeem) {
        val custodian = serviceHub.inputsOf(stx).filterIsInstance<Coin>().first().holder.custodian
        val row = RedemptionRow(redemptionKey(custodian, redeem.redemptionId), custodian.name.toString(), redeem.amountRedeemed, stx.id.toString(), serviceHub.clock.instant())
        serviceHub.withEntityManager { if (find(RedemptionRow::class.java, row.redemptionId) == null) persist(row) }
    }

    private fun executed(stx: SignedTransaction) =
            serviceHub.inputsOf(stx).filterIsInstance<TrustInstruction>().forEach { serviceHub.useLineOf(it, stx.id) }
}

/** The coin node tells a restored member what it has recorded of its dealings. */
@InitiatedBy(RecoveryCoinSession::class)
class AnswerRecoveryAsCoin(session: FlowSession) : AnswerRecovery(session)
