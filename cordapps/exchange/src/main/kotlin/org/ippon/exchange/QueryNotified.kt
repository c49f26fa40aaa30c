package org.ippon.exchange

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import org.ippon.core.query.PageRequest
import org.ippon.core.query.Row
import org.ippon.core.query.Rows
import org.ippon.core.query.checkIds
import org.ippon.core.query.paged
import org.ippon.core.query.within

/** What this venue has signed, oldest first. */
@StartableByRPC
class QueryNotified(private val executionIds: List<String>?, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        checkIds("execution_ids", executionIds)
        return serviceHub.paged(
                page, "execution_id, fill_tx, status, notified_at, ended_by", "FROM exchange_fill WHERE 1 = 1${within("execution_id", executionIds)}", "notified_at, execution_id", executionIds.orEmpty()
        ) {
            Row("execution_id" to it.getString(1), "transaction_id" to it.getString(2), "status" to it.getString(3), "notified_at" to it.getTimestamp(4).toInstant(), "ended_by" to it.getString(5))
        }
    }
}
