package org.ippon.store

import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import org.iq80.snappy.SnappyFramedInputStream
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.util.TreeMap
import java.util.zip.ZipInputStream

// Starts every framed Snappy stream, wherever in a blob Corda's header ends.
private val SNAPPY_FRAME = latin1(byteArrayOf(0xff.toByte(), 6, 0, 0) + "sNaPpY".toByteArray(Charsets.US_ASCII))
private const val ZIP = "PK\u0003\u0004"
private const val MAX_UNPACKED_BYTES = 64 * 1024 * 1024

/** Where something was found. */
data class Place(val table: String, val column: String)

/**
 * Looks for texts in bytes: as they are, unsnappied, and entry by entry where the bytes are a jar.
 *
 * A text is looked for in UTF-8, in UTF-16 and as Kryo writes it into checkpoints: ASCII with the last byte's high bit set.
 */
class Search(wanted: List<String>) {
    private val forms: List<List<String>> = wanted.map { if (it.isEmpty()) emptyList() else formsOf(it) }
    private val rows = TreeMap<Triple<Int, String, String>, Int>(compareBy({ it.first }, { it.second }, { it.third }))

    /** Notes each text that [bytes], one value of a row at [place], contain. */
    fun look(place: Place, bytes: ByteArray?) {
        if (bytes == null || bytes.isEmpty()) return
        val contents = contents(bytes)
        forms.forEachIndexed { text, forms ->
            if (forms.any { form -> contents.any { form in it } }) note(text, place)
        }
    }

    /** Rows by text's number, table and column. */
    fun toJson(): ArrayNode = JsonNodeFactory.instance.arrayNode().also { list ->
        for ((where, count) in rows) {
            list.addObject().put("text", where.first).put("table", where.second).put("column", where.third).put("rows", count)
        }
    }

    private fun note(text: Int, place: Place) {
        rows.merge(Triple(text, place.table, place.column), 1) { a, b -> a + b }
    }
}

private fun formsOf(text: String): List<String> {
    val utf8 = latin1(text.toByteArray(Charsets.UTF_8))
    val kryo = if (text.length > 1 && text.all { it.toInt() < 0x80 }) utf8.dropLast(1) + (utf8.last().toInt() or 0x80).toChar() else utf8
    return listOf(utf8, kryo, latin1(text.toByteArray(Charsets.UTF_16BE)), latin1(text.toByteArray(Charsets.UTF_16LE))).distinct()
}

/** [bytes] and all that is packed in them; each byte one character, so that texts' own search serves. */
internal fun contents(bytes: ByteArray): List<String> {
    val raw = latin1(bytes)
    val found = mutableListOf(raw)
    var frame = raw.indexOf(SNAPPY_FRAME)
    while (frame >= 0) {
        unsnappied(bytes, frame)?.let { found += latin1(it) }
        frame = raw.indexOf(SNAPPY_FRAME, frame + SNAPPY_FRAME.length)
    }
    if (raw.startsWith(ZIP)) found += entries(bytes).map { (name, content) -> name + "\n" + latin1(content) }
    return found
}

/** What the frames from [start] on hold, up to where they end or break; null when nothing could be unpacked. */
private fun unsnappied(bytes: ByteArray, start: Int): ByteArray? {
    val out = ByteArrayOutputStream()
    val buffer = ByteArray(8192)
    try {
        // No checksums: a value that is cut off is still read as far as it goes.
        val input = SnappyFramedInputStream(ByteArrayInputStream(bytes, start, bytes.size - start), false)
        while (out.size() < MAX_UNPACKED_BYTES) {
            val count = input.read(buffer)
            if (count < 0) break
            out.write(buffer, 0, count)
        }
    } catch (e: IOException) {
        // What follows the frames is no frame.
    }
    return if (out.size() == 0) null else out.toByteArray()
}

/** A jar's entries, name and content. */
internal fun entries(jar: ByteArray): List<Pair<String, ByteArray>> {
    val found = mutableListOf<Pair<String, ByteArray>>()
    ZipInputStream(ByteArrayInputStream(jar)).use { zip ->
        while (true) {
            val entry = zip.nextEntry ?: break
            found += entry.name to zip.readBytes()
        }
    }
    return found
}

private fun latin1(bytes: ByteArray) = String(bytes, Charsets.ISO_8859_1)
