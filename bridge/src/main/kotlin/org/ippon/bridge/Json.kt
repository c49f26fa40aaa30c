package org.ippon.bridge

import com.fasterxml.jackson.core.JsonFactory
import com.fasterxml.jackson.core.JsonProcessingException
import com.fasterxml.jackson.core.StreamReadFeature
import com.fasterxml.jackson.databind.DeserializationFeature
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.PropertyNamingStrategies
import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.core.query.Field
import org.ippon.core.query.Row
import org.ippon.core.query.Rows

/** JSON in and out: strict to read, snake_case to write. */
object Json {
    private val mapper: ObjectMapper = ObjectMapper(JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            // A decimal must be seen as what was written, to be refused as what it is.
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)

    /** A new object. */
    fun obj(): ObjectNode = mapper.createObjectNode()

    /** A new array. */
    fun array(): ArrayNode = mapper.createArrayNode()

    /** An array of texts. */
    fun texts(values: Iterable<String>): ArrayNode = array().also { array -> values.forEach { array.add(it) } }

    /** Reads one JSON object. @throws BridgeError BAD_REQUEST, which repeats nothing of what was read. */
    fun read(bytes: ByteArray): ObjectNode {
        val node = try {
            mapper.readTree(bytes)
        } catch (e: JsonProcessingException) {
            val at = e.location?.let { " (line ${it.lineNr}, column ${it.columnNr})" }.orEmpty()
            throw BridgeError.badRequest("The request must be one JSON object, each name once, but is not$at.")
        }
        return node as? ObjectNode ?: throw BridgeError.badRequest("The request must be one JSON object, but is ${kind(node)}.")
    }

    /** The bytes of [node], in UTF-8. */
    fun bytes(node: JsonNode): ByteArray = mapper.writeValueAsBytes(node)

    /** The text of [node]. */
    fun text(node: JsonNode): String = mapper.writeValueAsString(node)

    /** A flow's report: a data class of texts, whole numbers, flags, words and lists of such. */
    fun report(report: Any): JsonNode = mapper.valueToTree(report)

    /** One page of a query. */
    fun rows(rows: Rows): ObjectNode {
        val list = array()
        rows.rows.forEach { list.add(row(it)) }
        return obj().put("page", rows.page).put("size", rows.size).put("total", rows.total).also { it.set<JsonNode>("rows", list) }
    }

    private fun row(row: Row): ObjectNode = obj().also { json -> row.fields.forEach { json.set<JsonNode>(it.name, value(it)) } }

    private fun value(field: Field): JsonNode =
            field.text?.let { mapper.nodeFactory.textNode(it) }
                    ?: field.number?.let { mapper.nodeFactory.numberNode(it) }
                    ?: field.flag?.let { mapper.nodeFactory.booleanNode(it) }
                    ?: field.nested?.let { row(it) }
                    ?: field.list?.let { list -> array().also { array -> list.forEach { array.add(row(it)) } } }
                    ?: field.texts?.let { texts(it) }
                    ?: mapper.nodeFactory.nullNode()

    /** What kind of JSON value [node] is, for messages. */
    fun kind(node: JsonNode?): String = when {
        node == null || node.isMissingNode -> "missing"
        node.isNull -> "null"
        node.isObject -> "an object"
        node.isArray -> "a list"
        node.isTextual -> "a text"
        node.isBoolean -> "true or false"
        node.isIntegralNumber -> "an integer"
        else -> "a decimal number"
    }
}
