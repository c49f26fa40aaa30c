package org.ippon.bridge.maintain

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StateMachineRunId
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import net.corda.core.messaging.CordaRPCOps
import org.ippon.bridge.Json
import org.ippon.bridge.node.FlowProblem
import java.time.Duration
import java.time.Instant
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/**
 * What whoever keeps a node does to it, over an RPC login of its own that may do no more: drain it before it is stopped
 * for an upgrade or a backup, clear what a restored backup left under way, and have it learn what it has lost. No door of
 * a bridge leads here.
 *
 * @param pause waits between two looks, in milliseconds; handed in, as is the [clock].
 */
class Maintenance(private val ops: CordaRPCOps, private val clock: () -> Instant, private val pause: (Long) -> Unit) {

    /** The flows under way, whether new ones are taken, and the CorDapps with their versions. */
    fun status(): ObjectNode {
        val diagnosis = ops.nodeDiagnosticInfo()
        val cordapps = Json.array()
        diagnosis.cordapps.sortedBy { it.shortName }.forEach {
            cordapps.add(Json.obj().put("name", it.shortName).put("version", it.version).put("jar_hash", it.jarHash.toString()))
        }
        return standing().put("corda_version", diagnosis.version).put("platform_version", diagnosis.platformVersion).also { it.set<JsonNode>("cordapps", cordapps) }
    }

    /** Takes no new flow, neither by RPC nor from another node, and waits until those under way have ended, for at most [limit]. The state outlives a restart. */
    fun drain(limit: Duration): ObjectNode {
        ops.setFlowsDrainingModeEnabled(true)
        await(limit)
        return standing()
    }

    /** Takes new flows again; what other nodes have sent meanwhile comes now. */
    fun resume(): ObjectNode {
        ops.setFlowsDrainingModeEnabled(false)
        return standing()
    }

    /** Ends the flow [runId], one that hangs or stands in the hospital; what it had reserved is free. */
    fun kill(runId: StateMachineRunId): ObjectNode = Json.obj().put("killed", ops.killFlow(runId))

    /**
     * Ends what a restored backup had under way, after [limit] to end by itself: its counterparties have answered in an
     * earlier life of this node and will not answer again. What became of it, the others tell ([recover]).
     */
    fun clear(limit: Duration): ObjectNode {
        val before = running().toMap()
        await(limit)
        val left = running().filter { it.first in before }
        val killed = left.filter { ops.killFlow(it.first) }
        return Json.obj().put("had", before.size).also { it.set<JsonNode>("killed", flows(killed)) }
    }

    /**
     * Asks each of [members] for what this node has lost, by each of [flows], and gives one that does not answer within
     * [limit] up: it may be down, and is asked another time.
     */
    fun recover(flows: List<Class<out FlowLogic<*>>>, members: List<CordaX500Name>, since: Instant?, limit: Duration): ObjectNode {
        val reports = Json.array()
        val unanswered = Json.array()
        for (flow in flows) for (name in members) {
            val member = ops.wellKnownPartyFromX500Name(name)
            val report = if (member == null) failed(name, "UNKNOWN_PARTY", "$name is not in the network map.") else recover(flow, member, since, limit)
            if (report.has("error")) unanswered.add(report) else reports.add(report)
        }
        return Json.obj().also {
            it.set<JsonNode>("recovered", reports)
            it.set<JsonNode>("unanswered", unanswered)
        }
    }

    private fun recover(flow: Class<out FlowLogic<*>>, member: Party, since: Instant?, limit: Duration): ObjectNode {
        val handle = ops.startFlowDynamic(flow, member, since)
        return try {
            Json.report(handle.returnValue.get(limit.toMillis(), TimeUnit.MILLISECONDS)!!) as ObjectNode
        } catch (e: TimeoutException) {
            ops.killFlow(handle.id)
            failed(member.name, "COUNTERPARTY_FAILED", "${member.name} has not answered within ${limit.seconds} s.")
        } catch (e: ExecutionException) {
            val problem = FlowProblem.of(e.cause!!)
            failed(member.name, problem.code, problem.message!!)
        } finally {
            handle.close()
        }
    }

    private fun failed(name: CordaX500Name, code: String, message: String): ObjectNode =
            Json.obj().put("member", name.toString()).also { it.set<JsonNode>("error", Json.obj().put("code", code).put("message", message)) }

    private fun await(limit: Duration) {
        val until = clock().plus(limit)
        while (running().isNotEmpty() && clock().isBefore(until)) pause(LOOK_MILLIS)
    }

    private fun standing(): ObjectNode = Json.obj().put("draining", ops.isFlowsDrainingModeEnabled()).also { it.set<JsonNode>("running", flows(running())) }

    private fun running(): List<Pair<StateMachineRunId, String>> = ops.stateMachinesSnapshot().map { it.id to it.flowLogicClassName }

    private fun flows(found: List<Pair<StateMachineRunId, String>>): ArrayNode = Json.array().also { list ->
        found.sortedBy { it.second }.forEach { (id, name) -> list.add(Json.obj().put("run_id", id.uuid.toString()).put("flow", name)) }
    }

    private companion object {
        const val LOOK_MILLIS = 300L
    }
}
