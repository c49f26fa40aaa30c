package org.ippon.bridge.node

import net.corda.client.rpc.CordaRPCClient
import net.corda.client.rpc.CordaRPCClientConfiguration
import net.corda.client.rpc.CordaRPCConnection
import net.corda.client.rpc.PermissionException
import net.corda.client.rpc.RPCException
import net.corda.core.CordaRuntimeException
import net.corda.core.messaging.CordaRPCOps
import net.corda.core.utilities.NetworkHostAndPort
import org.apache.activemq.artemis.api.core.ActiveMQException
import org.apache.activemq.artemis.api.core.ActiveMQSecurityException
import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.slf4j.LoggerFactory
import java.io.Closeable
import java.io.NotSerializableException
import java.time.Duration
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.thread
import kotlin.concurrent.withLock

/** A node's RPC user. Shows its password to nobody. */
class RpcUser(val name: String, internal val password: String) {
    override fun toString() = name
}

/** A login at the node. */
interface Login : Closeable {
    /** The node's RPC methods; connects first if need be, which may take as long as a node takes to answer. */
    fun ops(): CordaRPCOps

    /** Gives the connection up; whatever waits for an answer through it fails at once. */
    fun drop()
}

/** A login by Corda RPC: connects when first needed, and anew after it was dropped. */
class RpcLogin(address: NetworkHostAndPort, private val user: RpcUser) : Login {
    // Given no serialisers of our own, or Corda would read every class on the class path to look for some.
    private val client = CordaRPCClient(address, CONFIGURATION, null, null, emptySet())
    private val connecting = ReentrantLock()
    @Volatile private var connection: CordaRPCConnection? = null
    @Volatile private var closed = false

    override fun ops(): CordaRPCOps = (connection ?: connecting.withLock { connection ?: connect() }).proxy

    override fun drop() {
        val old = connection ?: return
        connection = null
        // Closing may wait for the node, and nobody here should.
        thread(name = "rpc-close-${user.name}", isDaemon = true) {
            try {
                old.forceClose()
            } catch (e: Exception) {
                log.debug("The connection of {} did not close: {}", user.name, e.message)
            }
        }
    }

    override fun close() {
        closed = true
        drop()
    }

    private fun connect(): CordaRPCConnection {
        val fresh = client.start(user.name, user.password)
        connection = fresh
        if (closed) drop()
        return fresh
    }

    companion object {
        private val log = LoggerFactory.getLogger(RpcLogin::class.java)
        // Of a module that a client need not have.
        private const val DRAINING = "net.corda.nodeapi.exceptions.RejectedCommandException"

        // Reconnecting is NodeLink's business: it knows that observables end with a connection.
        private val CONFIGURATION = CordaRPCClientConfiguration(
                minimumServerProtocolVersion = 12, observationExecutorPoolSize = 2, maxReconnectAttempts = 0,
                connectionRetryInterval = Duration.ofSeconds(1), connectionMaxRetryInterval = Duration.ofSeconds(1), openTelemetryEnabled = false
        )

        /** [problem] in our words; `NODE_DOWN` when it tells that there is no connection. */
        fun translate(problem: Throwable): Throwable = when {
            problem is BridgeError -> problem
            problem is PermissionException -> BridgeError.door(DoorCode.FORBIDDEN, "The bridge's RPC login may not do this at its node.", cause = problem)
            // As if it were away: it is about to be, and whoever asks again later loses nothing.
            isDraining(problem) -> BridgeError.door(DoorCode.NODE_DOWN, "The node is being drained and takes no new flows; nothing was asked of it.", cause = problem)
            isUnknownFlow(problem) -> BridgeError.door(DoorCode.NO_SUCH_OPERATION, "The node's role has no such operation or query.", cause = problem)
            isWrongPassword(problem) -> BridgeError.door(DoorCode.NODE_DOWN, "The node does not know the bridge's RPC login: its name or password is wrong.", cause = problem)
            isBroken(problem) -> BridgeError.door(DoorCode.NODE_DOWN, "The bridge has no connection to its node; what the node was asked last, it may or may not have done.", cause = problem)
            else -> problem
        }

        private fun isDraining(problem: Throwable) = problem is CordaRuntimeException && listOf(problem.javaClass.name, problem.originalExceptionClassName).any { it == DRAINING }

        private fun isWrongPassword(problem: Throwable) = problem is ActiveMQSecurityException || problem.cause is ActiveMQSecurityException

        private fun isBroken(problem: Throwable): Boolean =
                problem is RPCException || problem is ActiveMQException || problem is InterruptedException || problem is RejectedExecutionException || isClosedProxy(problem)

        // The node refuses to read the name of a class that it does not have, before it looks at permissions.
        private fun isUnknownFlow(problem: Throwable) = problem is CordaRuntimeException && problem.originalExceptionClassName == NotSerializableException::class.java.name && problem.message.orEmpty().contains("was not found by the node")

        // Corda's proxy, once closed, knows no better way to say so.
        private fun isClosedProxy(problem: Throwable) = problem is IllegalArgumentException && problem.message.orEmpty().let { it.startsWith("Predicate failed on state") || it.startsWith("Required state to be") }
    }
}
