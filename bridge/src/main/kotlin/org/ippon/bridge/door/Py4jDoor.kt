package org.ippon.bridge.door

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.ippon.bridge.Json
import org.ippon.bridge.Role
import org.ippon.core.ErrorCode
import org.slf4j.LoggerFactory
import py4j.CallbackClient
import py4j.Gateway
import py4j.GatewayConnection
import py4j.GatewayServer
import py4j.GatewayServerListener
import py4j.Protocol
import py4j.Py4JServerConnection
import py4j.ReturnObject
import py4j.commands.AbstractCommand
import py4j.commands.Command
import java.io.BufferedReader
import java.io.BufferedWriter
import java.io.Closeable
import java.net.InetAddress
import java.net.Socket

/** @property role whose rights the token gives. @property maxConnections callers at a time. */
class Py4jSettings(val host: InetAddress, val port: Int, val role: Role, val maxRequestBytes: Int, val maxConnections: Int)

/**
 * The py4j door: an entry point with the one method `call(method, json): json`, the same JSON as over HTTP; an error is
 * `{"error": {…}}`.
 *
 * A py4j gateway gives whoever has its token every class of the JVM, and with them the node's passwords. This one
 * understands the token and `call` and nothing else.
 */
class Py4jDoor(private val settings: Py4jSettings, private val tokens: Tokens, private val calls: Calls) : Closeable {
    private val sockets = LimitedSockets(settings.maxConnections, settings.maxRequestBytes)
    private val server = object : GatewayServer(Gateway(this, CallbackClient(NO_CALLBACKS)), settings.port, settings.host, 0, UNKNOWN_CALLER_TIMEOUT_MILLIS, null, sockets) {
        override fun createConnection(gateway: Gateway, socket: Socket): Py4JServerConnection =
                DoorConnection(gateway, socket, listeners).also { it.startConnection() }
    }

    /** Where it listens. */
    val port: Int get() = server.listeningPort

    /** Opens the door; returns at once. */
    fun open() = server.start()

    override fun close() = server.shutdown()

    /** Calls [method] with the arguments in [json]. Never throws. */
    fun call(method: String, json: String): String = try {
        val known = METHODS[method] ?: throw BridgeError.door(DoorCode.NO_SUCH_OPERATION, "There is no method '${method.take(MAX_SHOWN)}'; there are ${METHODS.keys.joinToString()}.")
        Json.text(calls.call(settings.role, known, read(json)))
    } catch (e: BridgeError) {
        error(e)
    } catch (e: Throwable) {
        log.error("The py4j door failed", e)
        error(BridgeError.internal("The bridge failed; its log says why.", e))
    }

    private fun read(json: String): ObjectNode {
        val bytes = json.toByteArray()
        if (bytes.size > settings.maxRequestBytes) throw BridgeError.door(DoorCode.TOO_LARGE, "The request must be at most ${settings.maxRequestBytes} bytes.")
        return Json.read(bytes)
    }

    private fun error(error: BridgeError): String = Json.text(Json.obj().also { it.set<JsonNode>("error", error.toJson()) })

    /** A caller: unknown until it has shown the token. */
    private inner class DoorConnection(gateway: Gateway, socket: Socket, listeners: List<GatewayServerListener>) : GatewayConnection(gateway, socket, null, null, listeners) {
        private var known = false

        init {
            listOf(Auth(), Call(), Forget()).forEach {
                it.init(gateway, this)
                commands[it.commandName] = it
            }
        }

        // py4j would put its own here: reflection, constructors, fields.
        override fun initCommands(gateway: Gateway?, commandsClazz: MutableList<Class<out Command>>?) = Unit

        private inner class Auth : DoorCommand(Protocol.AUTH_COMMAND_NAME) {
            // The one command without an end.
            override fun arguments(reader: BufferedReader): List<String> = listOf(reader.readLine().orEmpty())

            override fun answer(arguments: List<String>): String {
                known = tokens.role(arguments.single()) == settings.role
                if (!known) throw Rejected("Authentication error: bad auth token received.")
                socket.soTimeout = 0
                return Protocol.getOutputVoidCommand()
            }
        }

        private inner class Call : DoorCommand("c") {
            override fun answer(arguments: List<String>): String {
                if (!known) throw Rejected("Authentication error: unexpected command.")
                val texts = arguments.drop(2)
                if (arguments.take(2) != listOf(Protocol.ENTRY_POINT_OBJECT_ID, "call") || texts.size != 2 || !texts.all { Protocol.isString(it) }) {
                    return Protocol.getOutputCommand(ReturnObject.getPrimitiveReturnObject(error(BridgeError(ErrorCode.BAD_REQUEST.name, "This gateway has entry_point.call(method, json) and nothing else."))))
                }
                return Protocol.getOutputCommand(ReturnObject.getPrimitiveReturnObject(call(Protocol.getString(texts[0]), Protocol.getString(texts[1]))))
            }
        }

        /** Python's garbage collector tells of objects that it no longer holds; it was never given one. */
        private inner class Forget : DoorCommand("m") {
            override fun answer(arguments: List<String>): String {
                if (!known) throw Rejected("Authentication error: unexpected command.")
                return Protocol.getOutputVoidCommand()
            }
        }
    }

    private class Rejected(message: String) : py4j.Py4JAuthenticationException(message)

    private abstract class DoorCommand(name: String) : AbstractCommand() {
        init {
            commandName = name
        }

        /** The lines between the command and its end. */
        protected open fun arguments(reader: BufferedReader): List<String> = getStringArguments(reader)

        /** The reply to [arguments]. */
        abstract fun answer(arguments: List<String>): String

        override fun execute(commandName: String, reader: BufferedReader, writer: BufferedWriter) {
            val reply = try {
                answer(arguments(reader))
            } catch (e: Rejected) {
                writer.write(Protocol.getOutputErrorCommand(e.message))
                writer.flush()
                throw e
            }
            writer.write(reply)
            writer.flush()
        }
    }

    private companion object {
        // py4j wants to know where Python listens for calls from here; there are none.
        const val NO_CALLBACKS = 0
        const val UNKNOWN_CALLER_TIMEOUT_MILLIS = 5000
        const val MAX_SHOWN = 80
        val log = LoggerFactory.getLogger(Py4jDoor::class.java)!!
    }
}
