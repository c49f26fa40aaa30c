package org.ippon.test.bridge

import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.Json
import org.ippon.core.ErrorCode
import org.ippon.core.query.Row
import org.ippon.core.query.Rows
import org.ippon.core.settlement.FillResult
import org.ippon.core.settlement.Outcome
import org.ippon.core.settlement.Reason
import org.ippon.core.settlement.SettlementResults
import org.junit.Test
import java.time.Instant

class JsonTest {
    @Test
    fun `rows become objects, whatever a field holds`() {
        val row = Row(
                "text" to "a", "number" to 9_007_199_254_740_993L, "count" to 3, "flag" to false, "nothing" to null, "time" to Instant.EPOCH,
                "nested" to Row("from" to null), "list" to listOf(Row("ref" to "x:0")), "texts" to listOf("a", "b"), "empty" to emptyList<Any>()
        )
        assertThat(Json.text(Json.rows(Rows(listOf(row), 2, 50, 51)))).isEqualTo(
                """{"page":2,"size":50,"total":51,"rows":[{"text":"a","number":9007199254740993,"count":3,"flag":false,"nothing":null,"time":"1970-01-01T00:00:00Z",""" +
                        """"nested":{"from":null},"list":[{"ref":"x:0"}],"texts":["a","b"],"empty":[]}]}"""
        )
    }

    @Test
    fun `a flow's report becomes snake case with whole numbers and words`() {
        val results = SettlementResults(listOf(FillResult("EX-1", Outcome.WAITING, Reason.CONF, ErrorCode.ROUTE_BANK, null, null, "a bank route"), FillResult("EX-2", Outcome.WAITING, Reason.LACK, null, 30, null, "")))
        assertThat(Json.text(Json.report(results))).isEqualTo(
                """{"results":[{"execution_id":"EX-1","outcome":"WAITING","reason":"CONF","cause":"ROUTE_BANK","missing":null,"transaction_id":null,"message":"a bank route"},""" +
                        """{"execution_id":"EX-2","outcome":"WAITING","reason":"LACK","cause":null,"missing":30,"transaction_id":null,"message":""}]}"""
        )
    }
}
