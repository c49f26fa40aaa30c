package org.ippon.test.store

import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatThrownBy
import org.ippon.store.BadStore
import org.ippon.store.Store
import org.ippon.store.read
import org.iq80.snappy.SnappyFramedOutputStream
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.ByteArrayOutputStream
import java.io.File
import java.sql.DriverManager
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

private const val CANARY = "canary-0001"

/** A made-up database in a real H2 file. */
class StoreTest {
    @Rule @JvmField val folder = TemporaryFolder()

    private lateinit var file: File

    @Before
    fun make() {
        file = File(folder.root, "persistence.mv.db")
        DriverManager.getConnection("jdbc:h2:file:${folder.root}/persistence", "sa", "").use { connection ->
            val statement = connection.createStatement()
            statement.execute("CREATE TABLE words (id INT PRIMARY KEY, word VARCHAR(64), content BLOB, noted_at TIMESTAMP)")
            statement.execute("CREATE TABLE nothing (id INT)")
            statement.execute("CREATE TABLE node_transactions (tx_id VARCHAR(64), transaction_value BLOB)")
            statement.execute("INSERT INTO node_transactions VALUES ('AB', X'00')")
            connection.prepareStatement("INSERT INTO words VALUES (?, ?, ?, CURRENT_TIMESTAMP)").use { insert ->
                listOf(
                        "has $CANARY inside" to null,
                        "" to "raw $CANARY".toByteArray(),
                        "" to "corda".toByteArray() + snappied("packed ${"x".repeat(70000)} $CANARY"),
                        "" to jar("entry", CANARY),
                        "" to kryo(CANARY),
                        "" to CANARY.toByteArray(Charsets.UTF_16BE),
                        "canary" to "nothing".toByteArray()
                ).forEachIndexed { i, (word, content) ->
                    insert.setInt(1, i)
                    insert.setString(2, word)
                    insert.setBytes(3, content)
                    insert.execute()
                }
            }
        }
    }

    private fun snappied(text: String) = ByteArrayOutputStream().also { out -> SnappyFramedOutputStream(out).use { it.write(text.toByteArray()) } }.toByteArray()

    private fun jar(name: String, text: String) = ByteArrayOutputStream().also { out ->
        ZipOutputStream(out).use { zip ->
            zip.putNextEntry(ZipEntry(name))
            zip.write(text.toByteArray())
        }
    }.toByteArray()

    // Kryo marks the last byte of an ASCII text.
    private fun kryo(text: String) = text.toByteArray().also { it[it.size - 1] = (it.last().toInt() or 0x80).toByte() }

    @Test
    fun `a text when it is plain, unsnappied, in a jar or in a checkpoint is found`() {
        val found = read(file.toPath(), listOf("absent", CANARY)).get("found").map { "${it.get("text")} ${it.get("table").asText()}.${it.get("column").asText()} ${it.get("rows")}" }
        assertThat(found).containsExactly("1 WORDS.CONTENT 5", "1 WORDS.WORD 1")
    }

    @Test
    fun `a document never repeats what was looked for`() {
        val document = read(file.toPath(), listOf(CANARY))
        assertThat(document.toString()).doesNotContain(CANARY)
    }

    @Test
    fun `every table is told with its columns and rows`() {
        val tables = read(file.toPath(), emptyList()).get("tables").associate { it.get("name").asText() to it }
        assertThat(tables.keys).containsExactly("NODE_TRANSACTIONS", "NOTHING", "WORDS")
        assertThat(tables["WORDS"]!!.get("rows").asLong()).isEqualTo(7)
        assertThat(tables["NOTHING"]!!.get("rows").asLong()).isEqualTo(0)
        assertThat(tables["WORDS"]!!.get("columns").map { it.get("name").asText() }).containsExactly("ID", "WORD", "CONTENT", "NOTED_AT")
    }

    @Test
    fun `a transaction that cannot be decoded is told with its error`() {
        val transaction = read(file.toPath(), emptyList()).get("transactions").single()
        assertThat(transaction.get("id").asText()).isEqualTo("AB")
        assertThat(transaction.get("undecoded").asText()).isNotEmpty()
        assertThat(transaction.get("recorded").asBoolean()).isFalse()
    }

    @Test
    fun `the file is not changed by reading`() {
        val before = file.readBytes()
        read(file.toPath(), listOf(CANARY))
        assertThat(file.readBytes()).isEqualTo(before)
    }

    @Test
    fun `values of a column are told when asked for, and an unknown column is refused`() {
        val document = read(file.toPath(), emptyList(), listOf("WORDS.ID"))
        assertThat(document.get("values").get("WORDS.ID").map { it.asInt() }).containsExactly(0, 1, 2, 3, 4, 5, 6)
        assertThatThrownBy { read(file.toPath(), emptyList(), listOf("WORDS.SECRET")) }
                .isInstanceOf(BadStore::class.java).hasMessageContaining("There is no column WORDS.SECRET")
    }

    @Test
    fun `a file that is not there is refused with what was expected`() {
        assertThatThrownBy { Store.open(File(folder.root, "other.mv.db").toPath()) }
                .isInstanceOf(BadStore::class.java).hasMessageContaining("must be a copy of a node's database")
        assertThat(File(folder.root, "other.mv.db")).doesNotExist()
    }
}
