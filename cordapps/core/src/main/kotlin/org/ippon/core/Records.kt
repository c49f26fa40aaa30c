package org.ippon.core

import net.corda.core.contracts.SignatureAttachmentConstraint
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.isFulfilledBy
import net.corda.core.flows.FlowLogic
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.node.StatesToRecord
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.MAX_FILLS_PER_TRANSACTION
import java.security.PublicKey
import java.sql.PreparedStatement
import java.sql.ResultSet
import java.time.Instant
import java.util.UUID

/** This node's trust anchors. */
val ServiceHub.trust: TrustAnchors get() = cordaService(TrustAnchors::class.java)

/** This node's identity. */
val ServiceHub.me: Party get() = myInfo.legalIdentities.first()

/** What a [PersistentPending] stands for. */
enum class PendingKind {
    /** A counterparty has a session open and this node may have reserved states for it. */
    SESSION,
    /** This node has accepted, unsigned, what it waits to record. */
    ACCEPTED,
    /** This node has signed and waits to see it recorded. */
    SIGNED,
    /** The counterparty has said that a signed transaction was dropped; watched until its window is over. */
    DROPPED,
    /** A settlement of this node's own, from reserving until it is recorded. */
    SETTLING,
    /** A counterparty has opened a session and left it; nothing is held but the flow that waits. Shown only ([abandoned]). */
    IDLE
}

/** One row of what is pending. */
data class Pending(
        val runId: String, val kind: PendingKind, val counterparty: String, val transactionId: String?,
        val since: Instant, val deadline: Instant, val executionIds: List<String>
)

/**
 * Records [stx], once, and in the same database transaction by whom each input was spent and who holds what now. A
 * transaction that is here already as part of another's chain has not reached the vault: then all its visible states
 * are taken, if any of them is this node's.
 */
fun ServiceHub.recordChecked(stx: SignedTransaction, states: StatesToRecord = StatesToRecord.ONLY_RELEVANT) {
    if (isRecorded(stx.id)) return
    val inChain = validatedTransactions.getTransaction(stx.id) != null
    recordTransactions(if (inChain && hasPart(stx, me)) StatesToRecord.ALL_VISIBLE else states, listOf(stx))
    val commands = stx.tx.commands.map { it.value.javaClass.simpleName }.distinct().sorted().joinToString(",")
    withEntityManager {
        merge(PersistentRecorded(stx.id.toString(), clock.instant()))
        stx.inputs.forEach { merge(PersistentSpent(it, stx.id, commands)) }
        flush()
    }
    book(stx)
}

/** Whether [party] is a participant of a state that [stx] consumes or makes. The chain must be here. */
fun ServiceHub.hasPart(stx: SignedTransaction, party: Party): Boolean =
        (stx.tx.outputs.map { it.data } + stx.inputs.map { loadState(it).data }).any { state -> state.participants.any { it.owningKey == party.owningKey } }

/** Whether [id] is recorded here, not only stored as part of another transaction's chain. */
fun ServiceHub.isRecorded(id: SecureHash): Boolean = count("SELECT COUNT(*) FROM ippon_recorded WHERE transaction_id = ?", id.toString()) > 0

/** Notes what the flow [runId] holds for [counterparty], until [unpend] or the [deadline]. */
fun ServiceHub.pend(
        runId: UUID, kind: PendingKind, counterparty: Party, deadline: Instant, transactionId: SecureHash? = null,
        executionIds: List<String> = emptyList(), inputs: List<StateRef> = emptyList(), content: ByteArray? = null
) = withEntityManager {
    val since = find(PersistentPending::class.java, runId.toString())?.since ?: clock.instant()
    merge(PersistentPending(runId.toString(), kind.name, counterparty.name.toString(), transactionId?.toString(), since, deadline, content))
    executionIds.forEach { merge(PersistentPendingFill(runId.toString(), it)) }
    inputs.forEach { merge(PersistentPendingInput(runId.toString(), it.txhash.toString(), it.index)) }
    flush()
}

/** Forgets what the flow [runId] held. */
fun ServiceHub.unpend(runId: UUID) = unpend(runId.toString())

/** Forgets what the flow [runId] held. */
fun ServiceHub.unpend(runId: String) {
    update("DELETE FROM ippon_pending_fill WHERE run_id = ?", runId)
    update("DELETE FROM ippon_pending_input WHERE run_id = ?", runId)
    update("DELETE FROM ippon_pending WHERE run_id = ?", runId)
}

/** Forgets what the flow [runId] held unless its signature is out, dropped or not. */
fun ServiceHub.unpendUnlessSigned(runId: UUID) {
    val kind = select("SELECT kind FROM ippon_pending WHERE run_id = ?", runId.toString()) { it.getString(1) }.singleOrNull()
    if (kind != PendingKind.SIGNED.name && kind != PendingKind.DROPPED.name) unpend(runId)
}

/** The counterparty of the flow [runId] has dropped its transaction: see [PendingKind.DROPPED]. */
fun ServiceHub.dropped(runId: UUID) {
    unpendUnlessSigned(runId)
    // Signed, but nothing of anybody's would be spent: there is nothing to watch.
    if (count("SELECT COUNT(*) FROM ippon_pending_input WHERE run_id = ?", runId.toString()) == 0L) unpend(runId)
    update("UPDATE ippon_pending SET kind = ? WHERE run_id = ?", PendingKind.DROPPED.name, runId.toString())
}

/**
 * What is pending. A signed transaction whose inputs another one has spent can never be notarised, and one that is
 * recorded is over: both are forgotten here, as is what a flow held that was killed.
 */
fun ServiceHub.pending(limit: Int = MAX_FILLS_PER_TRANSACTION): List<Pending> {
    forgetDecided()
    forgetOrphans()
    val fills = select("SELECT run_id, execution_id FROM ippon_pending_fill") { it.getString(1) to it.getString(2) }.groupBy({ it.first }, { it.second })
    return select("SELECT run_id, kind, counterparty, pending_tx, since, deadline FROM ippon_pending ORDER BY deadline LIMIT $limit") {
        Pending(
                it.getString(1), PendingKind.valueOf(it.getString(2)), it.getString(3), it.getString(4),
                it.getTimestamp(5).toInstant(), it.getTimestamp(6).toInstant(), fills[it.getString(1)].orEmpty()
        )
    }
}

/**
 * Flows here that answer somebody who has said nothing for as long as a session may last, and that hold nothing: they take
 * memory until somebody kills them. What holds something has a row of its own, and its own deadline.
 */
fun ServiceHub.abandoned(limit: Int): List<Pending> = select(
        "SELECT c.flow_id, m.started_by, c.timestamp FROM node_checkpoints c JOIN node_flow_metadata m ON m.flow_id = c.flow_id " +
                "WHERE c.status IN ($LIVE_FLOWS) AND m.started_type = $INITIATED AND m.flow_name LIKE 'org.ippon.%' AND c.timestamp < ? " +
                "AND c.flow_id NOT IN (SELECT run_id FROM ippon_pending) ORDER BY c.timestamp LIMIT $limit",
        clock.instant().minusSeconds(trust.sessionSeconds)
) {
    val since = it.getTimestamp(3).toInstant()
    Pending(it.getString(1), PendingKind.IDLE, it.getString(2), null, since, since.plusSeconds(trust.sessionSeconds), emptyList())
}

/** `DBCheckpointStorage.StartReason` INITIATED as the node stores it: by another node. */
private const val INITIATED = 3

private fun ServiceHub.forgetDecided() {
    val rows = select("SELECT run_id, pending_tx FROM ippon_pending WHERE kind IN ('SIGNED', 'DROPPED') AND pending_tx IS NOT NULL") { it.getString(1) to it.getString(2) }
    rows.filter { (runId, tx) -> isRecorded(SecureHash.parse(tx)) || inputsSpent(runId) }.forEach { unpend(it.first) }
    // A settlement cut off is decided by the next one of its fills; of fills that have ended, learnt from others, there is none.
    val settling = select("SELECT run_id FROM ippon_pending WHERE kind = 'SETTLING' AND content IS NOT NULL AND deadline < ?", clock.instant()) { it.getString(1) }
    settling.filter { runId -> fillsEnded(runId) }.forEach { unpend(it) }
}

private fun ServiceHub.fillsEnded(runId: String): Boolean =
        select("SELECT execution_id FROM ippon_pending_fill WHERE run_id = ?", runId) { it.getString(1) }.all { id -> fillOnRecord(id)?.let { it.status != FillStatus.OPEN } ?: false }

/**
 * A killed flow cannot forget what it held, and Corda has set its reservations free. A settlement that may have asked the
 * notary stays all the same: what became of it is not for its flow's end to say.
 */
private fun ServiceHub.forgetOrphans() = select(
        "SELECT run_id FROM ippon_pending WHERE deadline < ? AND (kind IN ('SESSION', 'ACCEPTED') OR (kind = 'SETTLING' AND content IS NULL)) " +
                "AND run_id NOT IN (SELECT flow_id FROM node_checkpoints WHERE status IN ($LIVE_FLOWS))",
        clock.instant()
) { it.getString(1) }.forEach { unpend(it) }

/** `Checkpoint.FlowStatus` RUNNABLE, HOSPITALIZED and PAUSED as the node stores them. */
private const val LIVE_FLOWS = "0, 3, 5"

/** Whether something that the pending flow [runId] has signed away was spent: by another transaction, since this one is not recorded. */
private fun ServiceHub.inputsSpent(runId: String): Boolean = count(
        "SELECT COUNT(*) FROM ippon_pending_input p JOIN ippon_spent s ON s.transaction_id = p.transaction_id AND s.output_index = p.output_index WHERE p.run_id = ?", runId
) > 0

/** The execution ids of [ids] for which another flow than [runId] holds a session or a settlement that is not over its deadline. */
fun ServiceHub.busyFills(ids: List<String>, runId: UUID): Set<String> {
    val now = clock.instant()
    return pending(Int.MAX_VALUE)
            .filter { it.runId != runId.toString() && it.deadline.isAfter(now) && it.kind in setOf(PendingKind.SESSION, PendingKind.SIGNED, PendingKind.SETTLING) }
            .flatMap { it.executionIds }.toSet().intersect(ids)
}

/** Rows of an SQL query on the node's database. Must not be called around a suspension. */
fun <T> ServiceHub.select(sql: String, vararg arguments: Any?, read: (ResultSet) -> T): List<T> =
        jdbcSession().prepareStatement(sql).use { statement ->
            statement.bind(arguments)
            statement.executeQuery().use { rows ->
                val found = mutableListOf<T>()
                while (rows.next()) found += read(rows)
                found
            }
        }

/** The single number of an SQL query. */
fun ServiceHub.count(sql: String, vararg arguments: Any?): Long = select(sql, *arguments) { it.getLong(1) }.single()

/** Runs an SQL update; returns the rows changed. */
fun ServiceHub.update(sql: String, vararg arguments: Any?): Int = jdbcSession().prepareStatement(sql).use { statement ->
    statement.bind(arguments)
    statement.executeUpdate()
}

private fun PreparedStatement.bind(arguments: Array<out Any?>) = arguments.forEachIndexed { index, argument ->
    when (argument) {
        is Instant -> setTimestamp(index + 1, java.sql.Timestamp.from(argument))
        else -> setObject(index + 1, argument)
    }
}

/** A reference out of the columns transaction_id and output_index, the first two of [this]. */
fun ResultSet.ref() = StateRef(SecureHash.parse(getString(1)), getInt(2))

/** The lock id of this flow: its run id, the only one whose locks the node releases when the flow ends. */
val FlowLogic<*>.lockId: UUID get() = runId.uuid

/**
 * Signs what this node builds. A state may be spent only by contracts signed by the key that signed those it was made
 * under: Corda would say so in words of its own, after both sides have reserved.
 */
fun ServiceHub.signFirst(builder: TransactionBuilder): SignedTransaction {
    val signers = mutableMapOf<String, List<PublicKey>>()
    for (state in builder.inputStates().map { loadState(it) }) {
        val key = (state.constraint as? SignatureAttachmentConstraint)?.key ?: continue
        val ours = signers.getOrPut(state.contract) { attachments.openAttachment(cordappProvider.getContractAttachmentID(state.contract)!!)!!.signerKeys }
        refuseUnless(key.isFulfilledBy(ours), ErrorCode.UNEXPECTED_ATTACHMENT, "cordapps") {
            "The contracts of this node are not signed by the key under which ${state.contract.substringAfterLast('.')} made what is to be spent: put back CorDapps signed by that key."
        }
    }
    return signInitialTransaction(builder)
}
