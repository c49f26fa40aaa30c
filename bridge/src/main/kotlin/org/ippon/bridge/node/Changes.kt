package org.ippon.bridge.node

import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/**
 * A number that grows with every change at the node, and those who wait for it to grow.
 *
 * @param first where it starts; larger than any of the bridge's former lives, so that nobody waits for a number of those.
 */
class Changes(first: Long) {
    private val lock = ReentrantLock()
    private val grown = lock.newCondition()
    private var sequence = first
    private var closed = false

    /** Something has changed, or may have. */
    fun grow() = lock.withLock {
        sequence++
        grown.signalAll()
    }

    /** The sequence: at once when it is not [after], else when it grows or [waitMillis] are over. */
    fun await(after: Long, waitMillis: Long): Long = lock.withLock {
        var left = TimeUnit.MILLISECONDS.toNanos(waitMillis)
        while (sequence == after && left > 0 && !closed) left = grown.awaitNanos(left)
        sequence
    }

    /** Lets everybody go who waits, for good. */
    fun close() = lock.withLock {
        closed = true
        grown.signalAll()
    }

    companion object {
        private const val STEPS_PER_MILLI = 1000L

        /** A first sequence for a bridge that starts at [epochMillis]: larger than the last of one that started before. */
        fun firstAt(epochMillis: Long, random: java.util.Random): Long = epochMillis * STEPS_PER_MILLI + random.nextInt(STEPS_PER_MILLI.toInt())
    }
}
