package org.ippon.custodian.security

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.contracts.isLedgerId
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.ReceiveDelivery
import org.ippon.core.Refusal
import org.ippon.core.SecurityIssueSession
import org.ippon.core.TransferAssetSession
import org.ippon.core.TransferReceiverSession
import org.ippon.core.lockId
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.reserve
import org.ippon.core.select
import org.ippon.core.signFirst
import org.ippon.core.trust
import org.ippon.custodian.TRANSFER
import org.ippon.custodian.noteStarted
import org.ippon.custodian.requireInvestor
import org.ippon.custodian.startedBefore

/** @property transactionId the transaction that moved the units. */
@CordaSerializable
data class TransferReport(val transferId: String, val transactionId: String)

/**
 * Moves units free of payment to another investor, here or at another custodian. The receiving custodian is asked first
 * whether the investor is its own; then the registrar signs. The transfer id moves once.
 */
@StartableByRPC
class TransferSecurity(
        private val transferId: String, private val securityCode: String, private val units: Long,
        private val fromInvestorId: String, private val toCustodian: Party, private val toInvestorId: String
) : FlowLogic<TransferReport>() {
    @Suspendable
    override fun call(): TransferReport {
        refuseUnless(isLedgerId(transferId), ErrorCode.BAD_REQUEST, "transfer_id") { "The transfer id '$transferId' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        refuseUnless(units > 0, ErrorCode.BAD_REQUEST, "units") { "The units must be more than zero, but are $units." }
        serviceHub.startedBefore(TRANSFER, transferId, listOf(content()), ErrorCode.TRANSFER_ID_REUSED, "transfer_id")?.let { return TransferReport(transferId, it.toString()) }
        serviceHub.requireInvestor(fromInvestorId, "from_investor_id")
        if (toCustodian == ourIdentity) serviceHub.requireInvestor(toInvestorId, "to_investor_id")
        serviceHub.trust.checkParty(serviceHub.trust.isCustodian(toCustodian), "to_custodian", toCustodian)
        val security = security()
        val stx = serviceHub.signFirst(build(security))
        val receiver = if (toCustodian == ourIdentity) emptyList() else listOf(subFlow(TransferReceiverSession(toCustodian)))
        val registrar = subFlow(TransferAssetSession(security.registrar))
        val full = subFlow(Delivery(stx, listOf(receiver, listOf(registrar)), transferId, content()))
        return TransferReport(transferId, full.id.toString())
    }

    private fun security(): Security {
        val registrars = serviceHub.select("SELECT DISTINCT registrar FROM ippon_security_token WHERE security_code = ? AND investor_id = ?", securityCode, fromInvestorId) { it.getString(1) }
        val name = registrars.singleOrNull() ?: throw Refusal(ErrorCode.SHORT_OF_UNITS, "$fromInvestorId has never held $securityCode.", "security_code")
        return Security(securityCode, serviceHub.networkMapCache.getPeerByLegalName(net.corda.core.identity.CordaX500Name.parse(name))!!)
    }

    private fun build(security: Security): TransactionBuilder {
        val from = Holder(ourIdentity, fromInvestorId)
        val tokens = serviceHub.reserve<SecurityToken>(Position(from, Asset.Units(security)), units, lockId)
        val change = tokens.map { it.state.data.units }.reduce { a, b -> Math.addExact(a, b) } - units
        val builder = TransactionBuilder(serviceHub.trust.notary)
        tokens.forEach { builder.addInputState(it) }
        builder.addOutputState(SecurityToken(security, units, Holder(toCustodian, toInvestorId)))
        if (change > 0) builder.addOutputState(SecurityToken(security, change, from))
        return builder.addCommand(Command(SecurityTokenCommand.Transfer(transferId), listOf(ourIdentity, security.registrar).distinct().map { it.owningKey }))
    }

    private fun content() = "$securityCode|$units|$fromInvestorId|${toCustodian.name}|$toInvestorId"

    private class Delivery(stx: SignedTransaction, rounds: List<List<FlowSession>>, private val id: String, private val content: String) : DeliverTransaction(stx, rounds) {
        override fun onRecorded(stx: SignedTransaction) = serviceHub.noteStarted(TRANSFER, id, content, stx.id)
    }
}

/** The receiving custodian of a free transfer: units for investors of its own only. */
@InitiatedBy(TransferReceiverSession::class)
class ReceiveTransfer(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        serviceHub.trust.checkParty(serviceHub.trust.isCustodian(session.counterparty), "from_custodian", session.counterparty)
        refuseUnless(stx.tx.commands.singleOrNull()?.value is SecurityTokenCommand.Transfer, ErrorCode.UNEXPECTED_COMMAND, "commands") { "A free transfer must come under one Transfer command." }
        checkIncoming(stx, serviceHub)
    }
}

/** Units that the registrar issues: for investors of this custodian only, by the registrar of their securities. */
@InitiatedBy(SecurityIssueSession::class)
class ReceiveSecurityIssue(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        refuseUnless(stx.tx.commands.singleOrNull()?.value is SecurityTokenCommand.Issue, ErrorCode.UNEXPECTED_COMMAND, "commands") { "An issue must come under one Issue command." }
        val registrars = stx.tx.outputsOfType<SecurityToken>().map { it.security.registrar }.distinct()
        serviceHub.trust.checkParty(registrars == listOf(session.counterparty), "registrar", session.counterparty)
        checkIncoming(stx, serviceHub)
    }
}

/** Units may come in only from accepted registrars and for investors registered here. */
private fun checkIncoming(stx: SignedTransaction, services: net.corda.core.node.ServiceHub) {
    val incoming = stx.tx.outputsOfType<SecurityToken>().filter { it.holder.custodian == services.me }
    refuseUnless(incoming.isNotEmpty(), ErrorCode.UNEXPECTED_STATE, "outputs") { "The transaction must bring units to ${services.me.name.organisation}, but brings none." }
    incoming.forEach {
        services.trust.checkParty(services.trust.isRegistrar(it.security.registrar), "registrar", it.security.registrar)
        services.requireInvestor(it.holder.investorId, "investor_id")
    }
}
