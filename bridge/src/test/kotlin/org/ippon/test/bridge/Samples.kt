package org.ippon.test.bridge

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.flows.FlowLogic
import org.ippon.bridge.Json
import org.ippon.bridge.schema.Fields
import java.lang.reflect.Constructor

/** Arguments made from a schema, the required ones only. */
object Samples {
    fun of(fields: Fields): ObjectNode = of(fields.schema()) as ObjectNode

    private fun of(schema: JsonNode): JsonNode {
        val nodes = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance
        return when {
            schema.has("enum") -> schema.get("enum").first()
            schema.path("type").asText() == "object" -> Json.obj().also { json ->
                schema.path("required").forEach { json.set<JsonNode>(it.asText(), of(schema.get("properties").get(it.asText()))) }
            }
            schema.path("type").asText() == "array" -> Json.array().also { array -> repeat(Math.max(1, schema.get("minItems").asInt())) { array.add(of(schema.get("items"))) } }
            schema.path("type").asText() == "integer" -> nodes.numberNode(Math.max(1, schema.path("minimum").asLong()))
            schema.path("format").asText() == "date" -> nodes.textNode("2026-07-01")
            schema.path("pattern").asText().contains("T[0-9]") -> nodes.textNode("2026-07-01T00:00:00Z")
            schema.path("pattern").asText().contains("{64}") -> nodes.textNode("AB".repeat(32))
            schema.path("pattern").asText().startsWith("^[0-9]") -> nodes.textNode("12.50")
            else -> nodes.textNode("Custodian A".takeIf { schema.path("maxLength").asInt() == 255 && !schema.has("pattern") } ?: "A-1")
        }
    }

    /** The constructors of [flow] that take [arguments]. */
    fun fitting(flow: Class<out FlowLogic<*>>, arguments: Array<Any?>): List<Constructor<*>> = flow.constructors.filter { constructor ->
        constructor.parameterTypes.size == arguments.size && constructor.parameterTypes.zip(arguments).all { (type, argument) ->
            if (argument == null) !type.isPrimitive else type.kotlin.javaObjectType.isInstance(argument)
        }
    }
}
