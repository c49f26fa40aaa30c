package org.ippon.test.custodian

import net.corda.testing.node.StartedMockNode
import org.ippon.core.UNCONSUMED
import org.ippon.core.pending
import org.ippon.core.select
import org.junit.rules.TestRule
import org.junit.runner.Description
import org.junit.runners.model.Statement

/** After every test that passes (spec I10): nobody has anything reserved, signed or awaited that was not so before. */
class NothingLeft : TestRule {
    override fun apply(base: Statement, description: Description) = object : Statement() {
        override fun evaluate() {
            val before = left()
            base.evaluate()
            try {
                eventually { (left() - before).isEmpty() }
            } catch (e: IllegalStateException) {
                throw AssertionError("Left over: ${left() - before}")
            }
        }
    }

    private fun left(): Set<String> = TestNetwork.nodes.flatMap { pendings(it) + locks(it) }.toSet()

    private fun pendings(node: StartedMockNode) = node.transaction {
        node.services.pending().map { "${node.party.name.organisation}: ${it.kind} of run ${it.runId} for ${it.executionIds} ${it.transactionId}" }
    }

    private fun locks(node: StartedMockNode) = node.transaction {
        node.services.select("SELECT transaction_id, output_index, lock_id FROM vault_states WHERE lock_id IS NOT NULL AND state_status = $UNCONSUMED") {
            "${node.party.name.organisation}: ${it.getString(1)}:${it.getInt(2)} locked by ${it.getString(3)}"
        }
    }
}
