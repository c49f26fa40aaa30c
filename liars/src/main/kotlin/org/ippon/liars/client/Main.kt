package org.ippon.liars.client

import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.module.kotlin.KotlinModule
import com.fasterxml.jackson.module.kotlin.readValue
import net.corda.client.rpc.CordaRPCClient
import net.corda.core.flows.FlowLogic
import net.corda.core.messaging.CordaRPCOps
import net.corda.core.utilities.NetworkHostAndPort

/** A node that lies, and how to reach it. */
data class Liar(val node: String, val address: String, val user: String, val password: String)

/** What a liar is told: a flow by its class, and its words. */
data class Order(val number: Int, val node: String, val flow: String, val words: List<String>)

private val json = ObjectMapper().registerModule(KotlinModule())

/**
 * Starts liars' flows by RPC. Standard input: first a line with the list of [Liar]s, then an [Order] a line, all JSON.
 * Standard output: `{"ready": true}`, then a line for each order when its flow has ended, in the order in which they end:
 * `{"number", "result"}` or `{"number", "error"}`.
 */
fun main(@Suppress("UNUSED_PARAMETER") arguments: Array<String>) {
    val liars: List<Liar> = json.readValue(readLine()!!)
    val connections = liars.associate { it.node to CordaRPCClient(NetworkHostAndPort.parse(it.address)).start(it.user, it.password) }
    say(mapOf("ready" to true))
    while (true) {
        val line = readLine() ?: break
        val order: Order = json.readValue(line)
        start(connections[order.node]!!.proxy, order)
    }
    connections.values.forEach { it.forceClose() }
}

private fun start(node: CordaRPCOps, order: Order) {
    try {
        val flow = Class.forName(order.flow).asSubclass(FlowLogic::class.java)
        node.startFlowDynamic(flow, order.words).returnValue.then { future ->
            try {
                say(mapOf("number" to order.number, "result" to future.get()))
            } catch (e: Exception) {
                say(mapOf("number" to order.number, "error" to (e.cause ?: e).toString()))
            }
        }
    } catch (e: Exception) {
        say(mapOf("number" to order.number, "error" to e.toString()))
    }
}

@Synchronized
private fun say(what: Map<String, Any?>) {
    println(json.writeValueAsString(what))
    System.out.flush()
}
