package org.ippon.test.custodian

import org.ippon.coin.QueryStatement
import org.ippon.core.ErrorCode
import org.ippon.core.QueryInstructions
import org.ippon.core.query.PageRequest
import org.ippon.core.query.QueryBalances
import org.ippon.core.query.QueryTransactions
import org.ippon.custodian.query.QueryFills
import org.ippon.custodian.query.QueryInvestors
import org.ippon.custodian.query.QueryRoutes
import org.ippon.exchange.QueryNotified
import org.junit.Test

/** A limit on every query: its page, its ids. */
class QueriesTest {
    private val network = TestNetwork
    private val a = network.custodianA
    private val page = PageRequest()

    @Test
    fun `pages that no query has are refused`() {
        refused(ErrorCode.BAD_REQUEST, "page") { network.coin.run(QueryStatement(PageRequest(0, 10))) }
        listOf(0, 201).forEach { size -> refused(ErrorCode.BAD_REQUEST, "size") { network.coin.run(QueryStatement(PageRequest(1, size))) } }
        refused(ErrorCode.BAD_REQUEST, "page") { a.run(QueryBalances("UNITS", null, PageRequest(0, 10))) }
    }

    @Test
    fun `more ids than a page has rows are refused`() {
        val ids = (0..200).map { "X-$it" }
        refused(ErrorCode.TOO_MANY, "execution_ids") { a.run(QueryFills(ids, null, page)) }
        refused(ErrorCode.TOO_MANY, "investor_ids") { a.run(QueryRoutes(ids, page)) }
        refused(ErrorCode.TOO_MANY, "investor_ids") { a.run(QueryInvestors(ids, page)) }
        refused(ErrorCode.TOO_MANY, "instruction_ids") { a.run(QueryInstructions(ids, page)) }
        refused(ErrorCode.TOO_MANY, "execution_ids") { network.exchange.run(QueryNotified(ids, page)) }
        refused(ErrorCode.TOO_MANY, "transaction_ids") { a.run(QueryTransactions((0..100).map { "0".repeat(64) })) }
    }
}
