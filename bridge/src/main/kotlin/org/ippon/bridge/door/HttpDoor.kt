package org.ippon.bridge.door

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import com.sun.net.httpserver.HttpsConfigurator
import com.sun.net.httpserver.HttpsServer
import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.ippon.bridge.Json
import org.ippon.bridge.Role
import org.ippon.bridge.node.boundedPool
import org.slf4j.LoggerFactory
import java.io.ByteArrayOutputStream
import java.io.Closeable
import java.io.IOException
import java.net.InetSocketAddress
import javax.net.ssl.SSLContext

/** @property tls for HTTPS; null for HTTP. @property threads requests served at a time. */
class HttpSettings(val address: InetSocketAddress, val tls: SSLContext?, val threads: Int, val maxRequestBytes: Int)

/** The HTTP/JSON door: the JDK's own server. Everything it says is JSON, and it repeats nothing of what it was sent but names and ids. */
class HttpDoor(private val settings: HttpSettings, private val tokens: Tokens, private val calls: Calls) : Closeable {
    private val server = create()
    private val pool = boundedPool("http", settings.threads, MAX_QUEUED)
    private val document: ByteArray = Json.bytes(openApi())

    /** Where it listens. */
    val port: Int get() = server.address.port

    /** Opens the door; returns at once. */
    fun open() {
        server.executor = pool
        server.createContext("/") { serve(it) }
        server.start()
    }

    override fun close() {
        server.stop(0)
        pool.shutdownNow()
    }

    private fun create(): HttpServer {
        SERVER_PROPERTIES.forEach { (name, value) -> System.setProperty("sun.net.httpserver.$name", value) }
        val tls = settings.tls ?: return HttpServer.create(settings.address, BACKLOG)
        return HttpsServer.create(settings.address, BACKLOG).apply { httpsConfigurator = HttpsConfigurator(tls) }
    }

    private fun serve(exchange: HttpExchange) {
        try {
            val path = exchange.requestURI.rawPath.orEmpty()
            if (path == OPEN_API && exchange.requestMethod == "GET") return send(exchange, 200, document)
            val (status, answer) = answer(exchange, path)
            send(exchange, status, Json.bytes(answer))
        } catch (e: BridgeError) {
            refuse(exchange, e)
        } catch (e: IOException) {
            log.debug("A caller went away: {}", e.message)
        } catch (e: Throwable) {
            log.error("The HTTP door failed", e)
            refuse(exchange, BridgeError.internal("The bridge failed; its log says why.", e))
        } finally {
            exchange.close()
        }
    }

    private fun answer(exchange: HttpExchange, path: String): Pair<Int, ObjectNode> {
        val role = role(exchange)
        val route = try {
            route(exchange.requestMethod, path)
        } catch (e: BridgeError) {
            // Who may not enter is not told what is inside.
            throw if (role == null) noToken() else e
        }
        if (role == null && route.method.name != Calls.PUBLIC) throw noToken()
        val arguments = arguments(exchange, route)
        val answer = calls.call(role, route.method, arguments)
        return Pair(if (route.method.name == Calls.PUBLIC && answer.path("status").asText() != "up") DoorCode.NODE_DOWN.status else 200, answer)
    }

    private fun noToken() = BridgeError.door(DoorCode.NO_TOKEN, "A known token must be given: Authorization: Bearer TOKEN.")

    private fun role(exchange: HttpExchange): Role? {
        val header = exchange.requestHeaders["Authorization"].orEmpty().singleOrNull() ?: return null
        return if (header.startsWith(BEARER, ignoreCase = true)) tokens.role(header.drop(BEARER.length).trim()) else null
    }

    private fun arguments(exchange: HttpExchange, route: Route): ObjectNode {
        val carried = when (route.method.carried) {
            Carried.NOT -> queryArguments(exchange.requestURI.rawQuery, emptyList())
            Carried.QUERY_STRING -> queryArguments(exchange.requestURI.rawQuery, route.method.besidePath)
            Carried.BODY -> Json.read(body(exchange))
            Carried.WHOLE_BODY -> Json.obj().also { it.set<JsonNode>("arguments", Json.read(body(exchange))) }
        }
        route.inPath.forEach { (name, value) ->
            if (carried.has(name)) throw BridgeError.badRequest("$name must be in the path only.", name)
            carried.put(name, value)
        }
        return carried
    }

    /** The body, whether its length was told beforehand or it comes in chunks. @throws BridgeError TOO_LARGE. */
    private fun body(exchange: HttpExchange): ByteArray {
        val told = exchange.requestHeaders.getFirst("Content-Length")?.toLongOrNull() ?: 0
        if (told > settings.maxRequestBytes) throw tooLarge()
        val bytes = ByteArrayOutputStream()
        val buffer = ByteArray(BUFFER_BYTES)
        while (true) {
            val read = exchange.requestBody.read(buffer)
            if (read < 0) return bytes.toByteArray()
            if (bytes.size() + read > settings.maxRequestBytes) throw tooLarge()
            bytes.write(buffer, 0, read)
        }
    }

    private fun tooLarge() = BridgeError.door(DoorCode.TOO_LARGE, "The request must be at most ${settings.maxRequestBytes} bytes.")

    private fun refuse(exchange: HttpExchange, error: BridgeError) {
        if (error.code == DoorCode.NO_TOKEN.name) exchange.responseHeaders["WWW-Authenticate"] = "Bearer"
        if (error.status == NOT_ALLOWED) exchange.responseHeaders["Allow"] = verbsOf(exchange.requestURI.rawPath.orEmpty()).joinToString()
        // The rest of what was too large is not read, so nothing can follow it.
        if (error.code == DoorCode.TOO_LARGE.name) exchange.responseHeaders["Connection"] = "close"
        val envelope = Json.obj().also { it.set<JsonNode>("error", error.toJson()) }
        try {
            send(exchange, error.status, Json.bytes(envelope))
        } catch (e: IOException) {
            log.debug("A caller went away: {}", e.message)
        }
    }

    private fun send(exchange: HttpExchange, status: Int, body: ByteArray) {
        exchange.responseHeaders["Content-Type"] = "application/json; charset=utf-8"
        exchange.responseHeaders["Cache-Control"] = "no-store"
        exchange.responseHeaders["X-Content-Type-Options"] = "nosniff"
        if (exchange.requestMethod == "HEAD") return exchange.sendResponseHeaders(status, -1)
        exchange.sendResponseHeaders(status, body.size.toLong())
        exchange.responseBody.use { it.write(body) }
    }

    companion object {
        /** Where the OpenAPI document is; no token wanted. */
        const val OPEN_API = "/openapi.json"
        private const val BEARER = "Bearer "
        private const val BACKLOG = 128
        private const val MAX_QUEUED = 1000
        private const val BUFFER_BYTES = 8192
        private val log = LoggerFactory.getLogger(HttpDoor::class.java)!!

        /** Seconds and counts of the JDK's server, which reads them once. A response may take a wait and a timeout of the node. */
        private val SERVER_PROPERTIES = mapOf("nodelay" to "true", "maxReqTime" to "20", "maxRspTime" to "180", "idleInterval" to "60", "maxIdleConnections" to "100", "maxReqHeaders" to "60")
    }
}
