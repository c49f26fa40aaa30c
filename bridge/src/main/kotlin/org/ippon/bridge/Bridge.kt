package org.ippon.bridge

import org.ippon.bridge.door.Calls
import org.ippon.bridge.door.HttpDoor
import org.ippon.bridge.door.HttpSettings
import org.ippon.bridge.door.Py4jDoor
import org.ippon.bridge.door.Py4jSettings
import org.ippon.bridge.door.Tokens
import org.ippon.bridge.door.tlsContext
import org.ippon.bridge.node.Changes
import org.ippon.bridge.node.RpcLogin
import org.ippon.bridge.node.RpcNode
import org.slf4j.LoggerFactory
import java.io.Closeable
import java.net.InetAddress
import java.net.InetSocketAddress
import java.security.SecureRandom
import java.time.Clock

/** One organisation's bridge: its node behind two doors. */
class Bridge(private val config: Config, clock: Clock) : Closeable {
    private val changes = Changes(Changes.firstAt(clock.millis(), SecureRandom()))
    private val node = RpcNode(config.node, config.users.mapValues { RpcLogin(config.rpc, it.value) }, changes, clock)

    // A few threads stay free for calls that do not wait.
    private val calls = Calls(node.operations, Math.max(1, config.httpThreads * 3 / 4))
    private val http = HttpDoor(HttpSettings(address(config.http), config.tls?.let { tlsContext(it) }, config.httpThreads, config.maxRequestBytes), Tokens(config.tokens), calls)
    private val py4j = listOfNotNull(
            py4jDoor(config.py4j, Role.AGENT, config.py4jToken),
            config.py4jOperator?.let { py4jDoor(it, Role.OPERATOR, config.tokens.getValue(Role.OPERATOR)) }
    )

    /** Opens the doors and begins to connect; returns when the doors are open. */
    fun open() {
        if (config.tls == null && !host(config.http).isLoopbackAddress) log.warn("The HTTP door is open beyond this machine and has no TLS: tokens can be read on the way.")
        http.open()
        py4j.forEach { it.open() }
        node.start()
    }

    override fun close() {
        http.close()
        py4j.forEach { it.close() }
        node.close()
    }

    private fun py4jDoor(at: HostPort, role: Role, token: String) =
            Py4jDoor(Py4jSettings(host(at), at.port, role, config.maxRequestBytes, config.py4jConnections), Tokens(mapOf(role to token)), calls)

    private fun address(at: HostPort) = InetSocketAddress(host(at), at.port)

    private fun host(at: HostPort): InetAddress = InetAddress.getByName(at.host)

    private companion object {
        val log = LoggerFactory.getLogger(Bridge::class.java)!!
    }
}
