package org.ippon.core

import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.schemas.MappedSchema
import java.io.Serializable
import java.time.Instant
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Id
import javax.persistence.IdClass
import javax.persistence.Index
import javax.persistence.Lob
import javax.persistence.Table

/** Family of the core's own tables. */
object CoreSchema

/** First version. */
object CoreSchemaV1 : MappedSchema(CoreSchema.javaClass, 1, listOf(PersistentRecorded::class.java, PersistentSpent::class.java, PersistentPending::class.java, PersistentPendingFill::class.java, PersistentPendingInput::class.java, PersistentHolding::class.java, PersistentTotal::class.java)) {
    override val migrationResource = "ippon-core.changelog-master"
}

/**
 * A transaction that this node has checked and recorded, as against one that it only stores as part of another's chain:
 * Corda's transaction storage does not tell them apart.
 */
@Entity
@Table(name = "ippon_recorded", indexes = [Index(name = "ippon_recorded_at", columnList = "recorded_at, transaction_id")])
class PersistentRecorded(
        @Id @Column(name = "transaction_id", nullable = false, length = 64) var transactionId: String = "",
        @Column(name = "recorded_at", nullable = false) var recordedAt: Instant = Instant.EPOCH
)

/** Primary key of [PersistentSpent]: a state reference. */
data class RefKey(var transactionId: String = "", var outputIndex: Int = 0) : Serializable

/**
 * Which transaction consumed a state, and under which commands. Corda 4.10's vault knows only *that* a state is
 * consumed; "settled or busted?" needs more. Written in the database transaction that records the consumer.
 */
@Entity
@IdClass(RefKey::class)
@Table(name = "ippon_spent", indexes = [Index(name = "ippon_spent_by", columnList = "spent_by")])
class PersistentSpent(
        @Id @Column(name = "transaction_id", nullable = false, length = 64) var transactionId: String = "",
        @Id @Column(name = "output_index", nullable = false) var outputIndex: Int = 0,
        @Column(name = "spent_by", nullable = false, length = 64) var spentBy: String = "",
        @Column(name = "commands", nullable = false, length = 255) var commands: String = ""
) {
    constructor(ref: StateRef, by: SecureHash, commands: String) : this(ref.txhash.toString(), ref.index, by.toString(), commands)
}

/**
 * What a flow of this node holds for a counterparty: a session, a reservation, a signature given and not yet seen
 * recorded or dropped. The agent watches the deadline; law "nobody stalls".
 */
@Entity
@Table(name = "ippon_pending", indexes = [Index(name = "ippon_pending_tx", columnList = "pending_tx")])
class PersistentPending(
        @Id @Column(name = "run_id", nullable = false, length = 36) var runId: String = "",
        @Column(name = "kind", nullable = false, length = 16) var kind: String = "",
        @Column(name = "counterparty", nullable = false, length = 128) var counterparty: String = "",
        @Column(name = "pending_tx", nullable = true, length = 64) var transactionId: String? = null,
        @Column(name = "since", nullable = false) var since: Instant = Instant.EPOCH,
        @Column(name = "deadline", nullable = false) var deadline: Instant = Instant.EPOCH,
        @Lob @Column(name = "content", nullable = true) var content: ByteArray? = null
)

/** Primary key of [PersistentPendingFill]. */
data class PendingFillKey(var runId: String = "", var executionId: String = "") : Serializable

/** The fills that a [PersistentPending] is about. */
@Entity
@IdClass(PendingFillKey::class)
@Table(name = "ippon_pending_fill", indexes = [Index(name = "ippon_pending_fill_id", columnList = "execution_id")])
class PersistentPendingFill(
        @Id @Column(name = "run_id", nullable = false, length = 36) var runId: String = "",
        @Id @Column(name = "execution_id", nullable = false, length = 64) var executionId: String = ""
)

/** Primary key of [PersistentPendingInput]. */
data class PendingInputKey(var runId: String = "", var transactionId: String = "", var outputIndex: Int = 0) : Serializable

/** What the signed transaction of a [PersistentPending] would consume: once any of it is spent by another, it is dead. */
@Entity
@IdClass(PendingInputKey::class)
@Table(name = "ippon_pending_input")
class PersistentPendingInput(
        @Id @Column(name = "run_id", nullable = false, length = 36) var runId: String = "",
        @Id @Column(name = "transaction_id", nullable = false, length = 64) var transactionId: String = "",
        @Id @Column(name = "output_index", nullable = false) var outputIndex: Int = 0
)

/**
 * An unconsumed state of units or coins whose participant this node is, once it is recorded. The vault keeps what is
 * consumed beside what is not, so that a look for free states there costs more with every settlement; this table holds
 * what there is now. Its rows come and go in the database transaction that records ([book]).
 */
@Entity
@IdClass(RefKey::class)
@Table(name = "ippon_holding", indexes = [Index(name = "ippon_holding_age", columnList = "position_key, since, transaction_id, output_index"), Index(name = "ippon_holding_size", columnList = "position_key, size")])
class PersistentHolding(
        @Id @Column(name = "transaction_id", nullable = false, length = 64) var transactionId: String = "",
        @Id @Column(name = "output_index", nullable = false) var outputIndex: Int = 0,
        @Column(name = "position_key", nullable = false, length = 700) var positionKey: String = "",
        @Column(name = "size", nullable = false) var size: Long = 0,
        @Column(name = "since", nullable = false) var since: Instant = Instant.EPOCH
)

/** What a position holds in all its [PersistentHolding]s: [total] units or yen in [states] states. */
@Entity
@Table(name = "ippon_total", indexes = [Index(name = "ippon_total_investor", columnList = "investor_id")])
class PersistentTotal(
        @Id @Column(name = "position_key", nullable = false, length = 700) var positionKey: String = "",
        @Column(name = "asset", nullable = false, length = 5) var asset: String = "",
        @Column(name = "code", nullable = false, length = 64) var code: String = "",
        @Column(name = "keeper", nullable = false, length = 255) var keeper: String = "",
        @Column(name = "custodian", nullable = false, length = 255) var custodian: String = "",
        @Column(name = "investor_id", nullable = false, length = 64) var investorId: String = "",
        @Column(name = "total", nullable = false) var total: Long = 0,
        @Column(name = "states", nullable = false) var states: Long = 0
)
