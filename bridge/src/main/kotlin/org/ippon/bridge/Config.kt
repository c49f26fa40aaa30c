package org.ippon.bridge

import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.utilities.NetworkHostAndPort
import org.ippon.bridge.node.LinkTimes
import org.ippon.bridge.node.NodeSettings
import org.ippon.bridge.node.RpcUser
import org.ippon.bridge.schema.Field
import org.ippon.bridge.schema.Fields
import org.ippon.bridge.schema.Network
import org.ippon.bridge.schema.ObjectOf
import org.ippon.bridge.schema.Text
import org.ippon.bridge.schema.WholeInt
import org.ippon.bridge.schema.of
import org.ippon.bridge.schema.optional
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import java.nio.file.attribute.PosixFilePermission

/** A host and a port. */
class HostPort(val host: String, val port: Int)

/** The TLS of the HTTP door: a PKCS#12 keystore and a file with its password. */
class TlsFiles(val keystore: Path, val passwordFile: Path)

/** A configuration that cannot be used; the message repeats no secret. */
class BadConfig(message: String) : RuntimeException(message)

/**
 * The JSON file that a bridge is started with; network-bootstrap writes it. Holds passwords and tokens, so it is
 * refused when anybody but its owner may read it.
 */
class Config(
        val node: NodeSettings, val rpc: NetworkHostAndPort, val users: Map<Role, RpcUser>, val http: HostPort, val tls: TlsFiles?, val py4j: HostPort, val py4jOperator: HostPort?,
        val tokens: Map<Role, String>, val py4jToken: String, val maxRequestBytes: Int, val httpThreads: Int, val py4jConnections: Int
) {
    companion object {
        /** Reads [path]. @throws BadConfig */
        fun read(path: Path): Config {
            if (!Files.isRegularFile(path)) throw BadConfig("There is no file $path.")
            checkPrivate(path)
            return try {
                parse(Json.read(Files.readAllBytes(path)))
            } catch (e: BridgeError) {
                throw BadConfig("$path cannot be used: ${e.message}")
            }
        }

        /** Refuses a file of secrets that others may read or change. */
        fun checkPrivate(path: Path) {
            val others = Files.getPosixFilePermissions(path) - setOf(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE)
            if (others.isNotEmpty()) throw BadConfig("$path holds secrets and must be its owner's alone: chmod 600 $path")
        }

        private fun parse(json: ObjectNode): Config {
            val values = FIELDS.names.zip(FIELDS.read(json, Network.Nobody)).toMap()
            fun number(name: String) = values[name] as Int? ?: NUMBERS.getValue(name).default
            fun millis(name: String) = number(name).toLong()
            val rpc = values["rpc"] as HostPort
            @Suppress("UNCHECKED_CAST")
            val config = Config(
                    NodeSettings(
                            values["organisation"] as String,
                            LinkTimes(millis("connect_timeout_millis"), millis("ping_interval_millis"), millis("ping_timeout_millis"), millis("retry_base_millis"), millis("retry_cap_millis")),
                            millis("rpc_timeout_millis"), number("rpc_threads"), millis("network_map_keep_millis")
                    ),
                    NetworkHostAndPort(rpc.host, rpc.port), values["users"] as Map<Role, RpcUser>,
                    values["http"] as HostPort, values["tls"] as TlsFiles?, values["py4j"] as HostPort, values["py4j_operator"] as HostPort?,
                    values["tokens"] as Map<Role, String>, values["py4j_token"] as String,
                    number("max_request_bytes"), number("http_threads"), number("py4j_connections")
            )
            val secrets = config.tokens.values + config.py4jToken
            if (secrets.distinct().size != secrets.size) throw BadConfig("Every token must be another one.")
            return config
        }
    }
}

private class Number(val default: Int, val range: IntRange)

/** The settings that have defaults. */
private val NUMBERS: Map<String, Number> = mapOf(
        "max_request_bytes" to Number(1 shl 20, 1024..(64 shl 20)),
        "rpc_timeout_millis" to Number(30_000, 100..600_000),
        "connect_timeout_millis" to Number(30_000, 100..600_000),
        "ping_interval_millis" to Number(2_000, 100..60_000),
        "ping_timeout_millis" to Number(10_000, 100..600_000),
        "retry_base_millis" to Number(500, 10..60_000),
        "retry_cap_millis" to Number(10_000, 10..600_000),
        "network_map_keep_millis" to Number(30_000, 0..3_600_000),
        "rpc_threads" to Number(16, 1..200),
        "http_threads" to Number(48, 4..400),
        "py4j_connections" to Number(32, 1..400)
)

private const val MIN_TOKEN_LENGTH = 16
private const val MAX_SECRET_LENGTH = 200
private const val MAX_TEXT_LENGTH = 255
private val text = Text(MAX_TEXT_LENGTH)
private val password = Text(MAX_SECRET_LENGTH, hidden = true)
private val token = Text(MAX_SECRET_LENGTH, hidden = true, minLength = MIN_TOKEN_LENGTH)
private val hostPort = ObjectOf(Fields("host" of text, "port" of WholeInt(0..65_535))) { (host, port) -> HostPort(host as String, port as Int) }
private val user = ObjectOf(Fields("name" of text, "password" of password)) { (name, password) -> RpcUser(name as String, password as String) }
private val users = ObjectOf(Fields("bridge" of user, "reader" of user, "operator" of user)) { (bridge, reader, operator) ->
    mapOf(Role.AGENT to bridge as RpcUser, Role.READER to reader as RpcUser, Role.OPERATOR to operator as RpcUser)
}
private val tokens = ObjectOf(Fields("agent" of token, "reader" of token, "operator" of token)) { (agent, reader, operator) ->
    mapOf(Role.AGENT to agent as String, Role.READER to reader as String, Role.OPERATOR to operator as String)
}
private val tls = ObjectOf(Fields("keystore" of text, "password_file" of text)) { (keystore, password) -> TlsFiles(Paths.get(keystore as String), Paths.get(password as String)) }

private val FIELDS = Fields(
        listOf<Field>(
                "organisation" of text, "rpc" of hostPort, "users" of users, "http" of hostPort, "tls" optional tls, "py4j" of hostPort,
                "py4j_operator" optional hostPort, "tokens" of tokens, "py4j_token" of token
        ) + NUMBERS.map { (name, number) -> name optional WholeInt(number.range) }
)
