package org.ippon.test.bridge

import net.corda.client.rpc.RPCException
import net.corda.core.concurrent.CordaFuture
import net.corda.core.flows.StateMachineRunId
import net.corda.core.internal.concurrent.openFuture
import net.corda.core.messaging.CordaRPCOps
import net.corda.core.messaging.DataFeed
import net.corda.core.messaging.FlowHandleImpl
import net.corda.core.messaging.FlowHandleWithClientIdImpl
import net.corda.core.messaging.StateMachineUpdate
import org.ippon.bridge.node.Login
import rx.subjects.PublishSubject
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.Proxy
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch

/** What a node answers over RPC, as far as the bridge asks. */
class FakeRpc : Login {
    /** Thrown by every call while set. */
    @Volatile var broken: Throwable? = null
    /** Holds every call while set. */
    @Volatile var hung: CountDownLatch? = null
    val started = CopyOnWriteArrayList<List<Any?>>()
    val flows = ConcurrentHashMap<String, CordaFuture<Any>>()
    @Volatile var answer: CordaFuture<Any> = openFuture()
    @Volatile var drops = 0
    @Volatile var feeds = PublishSubject.create<StateMachineUpdate>()

    override fun ops(): CordaRPCOps = Proxy.newProxyInstance(javaClass.classLoader, arrayOf(CordaRPCOps::class.java)) { _, method, arguments ->
        hung?.await()
        broken?.let { throw it }
        try {
            answer(method.name, arguments.orEmpty())
        } catch (e: InvocationTargetException) {
            throw e.targetException
        }
    } as CordaRPCOps

    override fun drop() {
        drops++
        hung?.countDown()
    }

    override fun close() = drop()

    private fun answer(method: String, arguments: Array<out Any?>): Any? = when (method) {
        "currentNodeTime" -> Instant.EPOCH
        "stateMachinesFeed" -> DataFeed(emptyList<Any>(), PublishSubject.create<StateMachineUpdate>().also { feeds = it })
        "startFlowDynamicWithClientId" -> {
            started += arguments.toList().let { it.take(2) + (it[2] as Array<*>).toList() }
            // As at a node, a caller who gives up its future does not end the flow.
            FlowHandleWithClientIdImpl(RUN, openFuture<Any>(), arguments[0] as String)
        }
        "reattachFlowWithClientId" -> flows[arguments[0] as String]?.let { FlowHandleWithClientIdImpl(RUN, copy(it), arguments[0] as String) }
        "startFlowDynamic" -> {
            started += listOf(arguments[0]) + (arguments[1] as Array<*>).toList()
            FlowHandleImpl(RUN, copy(answer))
        }
        "removeClientId" -> flows.remove(arguments[0] as String) != null
        "finishedFlowsWithClientIds" -> flows.mapValues { true }
        "killFlow" -> arguments[0] == RUN
        else -> throw RPCException("The fake node has no $method.")
    }

    private fun copy(of: CordaFuture<Any>): CordaFuture<Any> = openFuture<Any>().also { it.captureLater(of) }

    companion object {
        val RUN = StateMachineRunId.createRandom()
    }
}
