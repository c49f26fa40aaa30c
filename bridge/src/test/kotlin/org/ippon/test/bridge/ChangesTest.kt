package org.ippon.test.bridge

import net.corda.core.context.InvocationContext
import net.corda.core.context.InvocationOrigin
import net.corda.core.flows.FlowInitiator
import net.corda.core.flows.StateMachineRunId
import net.corda.core.messaging.StateMachineInfo
import net.corda.core.messaging.StateMachineUpdate
import net.corda.core.utilities.Try
import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.node.Changes
import org.ippon.bridge.node.FlowFeed
import org.junit.Test
import java.util.Random
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

class ChangesTest {
    private val changes = Changes(100)

    @Test
    fun `who is behind or ahead is answered at once`() {
        assertThat(changes.await(99, 30_000)).isEqualTo(100)
        assertThat(changes.await(1000, 30_000)).isEqualTo(100)
    }

    @Test
    fun `who is not waits for a change, or for the end of the wait`() {
        assertThat(changes.await(100, 20)).isEqualTo(100)
        val pool = Executors.newSingleThreadExecutor()
        val waiting = pool.submit<Long> { changes.await(100, 30_000) }
        changes.grow()
        assertThat(waiting.get(5, TimeUnit.SECONDS)).isEqualTo(101)
        pool.shutdown()
    }

    @Test
    fun `a later life begins with a larger number`() {
        assertThat(Changes.firstAt(1_800_000_000_001, Random(1))).isGreaterThan(Changes.firstAt(1_800_000_000_000, Random(2)))
        assertThat(Changes.firstAt(1_800_000_000_000, Random(1))).isNotEqualTo(Changes.firstAt(1_800_000_000_000, Random(2)))
    }

    @Test
    fun `every flow's end is a change, but not a query's`() {
        val feed = FlowFeed(changes, setOf("Query"))
        val (query, other, unseen) = (1..3).map { StateMachineRunId.createRandom() }
        feed.hear(added(query, "Query"))
        feed.hear(added(other, "Other"))
        feed.hear(StateMachineUpdate.Removed(query, Try.Success(Unit)))
        assertThat(changes.await(0, 0)).isEqualTo(100)
        feed.hear(StateMachineUpdate.Removed(other, Try.Success(Unit)))
        assertThat(changes.await(0, 0)).isEqualTo(101)
        feed.hear(StateMachineUpdate.Removed(unseen, Try.Success(Unit)))
        assertThat(changes.await(0, 0)).isEqualTo(102)
    }

    private fun added(id: StateMachineRunId, flow: String) = StateMachineUpdate.Added(StateMachineInfo(
            id, flow, FlowInitiator.Shell, null, InvocationContext.newInstance(InvocationOrigin.Shell)
    ))
}
