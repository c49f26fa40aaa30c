package org.ippon.bridge

import com.fasterxml.jackson.databind.node.ObjectNode
import java.util.UUID

/** Longest wait that one call may ask for, in milliseconds. */
const val MAX_WAIT_MILLIS = 30_000L

/**
 * What a node can be asked: docs/node-operations.md, word for word. Every answer is a JSON object, everything that goes
 * wrong a [BridgeError], and every call ends within its wait and the bridge's timeout together.
 */
interface NodeOperations {
    /** Whether the bridge has its node: `{status: "up"|"connecting", organisation, since}`. Never fails. */
    fun health(): ObjectNode

    /** Who the node is and whom it sees. */
    fun node(): ObjectNode

    /** Starts [operation] under [clientId], or finds again what was started under it before. */
    fun start(operation: String, clientId: String, arguments: ObjectNode): ObjectNode

    /** How the flow under [clientId] stands, after waiting up to [waitMillis] for its end. */
    fun result(clientId: String, waitMillis: Long): ObjectNode

    /** Lets the node forget the finished flow under [clientId]. */
    fun forget(clientId: String): ObjectNode

    /** Finished flows that nobody has had forgotten. */
    fun finished(): ObjectNode

    /** One page of the query [name]. */
    fun query(name: String, arguments: ObjectNode): ObjectNode

    /** The node's sequence: at once when it is not [after], else when it grows or after [waitMillis]. */
    fun wait(after: Long, waitMillis: Long): ObjectNode

    /** Ends the flow [runId] by force. */
    fun kill(runId: UUID): ObjectNode
}
