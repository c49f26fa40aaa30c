package org.ippon.core.recovery

import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateRef
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.TrustAnchors
import org.ippon.core.checkShape
import org.ippon.core.fillOnRecord
import org.ippon.core.hasPart
import org.ippon.core.instructionRefs
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.trust

/** Whether [party] had to sign [stx] or has a part in a state that it consumes or makes. The chain must be here. */
fun ServiceHub.concerns(stx: SignedTransaction, party: Party): Boolean =
        party.owningKey in stx.requiredSigningKeys || hasPart(stx, party)

/** The states that [stx] consumes. */
fun ServiceHub.inputsOf(stx: SignedTransaction): List<ContractState> = stx.inputs.map { loadState(it).data }

/**
 * What a restored node checks of a transaction that another says it has lost. That it is signed by all who must, the
 * notary's signature included, and that its chain and contracts hold, is Corda's to check before. What is left: our
 * notary and constraints, every party of every state accepted here in its role, this node concerned, and no second fill
 * or instruction of one id. What its own people would have to accept today, an investor registered for one, is not
 * asked: the ledger has it already.
 */
class RecoveryReview(private val services: ServiceHub, private val toldToo: (SignedTransaction) -> Boolean) {
    private val trust: TrustAnchors = services.trust

    /** Throws a refusal unless [stx] may be recorded. */
    fun check(stx: SignedTransaction) {
        services.checkShape(stx)
        (stx.tx.outputs.map { it.data } + services.inputsOf(stx)).forEach { checkParties(it) }
        refuseUnless(services.concerns(stx, services.me) || toldToo(stx), ErrorCode.UNEXPECTED_STATE) { "${stx.id} must concern ${services.me.name.organisation}, but does not." }
        stx.tx.outputsOfType<Fill>().forEach { checkFirst(stx, it) }
        stx.tx.outputsOfType<TrustInstruction>().forEach { checkFirst(stx, it) }
    }

    private fun checkParties(state: ContractState) = when (state) {
        is Fill -> trust.checkParties(state)
        is SecurityToken -> {
            trust.checkParty(trust.isRegistrar(state.security.registrar), "registrar", state.security.registrar)
            trust.checkParty(trust.isCustodian(state.holder.custodian), "custodian", state.holder.custodian)
        }
        is Coin -> checkCoins(state.holder.custodian, state.issuer)
        is TrustInstruction -> checkCoins(state.holder.custodian, state.issuer)
        is FundsRoute -> trust.checkParty(trust.isCustodian(state.holder.custodian), "custodian", state.holder.custodian)
        else -> throw Refusal(ErrorCode.UNEXPECTED_STATE, "A transaction of this network has fills, units, coins, instructions and routes, but this one has ${state.javaClass.name}.")
    }

    private fun checkCoins(custodian: Party, issuer: Party) {
        trust.checkParty(trust.isCustodian(custodian), "custodian", custodian)
        trust.checkParty(trust.isCoinIssuer(issuer), "coin_issuer", issuer)
    }

    private fun checkFirst(stx: SignedTransaction, fill: Fill) {
        val earlier = services.fillOnRecord(fill.executionId, fill.venue)
        refuseUnless(earlier == null || earlier.fill.ref.txhash == stx.id, ErrorCode.DUPLICATE_FILL, "execution_id") {
            "${fill.executionId} of ${fill.venue.name.organisation} is on record already, in transaction ${earlier?.fill?.ref?.txhash}."
        }
    }

    private fun checkFirst(stx: SignedTransaction, instruction: TrustInstruction) {
        val earlier: List<Pair<StateRef, Boolean>> = services.instructionRefs(instruction.holder.custodian, instruction.instructionId)
        refuseUnless(earlier.all { it.first.txhash == stx.id }, ErrorCode.INSTRUCTION_ID_REUSED, "instruction_id") {
            "${instruction.instructionId} of ${instruction.holder.custodian.name.organisation} is on record already."
        }
    }
}
