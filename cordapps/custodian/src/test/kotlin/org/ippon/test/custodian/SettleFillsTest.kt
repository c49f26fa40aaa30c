package org.ippon.test.custodian

import org.assertj.core.api.Assertions.assertThat
import org.ippon.core.ErrorCode
import org.ippon.core.query.PageRequest
import org.ippon.core.settlement.Outcome
import org.ippon.core.settlement.Reason
import org.ippon.custodian.query.QueryNotices
import org.junit.Test

class SettleFillsTest {
    private val network = TestNetwork

    @Test
    fun `a fill settles units against coins at once and for all`() {
        val seller = network.investor(network.custodianA)
        val buyer = network.investor(network.custodianB)
        val security = network.id("S")
        network.giveUnits(network.custodianA, seller, security, 100)
        network.giveCoins(network.custodianB, buyer, 50_000)
        val notice = network.notice(network.custodianA to seller, network.custodianB to buyer, security)
        network.notify(notice)

        val result = network.settle(network.custodianA, notice.executionId).single()

        assertThat(result.outcome).`as`(result.message).isEqualTo(Outcome.SETTLED)
        eventually { network.coins(network.custodianB, buyer).first == 40_000L }
        assertThat(network.units(network.custodianA, seller)).isEqualTo(Pair(90L, 0L))
        assertThat(network.coins(network.custodianA, seller)).isEqualTo(Pair(10_000L, 0L))
        assertThat(network.units(network.custodianB, buyer)).isEqualTo(Pair(10L, 0L))
        eventually { network.coins(network.coin, buyer).first == 40_000L && network.units(network.asset, buyer).first == 10L }
        assertThat(network.settle(network.custodianA, notice.executionId).single().transactionId).isEqualTo(result.transactionId)
        // By id: other tests of this network leave things pending on purpose.
        eventually { listOf(network.custodianA, network.custodianB, network.asset, network.coin).all { node -> network.pending(node).none { row -> notice.executionId in row.fields.single { it.name == "execution_ids" }.texts.orEmpty() } } }
    }

    @Test
    fun `a short buyer is told the exact yen, the seller only that its counterparty is short`() {
        val seller = network.investor(network.custodianA)
        val buyer = network.investor(network.custodianB)
        val security = network.id("S")
        network.giveUnits(network.custodianA, seller, security, 100)
        network.giveCoins(network.custodianB, buyer, 4_000)
        val notice = network.notice(network.custodianA to seller, network.custodianB to buyer, security)
        network.notify(notice)

        val result = network.settle(network.custodianA, notice.executionId).single()

        assertThat(result.outcome).isEqualTo(Outcome.WAITING)
        assertThat(result.reason).isEqualTo(Reason.CMON)
        assertThat(result.missing).isNull()
        eventually {
            network.custodianB.run(QueryNotices(0, PageRequest(1, 200))).rows.any { it.text("execution_id") == notice.executionId && it.text("kind") == "SHORTAGE" && it.number("missing") == 6_000L }
        }
        network.giveCoins(network.custodianB, buyer, 6_000)
        assertThat(network.settle(network.custodianA, notice.executionId).single().outcome).isEqualTo(Outcome.SETTLED)
    }

    @Test
    fun `a buyer's custodian that shares balances lets the seller's compute what is missing`() {
        val seller = network.investor(network.custodianB)
        val buyer = network.investor(network.custodianA)
        val security = network.id("S")
        network.giveUnits(network.custodianB, seller, security, 100)
        network.giveCoins(network.custodianA, buyer, 4_000)
        val notice = network.notice(network.custodianB to seller, network.custodianA to buyer, security)
        network.notify(notice)

        val result = network.settle(network.custodianB, notice.executionId).single()

        assertThat(result.reason).isEqualTo(Reason.CMON)
        assertThat(result.missing).isEqualTo(6_000L)
        assertThat(result.message).contains("holds 4000 yen of 10000")
    }

    @Test
    fun `both custodians being this node settle by the same rule`() {
        val seller = network.investor(network.custodianA)
        val buyer = network.investor(network.custodianA)
        val security = network.id("S")
        network.giveUnits(network.custodianA, seller, security, 10)
        network.giveCoins(network.custodianA, buyer, 10_000)
        val notice = network.notice(network.custodianA to seller, network.custodianA to buyer, security)
        network.notify(notice)

        val result = network.settle(network.custodianA, notice.executionId).single()

        assertThat(result.outcome).`as`(result.message).isEqualTo(Outcome.SETTLED)
        assertThat(network.units(network.custodianA, buyer).first).isEqualTo(10L)
        assertThat(network.coins(network.custodianA, seller).first).isEqualTo(10_000L)
    }

    @Test
    fun `an unknown fill is refused by name`() {
        val result = network.settle(network.custodianA, "EX-NEVER").single()
        assertThat(result.outcome).isEqualTo(Outcome.REFUSED)
        assertThat(result.cause).isEqualTo(ErrorCode.UNKNOWN_FILL)
    }
}
