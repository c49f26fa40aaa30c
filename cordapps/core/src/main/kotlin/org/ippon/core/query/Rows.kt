package org.ippon.core.query

import net.corda.core.node.ServiceHub
import net.corda.core.serialization.CordaSerializable
import org.ippon.core.ErrorCode
import org.ippon.core.count
import org.ippon.core.refuseUnless
import org.ippon.core.select
import java.sql.ResultSet

/** Largest page of a query. */
const val MAX_PAGE_SIZE = 200

/**
 * One page of a query's rows; each row a map of names (docs/node-operations.md) to strings, numbers, booleans and null.
 *
 * @property page from 1. @property total rows of all pages.
 */
@CordaSerializable
data class Rows(val rows: List<Row>, val page: Int, val size: Int, val total: Long)

/** A row; a class of its own because Corda's wire format wants typed things. */
@CordaSerializable
data class Row(val fields: List<Field>) {
    constructor(vararg fields: Pair<String, Any?>) : this(fields.map { (name, value) -> Field.of(name, value) })
}

/** A named value: [text], [number], [flag], [nested] rows of strings, or nothing. */
@CordaSerializable
data class Field(val name: String, val text: String?, val number: Long?, val flag: Boolean?, val nested: Row?, val list: List<Row>?, val texts: List<String>?) {
    companion object {
        /** Wraps a value of any kind that a row may hold. */
        fun of(name: String, value: Any?): Field = when (value) {
            is Long -> Field(name, null, value, null, null, null, null)
            is Int -> Field(name, null, value.toLong(), null, null, null, null)
            is Boolean -> Field(name, null, null, value, null, null, null)
            is Row -> Field(name, null, null, null, value, null, null)
            is List<*> -> if (value.isNotEmpty() && value.all { it is Row }) Field(name, null, null, null, null, value.map { it as Row }, null)
            else Field(name, null, null, null, null, null, value.map { it.toString() })
            else -> Field(name, value?.toString(), null, null, null, null, null)
        }
    }
}

/** Which page of a query is wanted. */
@CordaSerializable
data class PageRequest(val page: Int = 1, val size: Int = 100) {
    /** Refuses pages that no query has. */
    fun checked(): PageRequest {
        refuseUnless(page >= 1, ErrorCode.BAD_REQUEST, "page") { "The page must be 1 or more, but is $page." }
        refuseUnless(size in 1..MAX_PAGE_SIZE, ErrorCode.BAD_REQUEST, "size") { "The size must be 1 to $MAX_PAGE_SIZE, but is $size." }
        return this
    }

    /** As SQL. */
    val sql: String get() = "LIMIT $size OFFSET ${(page.toLong() - 1) * size}"
}

/** Runs a paged query: [from] is the part from FROM to WHERE, [columns] and [order] go around it. */
fun ServiceHub.paged(request: PageRequest, columns: String, from: String, order: String, arguments: List<Any?>, read: (ResultSet) -> Row): Rows {
    request.checked()
    val bound = arguments.toTypedArray()
    val rows = select("SELECT $columns $from ORDER BY $order ${request.sql}", *bound, read = read)
    return Rows(rows, request.page, request.size, count("SELECT COUNT(*) $from", *bound))
}

/** `AND column IN (?, …)` for [values], or nothing when null. */
fun within(column: String, values: List<String>?): String = when {
    values == null -> ""
    values.isEmpty() -> " AND 1 = 0"
    else -> " AND $column IN (${values.joinToString(",") { "?" }})"
}

/** Refuses lists of ids that are too long. */
fun checkIds(field: String, ids: List<String>?, most: Int = MAX_PAGE_SIZE) = refuseUnless(ids == null || ids.size <= most, ErrorCode.TOO_MANY, field) {
    "$field must be at most $most ids, but are ${ids?.size}."
}
