package org.ippon.test.bridge

import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.bridge.Json
import org.ippon.bridge.NodeOperations
import org.ippon.bridge.Role
import org.ippon.bridge.door.Calls
import org.ippon.bridge.door.HttpDoor
import org.ippon.bridge.door.HttpSettings
import org.ippon.bridge.door.Tokens
import org.junit.After
import org.junit.Before
import java.io.ByteArrayOutputStream
import java.net.HttpURLConnection
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Socket
import java.net.URL

/** An answer of the door. */
class Answer(val status: Int, val json: ObjectNode, val headers: Map<String?, List<String>>) {
    /** The code of the error in it. */
    val code: String get() = json.path("error").path("code").asText()
}

/** An HTTP door before a fake node, open on a free port. */
abstract class DoorTest {
    protected val node = FakeNode()
    private val nodes: Map<Role, NodeOperations> = Role.values().associate { Pair(it, node) }
    protected lateinit var door: HttpDoor

    @Before
    fun open() {
        door = HttpDoor(HttpSettings(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, THREADS, MAX_BYTES), Tokens(TOKENS), Calls(nodes, 2))
        door.open()
    }

    @After
    fun shut() = door.close()

    protected fun ask(verb: String, path: String, body: String? = null, token: String? = TOKENS[Role.AGENT], chunked: Boolean = false): Answer {
        val connection = URL("http://127.0.0.1:${door.port}$path").openConnection() as HttpURLConnection
        connection.requestMethod = verb
        token?.let { connection.setRequestProperty("Authorization", "Bearer $it") }
        if (body != null) {
            connection.doOutput = true
            if (chunked) connection.setChunkedStreamingMode(CHUNK_BYTES)
            connection.outputStream.use { it.write(body.toByteArray()) }
        }
        val status = connection.responseCode
        val stream = connection.errorStream ?: connection.inputStream
        return Answer(status, Json.read(stream.readBytes()), connection.headerFields)
    }

    /** Sends [request] as it is and reads until the door closes or has said [until]. */
    protected fun raw(request: ByteArray, until: String): String = Socket("127.0.0.1", door.port).use { socket ->
        socket.soTimeout = 10_000
        socket.getOutputStream().write(request)
        socket.getOutputStream().flush()
        val read = ByteArrayOutputStream()
        val buffer = ByteArray(4096)
        while (!read.toString().contains(until)) {
            val size = socket.getInputStream().read(buffer)
            if (size < 0) return read.toString()
            read.write(buffer, 0, size)
        }
        read.toString()
    }

    protected companion object {
        const val MAX_BYTES = 2048
        const val THREADS = 8
        private const val CHUNK_BYTES = 256
        val TOKENS = mapOf(Role.AGENT to "agent-token-0123456", Role.READER to "reader-token-012345", Role.OPERATOR to "operator-token-0123")
    }
}
