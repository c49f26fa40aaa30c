package org.ippon.test.bridge

import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.NodeOperations
import org.ippon.bridge.Role
import org.ippon.bridge.door.Calls
import org.ippon.bridge.door.Py4jDoor
import org.ippon.bridge.door.Py4jSettings
import org.ippon.bridge.door.Tokens
import org.junit.After
import org.junit.Before
import org.junit.Test
import java.io.BufferedReader
import java.io.IOException
import java.net.InetAddress
import java.net.Socket

private const val TOKEN = "py4j-token-01234567"

class Py4jDoorTest {
    private val node = FakeNode()
    private val nodes: Map<Role, NodeOperations> = Role.values().associate { Pair(it, node) }
    private val door = Py4jDoor(Py4jSettings(InetAddress.getLoopbackAddress(), 0, Role.AGENT, 2048, 2), Tokens(mapOf(Role.AGENT to TOKEN)), Calls(nodes, 2))

    @Before
    fun open() = door.open()

    @After
    fun shut() = door.close()

    private inner class Caller : AutoCloseable {
        private val socket = Socket("127.0.0.1", door.port).apply { soTimeout = 10_000 }
        private val reader: BufferedReader = socket.getInputStream().bufferedReader()

        /** Sends [lines] and reads one line, or null when the door has hung up. */
        fun say(vararg lines: String): String? = try {
            socket.getOutputStream().write(lines.joinToString("\n", postfix = "\n").toByteArray())
            reader.readLine()
        } catch (e: IOException) {
            null
        }

        fun known() = also { assertThat(say("A", TOKEN)).isEqualTo("!yv") }
        override fun close() = socket.close()
    }

    @Test
    fun `call answers as over HTTP, and an error is an answer`() {
        Caller().use { caller ->
            caller.known()
            assertThat(caller.say("c", "t", "call", "sresult", """s{"client_id":"x","wait_millis":5}""", "e")).isEqualTo("""!ys{"asked":"result x 5"}""")
            assertThat(caller.say("c", "t", "call", "sresult", "s{}", "e")).contains(""""error":{"code":"BAD_REQUEST"""").contains("client_id")
            assertThat(caller.say("c", "t", "call", "snothing", "s{}", "e")).contains("NO_SUCH_OPERATION")
            assertThat(caller.say("c", "t", "call", "skill", """s{"run_id":"01234567-89ab-cdef-0123-456789abcdef"}""", "e")).contains("FORBIDDEN")
            assertThat(caller.say("c", "t", "call", "squery", """s{"name":"fills","arguments":{}}""", "e")).contains("query fills {}")
            assertThat(caller.say("m", "d", "o1", "e")).isEqualTo("!yv")
        }
    }

    @Test
    fun `without the token there is nothing, not even the token's absence`() {
        listOf(listOf("c", "t", "call", "snode", "s{}", "e"), listOf("A", "wrong"), listOf("A", ""), listOf("m", "d", "o1", "e")).forEach { lines ->
            Caller().use { caller ->
                assertThat(caller.say(*lines.toTypedArray()).orEmpty()).startsWith("!x").contains("Authentication error").doesNotContain(TOKEN)
                assertThat(caller.say("c", "t", "call", "snode", "s{}", "e")).isNull()
            }
        }
        assertThat(node.asked).isEmpty()
    }

    @Test
    fun `with the token there is call and nothing else of the JVM`() {
        val others = listOf(
                listOf("i", "java.io.File", "s/etc/passwd", "e"), listOf("c", "z:java.lang.System", "exit", "i0", "e"), listOf("r", "u", "java", "rj", "e"),
                listOf("j", "i", "rj", "sjava.io.*", "e"), listOf("f", "g", "t", "door", "e"), listOf("s"), listOf("d", "f", "t", "n", "e"), listOf("h", "o", "t", "n", "e"),
                listOf("c", "t", "getClass", "e"), listOf("c", "t", "close", "e"), listOf("c", "j", "call", "snode", "s{}", "e"), listOf("c", "t", "call", "snode", "rt", "e"), listOf("c", "GATEWAY_SERVER", "shutdown", "e")
        )
        others.forEach { lines ->
            Caller().use { caller ->
                val reply = caller.known().say(*lines.toTypedArray())
                if (reply != null) assertThat(reply).describedAs(lines.toString()).matches("!z.*|!ys\\{\"error\".*")
            }
        }
        Caller().use { assertThat(it.known().say("c", "t", "call", "snode", "s{}", "e")).contains("asked") }
        assertThat(node.asked).containsExactly("node")
    }

    @Test
    fun `a request too large is refused, and a line without end hangs up`() {
        Caller().use { caller ->
            assertThat(caller.known().say("c", "t", "call", "snode", "s{\"x\":\"${"y".repeat(2048)}\"}", "e")).contains("TOO_LARGE")
        }
        Caller().use { assertThat(it.say("y".repeat(100_000)).orEmpty()).doesNotStartWith("!y") }
    }

    @Test
    fun `callers beyond the limit are hung up on, and come in when there is room`() {
        val (first, second) = listOf(Caller().known(), Caller().known())
        Caller().use { assertThat(it.say("A", TOKEN)).isNull() }
        first.close()
        Thread.sleep(500)
        Caller().use { it.known() }
        second.close()
    }
}
