package org.ippon.custodian.query

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import org.ippon.contracts.fill.Fill
import org.ippon.core.UNCONSUMED
import org.ippon.core.fillStatus
import org.ippon.core.me
import org.ippon.core.query.Field
import org.ippon.core.query.PageRequest
import org.ippon.core.query.Row
import org.ippon.core.query.Rows
import org.ippon.core.query.checkIds
import org.ippon.core.query.describe
import org.ippon.core.query.paged
import org.ippon.core.query.within
import org.ippon.core.ref
import java.time.Instant

/** The fills of this custodian, first recorded of each id only, oldest change first: see `fills` in docs/node-operations.md. */
@StartableByRPC
class QueryFills(private val executionIds: List<String>?, private val changedAfter: Instant?, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        checkIds("execution_ids", executionIds)
        val changed = "COALESCE(v.consumed_timestamp, v.recorded_timestamp)"
        val after = if (changedAfter == null) "" else " AND $changed >= ?"
        val first = "NOT EXISTS (SELECT 1 FROM ippon_fill e JOIN vault_states w ON w.transaction_id = e.transaction_id AND w.output_index = e.output_index " +
                "WHERE e.execution_id = f.execution_id AND e.venue = f.venue AND w.recorded_timestamp < v.recorded_timestamp)"
        return serviceHub.paged(
                page,
                "v.transaction_id, v.output_index, v.state_status, v.recorded_timestamp, $changed, s.spent_by, s.commands, o.trade_id, o.sell_order_id, o.buy_order_id",
                "FROM ippon_fill f JOIN vault_states v ON v.transaction_id = f.transaction_id AND v.output_index = f.output_index " +
                        "JOIN ippon_recorded k ON k.transaction_id = f.transaction_id " +
                        "LEFT JOIN ippon_spent s ON s.transaction_id = f.transaction_id AND s.output_index = f.output_index " +
                        "LEFT JOIN custodian_fill_order o ON o.execution_id = f.execution_id AND o.venue = f.venue " +
                        "WHERE $first${within("f.execution_id", executionIds)}$after",
                "5, f.execution_id", executionIds.orEmpty() + listOfNotNull(changedAfter)
        ) {
            val ref = it.ref()
            val own = listOf(
                    "ref" to "${ref.txhash}:${ref.index}", "status" to fillStatus(it.getInt(3) == UNCONSUMED, it.getString(7)), "ended_by" to it.getString(6),
                    "recorded_at" to it.getTimestamp(4).toInstant(), "changed_at" to it.getTimestamp(5).toInstant(),
                    "trade_id" to it.getString(8), "sell_order_id" to it.getString(9), "buy_order_id" to it.getString(10)
            ).map { (name, value) -> Field.of(name, value) }
            Row(describe(serviceHub.toStateAndRef<Fill>(ref).state.data).fields + own)
        }
    }
}

/** Notices after a sequence number, oldest first. */
@StartableByRPC
class QueryNotices(private val after: Long, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows = serviceHub.paged(
            page, "notice_id, noted_at, kind, execution_id, reason, missing, investor_id, counterparty", "FROM custodian_notice WHERE notice_id > ?", "notice_id", listOf(after)
    ) {
        val missing = it.getLong(6).takeUnless { _ -> it.wasNull() }
        Row(
                "sequence" to it.getLong(1), "at" to it.getTimestamp(2).toInstant(), "kind" to it.getString(3), "execution_id" to it.getString(4),
                "reason" to it.getString(5), "missing" to missing, "investor_id" to it.getString(7), "counterparty" to it.getString(8)
        )
    }
}

/** The funds routes in force that this custodian knows, its own and the others'. */
@StartableByRPC
class QueryRoutes(private val investorIds: List<String>?, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        checkIds("investor_ids", investorIds)
        return serviceHub.paged(
                page, "r.route_id, r.version, r.custodian, r.investor_id, r.institution_code, r.method",
                "FROM ippon_funds_route r JOIN vault_states v ON v.transaction_id = r.transaction_id AND v.output_index = r.output_index WHERE v.state_status = $UNCONSUMED${within("r.investor_id", investorIds)}",
                "r.custodian, r.investor_id, r.version", investorIds.orEmpty()
        ) {
            Row(
                    "route_id" to it.getString(1), "version" to it.getInt(2), "custodian" to it.getString(3), "investor_id" to it.getString(4),
                    "institution_code" to it.getString(5), "method" to it.getString(6), "own" to (it.getString(3) == serviceHub.me.name.toString())
            )
        }
    }
}

/** The investor ids of this custodian. */
@StartableByRPC
class QueryInvestors(private val investorIds: List<String>?, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        checkIds("investor_ids", investorIds)
        return serviceHub.paged(page, "investor_id, coin_investor_id, registered_at", "FROM custodian_investor WHERE 1 = 1${within("investor_id", investorIds)}", "investor_id", investorIds.orEmpty()) {
            Row("investor_id" to it.getString(1), "coin_investor_id" to it.getString(2), "registered_at" to it.getTimestamp(3).toInstant())
        }
    }
}
