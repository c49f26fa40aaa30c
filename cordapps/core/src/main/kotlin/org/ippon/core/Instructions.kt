package org.ippon.core

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.StateAndRef
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.core.query.PageRequest
import org.ippon.core.query.Row
import org.ippon.core.query.Rows
import org.ippon.core.query.checkIds
import org.ippon.core.query.paged
import org.ippon.core.query.within

/** The instructions of [custodian] called [instructionId] on record here (checked, not only seen in a chain), and whether each is open. */
fun ServiceHub.instructionRefs(custodian: Party, instructionId: String): List<Pair<net.corda.core.contracts.StateRef, Boolean>> = select(
        "SELECT v.transaction_id, v.output_index, v.state_status FROM ippon_trust_instruction t JOIN vault_states v ON v.transaction_id = t.transaction_id AND v.output_index = t.output_index " +
                "JOIN ippon_recorded k ON k.transaction_id = t.transaction_id " +
                "WHERE t.instruction_id = ? AND t.custodian = ? ORDER BY v.recorded_timestamp, v.transaction_id", instructionId, custodian.name.toString()
) { it.ref() to (it.getInt(3) == UNCONSUMED) }

/** The open instruction of [custodian] called [instructionId]. @throws Refusal if it is unknown or over. */
fun ServiceHub.instructionOf(custodian: Party, instructionId: String): StateAndRef<TrustInstruction> {
    val first = instructionRefs(custodian, instructionId).firstOrNull()
            ?: throw Refusal(ErrorCode.UNKNOWN_INSTRUCTION, "$instructionId of ${custodian.name.organisation} is not on record here.", "instruction_id")
    refuseUnless(first.second, ErrorCode.INSTRUCTION_ENDED, "instruction_id") { "$instructionId of ${custodian.name.organisation} is executed, rejected, cancelled or expired already." }
    return toStateAndRef(first.first)
}

/** Trust instructions and what became of them: see `instructions` in docs/node-operations.md. */
@StartableByRPC
class QueryInstructions(private val instructionIds: List<String>?, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        checkIds("instruction_ids", instructionIds)
        return serviceHub.paged(
                page, "t.instruction_id, t.custodian, t.investor_id, t.amount_instructed, t.issuer, t.expires_at, v.state_status, s.spent_by, s.commands",
                "FROM ippon_trust_instruction t JOIN vault_states v ON v.transaction_id = t.transaction_id AND v.output_index = t.output_index " +
                        "LEFT JOIN ippon_spent s ON s.transaction_id = t.transaction_id AND s.output_index = t.output_index WHERE 1 = 1${within("t.instruction_id", instructionIds)}",
                "v.recorded_timestamp, t.instruction_id", instructionIds.orEmpty()
        ) {
            val spentBy = it.getString(8)
            Row(
                    "instruction_id" to it.getString(1), "custodian" to it.getString(2), "investor_id" to it.getString(3), "amount" to it.getLong(4),
                    "issuer" to it.getString(5), "expires_at" to it.getTimestamp(6).toInstant(),
                    "status" to status(it.getInt(7) == UNCONSUMED, it.getString(9).orEmpty().split(',')), "ended_by" to spentBy, "reason" to reason(spentBy)
            )
        }
    }

    private fun status(open: Boolean, commands: List<String>) = when {
        open -> "OPEN"
        "Execute" in commands -> "EXECUTED"
        "Reject" in commands -> "REJECTED"
        "Cancel" in commands -> "CANCELLED"
        else -> "EXPIRED"
    }

    private fun reason(spentBy: String?): String? = spentBy?.let { id ->
        serviceHub.validatedTransactions.getTransaction(net.corda.core.crypto.SecureHash.parse(id))?.tx?.commands?.map { it.value }
                ?.filterIsInstance<org.ippon.contracts.funds.TrustInstructionCommand.Reject>()?.singleOrNull()?.reason
    }
}
