package org.ippon.coin

import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.CoinSession
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.InstructionSession
import org.ippon.core.ReceiveDelivery
import org.ippon.core.Refusal
import org.ippon.core.SettlementCoinSession
import org.ippon.core.instructionRefs
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.settlement.SettlementReview
import org.ippon.core.trust
import org.ippon.core.unconsumed

/** The issuer's signature on a settlement: everything that [SettlementReview] checks, both custodians having signed, paid in coins of its own. */
@InitiatedBy(SettlementCoinSession::class)
class SignSettlementAsCoin(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        val settlement = SettlementReview(serviceHub).review(stx, session.counterparty) { it.fills.flatMap { fill -> fill.state.data.custodians }.distinct() - serviceHub.me }
        refuseUnless(settlement.fills.any { it.state.data.coinIssuer == serviceHub.me }, ErrorCode.NOT_ACCEPTED_PARTY, "coin_issuer") {
            "The settlement must be paid in coins of ${serviceHub.me.name.organisation}, but is not."
        }
    }
}

/** The issuer records an instruction of a custodian's own, the first of its id, or a custodian's cancellation. */
@InitiatedBy(InstructionSession::class)
class ReceiveInstruction(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        serviceHub.trust.checkParty(serviceHub.trust.isCustodian(session.counterparty), "custodian", session.counterparty)
        val command = stx.tx.commands.singleOrNull()?.value
        when (command) {
            is TrustInstructionCommand.Instruct -> checkInstruct(stx, stx.tx.outputsOfType<TrustInstruction>().single())
            is TrustInstructionCommand.Cancel -> checkCancel(stx)
            else -> throw Refusal(ErrorCode.UNEXPECTED_COMMAND, "A custodian may instruct or cancel, but sends ${command?.javaClass?.simpleName}.", "commands")
        }
    }

    override fun checkAgain(stx: SignedTransaction) = stx.tx.outputsOfType<TrustInstruction>().forEach { checkFirst(stx, it) }

    private fun checkInstruct(stx: SignedTransaction, instruction: TrustInstruction) {
        refuseUnless(instruction.holder.custodian == session.counterparty && instruction.issuer == serviceHub.me, ErrorCode.WRONG_ACCOUNT, "custodian") {
            "${session.counterparty.name.organisation} may instruct ${serviceHub.me.name.organisation} for its own investors, but instructs ${instruction.issuer.name.organisation} for ${instruction.holder}."
        }
        checkFirst(stx, instruction)
    }

    private fun checkFirst(stx: SignedTransaction, instruction: TrustInstruction) {
        val earlier = serviceHub.instructionRefs(session.counterparty, instruction.instructionId)
        refuseUnless(earlier.all { it.first.txhash == stx.id }, ErrorCode.INSTRUCTION_ID_REUSED, "instruction_id") { "${instruction.instructionId} of ${session.counterparty.name.organisation} is on record already." }
    }

    private fun checkCancel(stx: SignedTransaction) {
        refuseUnless(serviceHub.unconsumed(stx.inputs) == stx.inputs.toSet(), ErrorCode.INSTRUCTION_ENDED, "instruction_id") { "The instruction must be open here, but is not." }
    }
}

/** The issuer's signature on a redemption or on a free transfer of coins: by the holder's custodian, of coins on its register. */
@InitiatedBy(CoinSession::class)
class SignCoinMovement(session: FlowSession) : ReceiveDelivery(session) {
    override fun check(stx: SignedTransaction, note: DeliveryNote) {
        serviceHub.trust.checkParty(serviceHub.trust.isCustodian(session.counterparty), "custodian", session.counterparty)
        val inputs = serviceHub.loadStates(stx.inputs.toSet()).map { it.state.data }.filterIsInstance<Coin>()
        refuseUnless(inputs.isNotEmpty() && inputs.all { it.holder.custodian == session.counterparty && it.issuer == serviceHub.me }, ErrorCode.WRONG_ACCOUNT, "inputs") {
            "${session.counterparty.name.organisation} may move coins of ${serviceHub.me.name.organisation} that it holds, and no other."
        }
        refuseUnless(serviceHub.unconsumed(stx.inputs) == stx.inputs.toSet(), ErrorCode.NOT_ON_REGISTER, "inputs") { "The coins must be on the register, but are not." }
        refuseUnless(stx.sigs.any { it.by == session.counterparty.owningKey }, ErrorCode.MISSING_SIGNATURE, "signatures") { "The movement must be signed by ${session.counterparty.name.organisation} first, but is not." }
        val command = stx.tx.commands.singleOrNull()?.value
        when (command) {
            is CoinCommand.Redeem -> refuseUnless(redemption(command.redemptionId) == null, ErrorCode.REDEMPTION_ID_REUSED, "redemption_id") { "${command.redemptionId} was redeemed already." }
            is CoinCommand.Transfer -> checkOwnHolders(stx, inputs)
            else -> throw Refusal(ErrorCode.UNEXPECTED_COMMAND, "A custodian may redeem or transfer, but sends ${command?.javaClass?.simpleName}.", "commands")
        }
    }

    /** So far coins move free of payment only to their own holder: that is how a custodian takes back what a lost settlement holds. */
    private fun checkOwnHolders(stx: SignedTransaction, inputs: List<Coin>) {
        val outputs = stx.tx.outputsOfType<Coin>()
        val before = inputs.groupBy({ it.holder }, { it.amount }).mapValues { it.value.sum() }
        val after = outputs.groupBy({ it.holder }, { it.amount }).mapValues { it.value.sum() }
        refuseUnless(before == after, ErrorCode.WRONG_ACCOUNT, "outputs") { "Coins move free of payment only to their own holder: $before may not become $after." }
    }

    override fun onRecorded(stx: SignedTransaction, note: DeliveryNote) {
        val redeem = stx.tx.commands.single().value as? CoinCommand.Redeem ?: return
        serviceHub.withEntityManager { merge(RedemptionRow(key(redeem.redemptionId), session.counterparty.name.toString(), redeem.amountRedeemed, stx.id.toString(), serviceHub.clock.instant())) }
    }

    private fun redemption(id: String): RedemptionRow? = serviceHub.withEntityManager { find(RedemptionRow::class.java, key(id)) }

    private fun key(id: String) = redemptionKey(session.counterparty, id)
}

private const val MAX_KEY = 160

/** The row under which a custodian's redemption id is kept. */
internal fun redemptionKey(custodian: Party, redemptionId: String) = "${custodian.name.organisation}/$redemptionId".take(MAX_KEY)
