package org.ippon.bridge.node

import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.flows.FlowLogic
import org.ippon.bridge.schema.Field
import org.ippon.bridge.schema.Fields
import org.ippon.bridge.schema.Id
import org.ippon.bridge.schema.ListOf
import org.ippon.bridge.schema.Moment
import org.ippon.bridge.schema.Network
import org.ippon.bridge.schema.TransactionIdText
import org.ippon.bridge.schema.Whole
import org.ippon.bridge.schema.WholeInt
import org.ippon.bridge.schema.Word
import org.ippon.bridge.schema.of
import org.ippon.bridge.schema.optional
import org.ippon.coin.QueryStatement
import org.ippon.core.QueryInstructions
import org.ippon.core.query.MAX_PAGE_SIZE
import org.ippon.core.query.MAX_TRANSACTIONS
import org.ippon.core.query.PageRequest
import org.ippon.core.query.QueryBalances
import org.ippon.core.query.QueryPending
import org.ippon.core.query.QueryStates
import org.ippon.core.query.QueryTransactions
import org.ippon.core.query.Rows
import org.ippon.custodian.query.QueryFills
import org.ippon.custodian.query.QueryInvestors
import org.ippon.custodian.query.QueryNotices
import org.ippon.custodian.query.QueryRoutes
import org.ippon.exchange.QueryNotified

/**
 * Something that a node can be asked: a flow that changes nothing and answers a page of rows.
 *
 * @property paged whether the flow takes the page as its last argument; the others' answers are cut here.
 */
class Query(val name: String, val role: String, val summary: String, val flow: Class<out FlowLogic<Rows>>, private val paged: Boolean, vararg own: Field) {
    private val count = own.size

    /** The arguments, page and size among them. */
    val fields = Fields(own.toList() + listOf("page" optional WholeInt(1..MAX_PAGE), "size" optional WholeInt(1..MAX_PAGE_SIZE)))

    /** The flow's constructor arguments and the page wanted. */
    fun read(json: ObjectNode, network: Network): Pair<Array<Any?>, PageRequest> {
        val values = fields.read(json, network)
        val page = PageRequest(values[count] as Int? ?: 1, values[count + 1] as Int? ?: DEFAULT_PAGE_SIZE)
        return (values.take(count) + if (paged) listOf(page) else emptyList()).toTypedArray() to page
    }

    /** What of [rows] is on [page]. */
    fun cut(rows: Rows, page: PageRequest): Rows =
            if (paged) rows else Rows(rows.rows.drop(Math.multiplyExact(page.page - 1, page.size)).take(page.size), page.page, page.size, rows.total)

    private companion object {
        /** The last row of the last page still has an Int for its number. */
        const val MAX_PAGE = Int.MAX_VALUE / MAX_PAGE_SIZE
        const val DEFAULT_PAGE_SIZE = 100
    }
}

private val executionIds = "execution_ids" optional ListOf(Id, 0..MAX_PAGE_SIZE)
private val investorIds = "investor_ids" optional ListOf(Id, 0..MAX_PAGE_SIZE)

/** Every query, by name: the third table of docs/node-operations.md. */
val QUERIES: Map<String, Query> = listOf(
        Query(
                "states", "every", "The vault as it is.", QueryStates::class.java, true,
                "type" of Word("Fill", "SecurityToken", "Coin", "FundsRoute", "TrustInstruction"), "status" of Word("UNCONSUMED", "CONSUMED", "ALL")
        ),
        Query("transactions", "every", "Transactions that this node has recorded, by id.", QueryTransactions::class.java, false, "transaction_ids" of ListOf(TransactionIdText, 0..MAX_TRANSACTIONS)),
        Query("balances", "every", "Sums per investor and security, or per investor and coin issuer.", QueryBalances::class.java, true, "asset" of Word("UNITS", "COINS"), "investor_id" optional Id),
        Query("pending", "every", "What this node has reserved or signed and not yet seen recorded or dropped.", QueryPending::class.java, false),
        Query("notified", "exchange", "What this venue has signed.", QueryNotified::class.java, true, executionIds),
        Query("fills", "custodian", "The fills of this custodian, oldest change first.", QueryFills::class.java, true, executionIds, "changed_after" optional Moment),
        Query("notices", "custodian", "Notices after a sequence number, oldest first.", QueryNotices::class.java, true, "after" of Whole(0..Long.MAX_VALUE)),
        Query("routes", "custodian", "The funds routes in force that this custodian knows.", QueryRoutes::class.java, true, investorIds),
        Query("investors", "custodian", "The investor ids of this custodian.", QueryInvestors::class.java, true, investorIds),
        Query("instructions", "custodian, coin", "Trust instructions and what became of them.", QueryInstructions::class.java, true, "instruction_ids" optional ListOf(Id, 0..MAX_PAGE_SIZE)),
        Query("statement", "coin", "The trust account's statement.", QueryStatement::class.java, true)
).associateBy { it.name }
