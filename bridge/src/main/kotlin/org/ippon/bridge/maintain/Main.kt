@file:JvmName("Maintain")

package org.ippon.bridge.maintain

import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StateMachineRunId
import net.corda.core.identity.CordaX500Name
import net.corda.core.utilities.NetworkHostAndPort
import org.ippon.bridge.BadConfig
import org.ippon.bridge.BridgeError
import org.ippon.bridge.Config
import org.ippon.bridge.Json
import org.ippon.bridge.node.Bounded
import org.ippon.bridge.node.RpcLogin
import org.ippon.bridge.node.RpcUser
import org.ippon.bridge.quietLogs
import org.ippon.bridge.schema.Fields
import org.ippon.bridge.schema.ListOf
import org.ippon.bridge.schema.Network
import org.ippon.bridge.schema.ObjectOf
import org.ippon.bridge.schema.Text
import org.ippon.bridge.schema.WholeInt
import org.ippon.bridge.schema.of
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import java.time.Duration
import java.time.Instant
import java.util.UUID
import kotlin.system.exitProcess

private const val USAGE = "Usage: java -cp ippon-bridge.jar org.ippon.bridge.maintain.Maintain --config FILE status | drain SECONDS | resume | kill RUN_ID | clear SECONDS | recover SECONDS [SINCE]"
private const val MAX_TEXT = 255
private const val CONNECT_MILLIS = 60_000L
private const val SPARE_MILLIS = 60_000L

/**
 * One piece of [Maintenance] at the node of the configuration, the answer a line of JSON: `{"error": {code, message}}`
 * and exit code 1 when it failed. network-bootstrap writes the configuration and runs this.
 */
fun main(args: Array<String>) {
    quietLogs()
    if (args.size < 3 || args[0] != "--config") end(2, USAGE)
    try {
        println(Json.text(run(settings(Paths.get(args[1])), args.drop(2))))
        System.out.flush()
    } catch (e: BadConfig) {
        end(2, e.message!!)
    } catch (e: BridgeError) {
        println(Json.text(Json.obj().also { it.set<com.fasterxml.jackson.databind.JsonNode>("error", e.toJson()) }))
        System.out.flush()
        exitProcess(1)
    }
    // Corda's client leaves threads behind.
    exitProcess(0)
}

private class Settings(val address: NetworkHostAndPort, val user: RpcUser, val members: List<CordaX500Name>, val recover: List<Class<out FlowLogic<*>>>)

private fun run(settings: Settings, words: List<String>): ObjectNode {
    val limit = Duration.ofSeconds(words.getOrNull(1)?.toLongOrNull() ?: 0)
    val calls = Bounded("maintenance", 1)
    val login = RpcLogin(settings.address, settings.user)
    try {
        val node = Maintenance(calls.call("the maintenance login", CONNECT_MILLIS) { login.ops() }, { Instant.now() }, { Thread.sleep(it) })
        val asked = settings.recover.size * settings.members.size
        return when (words[0]) {
            "status" -> calls.call("status", SPARE_MILLIS) { node.status() }
            "drain" -> calls.call("drain", limit.toMillis() + SPARE_MILLIS) { node.drain(limit) }
            "kill" -> calls.call("kill", SPARE_MILLIS) { node.kill(StateMachineRunId(UUID.fromString(words.getOrNull(1) ?: throw BadConfig(USAGE)))) }
            "resume" -> calls.call("resume", SPARE_MILLIS) { node.resume() }
            "clear" -> calls.call("clear", limit.toMillis() + SPARE_MILLIS) { node.clear(limit) }
            "recover" -> calls.call("recover", limit.toMillis() * asked + SPARE_MILLIS) { node.recover(settings.recover, settings.members, words.getOrNull(2)?.let { Instant.parse(it) }, limit) }
            else -> throw BadConfig(USAGE)
        }
    } catch (e: Exception) {
        val ours = RpcLogin.translate(e)
        throw ours as? BridgeError ?: ours as? BadConfig ?: BridgeError.internal("The node failed: ${ours.message}", ours)
    } finally {
        login.close()
    }
}

private fun settings(path: Path): Settings {
    if (!Files.isRegularFile(path)) throw BadConfig("There is no file $path.")
    Config.checkPrivate(path)
    return try {
        val text = Text(MAX_TEXT)
        val address = ObjectOf(Fields("host" of text, "port" of WholeInt(1..65_535))) { (host, port) -> NetworkHostAndPort(host as String, port as Int) }
        val user = ObjectOf(Fields("name" of text, "password" of Text(MAX_TEXT, hidden = true))) { (name, password) -> RpcUser(name as String, password as String) }
        val fields = Fields("rpc" of address, "user" of user, "members" of ListOf(text, 0..1000), "recover" of ListOf(text, 0..10))
        val (rpc, login, members, recover) = fields.read(Json.read(Files.readAllBytes(path)), Network.Nobody)
        @Suppress("UNCHECKED_CAST")
        Settings(
                rpc as NetworkHostAndPort, login as RpcUser, (members as List<String>).map { CordaX500Name.parse(it) },
                (recover as List<String>).map { Class.forName(it).asSubclass(FlowLogic::class.java) as Class<out FlowLogic<*>> }
        )
    } catch (e: BridgeError) {
        throw BadConfig("$path cannot be used: ${e.message}")
    } catch (e: ClassNotFoundException) {
        throw BadConfig("$path cannot be used: there is no flow ${e.message}.")
    }
}

private fun end(code: Int, message: String): Nothing {
    System.err.println(message)
    exitProcess(code)
}
