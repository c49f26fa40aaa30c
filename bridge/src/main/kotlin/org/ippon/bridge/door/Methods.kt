package org.ippon.bridge.door

import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.bridge.Json
import org.ippon.bridge.MAX_WAIT_MILLIS
import org.ippon.bridge.NodeOperations
import org.ippon.bridge.schema.AnyObject
import org.ippon.bridge.schema.Field
import org.ippon.bridge.schema.Fields
import org.ippon.bridge.schema.Pattern
import org.ippon.bridge.schema.RunId
import org.ippon.bridge.schema.Text
import org.ippon.bridge.schema.Whole
import org.ippon.bridge.schema.of
import org.ippon.bridge.schema.optional
import java.util.UUID

/** Where HTTP carries a method's arguments that its path does not. */
enum class Carried {
    /** Nowhere: there are none. */
    NOT,
    /** In the query string. */
    QUERY_STRING,
    /** The body is an object of them. */
    BODY,
    /** The body as a whole is the argument called `arguments`. */
    WHOLE_BODY
}

/**
 * One line of the first table of docs/node-operations.md: a method of [NodeOperations], how HTTP spells it, and its
 * arguments, which both doors read by the same [fields].
 *
 * @property path with arguments in braces.
 */
class Method(
        val name: String, val summary: String, val verb: String, val path: String, val carried: Carried, val fields: Fields,
        val call: (NodeOperations, List<Any?>) -> ObjectNode
) {
    /** The path's parts between slashes. */
    val parts: List<String> = path.removePrefix("/").split('/')

    /** Names of the arguments in the path. */
    val inPath: List<String> = parts.filter { it.startsWith('{') }.map { it.removeSurrounding("{", "}") }

    /** The arguments that the path does not carry. */
    val besidePath: List<Field> = fields.filter { it.name !in inPath }
}

private const val MAX_CLIENT_ID = 200
private const val MAX_WORD = 64
private val clientId = "client_id" of Pattern("1 to $MAX_CLIENT_ID printable ASCII characters without spaces", "[!-~]{1,$MAX_CLIENT_ID}", MAX_CLIENT_ID)
private val waitMillis = "wait_millis" optional Whole(0..MAX_WAIT_MILLIS)
private val word = Text(MAX_WORD)

private fun millis(value: Any?) = value as Long? ?: 0L
private fun given(value: Any?) = value as ObjectNode? ?: Json.obj()

/** Every method, by name. */
val METHODS: Map<String, Method> = listOf(
        Method("health", "Whether the bridge has its node.", "GET", "/health", Carried.NOT, Fields()) { node, _ -> node.health() },
        Method("node", "Who the node is and whom it sees.", "GET", "/v1/node", Carried.NOT, Fields()) { node, _ -> node.node() },
        Method("start", "Starts an operation under a client id, or finds it again.", "POST", "/v1/flows/{operation}", Carried.BODY, Fields("operation" of word, clientId, "arguments" optional AnyObject)) { node, v ->
            node.start(v[0] as String, v[1] as String, given(v[2]))
        },
        Method("result", "How a flow stands, after waiting for its end.", "GET", "/v1/flows/{client_id}", Carried.QUERY_STRING, Fields(clientId, waitMillis)) { node, v ->
            node.result(v[0] as String, millis(v[1]))
        },
        Method("forget", "Lets the node forget a finished flow.", "DELETE", "/v1/flows/{client_id}", Carried.NOT, Fields(clientId)) { node, v -> node.forget(v[0] as String) },
        Method("finished", "Finished flows that nobody has had forgotten.", "GET", "/v1/flows", Carried.NOT, Fields()) { node, _ -> node.finished() },
        Method("query", "One page of a query.", "POST", "/v1/queries/{name}", Carried.WHOLE_BODY, Fields("name" of word, "arguments" optional AnyObject)) { node, v ->
            node.query(v[0] as String, given(v[1]))
        },
        Method("wait", "Waits until something has changed.", "GET", "/v1/changes", Carried.QUERY_STRING, Fields("after" optional Whole(0..Long.MAX_VALUE), waitMillis)) { node, v ->
            node.wait(v[0] as Long? ?: 0L, millis(v[1]))
        },
        Method("kill", "Ends a flow by force.", "POST", "/v1/operator/kill", Carried.BODY, Fields("run_id" of RunId)) { node, v -> node.kill(v[0] as UUID) }
).associateBy { it.name }
