package org.ippon.core

import net.corda.core.contracts.StateAndRef
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand

/** What became of a fill. */
enum class FillStatus { OPEN, SETTLED, BUSTED }

/** The first fill that this node ever recorded under an execution id, and what became of it. */
data class FillOnRecord(val fill: StateAndRef<Fill>, val status: FillStatus, val endedBy: String?)

/**
 * The fill of [venue], or of any venue, called [executionId]: the first one ever recorded here, consumed ones
 * included, so that a second fill of the same id is never settled. Recorded means checked: resolving a chain brings
 * states that name this node into its vault unasked, and those are on no record.
 */
fun ServiceHub.fillOnRecord(executionId: String, venue: Party? = null): FillOnRecord? {
    val row = select(
            "SELECT v.transaction_id, v.output_index, v.state_status, s.spent_by, s.commands FROM ippon_fill f " +
                    "JOIN vault_states v ON v.transaction_id = f.transaction_id AND v.output_index = f.output_index " +
                    "JOIN ippon_recorded k ON k.transaction_id = f.transaction_id " +
                    "LEFT JOIN ippon_spent s ON s.transaction_id = f.transaction_id AND s.output_index = f.output_index " +
                    "WHERE f.execution_id = ? AND f.venue = COALESCE(?, f.venue) ORDER BY v.recorded_timestamp, v.transaction_id, v.output_index LIMIT 1",
            executionId, venue?.name?.toString()
    ) { Triple(it.ref(), it.getInt(3) == UNCONSUMED, it.getString(4) to it.getString(5)) }.singleOrNull() ?: return null
    val (ref, open, ended) = row
    return FillOnRecord(statesAt<Fill>(listOf(ref)).single(), fillStatus(open, ended.second), ended.first)
}

/** Reads a fill's status out of the vault's flag and the spending commands. */
fun fillStatus(open: Boolean, commands: String?): FillStatus = when {
    open -> FillStatus.OPEN
    commands.orEmpty().split(',').contains(FillCommand.Bust::class.java.simpleName) -> FillStatus.BUSTED
    else -> FillStatus.SETTLED
}
