package org.ippon.bridge.node

import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.slf4j.LoggerFactory
import java.io.Closeable
import java.time.Clock
import java.time.Instant
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.thread
import kotlin.concurrent.withLock

/** How the link to the node is kept; all in milliseconds. */
class LinkTimes(val connectTimeoutMillis: Long, val pingIntervalMillis: Long, val pingTimeoutMillis: Long, val retryBaseMillis: Long, val retryCapMillis: Long)

/** Whether the node is there, and since when. */
class LinkState(val up: Boolean, val since: Instant)

/**
 * Keeps the bridge at its node: connects in the background, looks every few seconds whether the node still answers,
 * and when it does not drops all [logins] and connects again, each try waiting longer up to a cap.
 *
 * @param main the login that is kept connected; the others connect when first needed.
 */
class NodeLink(
        private val main: Login, private val logins: List<Login>, private val feed: FlowFeed,
        private val changes: Changes, private val times: LinkTimes, private val clock: Clock
) : Closeable {
    private val watch = Bounded("node-watch", 2)
    private val lock = ReentrantLock()
    private val called = lock.newCondition()
    private var suspected = false
    private var feedBroken = false
    private var listening = Any()
    private var lastProblem: String? = null
    @Volatile private var closed = false

    /** How it stands. */
    @Volatile var state = LinkState(false, clock.instant())
        private set

    /** Begins; returns at once. */
    fun start() {
        thread(name = "node-link", isDaemon = true) { run() }
    }

    /** @throws BridgeError NODE_DOWN unless the node is there. */
    fun requireUp() {
        val now = state
        if (!now.up) throw BridgeError.door(DoorCode.NODE_DOWN, "The bridge has had no node since ${now.since} and is connecting; nothing was asked of it.")
    }

    /** Something went wrong on the way to the node: look at once whether it is there. */
    fun suspect() = lock.withLock {
        suspected = true
        called.signalAll()
    }

    override fun close() {
        closed = true
        suspect()
        watch.close()
        logins.forEach { it.close() }
    }

    private fun run() {
        var retryMillis = times.retryBaseMillis
        while (!closed) {
            try {
                connect()
                retryMillis = times.retryBaseMillis
                stay()
            } catch (e: Throwable) {
                down(e)
            }
            rest(retryMillis)
            retryMillis = Math.min(retryMillis * 2, times.retryCapMillis)
        }
    }

    private fun connect() {
        val mine = Any()
        lock.withLock {
            listening = mine
            feedBroken = false
            suspected = false
        }
        watch.call("the bridge's login", times.connectTimeoutMillis) { feed.listen(main.ops()) { feedLost(mine) } }
        state = LinkState(true, clock.instant())
        lastProblem = null
        log.info("Connected to the node.")
        // What happened while nobody listened is not known.
        changes.grow()
    }

    /** Returns only by an exception, or when closed. */
    private fun stay() {
        while (!closed) {
            val broken = lock.withLock {
                if (!suspected && !feedBroken) called.await(times.pingIntervalMillis, TimeUnit.MILLISECONDS)
                suspected = false
                feedBroken
            }
            if (broken) throw BridgeError.door(DoorCode.NODE_DOWN, "The node's feed of flows has ended.")
            watch.call("the bridge's ping", times.pingTimeoutMillis) { main.ops().currentNodeTime() }
        }
    }

    private fun down(e: Throwable) {
        if (closed) return
        val problem = RpcLogin.translate(e).let { ours -> if (ours === e) ours.message.orEmpty() else "${ours.message} (${e.javaClass.simpleName}: ${e.message})" }
        if (problem != lastProblem) log.warn("No connection to the node: {}", problem)
        lastProblem = problem
        if (state.up) state = LinkState(false, clock.instant())
        logins.forEach { it.drop() }
    }

    private fun rest(millis: Long) = lock.withLock {
        var left = TimeUnit.MILLISECONDS.toNanos(millis)
        while (!closed && left > 0) left = called.awaitNanos(left)
    }

    private fun feedLost(whose: Any) = lock.withLock {
        // The end of a connection that was given up says nothing about the next one.
        if (whose === listening) {
            feedBroken = true
            called.signalAll()
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(NodeLink::class.java)!!
    }
}
