package org.ippon.asset

import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.ReceiveDelivery
import org.ippon.core.SettlementAssetSession
import org.ippon.core.TransferAssetSession
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.settlement.SettlementReview
import org.ippon.core.trust
import org.ippon.core.unconsumed

/** The registrar's signature on a settlement: everything that [SettlementReview] checks, both custodians having signed, of securities on its own register. */
@InitiatedBy(SettlementAssetSession::class)
class SignSettlementAsAsset(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        val settlement = SettlementReview(serviceHub).review(stx, session.counterparty) { it.fills.flatMap { fill -> fill.state.data.custodians }.distinct() - serviceHub.me }
        val mine = settlement.fills.any { it.state.data.security.registrar == serviceHub.me }
        refuseUnless(mine, ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { "The settlement must be of a security registered by ${serviceHub.me.name.organisation}, but is not." }
    }
}

/** The registrar's signature on a free transfer: by the holder's custodian, to an accepted custodian, of units on the register. */
@InitiatedBy(TransferAssetSession::class)
class SignTransfer(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        refuseUnless(stx.tx.commands.singleOrNull()?.value is SecurityTokenCommand.Transfer, ErrorCode.UNEXPECTED_COMMAND, "commands") { "A free transfer must come under one Transfer command." }
        val inputs = serviceHub.loadStates(stx.inputs.toSet()).map { it.state.data }.filterIsInstance<SecurityToken>()
        val givers = inputs.map { it.holder.custodian }.distinct()
        serviceHub.trust.checkParty(serviceHub.trust.isCustodian(session.counterparty) && givers == listOf(session.counterparty), "from_custodian", session.counterparty)
        refuseUnless(inputs.all { it.security.registrar == serviceHub.me }, ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { "The units must be registered by ${serviceHub.me.name.organisation}, but are not." }
        refuseUnless(serviceHub.unconsumed(stx.inputs) == stx.inputs.toSet(), ErrorCode.NOT_ON_REGISTER, "inputs") { "The units must be on the register, but are not." }
        stx.tx.outputsOfType<SecurityToken>().forEach { serviceHub.trust.checkParty(serviceHub.trust.isCustodian(it.holder.custodian), "to_custodian", it.holder.custodian) }
        refuseUnless(stx.sigs.any { it.by == session.counterparty.owningKey }, ErrorCode.MISSING_SIGNATURE, "signatures") { "The transfer must be signed by ${session.counterparty.name.organisation} first, but is not." }
    }
}
