package org.ippon.test.bridge

import net.corda.client.rpc.ConnectionFailureException
import net.corda.client.rpc.PermissionException
import net.corda.client.rpc.RPCException
import net.corda.core.internal.concurrent.doneFuture
import net.corda.core.internal.concurrent.openFuture
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.catchThrowable
import org.ippon.bridge.BridgeError
import org.ippon.bridge.Json
import org.ippon.bridge.NodeOperations
import org.ippon.bridge.Role
import org.ippon.bridge.node.Changes
import org.ippon.bridge.node.LinkTimes
import org.ippon.bridge.node.NodeSettings
import org.ippon.bridge.node.RpcNode
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.query.PageRequest
import org.ippon.core.query.QueryPending
import org.ippon.core.query.Row
import org.ippon.core.query.Rows
import org.ippon.custodian.fill.AcceptReversal
import org.ippon.custodian.fill.AcceptanceReport
import org.ippon.custodian.query.QueryFills
import org.junit.After
import org.junit.Test
import java.time.Clock
import java.util.concurrent.CountDownLatch

class RpcNodeTest {
    private val rpc = FakeRpc()
    private val changes = Changes(100)
    private val settings = NodeSettings("fake", LinkTimes(500, 50, 300, 20, 100), 300, 2, 1000)
    private val bridge = RpcNode(settings, Role.values().associate { Pair(it, rpc) }, changes, Clock.systemUTC())
    private val node: NodeOperations = bridge.operations.getValue(Role.AGENT)

    @After
    fun close() = bridge.close()

    private fun status() = node.health().get("status").asText()

    private fun await(status: String) {
        val until = System.nanoTime() + 10_000_000_000
        while (status() != status) {
            assertThat(System.nanoTime()).describedAs("waiting for $status").isLessThan(until)
            Thread.sleep(10)
        }
    }

    private fun connected() = also {
        bridge.start()
        await("up")
    }

    private fun code(call: () -> Any): String = (catchThrowable { call() } as BridgeError).code

    private fun json(text: String) = Json.read(text.toByteArray())

    @Test
    fun `it connects as soon as the node is there, and says so`() {
        rpc.broken = RPCException("Cannot connect to server(s).")
        bridge.start()
        Thread.sleep(200)
        assertThat(status()).isEqualTo("connecting")
        assertThat(code { node.finished() }).isEqualTo("NODE_DOWN")
        rpc.broken = null
        await("up")
        assertThat(changes.await(100, 10_000)).isGreaterThan(100)
    }

    @Test
    fun `a node that dies is noticed by the call or the ping, and found again`() {
        connected()
        val before = changes.await(100, 10_000)
        rpc.broken = ConnectionFailureException()
        assertThat(code { node.finished() }).isEqualTo("NODE_DOWN")
        await("connecting")
        assertThat(rpc.drops).isGreaterThan(0)
        rpc.broken = null
        await("up")
        assertThat(changes.await(before, 10_000)).isGreaterThan(before)
    }

    @Test
    fun `a feed that breaks is listened to anew`() {
        connected()
        val feed = rpc.feeds
        feed.onError(ConnectionFailureException())
        val until = System.nanoTime() + 10_000_000_000
        while (rpc.feeds === feed && System.nanoTime() < until) Thread.sleep(10)
        assertThat(rpc.feeds).isNotSameAs(feed)
        await("up")
    }

    @Test
    fun `a node that hangs hangs nobody`() {
        connected()
        rpc.hung = CountDownLatch(1)
        val started = System.nanoTime()
        assertThat(code { node.finished() }).isIn("NODE_TIMEOUT", "NODE_DOWN")
        assertThat(System.nanoTime() - started).isLessThan(2_000_000_000)
        await("connecting")
        rpc.hung = null
        await("up")
        node.finished()
    }

    @Test
    fun `a start hands the flow its arguments under the client id`() {
        connected()
        val started = node.start("accept_reversal", "c:1", json("""{"reverses":"EX-0","execution_id":"EX-1"}"""))
        assertThat(rpc.started).containsExactly(listOf("c:1", AcceptReversal::class.java, "EX-1", "EX-0"))
        assertThat(Json.text(started)).isEqualTo("""{"client_id":"c:1","run_id":"${FakeRpc.RUN.uuid}"}""")
        assertThat(code { node.start("nothing", "c:2", json("{}")) }).isEqualTo("NO_SUCH_OPERATION")
        assertThat(code { node.start("accept_reversal", "c:3", json("{}")) }).isEqualTo("BAD_REQUEST")
        assertThat(rpc.started).hasSize(1)
    }

    @Test
    fun `a result is running, done, failed or unknown`() {
        connected()
        rpc.flows["running"] = openFuture()
        rpc.flows["done"] = doneFuture(AcceptanceReport(true) as Any)
        rpc.flows["refused"] = openFuture<Any>().also { it.setException(Refusal(ErrorCode.UNKNOWN_FILL, "no such fill", "reverses")) }
        rpc.flows["cut"] = openFuture<Any>().also { it.setException(ConnectionFailureException()) }
        assertThat(Json.text(node.result("running", 50))).isEqualTo("""{"client_id":"running","status":"running"}""")
        assertThat(Json.text(node.result("done", 0))).isEqualTo("""{"client_id":"done","status":"done","result":{"accepted":true}}""")
        assertThat(Json.text(node.result("refused", 0))).isEqualTo("""{"client_id":"refused","status":"failed","error":{"code":"UNKNOWN_FILL","message":"no such fill","field":"reverses"}}""")
        assertThat(Json.text(node.result("nobody", 0))).isEqualTo("""{"client_id":"nobody","status":"unknown"}""")
        assertThat(code { node.result("cut", 0) }).isEqualTo("NODE_DOWN")
        await("up")
        assertThat(node.finished().get("flows").map { it.get("client_id").asText() }).containsExactly("cut", "done", "refused", "running")
        assertThat(node.forget("done").get("removed").asBoolean()).isTrue()
        assertThat(node.forget("done").get("removed").asBoolean()).isFalse()
    }

    @Test
    fun `a query answers its page, and a refusal of its arguments is an error`() {
        connected()
        rpc.answer = doneFuture(Rows(listOf(Row("execution_id" to "EX-1")), 2, 10, 11) as Any)
        val page = node.query("fills", json("""{"page":2,"size":10}"""))
        assertThat(rpc.started.single()).containsExactly(QueryFills::class.java, null, null, PageRequest(2, 10))
        assertThat(page.get("total").asInt()).isEqualTo(11)
        rpc.answer = openFuture<Any>().also { it.setException(Refusal(ErrorCode.TOO_MANY, "too many", "execution_ids")) }
        assertThat(code { node.query("fills", json("{}")) }).isEqualTo("TOO_MANY")
        assertThat(code { node.query("nothing", json("{}")) }).isEqualTo("NO_SUCH_OPERATION")
    }

    @Test
    fun `what a node does not page is paged here`() {
        connected()
        rpc.answer = doneFuture(Rows((1..5).map { Row("run_id" to "$it") }, 1, 200, 5) as Any)
        val page = node.query("pending", json("""{"page":2,"size":2}"""))
        assertThat(rpc.started.single()).containsExactly(QueryPending::class.java)
        assertThat(Json.text(page)).isEqualTo("""{"page":2,"size":2,"total":5,"rows":[{"run_id":"3"},{"run_id":"4"}]}""")
        assertThat(node.query("pending", json("""{"page":10737418,"size":200}""")).get("rows").size()).isEqualTo(0)
    }

    @Test
    fun `a query that the node does not end in time is given up`() {
        connected()
        rpc.answer = openFuture()
        assertThat(code { node.query("fills", json("{}")) }).isEqualTo("NODE_TIMEOUT")
        assertThat(status()).isEqualTo("up")
    }

    @Test
    fun `what the node's permissions forbid is forbidden`() {
        connected()
        rpc.broken = PermissionException("User not authorized to perform RPC call")
        assertThat(code { node.finished() }).isEqualTo("FORBIDDEN")
        rpc.broken = null
    }

    @Test
    fun `the operator ends a flow`() {
        connected()
        val operator = bridge.operations.getValue(Role.OPERATOR)
        assertThat(operator.kill(FakeRpc.RUN.uuid).get("killed").asBoolean()).isTrue()
    }
}
