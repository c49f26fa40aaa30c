package org.ippon.test.custodian

import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
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
            TestNetwork.nodes.forEach { assertBooksMatchVault(it) }
            try {
                eventually { (left() - before).isEmpty() }
            } catch (e: IllegalStateException) {
                throw AssertionError("Left over: ${left() - before}")
            }
        }
    }

    /** Holdings and totals say what the vault says; a node that records between the two looks is looked at again. */
    private fun assertBooksMatchVault(node: StartedMockNode) {
        repeat(LOOKS - 1) {
            try {
                return look(node)
            } catch (e: AssertionError) {
                Thread.sleep(LOOK_AGAIN_MILLIS)
            }
        }
        look(node)
    }

    private fun look(node: StartedMockNode): Unit = node.transaction {
        val vault = sums(node, "SELECT 'UNITS', s.investor_id, SUM(s.units), COUNT(*) FROM ippon_security_token s $VAULT GROUP BY s.investor_id") +
                sums(node, "SELECT 'COINS', s.investor_id, SUM(s.amount), COUNT(*) FROM ippon_coin s $VAULT GROUP BY s.investor_id")
        val totals = sums(node, "SELECT asset, investor_id, SUM(total), SUM(states) FROM ippon_total WHERE states > 0 GROUP BY asset, investor_id")
        assertThat(totals).`as`(node.party.name.organisation).isEqualTo(vault)
        Unit
    }

    private fun sums(node: StartedMockNode, sql: String) = node.services.select(sql) { listOf(it.getString(1), it.getString(2), it.getLong(3), it.getLong(4)) }.toSet()

    private companion object {
        const val LOOKS = 20
        const val LOOK_AGAIN_MILLIS = 200L
        const val VAULT = "JOIN vault_states v ON v.transaction_id = s.transaction_id AND v.output_index = s.output_index " +
                "JOIN ippon_recorded r ON r.transaction_id = s.transaction_id WHERE v.state_status = $UNCONSUMED AND v.relevancy_status = 0"
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
