package org.ippon.bridge.node

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.concurrent.CordaFuture
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StateMachineRunId
import net.corda.core.messaging.CordaRPCOps
import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.ippon.bridge.Json
import org.ippon.bridge.NodeOperations
import org.ippon.bridge.Role
import java.io.Closeable
import java.time.Clock
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.UUID
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/** How a node is asked. @property rpcThreads calls at a time, of each role. */
class NodeSettings(val organisation: String, val link: LinkTimes, val rpcTimeoutMillis: Long, val rpcThreads: Int, val networkMapKeepMillis: Long)

/** One node over Corda RPC: [NodeOperations] for each role, over a login of its own and one watched link. */
class RpcNode(settings: NodeSettings, logins: Map<Role, Login>, private val changes: Changes, clock: Clock) : Closeable {
    private val feed = FlowFeed(changes, QUERIES.values.map { it.flow.name }.toSet())
    private val link = NodeLink(logins.getValue(Role.AGENT), logins.values.toList(), feed, changes, settings.link, clock)
    private val pools = logins.mapValues { (role, _) -> Bounded("rpc-${role.name.toLowerCase()}", settings.rpcThreads) }

    /** The node for callers of each role. */
    val operations: Map<Role, NodeOperations> = logins.mapValues { (role, login) -> RpcNodeOperations(settings, link, login, pools.getValue(role), changes) }

    /** Begins to connect; returns at once. */
    fun start() = link.start()

    override fun close() {
        changes.close()
        link.close()
        pools.values.forEach { it.close() }
    }
}

private class RpcNodeOperations(
        private val settings: NodeSettings, private val link: NodeLink, private val login: Login, private val pool: Bounded, private val changes: Changes
) : NodeOperations {
    private val network = NetworkMap(settings.networkMapKeepMillis) { ask -> call("for its network map") { ask(it) } }

    override fun health(): ObjectNode {
        val state = link.state
        return Json.obj().put("status", if (state.up) "up" else "connecting").put("organisation", settings.organisation).put("since", text(state.since))
    }

    override fun node(): ObjectNode {
        val map = network.current()
        val (version, time) = call("for its version and time") { Pair(it.nodeInfo().platformVersion, it.currentNodeTime()) }
        return Json.obj().put("name", map.me.name.toString()).put("platform_version", version)
                .put("notary", map.notaries.firstOrNull()?.name?.toString())
                .put("node_time", text(time))
                .also { it.set<JsonNode>("network", Json.texts(map.parties.map { party -> party.name.toString() }.sorted())) }
    }

    override fun start(operation: String, clientId: String, arguments: ObjectNode): ObjectNode {
        val known = OPERATIONS[operation] ?: throw unknown("operation", operation, OPERATIONS.keys)
        val values = known.read(arguments, network)
        val runId = call("to start $operation") { ops ->
            val handle = ops.startFlowDynamicWithClientId(clientId, typed(known.flow), *values)
            // Who wants the result asks for it; a future that nobody holds would be kept at the node.
            handle.close()
            handle.id.uuid
        }
        return Json.obj().put("client_id", clientId).put("run_id", runId.toString())
    }

    override fun result(clientId: String, waitMillis: Long): ObjectNode {
        val answer = Json.obj().put("client_id", clientId)
        val handle = call("for a flow") { it.reattachFlowWithClientId<Any>(clientId) } ?: return answer.put("status", "unknown")
        try {
            // A result that is there already travels after the handle, so even who does not wait waits for that.
            val report = await(handle.returnValue, Math.max(waitMillis, SHORTEST_WAIT_MILLIS))
            return answer.put("status", "done").also { it.set<JsonNode>("result", Json.report(report)) }
        } catch (e: TimeoutException) {
            return answer.put("status", "running")
        } catch (e: ExecutionException) {
            val problem = checkLink(e.cause!!)
            return answer.put("status", "failed").also { it.set<JsonNode>("error", FlowProblem.of(problem).toJson()) }
        } finally {
            handle.close()
        }
    }

    override fun forget(clientId: String): ObjectNode = Json.obj().put("removed", call("to forget a flow") { it.removeClientId(clientId) })

    override fun finished(): ObjectNode {
        val flows = call("for finished flows") { it.finishedFlowsWithClientIds() }
        val list = Json.array()
        flows.toSortedMap().forEach { id, succeeded -> list.add(Json.obj().put("client_id", id).put("succeeded", succeeded)) }
        return Json.obj().also { it.set<JsonNode>("flows", list) }
    }

    override fun query(name: String, arguments: ObjectNode): ObjectNode {
        val known = QUERIES[name] ?: throw unknown("query", name, QUERIES.keys)
        val (values, page) = known.read(arguments, network)
        val rows = call("the query $name") { ops ->
            val handle = ops.startFlowDynamic(known.flow, *values)
            try {
                handle.returnValue.get()
            } catch (e: ExecutionException) {
                throw FlowProblem.of(checkLink(e.cause!!))
            } finally {
                handle.close()
            }
        }
        return Json.rows(known.cut(rows, page))
    }

    override fun wait(after: Long, waitMillis: Long): ObjectNode = Json.obj().put("sequence", changes.await(after, waitMillis))

    override fun kill(runId: UUID): ObjectNode = Json.obj().put("killed", call("to kill a flow") { it.killFlow(StateMachineRunId(runId)) })

    /** Asks the node, which must answer in time. */
    private fun <T> call(what: String, ask: (CordaRPCOps) -> T): T {
        link.requireUp()
        return try {
            pool.call(what, settings.rpcTimeoutMillis) { ask(login.ops()) }
        } catch (e: Throwable) {
            throw checkLink(e)
        }
    }

    /** [problem] in our words; what looks like a broken link has it looked at. */
    private fun checkLink(problem: Throwable): Throwable {
        val ours = RpcLogin.translate(problem)
        if ((ours as? BridgeError)?.code == DoorCode.NODE_DOWN.name) {
            link.suspect()
            throw ours
        }
        return ours
    }

    private fun <T> await(future: CordaFuture<T>, millis: Long): T = future.get(millis, TimeUnit.MILLISECONDS)

    private fun unknown(what: String, name: String, known: Set<String>) =
            BridgeError.door(DoorCode.NO_SUCH_OPERATION, "There is no $what called '${name.take(MAX_SHOWN)}'; there are ${known.joinToString()}.")

    private fun text(time: Instant) = time.truncatedTo(ChronoUnit.MILLIS).toString()

    @Suppress("UNCHECKED_CAST")
    private fun typed(flow: Class<out FlowLogic<*>>) = flow as Class<FlowLogic<Any>>

    private companion object {
        const val SHORTEST_WAIT_MILLIS = 200L
        const val MAX_SHOWN = 80
    }
}
