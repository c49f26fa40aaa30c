package org.ippon.test.bridge

import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.crypto.generateKeyPair
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import org.ippon.bridge.Json
import org.ippon.bridge.NodeOperations
import org.ippon.bridge.schema.Network
import java.util.UUID

/** A network of named parties. */
class FakeNetwork(vararg organisations: String) : Network {
    private val parties = organisations.map { Party(CordaX500Name(it, "Tokyo", "JP"), generateKeyPair().public) }
    override fun party(name: String): Party? = parties.firstOrNull { it.name.organisation == name || it.name.toString() == name }
}

/** A node that notes what it was asked, and answers as told. */
class FakeNode(var status: String = "up") : NodeOperations {
    val asked = mutableListOf<String>()
    var failure: Throwable? = null
    var waitSeconds = 0L

    private fun note(what: String): ObjectNode {
        synchronized(asked) { asked += what }
        failure?.let { throw it }
        return Json.obj().put("asked", what)
    }

    override fun health(): ObjectNode = Json.obj().put("status", status).put("organisation", "fake").put("since", "2026-07-01T00:00:00Z")
    override fun node() = note("node")
    override fun start(operation: String, clientId: String, arguments: ObjectNode) = note("start $operation $clientId ${Json.text(arguments)}")
    override fun result(clientId: String, waitMillis: Long) = note("result $clientId $waitMillis")
    override fun forget(clientId: String) = note("forget $clientId")
    override fun finished() = note("finished")
    override fun query(name: String, arguments: ObjectNode) = note("query $name ${Json.text(arguments)}")
    override fun wait(after: Long, waitMillis: Long): ObjectNode {
        Thread.sleep(waitSeconds * 1000)
        return note("wait $after $waitMillis")
    }
    override fun kill(runId: UUID) = note("kill $runId")
}
