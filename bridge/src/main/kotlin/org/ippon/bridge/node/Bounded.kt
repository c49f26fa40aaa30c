package org.ippon.bridge.node

import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import java.io.Closeable
import java.util.concurrent.ArrayBlockingQueue
import java.util.concurrent.ExecutionException
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.ThreadFactory
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicInteger

/** Daemon threads called after [name]. */
class NamedThreads(private val name: String) : ThreadFactory {
    private val count = AtomicInteger()
    override fun newThread(task: Runnable) = Thread(task, "$name-${count.incrementAndGet()}").apply { isDaemon = true }
}

/** At most [threads] threads, that end when idle, and at most [queue] tasks waiting for one. */
fun boundedPool(name: String, threads: Int, queue: Int): ThreadPoolExecutor =
        ThreadPoolExecutor(threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, ArrayBlockingQueue(queue), NamedThreads(name)).apply { allowCoreThreadTimeOut(true) }

private const val IDLE_SECONDS = 30L

/**
 * Runs calls that may hang, each with a time limit, so that whoever calls never does.
 *
 * @param threads calls at a time; those that hang give their thread back when the connection is dropped.
 */
class Bounded(name: String, threads: Int) : Closeable {
    private val pool = boundedPool(name, threads, threads * QUEUE_PER_THREAD)

    /** The answer of [call], called [what] in messages. @throws BridgeError NODE_TIMEOUT; else whatever [call] throws. */
    fun <T> call(what: String, timeoutMillis: Long, call: () -> T): T {
        val task = try {
            pool.submit(call)
        } catch (e: RejectedExecutionException) {
            throw BridgeError.door(DoorCode.NODE_TIMEOUT, "Too many calls are waiting for the node; $what was not begun.")
        }
        return try {
            task.get(timeoutMillis, TimeUnit.MILLISECONDS)
        } catch (e: TimeoutException) {
            task.cancel(true)
            throw BridgeError.door(DoorCode.NODE_TIMEOUT, "The node did not answer $what within $timeoutMillis ms; whether it has done it is not known.")
        } catch (e: ExecutionException) {
            throw e.cause!!
        }
    }

    override fun close() {
        pool.shutdownNow()
    }

    private companion object {
        const val QUEUE_PER_THREAD = 4
    }
}
