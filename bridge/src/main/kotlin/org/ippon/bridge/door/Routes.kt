package org.ippon.bridge.door

import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.ippon.bridge.Json
import org.ippon.bridge.schema.Field
import java.io.UnsupportedEncodingException
import java.net.URLDecoder

/** The method that a request means, and the arguments in its path. */
class Route(val method: Method, val inPath: Map<String, String>)

/** HTTP's status for a path that is there under another verb. */
const val NOT_ALLOWED = 405

/** The verbs that [rawPath] takes. */
fun verbsOf(rawPath: String): List<String> = methodsAt(parts(rawPath)).map { it.verb }

/** The method of [verb] and [rawPath]. @throws BridgeError NO_SUCH_OPERATION, with 405 for a path under another verb. */
fun route(verb: String, rawPath: String): Route {
    val parts = parts(rawPath)
    val there = methodsAt(parts)
    val method = there.firstOrNull { it.verb == verb }
    if (method == null && there.isEmpty()) throw BridgeError.door(DoorCode.NO_SUCH_OPERATION, "There is nothing at this path; /openapi.json says what there is.")
    if (method == null) throw BridgeError(DoorCode.NO_SUCH_OPERATION.name, "This path takes ${there.joinToString { it.verb }}.", status = NOT_ALLOWED)
    val values = method.parts.zip(parts).filter { it.first.startsWith('{') }.map { Pair(it.first.removeSurrounding("{", "}"), decode(it.second)) }
    return Route(method, values.toMap())
}

private fun parts(rawPath: String) = rawPath.removePrefix("/").split('/')

private fun methodsAt(parts: List<String>) = METHODS.values.filter { fits(it, parts) }

private fun fits(method: Method, parts: List<String>) =
        method.parts.size == parts.size && method.parts.zip(parts).all { (wanted, found) -> if (wanted.startsWith('{')) found.isNotEmpty() else wanted == found }

/** The arguments in a query string, each once, numbers as numbers. @throws BridgeError for others than [fields]. */
fun queryArguments(rawQuery: String?, fields: List<Field>): ObjectNode {
    val arguments = Json.obj()
    rawQuery.orEmpty().split('&').filter { it.isNotEmpty() }.forEach { pair ->
        val name = decode(pair.substringBefore('='))
        val value = decode(pair.substringAfter('=', ""))
        if (fields.none { it.name == name }) throw BridgeError.badRequest("The query string may have ${fields.map { it.name }}, and nothing else.")
        if (arguments.has(name)) throw BridgeError.badRequest("$name must be given once.", name)
        val number = if (INTEGER.matches(value)) value.toLongOrNull() else null
        if (number != null) arguments.put(name, number) else arguments.put(name, value)
    }
    return arguments
}

private val INTEGER = Regex("-?[0-9]{1,19}")

private fun decode(text: String): String = try {
    // In a path a plus sign is a plus sign.
    URLDecoder.decode(text.replace("+", "%2B"), "UTF-8")
} catch (e: IllegalArgumentException) {
    throw BridgeError.badRequest("The address has a % that no two hexadecimal digits follow.")
} catch (e: UnsupportedEncodingException) {
    throw IllegalStateException(e)
}
