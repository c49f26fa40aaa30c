package org.ippon.store

import com.fasterxml.jackson.databind.node.JsonNodeFactory
import com.fasterxml.jackson.databind.node.ObjectNode
import org.h2.engine.Constants
import java.nio.file.Files
import java.nio.file.Path
import java.sql.Connection
import java.sql.DriverManager
import java.sql.ResultSet

private const val SUFFIX = ".mv.db"

/** The file is not what was asked for. */
class BadStore(message: String) : Exception(message)

/** One column of a table, with H2's name of its type. */
data class Column(val name: String, val type: String)

/** One table of the database. */
data class Table(val name: String, val columns: List<Column>, val rows: Long) {
    /** As the document has it. */
    fun toJson(): ObjectNode = JsonNodeFactory.instance.objectNode().apply {
        put("name", name)
        put("rows", rows)
        val list = putArray("columns")
        columns.forEach { list.addObject().put("name", it.name).put("type", it.type) }
    }
}

/** A copy of a node's database, opened for reading. */
class Store private constructor(private val connection: Connection) : AutoCloseable {
    companion object {
        /** @throws BadStore when [file] is not there or has another name than H2 wants. */
        fun open(file: Path): Store {
            if (!Files.isRegularFile(file) || !file.toString().endsWith(SUFFIX)) {
                throw BadStore("$file must be a copy of a node's database, a file whose name ends with $SUFFIX, but is not.")
            }
            val name = file.toAbsolutePath().toString().removeSuffix(SUFFIX)
            // Corda's own user and its empty password. Nothing is written, not even a repair.
            return Store(DriverManager.getConnection("jdbc:h2:file:$name;IFEXISTS=TRUE;ACCESS_MODE_DATA=r;FILE_LOCK=NO", "sa", ""))
        }
    }

    /** H2's version: the node's own must read a node's file. */
    val version: String get() = Constants.getVersion()

    /** Every table (no views), by name. */
    fun tables(): List<Table> {
        val columns = select("SELECT table_name, column_name, type_name FROM information_schema.columns WHERE table_schema = 'PUBLIC' ORDER BY ordinal_position") {
            it.getString(1) to Column(it.getString(2), it.getString(3))
        }.groupBy({ it.first }, { it.second })
        return select("SELECT table_name FROM information_schema.tables WHERE table_schema = 'PUBLIC' AND table_type = 'TABLE' ORDER BY table_name") { it.getString(1) }
                .map { Table(it, columns[it].orEmpty(), count(it)) }
    }

    /** Names of the parties that the node knows, by their key's short hash. */
    fun keyNames(): Map<String, String> {
        if (!has("NODE_INFO_PARTY_CERT")) return emptyMap()
        return select("SELECT owning_key_hash, party_name FROM node_info_party_cert") { it.getString(1) to it.getString(2) }.toMap()
    }

    /** Whether there is such a table. */
    fun has(table: String): Boolean =
            select("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'PUBLIC' AND table_name = '$table'") { it.getLong(1) }.single() > 0

    /** Every value of `TABLE.COLUMN`. @throws BadStore when there is no such column. */
    fun values(column: String): List<String?> {
        val table = tables().find { it.name == column.substringBefore('.') }
        val name = table?.columns?.find { it.name == column.substringAfter('.') }?.name
                ?: throw BadStore("There is no column $column: name it as TABLE.COLUMN, in capitals.")
        return select("SELECT \"$name\" FROM \"${table.name}\"") { it.getString(1) }
    }

    /** Looks through every column of every table. */
    fun scan(search: Search) {
        for (table in tables()) {
            val names = table.columns.joinToString(", ") { "\"${it.name}\"" }
            each("SELECT $names FROM \"${table.name}\"") { row ->
                table.columns.forEachIndexed { i, column -> search.look(Place(table.name, column.name), bytes(row, i + 1)) }
            }
        }
    }

    /** Every row of [sql], by [read]. */
    fun <T> select(sql: String, read: (ResultSet) -> T): List<T> = mutableListOf<T>().also { list -> each(sql) { list += read(it) } }

    override fun close() = connection.close()

    private fun each(sql: String, use: (ResultSet) -> Unit) {
        connection.createStatement().use { statement -> statement.executeQuery(sql).use { while (it.next()) use(it) } }
    }

    private fun count(table: String): Long = select("SELECT COUNT(*) FROM \"$table\"") { it.getLong(1) }.single()

    // Binary as it lies there; everything else as H2 would write it.
    private fun bytes(row: ResultSet, index: Int): ByteArray? = when (row.metaData.getColumnType(index)) {
        java.sql.Types.BLOB, java.sql.Types.BINARY, java.sql.Types.VARBINARY, java.sql.Types.LONGVARBINARY -> row.getBytes(index)
        else -> row.getString(index)?.toByteArray(Charsets.UTF_8)
    }
}
