package org.ippon.bridge.schema

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import org.ippon.bridge.BridgeError
import org.ippon.bridge.Json
import org.ippon.contracts.MAX_ID_LENGTH
import org.ippon.contracts.isLedgerId
import org.ippon.core.ErrorCode
import java.math.BigDecimal
import java.time.DateTimeException
import java.time.Instant
import java.time.LocalDate
import java.util.UUID

/** Longest X.500 name, in characters. */
const val MAX_NAME_LENGTH = 255

private fun textSchema(maxLength: Int, pattern: String? = null, format: String? = null): ObjectNode =
        Json.obj().put("type", "string").put("minLength", 1).put("maxLength", maxLength).also { schema ->
            pattern?.let { schema.put("pattern", it) }
            format?.let { schema.put("format", it) }
        }

/** A text with something in it and no control characters. */
class Text(private val maxLength: Int, private val hidden: Boolean = false, private val minLength: Int = 1) :
        Kind<String>("a text of $minLength to $maxLength characters") {
    override val secret: Boolean get() = hidden
    override fun schema() = textSchema(maxLength)
    override fun tryRead(node: JsonNode, path: String, network: Network): String? =
            node.textValue()?.takeIf { it.isNotBlank() && it.length in minLength..maxLength && it.none { char -> char.isISOControl() } }
}

/** A text of a fixed shape. */
class Pattern(expected: String, private val pattern: String, private val maxLength: Int) : Kind<String>(expected) {
    private val regex = Regex(pattern)
    override fun schema() = textSchema(maxLength, "^$pattern$")
    override fun tryRead(node: JsonNode, path: String, network: Network): String? = node.textValue()?.takeIf { it.length <= maxLength && regex.matches(it) }
}

/** An identifier that may stand on the ledger. */
object Id : Kind<String>("1 to $MAX_ID_LENGTH letters, digits, '.', '_', ':' or '-', starting with a letter or digit") {
    override fun schema() = textSchema(MAX_ID_LENGTH, "^[A-Za-z0-9][A-Za-z0-9._:-]*$")
    override fun tryRead(node: JsonNode, path: String, network: Network): String? = node.textValue()?.takeIf { isLedgerId(it) }
}

/** A whole number written as one: neither 1.0 nor "1". */
class Whole(private val range: LongRange = Long.MIN_VALUE..Long.MAX_VALUE) : Kind<Long>("an integer from ${range.first} to ${range.last}") {
    override fun schema(): ObjectNode = Json.obj().put("type", "integer").put("minimum", range.first).put("maximum", range.last)
    override fun tryRead(node: JsonNode, path: String, network: Network): Long? =
            if (node.isIntegralNumber && node.canConvertToLong()) node.longValue().takeIf { it in range } else null
}

/** [Whole], as an Int. */
class WholeInt(private val range: IntRange) : Kind<Int>("an integer from ${range.first} to ${range.last}") {
    override fun schema(): ObjectNode = Json.obj().put("type", "integer").put("minimum", range.first).put("maximum", range.last)
    override fun tryRead(node: JsonNode, path: String, network: Network): Int? =
            if (node.isIntegralNumber && node.canConvertToInt()) node.intValue().takeIf { it in range } else null
}

/** Yen per unit: a text, so that no float ever touches it; at most two places, made exactly two. */
object Price : Kind<BigDecimal>("a decimal in quotes with at most two places, like \"1234.50\"") {
    private const val PATTERN = "[0-9]{1,15}(\\.[0-9]{1,2})?"
    private const val MAX_LENGTH = 18
    private val regex = Regex(PATTERN)
    override fun schema() = textSchema(MAX_LENGTH, "^$PATTERN$")
    override fun tryRead(node: JsonNode, path: String, network: Network): BigDecimal? = node.textValue()?.takeIf { regex.matches(it) }?.let { BigDecimal(it).setScale(2) }
}

/** A calendar day. */
object Day : Kind<LocalDate>("a day like 2026-07-01") {
    private val regex = Regex("[0-9]{4}-[0-9]{2}-[0-9]{2}")
    override fun schema() = textSchema(10, format = "date")
    override fun tryRead(node: JsonNode, path: String, network: Network): LocalDate? = node.textValue()?.takeIf { regex.matches(it) }?.let { text ->
        try {
            LocalDate.parse(text)
        } catch (e: DateTimeException) {
            null
        }
    }
}

/** A moment, in UTC. */
object Moment : Kind<Instant>("a time in UTC like 2026-07-01T00:15:00.123Z") {
    private const val PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z"
    private const val MAX_LENGTH = 30
    private val regex = Regex(PATTERN)
    override fun schema() = textSchema(MAX_LENGTH, "^$PATTERN$", "date-time")
    override fun tryRead(node: JsonNode, path: String, network: Network): Instant? = node.textValue()?.takeIf { regex.matches(it) }?.let { text ->
        try {
            Instant.parse(text)
        } catch (e: DateTimeException) {
            null
        }
    }
}

/** A transaction id. */
object TransactionId : Kind<SecureHash>("a transaction id of 64 hexadecimal digits") {
    private val regex = Regex("[0-9A-Fa-f]{64}")
    override fun schema() = textSchema(64, "^[0-9A-Fa-f]{64}$")
    override fun tryRead(node: JsonNode, path: String, network: Network): SecureHash? = hash(node)
    internal fun hash(node: JsonNode): SecureHash? = node.textValue()?.takeIf { regex.matches(it) }?.let { SecureHash.parse(it.toUpperCase()) }
}

/** [TransactionId], as Corda writes it. */
object TransactionIdText : Kind<String>("a transaction id of 64 hexadecimal digits") {
    override fun schema() = TransactionId.schema()
    override fun tryRead(node: JsonNode, path: String, network: Network): String? = TransactionId.hash(node)?.toString()
}

/** The id of a running flow. */
object RunId : Kind<UUID>("a run id like 01234567-89ab-cdef-0123-456789abcdef") {
    private val regex = Regex("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
    override fun schema() = textSchema(36, format = "uuid")
    override fun tryRead(node: JsonNode, path: String, network: Network): UUID? = node.textValue()?.takeIf { regex.matches(it) }?.let { UUID.fromString(it) }
}

/** A party of the network by X.500 name or organisation. */
object PartyOf : Kind<Party>("the name of an organisation in the network, or its X.500 name") {
    override fun schema() = textSchema(MAX_NAME_LENGTH)
    override fun tryRead(node: JsonNode, path: String, network: Network): Party? {
        val name = node.textValue()?.takeIf { it.isNotBlank() && it.length <= MAX_NAME_LENGTH } ?: return null
        return network.party(name) ?: throw BridgeError(ErrorCode.UNKNOWN_PARTY.name, "$path must be an organisation in the network map, but is '$name'.", path)
    }
}

/** A party's name that the node itself looks up; an X.500 name in Corda's own spelling. */
object PartyName : Kind<String>("an organisation's name, or its X.500 name") {
    override fun schema() = textSchema(MAX_NAME_LENGTH)
    override fun tryRead(node: JsonNode, path: String, network: Network): String? = node.textValue()?.takeIf { it.isNotBlank() && it.length <= MAX_NAME_LENGTH }?.let { spelled(it) }

    /** [name] as Corda spells it if it is an X.500 name, else as it is. */
    fun spelled(name: String): String = try {
        CordaX500Name.parse(name).toString()
    } catch (e: IllegalArgumentException) {
        name
    }
}

/** One of a few words. */
class Word(private vararg val words: String) : Kind<String>("one of ${words.joinToString()}") {
    override fun schema(): ObjectNode = Json.obj().put("type", "string").also { it.set<JsonNode>("enum", Json.texts(words.toList())) }
    override fun tryRead(node: JsonNode, path: String, network: Network): String? = node.textValue()?.takeIf { it in words }
}

/** True or false. */
object Flag : Kind<Boolean>("true or false") {
    override fun schema(): ObjectNode = Json.obj().put("type", "boolean")
    override fun tryRead(node: JsonNode, path: String, network: Network): Boolean? = if (node.isBoolean) node.booleanValue() else null
}

/** A list of [size] things. */
class ListOf<T : Any>(private val item: Kind<T>, private val size: IntRange) : Kind<List<T>>("a list of ${size.first} to ${size.last}") {
    override fun schema(): ObjectNode = Json.obj().put("type", "array").put("minItems", size.first).put("maxItems", size.last).also { it.set<JsonNode>("items", item.schema()) }
    override fun tryRead(node: JsonNode, path: String, network: Network): List<T>? {
        if (!node.isArray) return null
        if (node.size() !in size) throw BridgeError(ErrorCode.TOO_MANY.name, "$path must be ${size.first} to ${size.last}, but are ${node.size()}.", path)
        return node.mapIndexed { index, value -> item.read(value, "$path[$index]", network) }
    }
}

/** An object of [fields], made into what [make] makes of their values. */
class ObjectOf<T : Any>(private val fields: Fields, private val make: (List<Any?>) -> T) : Kind<T>("an object") {
    override fun schema() = fields.schema()
    override fun tryRead(node: JsonNode, path: String, network: Network): T? = (node as? ObjectNode)?.let { make(fields.read(it, network, "$path.")) }
}

/** Any object: what is in it is read by somebody else. */
object AnyObject : Kind<ObjectNode>("an object") {
    override fun schema(): ObjectNode = Json.obj().put("type", "object")
    override fun tryRead(node: JsonNode, path: String, network: Network): ObjectNode? = node as? ObjectNode
}
