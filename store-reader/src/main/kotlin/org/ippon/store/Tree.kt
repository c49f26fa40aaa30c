package org.ippon.store

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.AbstractParty
import net.corda.core.utilities.ByteSequence
import java.lang.reflect.Field
import java.lang.reflect.Modifier
import java.math.BigDecimal
import java.security.PublicKey
import java.time.temporal.Temporal

private const val MAX_DEPTH = 32

/**
 * A state or command as JSON: every field that it has, whatever it is called, since what is asked is what can be read.
 *
 * Fields by reflection and not by properties: a property that hides a field would hide it here too. Names in snake_case; parties
 * by their names, keys by [nameOf].
 */
class Tree(private val nameOf: (PublicKey) -> String) {
    private val json = JsonNodeFactory.instance

    /** [value] and all below it. */
    fun of(value: Any?): JsonNode = of(value, 0)

    private fun of(value: Any?, depth: Int): JsonNode {
        require(depth <= MAX_DEPTH) { "A state may be nested $MAX_DEPTH levels deep, but goes deeper at ${value?.javaClass?.name}." }
        return when (value) {
            null -> json.nullNode()
            is Boolean -> json.booleanNode(value)
            is Long -> json.numberNode(value)
            is Int -> json.numberNode(value)
            is String -> json.textNode(value)
            is BigDecimal -> json.textNode(value.toPlainString())
            is Number, is Char, is Enum<*>, is Temporal, is SecureHash -> json.textNode(value.toString())
            is PublicKey -> json.textNode(nameOf(value))
            is AbstractParty -> json.textNode(value.nameOrNull()?.toString() ?: nameOf(value.owningKey))
            is ByteSequence -> of(value.copyBytes(), depth)
            is ByteArray -> json.textNode(value.joinToString("") { "%02x".format(it) })
            is Iterable<*> -> json.arrayNode().also { list -> value.forEach { list.add(of(it, depth + 1)) } }
            is Map<*, *> -> json.objectNode().also { map -> value.forEach { (key, one) -> map.set<JsonNode>(key.toString(), of(one, depth + 1)) } }
            else -> fields(value, depth)
        }
    }

    private fun fields(value: Any, depth: Int): ObjectNode = json.objectNode().also { map ->
        generateSequence<Class<*>>(value.javaClass) { it.superclass }
                .flatMap { it.declaredFields.asSequence() }
                .filter { !Modifier.isStatic(it.modifiers) && !it.isSynthetic }
                .forEach { map.set<JsonNode>(snake(it), of(it.apply { isAccessible = true }.get(value), depth + 1)) }
    }

    private fun snake(field: Field) = field.name.replace(Regex("([a-z0-9])([A-Z])"), "$1_$2").toLowerCase()
}
