package org.ippon.asset

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.Holder
import org.ippon.contracts.isLedgerId
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.DeliverTransaction
import org.ippon.core.ErrorCode
import org.ippon.core.SecurityIssueSession
import org.ippon.core.refuseUnless
import org.ippon.core.signFirst
import org.ippon.core.trust

/** @property alreadyIssued the same issue had been made before; nothing was made. */
@CordaSerializable
data class IssueReport(val issueId: String, val transactionId: String, val alreadyIssued: Boolean)

/** The registrar issues units to an investor of a custodian, who checks that the investor is its own. The issue id issues once. */
@StartableByRPC
class IssueSecurity(private val issueId: String, private val securityCode: String, private val custodian: Party, private val investorId: String, private val units: Long) : FlowLogic<IssueReport>() {
    @Suspendable
    override fun call(): IssueReport {
        listOf("issue_id" to issueId, "security_code" to securityCode, "investor_id" to investorId).forEach { (field, id) ->
            refuseUnless(isLedgerId(id), ErrorCode.BAD_REQUEST, field) { "$field '$id' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        }
        refuseUnless(units > 0, ErrorCode.BAD_REQUEST, "units") { "The units must be more than zero, but are $units." }
        serviceHub.trust.checkParty(serviceHub.trust.isCustodian(custodian), "custodian", custodian)
        val token = SecurityToken(Security(securityCode, ourIdentity), units, Holder(custodian, investorId))
        before(token)?.let { return IssueReport(issueId, it.transactionId, true) }
        val builder = TransactionBuilder(serviceHub.trust.notary).addOutputState(token).addCommand(Command(SecurityTokenCommand.Issue(issueId), ourIdentity.owningKey))
        val session = subFlow(SecurityIssueSession(custodian))
        val full = subFlow(Delivery(serviceHub.signFirst(builder), session, IssueKey(issueId, issueHash(token))))
        return IssueReport(issueId, full.id.toString(), false)
    }

    private fun before(token: SecurityToken): IssueRow? = serviceHub.withEntityManager { find(IssueRow::class.java, issueId) }?.also {
        refuseUnless(it.contentHash == issueHash(token), ErrorCode.ISSUE_ID_REUSED, "issue_id") { "The issue id $issueId stands for another issue (transaction ${it.transactionId})." }
    }

    private class IssueKey(val id: String, val hash: String)

    private class Delivery(stx: SignedTransaction, session: FlowSession, private val key: IssueKey) : DeliverTransaction(stx, listOf(listOf(session))) {
        override fun beforeRecording(stx: SignedTransaction) {
            val taken = serviceHub.withEntityManager { find(IssueRow::class.java, key.id) }
            refuseUnless(taken == null, ErrorCode.ISSUE_ID_REUSED, "issue_id") { "The issue id ${key.id} is being issued by another request." }
        }

        override fun onRecorded(stx: SignedTransaction) = serviceHub.withEntityManager { persist(IssueRow(key.id, key.hash, stx.id.toString(), serviceHub.clock.instant())) }
    }
}

/** Tells a repetition of an issue from another issue under the same id. */
internal fun issueHash(token: SecurityToken) =
        SecureHash.sha256("${token.security.code}|${token.holder.custodian.name}|${token.holder.investorId}|${token.units}".toByteArray()).toString()
