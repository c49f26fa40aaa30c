package org.ippon.test.bridge

import net.corda.core.CordaRuntimeException
import net.corda.core.flows.StateMachineRunId
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import net.corda.core.internal.concurrent.openFuture
import net.corda.core.concurrent.CordaFuture
import net.corda.core.context.InvocationContext
import net.corda.core.context.InvocationOrigin
import net.corda.core.crypto.generateKeyPair
import net.corda.core.flows.FlowInitiator
import net.corda.core.messaging.CordaRPCOps
import net.corda.core.messaging.FlowHandleImpl
import net.corda.core.messaging.StateMachineInfo
import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.Json
import org.ippon.bridge.maintain.Maintenance
import org.ippon.bridge.node.RpcLogin
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.recovery.RecoveryReport
import org.ippon.custodian.RecoverAsCustodian
import org.junit.Test
import java.lang.reflect.Proxy
import java.time.Duration
import java.time.Instant

/** What whoever keeps a node does to it, at a node that says what it is told to say. */
class MaintenanceTest {
    private val coin = Party(CordaX500Name("Coin Issuer", "Tokyo", "JP"), generateKeyPair().public)
    private val called = mutableListOf<String>()
    private val started = mutableListOf<List<Any?>>()
    private val running = mutableListOf<Pair<StateMachineRunId, String>>()
    private var answer: CordaFuture<Any> = openFuture()
    private var draining = false
    private var now = Instant.EPOCH

    /** Something that happens after so many looks. */
    private val later = mutableListOf<() -> Unit>()

    private val ops = Proxy.newProxyInstance(javaClass.classLoader, arrayOf(CordaRPCOps::class.java)) { _, method, arguments ->
        called += method.name
        answer(method.name, arguments.orEmpty())
    } as CordaRPCOps

    private val maintenance = Maintenance(ops, { now }) { millis ->
        now = now.plusMillis(millis)
        if (later.isNotEmpty()) later.removeAt(0)()
    }

    private fun answer(method: String, arguments: Array<out Any?>): Any? = when (method) {
        "setFlowsDrainingModeEnabled" -> { draining = arguments[0] as Boolean }
        "isFlowsDrainingModeEnabled" -> draining
        "stateMachinesSnapshot" -> running.map { (id, name) -> StateMachineInfo(id, name, FlowInitiator.Service("test"), null, InvocationContext.newInstance(InvocationOrigin.Service("test", coin.name))) }
        "killFlow" -> running.removeAll { it.first == arguments[0] }
        "wellKnownPartyFromX500Name" -> coin.takeIf { it.name == arguments[0] }
        "startFlowDynamic" -> {
            started += listOf(arguments[0]) + (arguments[1] as Array<*>).toList()
            FlowHandleImpl(RUN, answer)
        }
        else -> throw IllegalArgumentException(method)
    }

    private fun flow(name: String): StateMachineRunId = StateMachineRunId.createRandom().also { running += it to name }

    @Test
    fun `draining waits until nothing is under way, and no longer`() {
        flow("Settle")
        later += listOf({ }, { running.clear() })
        assertThat(Json.text(maintenance.drain(Duration.ofSeconds(5)))).isEqualTo("""{"draining":true,"running":[]}""")
        assertThat(now).isEqualTo(Instant.ofEpochMilli(600))
        assertThat(Json.text(maintenance.resume())).isEqualTo("""{"draining":false,"running":[]}""")
    }

    @Test
    fun `what is still under way after the limit is told, and goes on`() {
        val id = flow("Settle")
        assertThat(Json.text(maintenance.drain(Duration.ofSeconds(2)))).isEqualTo("""{"draining":true,"running":[{"run_id":"${id.uuid}","flow":"Settle"}]}""")
        assertThat(called).doesNotContain("killFlow")
    }

    @Test
    fun `only what was there at the beginning is ended, after its time`() {
        val id = flow("Old")
        flow("Ends")
        later += { running.removeAt(1); flow("New") }
        val cleared = maintenance.clear(Duration.ofSeconds(1))
        assertThat(Json.text(cleared)).isEqualTo("""{"had":2,"killed":[{"run_id":"${id.uuid}","flow":"Old"}]}""")
        assertThat(running.map { it.second }).containsExactly("New")
    }

    @Test
    fun `one flow is ended, and one that is not there is told`() {
        val id = flow("Hangs")
        assertThat(maintenance.kill(id).get("killed").booleanValue()).isTrue()
        assertThat(maintenance.kill(id).get("killed").booleanValue()).isFalse()
    }

    @Test
    fun `each member is asked by each flow, and its report told`() {
        answer = openFuture<Any>().also { it.set(RecoveryReport(coin.name.toString(), 3, 2, 1, listOf("why"))) }
        val since = Instant.parse("2026-07-01T00:00:00Z")
        val found = maintenance.recover(listOf(RecoverAsCustodian::class.java), listOf(coin.name), since, Duration.ofSeconds(1))
        assertThat(started).containsExactly(listOf(RecoverAsCustodian::class.java, coin, since))
        assertThat(Json.text(found)).isEqualTo("""{"recovered":[{"member":"O=Coin Issuer, L=Tokyo, C=JP","recorded":3,"known":2,"refused":1,"refusals":["why"]}],"unanswered":[]}""")
    }

    @Test
    fun `a member that does not answer, refuses or is not known is told, and its flow ended`() {
        val nobody = CordaX500Name("Nobody", "Tokyo", "JP")
        fun error() = maintenance.recover(listOf(RecoverAsCustodian::class.java), listOf(coin.name), null, Duration.ofMillis(10)).get("unanswered").single().get("error").get("code").textValue()
        assertThat(error()).isEqualTo("COUNTERPARTY_FAILED")
        assertThat(called).contains("killFlow")
        answer = openFuture<Any>().also { it.setException(Refusal(ErrorCode.NOT_ACCEPTED_PARTY, "not you")) }
        assertThat(error()).isEqualTo("NOT_ACCEPTED_PARTY")
        assertThat(maintenance.recover(listOf(RecoverAsCustodian::class.java), listOf(nobody), null, Duration.ofMillis(10)).get("unanswered").single().get("error").get("code").textValue()).isEqualTo("UNKNOWN_PARTY")
    }

    @Test
    fun `a node that is being drained is as good as away`() {
        val draining = CordaRuntimeException("net.corda.nodeapi.exceptions.RejectedCommandException", "Node is draining before shutdown. Cannot start new flows through RPC.", null)
        assertThat((RpcLogin.translate(draining) as org.ippon.bridge.BridgeError).code).isEqualTo("NODE_DOWN")
    }

    private companion object {
        val RUN = StateMachineRunId.createRandom()
    }
}
