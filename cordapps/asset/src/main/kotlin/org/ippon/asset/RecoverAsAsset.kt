package org.ippon.asset

import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.RecoveryAssetSession
import org.ippon.core.me
import org.ippon.core.recovery.AnswerRecovery
import org.ippon.core.recovery.RecoverRecords
import java.time.Instant

/** A restored registrar learns what [member] has recorded of its issues, transfers and settlements; an issue id stays used. */
@StartableByRPC
class RecoverAsAsset(member: Party, since: Instant?) : RecoverRecords(member, since) {
    override fun onRecovered(stx: SignedTransaction, orders: List<OrderDetails>) {
        val issue = stx.tx.commands.map { it.value }.filterIsInstance<SecurityTokenCommand.Issue>().singleOrNull() ?: return
        val token = stx.tx.outputsOfType<SecurityToken>().singleOrNull()?.takeIf { it.security.registrar == serviceHub.me } ?: return
        serviceHub.withEntityManager {
            if (find(IssueRow::class.java, issue.issueId) == null) {
                persist(IssueRow(issue.issueId, issueHash(token), stx.id.toString(), serviceHub.clock.instant()))
                flush()
            }
        }
    }
}

/** The registrar tells a restored member what it has recorded of its dealings. */
@InitiatedBy(RecoveryAssetSession::class)
class AnswerRecoveryAsAsset(session: FlowSession) : AnswerRecovery(session)
