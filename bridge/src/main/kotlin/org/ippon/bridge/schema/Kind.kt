package org.ippon.bridge.schema

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.bridge.BridgeError
import org.ippon.bridge.Json

/**
 * A kind of JSON value: how it is read, what it becomes, and its JSON Schema. The same objects read requests and
 * write the OpenAPI document, so the two cannot differ.
 */
abstract class Kind<out T>(private val expected: String) {
    /** The value's JSON Schema; a new object at each call. */
    abstract fun schema(): ObjectNode

    /** Reads [node]; null when it is not of this kind. */
    protected abstract fun tryRead(node: JsonNode, path: String, network: Network): T?

    /** Whether a value that is refused may be repeated in the message. */
    protected open val secret: Boolean get() = false

    /** Reads [node], called [path] in messages. @throws BridgeError BAD_REQUEST, or UNKNOWN_PARTY, with the path as its field. */
    fun read(node: JsonNode, path: String, network: Network): T = tryRead(node, path, network)
            ?: throw BridgeError.badRequest("$path must be $expected, but is ${shown(node)}.", path)

    private fun shown(node: JsonNode): String = when {
        secret -> "not"
        node.isTextual -> "'${node.textValue().take(MAX_SHOWN)}'"
        node.isNumber -> node.asText().take(MAX_SHOWN)
        else -> Json.kind(node)
    }

    private companion object {
        const val MAX_SHOWN = 80
    }
}

/** A named value of an object. Null stands for absence in [optional] ones. */
class Field(val name: String, val kind: Kind<Any>, val required: Boolean)

/** A value that must be there. */
infix fun String.of(kind: Kind<Any>) = Field(this, kind, required = true)

/** A value that may be absent or null. */
infix fun String.optional(kind: Kind<Any>) = Field(this, kind, required = false)

/** The fields of an object: each name once, no others. */
class Fields(private val fields: List<Field>) : Iterable<Field> by fields {
    constructor(vararg fields: Field) : this(fields.toList())

    /** Names in order. */
    val names: List<String> get() = fields.map { it.name }

    /** The values of [json] in the order of the fields, null for those absent. @throws BridgeError naming the field at fault. */
    fun read(json: ObjectNode, network: Network, path: String = ""): List<Any?> {
        json.fieldNames().forEach { name ->
            if (fields.none { it.name == name }) throw BridgeError.badRequest("There is no ${(path + name).take(MAX_NAME)}; there are ${names.joinToString()}.", (path + name).take(MAX_NAME))
        }
        return fields.map { field ->
            val value = json.get(field.name)
            when {
                value != null && !value.isNull -> field.kind.read(value, path + field.name, network)
                field.required -> throw BridgeError.badRequest("${path + field.name} must be given.", path + field.name)
                else -> null
            }
        }
    }

    /** JSON Schema of the object. */
    fun schema(): ObjectNode {
        val schema = Json.obj().put("type", "object").put("additionalProperties", false)
        val properties = schema.putObject("properties")
        fields.forEach { field -> properties.set<JsonNode>(field.name, if (field.required) field.kind.schema() else nullable(field.kind.schema())) }
        schema.set<JsonNode>("required", Json.texts(fields.filter { it.required }.map { it.name }))
        return schema
    }

    private fun nullable(schema: ObjectNode): JsonNode = Json.obj().also { it.putArray("anyOf").add(schema).add(Json.obj().put("type", "null")) }

    private companion object {
        const val MAX_NAME = 120
    }
}
