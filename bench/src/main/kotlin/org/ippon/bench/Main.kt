package org.ippon.bench

import net.corda.client.rpc.CordaRPCClient
import net.corda.core.messaging.CordaRPCOps
import net.corda.core.messaging.startFlow
import net.corda.core.utilities.NetworkHostAndPort
import net.corda.core.utilities.OpaqueBytes
import net.corda.core.utilities.getOrThrow
import net.corda.finance.POUNDS
import net.corda.finance.flows.CashIssueFlow
import net.corda.finance.flows.CashPaymentFlow
import java.util.concurrent.Callable
import java.util.concurrent.Executors

private const val USAGE = "arguments: HOST:PORT USER RECIPIENT COMMAND…; the user's password on standard input"

/**
 * What the bench does at a custodian's node by RPC. Commands, one after the other, each a line of JSON on standard output:
 *
 * ```
 * issue:STATES            STATES issues of cash to this node itself
 * pay:PAYMENTS:THREADS    CashPaymentFlow of one pound to RECIPIENT: how long each took, and all of them
 * split:ID:SECURITY|-:INVESTOR:PIECES:TIMES    SplitHolding, TIMES times
 * ```
 */
fun main(arguments: Array<String>) {
    require(arguments.size >= 4) { USAGE }
    val password = readLine()!!
    val connection = CordaRPCClient(NetworkHostAndPort.parse(arguments[0])).start(arguments[1], password)
    try {
        arguments.drop(3).forEach { println(run(connection.proxy, arguments[2], it.split(':'))) }
    } finally {
        connection.notifyServerAndClose()
    }
}

private fun run(node: CordaRPCOps, recipient: String, words: List<String>): String = when (words[0]) {
    "issue" -> issue(node, words[1].toInt())
    "pay" -> pay(node, recipient, words[1].toInt(), words[2].toInt())
    "split" -> split(node, words)
    else -> throw IllegalArgumentException("No command is called '${words[0]}'; $USAGE")
}

private fun issue(node: CordaRPCOps, states: Int): String {
    val notary = node.notaryIdentities().first()
    repeat(states) { node.startFlow(::CashIssueFlow, 1.POUNDS, OpaqueBytes.of(1), notary).returnValue.getOrThrow() }
    return """{"issued": $states}"""
}

private fun pay(node: CordaRPCOps, recipient: String, payments: Int, threads: Int): String {
    val party = node.partiesFromName(recipient, true).single()
    val pool = Executors.newFixedThreadPool(threads)
    val begun = System.nanoTime()
    val times = pool.invokeAll((1..payments).map { Callable { timed { node.startFlow(::CashPaymentFlow, 1.POUNDS, party, false).returnValue.getOrThrow() } } }).map { it.get() }
    val all = millis(begun)
    pool.shutdown()
    return """{"payments": $payments, "threads": $threads, "all_ms": $all, "each_ms": $times}"""
}

private fun split(node: CordaRPCOps, words: List<String>): String {
    val security = words[2].takeIf { it != "-" }
    repeat(words[5].toInt()) { turn ->
        node.startFlow(::SplitHolding, "${words[1]}-$turn", security, words[3], words[4].toInt()).returnValue.getOrThrow()
    }
    return """{"pieces": ${words[4].toInt() * words[5].toInt()}}"""
}

private fun timed(action: () -> Unit): Long {
    val begun = System.nanoTime()
    action()
    return millis(begun)
}

private fun millis(since: Long) = (System.nanoTime() - since) / 1_000_000
