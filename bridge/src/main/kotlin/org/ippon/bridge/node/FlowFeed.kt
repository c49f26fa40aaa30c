package org.ippon.bridge.node

import net.corda.core.messaging.CordaRPCOps
import net.corda.core.messaging.StateMachineInfo
import net.corda.core.messaging.StateMachineUpdate
import rx.Subscription
import java.util.Collections
import java.util.LinkedHashMap
import java.util.UUID

/**
 * Turns the ends of a node's flows into [Changes]. Whatever changes a node's vault or tables is a flow of its own or
 * one that answers another node, so the end of each tells of every change; queries change nothing and are passed over,
 * or an agent's own look would wake it to look again.
 */
class FlowFeed(private val changes: Changes, private val ignored: Set<String>) {
    // Bounded: the end of a flow may be lost with the connection.
    private val ignoredRuns: MutableSet<UUID> = Collections.newSetFromMap(object : LinkedHashMap<UUID, Boolean>() {
        override fun removeEldestEntry(eldest: MutableMap.MutableEntry<UUID, Boolean>?): Boolean = size > MAX_IGNORED_RUNS
    })

    /** Listens on [ops]; [lost] is called when the feed breaks. */
    fun listen(ops: CordaRPCOps, lost: () -> Unit): Subscription {
        val feed = ops.stateMachinesFeed()
        synchronized(this) { ignoredRuns.clear() }
        feed.snapshot.forEach { began(it) }
        return feed.updates.subscribe({ hear(it) }, { lost() }, { lost() })
    }

    /** One update of the feed. */
    @Synchronized
    fun hear(update: StateMachineUpdate) = when (update) {
        is StateMachineUpdate.Added -> began(update.stateMachineInfo)
        is StateMachineUpdate.Removed -> if (!ignoredRuns.remove(update.id.uuid)) changes.grow() else Unit
    }

    @Synchronized
    private fun began(flow: StateMachineInfo) {
        if (flow.flowLogicClassName in ignored) ignoredRuns += flow.id.uuid
        // Its progress is nobody's business here, and would be kept at the node until somebody listens.
        flow.progressTrackerStepAndUpdates?.updates?.subscribe({}, {})?.unsubscribe()
    }

    private companion object {
        const val MAX_IGNORED_RUNS = 10_000
    }
}
