package org.ippon.bridge

import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal

/** Longest text of an error's message, in characters. */
const val MAX_ERROR_MESSAGE = 2000

/** What the bridge itself has to say, besides the codes of [ErrorCode]; each with its HTTP status. */
enum class DoorCode(val status: Int) {
    /** No token, or one that is not known. */
    NO_TOKEN(401),
    /** The token, or the bridge's RPC login, may not do this. */
    FORBIDDEN(403),
    /** There is no operation, query, path or method of that name. */
    NO_SUCH_OPERATION(404),
    /** The request has more bytes than the door takes. */
    TOO_LARGE(413),
    /** The bridge has no connection to its node. */
    NODE_DOWN(503),
    /** The node did not answer in time. */
    NODE_TIMEOUT(504)
}

/**
 * A call that failed: `{"code", "message", "field"?, "where"?, "detail"?}` of docs/node-operations.md.
 *
 * @property field the argument at fault. @property where whose check it was, when another node's.
 * @property detail what else is known: the class of the exception behind it. @property status of HTTP.
 */
class BridgeError(
        val code: String, message: String, val field: String? = null, val where: String? = null, val detail: String? = null,
        val status: Int = statusOf(code), cause: Throwable? = null
) : RuntimeException(message.take(MAX_ERROR_MESSAGE), cause) {

    /** The error as it travels; absent parts are left out. */
    fun toJson(): ObjectNode = Json.obj().put("code", code).put("message", message).also { json ->
        field?.let { json.put("field", it) }
        where?.let { json.put("where", it) }
        detail?.let { json.put("detail", it) }
    }

    companion object {
        private fun statusOf(code: String): Int =
                DoorCode.values().firstOrNull { it.name == code }?.status ?: if (code == ErrorCode.INTERNAL.name) 500 else 400

        /** Something that the door says. */
        fun door(code: DoorCode, message: String, detail: String? = null, cause: Throwable? = null) =
                BridgeError(code.name, message, detail = detail, cause = cause)

        /** An argument that cannot be taken. */
        fun badRequest(message: String, field: String? = null) = BridgeError(ErrorCode.BAD_REQUEST.name, message, field)

        /** A node's own refusal. */
        fun of(refusal: Refusal) = BridgeError(refusal.code.name, refusal.message ?: refusal.code.name, refusal.field, refusal.where)

        /** A fault of the bridge, or of its node; what it was is in the log. */
        fun internal(message: String, cause: Throwable) =
                BridgeError(ErrorCode.INTERNAL.name, message, detail = cause.javaClass.simpleName, cause = cause)
    }
}
