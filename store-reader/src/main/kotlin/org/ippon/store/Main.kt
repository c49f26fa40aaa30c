package org.ippon.store

import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import com.fasterxml.jackson.databind.node.ObjectNode
import java.io.InputStream
import java.io.OutputStream
import java.nio.file.Path
import java.nio.file.Paths
import java.sql.SQLException
import kotlin.system.exitProcess

private const val USAGE = "Usage: java -jar ippon-store-reader.jar COPY.mv.db [TABLE.COLUMN …] < TEXTS (one text to look for a line); columns named have their values printed; a live node's own file is never opened: copy it first."

/** Prints one JSON document that tells all that a copy of a node's database holds. Exit code 2 when it cannot be read. */
fun main(args: Array<String>) {
    setDefault("org.slf4j.simpleLogger.defaultLogLevel", "error")
    if (args.isEmpty()) fail(USAGE)
    try {
        print(read(Paths.get(args[0]), texts(System.`in`), args.drop(1)), System.out)
    } catch (e: BadStore) {
        fail(e.message!!)
    } catch (e: SQLException) {
        fail("${args[0]} cannot be read as a node's database (${e.message}): copy it again while the node runs, or stop the node first.")
    }
}

/**
 * All of it.
 *
 * @param file a copy of `persistence.mv.db`, opened for reading only.
 * @param wanted texts to look for; the document names each by its place in this list, since it may be a secret.
 * @param columns `TABLE.COLUMN`s whose values are wanted too.
 */
fun read(file: Path, wanted: List<String>, columns: List<String> = emptyList()): ObjectNode = Store.open(file).use { store ->
    val json = JsonNodeFactory.instance
    val search = Search(wanted)
    val names = store.keyNames()
    json.objectNode().apply {
        put("h2", store.version)
        set<ObjectNode>("tables", json.arrayNode().also { list -> store.tables().forEach { list.add(it.toJson()) } })
        set<ObjectNode>("transactions", Transactions(store, names, search).toJson())
        set<ObjectNode>("attachments", Attachments(store).toJson())
        store.scan(search)
        set<ObjectNode>("found", search.toJson())
        val values = putObject("values")
        columns.forEach { column -> values.putArray(column).also { list -> store.values(column).forEach { list.add(it) } } }
    }
}

/** One text a line; empty lines stand for nothing to look for but keep their number. */
internal fun texts(input: InputStream): List<String> = input.bufferedReader(Charsets.UTF_8).readLines()

private fun print(document: ObjectNode, output: OutputStream) {
    ObjectMapper().writeValue(output, document)
}

private fun setDefault(name: String, value: String) {
    if (System.getProperty(name) == null) System.setProperty(name, value)
}

private fun fail(message: String): Nothing {
    System.err.println(message)
    exitProcess(2)
}
