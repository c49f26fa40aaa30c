package org.ippon.core.recovery

import net.corda.core.crypto.SecureHash
import net.corda.core.serialization.CordaSerializable
import org.ippon.contracts.fill.OrderDetails
import org.ippon.core.WireRefusal
import java.time.Instant

/** Most transactions that one page looks at, and so most that one request has sent. */
const val MAX_RECOVERY_PAGE = 100

/** Most requests in one session: a million transactions looked at. Who has recorded more since is asked from a later time. */
const val MAX_RECOVERY_REQUESTS = 20_000

/** Most transactions of one member that are refused before it is given up. */
const val MAX_RECOVERY_REFUSALS = 20

/** Where a page ended: the records are read by time and id. */
@CordaSerializable
data class RecoveryCursor(val recordedAt: Instant, val transactionId: SecureHash)

/**
 * What a restored node wants: the page after [after] of what concerns it since [since]; or, when [fetch] names some of
 * that, those transactions. Neither, and it is [over].
 */
@CordaSerializable
data class RecoveryRequest(val since: Instant?, val after: RecoveryCursor?, val fetch: List<SecureHash>, val over: Boolean)

/** A transaction that concerns the asker, and of a fill what its order proof hides, which the asker was told once. */
@CordaSerializable
data class RecoveryItem(val transactionId: SecureHash, val orders: List<OrderDetails>)

/** @property next where to go on; null: that was all. */
@CordaSerializable
data class RecoveryPage(val items: List<RecoveryItem>, val next: RecoveryCursor?)

/**
 * The answer to each request: a refusal, and nothing more comes; or a [page]; or, when transactions were asked for by
 * id, neither, and they follow in that order.
 */
@CordaSerializable
data class RecoveryAnswer(val refusal: WireRefusal?, val page: RecoveryPage?)

/**
 * What one member gave back.
 *
 * @property recorded transactions recorded by this. @property known those that were here. @property refused those that
 * would not be recorded, [refusals] saying why of the first ones.
 */
@CordaSerializable
data class RecoveryReport(val member: String, val recorded: Int, val known: Int, val refused: Int, val refusals: List<String>)
