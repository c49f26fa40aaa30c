package org.ippon.bridge.door

import com.fasterxml.jackson.databind.node.ObjectNode
import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.ippon.bridge.NodeOperations
import org.ippon.bridge.Role
import org.ippon.bridge.schema.Network
import org.slf4j.LoggerFactory
import java.util.concurrent.Semaphore

/**
 * What both doors do with a call once they know who calls: rights, arguments, the call itself, and one shape of error.
 *
 * @param maxWaiting calls that may wait at a time; one more is answered at once, so that waiting never fills the door.
 */
class Calls(private val nodes: Map<Role, NodeOperations>, maxWaiting: Int) {
    private val waiting = Semaphore(maxWaiting)

    /** Calls [method] for [role]; null is a caller without a token. @throws BridgeError whatever goes wrong. */
    fun call(role: Role?, method: Method, arguments: ObjectNode): ObjectNode {
        checkRights(role, method, arguments)
        val waits = method.fields.any { it.name == WAIT }
        val held = waits && waiting.tryAcquire()
        try {
            if (waits && !held) arguments.remove(WAIT)
            return method.call(nodes.getValue(role ?: Role.READER), method.fields.read(arguments, Network.Nobody))
        } catch (e: BridgeError) {
            if (e.status == INTERNAL_STATUS) log.error("{} failed: {}", method.name, e.message, e.cause)
            throw e
        } catch (e: Exception) {
            log.error("{} failed", method.name, e)
            throw BridgeError.internal("The bridge failed in ${method.name}; its log says why.", e)
        } finally {
            if (held) waiting.release()
        }
    }

    private fun checkRights(role: Role?, method: Method, arguments: ObjectNode) {
        if (method.name == PUBLIC) return
        if (role == null) throw BridgeError.door(DoorCode.NO_TOKEN, "A known token must be given.")
        val allowed = method.name in role.methods && (method.name != QUERY || role.mayQuery(arguments.path(NAME).asText()))
        if (!allowed) throw BridgeError.door(DoorCode.FORBIDDEN, "The token of ${role.name.toLowerCase()} may not do this.")
    }

    companion object {
        /** The one method that wants no token. */
        const val PUBLIC = "health"
        private const val QUERY = "query"
        private const val NAME = "name"
        private const val WAIT = "wait_millis"
        private const val INTERNAL_STATUS = 500
        private val log = LoggerFactory.getLogger(Calls::class.java)!!
    }
}
