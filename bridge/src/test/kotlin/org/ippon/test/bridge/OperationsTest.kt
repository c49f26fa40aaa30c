package org.ippon.test.bridge

import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.catchThrowable
import org.ippon.bridge.BridgeError
import org.ippon.bridge.Json
import org.ippon.bridge.node.OPERATIONS
import org.ippon.bridge.node.QUERIES
import org.ippon.bridge.schema.Network
import org.ippon.core.query.PageRequest
import org.ippon.custodian.InvestorEntry
import org.ippon.exchange.FillNotice
import org.junit.Test
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate

private const val FILL = """{"execution_id":"EX-1","platform_code":"IPPON","security_code":"ST001","quantity":10,"unit_price":"1000.5","amount":10005,
"seller_custodian":"O=Custodian A,L=Tokyo,C=JP","seller_investor_id":"A-1","buyer_custodian":"Custodian B","buyer_investor_id":"B-1",
"trade_date":"2026-07-01","executed_at":"2026-07-01T00:15:00.123Z","settle_date":"2026-07-03","trade_id":"T-1","sell_order_id":"S-1","buy_order_id":"B-1"}"""

class OperationsTest {
    private val network = FakeNetwork("Custodian A", "Custodian B")

    private fun read(operation: String, json: String) = OPERATIONS.getValue(operation).read(Json.read(json.toByteArray()), network)

    private fun refused(operation: String, json: String): BridgeError = catchThrowable { read(operation, json) } as? BridgeError
            ?: throw AssertionError("$operation took ${json.take(1000)}")

    /** [FILL] with one value replaced, as text: a tree would write 1.0 as 1. */
    private fun fillWith(name: String, value: String): String {
        val rest = Json.text(Json.read(FILL.toByteArray()).also { it.remove(name) })
        return rest.dropLast(1) + ",\"$name\":$value}"
    }

    @Test
    fun `a fill becomes the flow's notice`() {
        assertThat(read("notify_fill", FILL)).containsExactly(FillNotice(
                "EX-1", "IPPON", "ST001", 10, BigDecimal("1000.50"), 10005, "O=Custodian A, L=Tokyo, C=JP", "A-1", "Custodian B", "B-1",
                LocalDate.of(2026, 7, 1), Instant.parse("2026-07-01T00:15:00.123Z"), LocalDate.of(2026, 7, 3), "T-1", "S-1", "B-1", null, null
        ))
    }

    @Test
    fun `a reversal is read, and its fields are checked`() {
        val notice = read("notify_fill", fillWith("reverses", """{"execution_id":"EX-0","reason":"wrong price"}""")).single() as FillNotice
        assertThat(notice.reverses!!.executionId).isEqualTo("EX-0")
        assertThat(refused("notify_fill", fillWith("reverses", """{"execution_id":"EX-0","reason":""}""")).field).isEqualTo("reverses.reason")
    }

    @Test
    fun `a value of the wrong kind is refused with its field`() {
        val bad = mapOf(
                "quantity" to listOf("1.0", "1e3", "\"10\"", "9223372036854775808", "0", "-1", "true", "null", "[1]", "{}"),
                "unit_price" to listOf("1000.5", "1000", "\"1000.505\"", "\"-1\"", "\"1e3\"", "\"1,000\"", "\"\"", "\"${"9".repeat(16)}\"", "\" 1\""),
                "amount" to listOf("10005.0", "123456789012345678901234567890"),
                "trade_date" to listOf("\"2026-02-30\"", "\"2026-7-1\"", "20260701", "\"+12026-07-01\""),
                "executed_at" to listOf("\"2026-07-01T00:15:00+09:00\"", "\"2026-07-01\"", "\"2026-07-01T25:00:00Z\"", "0"),
                "execution_id" to listOf("\"${"a".repeat(65)}\"", "\"\"", "\"a b\"", "\"-a\"", "7", "\"a\\u0000\""),
                "token_transaction_id" to listOf("\"abc\"", "\"${"g".repeat(64)}\""),
                "seller_custodian" to listOf("\"\"", "\"${"a".repeat(256)}\"", "1")
        )
        bad.forEach { field, values ->
            values.forEach { value ->
                val error = refused("notify_fill", fillWith(field, value))
                assertThat(error.code).describedAs("$field $value").isEqualTo("BAD_REQUEST")
                assertThat(error.field).describedAs("$field $value").isEqualTo(field)
                assertThat(error.status).isEqualTo(400)
            }
        }
    }

    @Test
    fun `a field too many, too few or twice is refused`() {
        assertThat(refused("bust_fill", """{"execution_id":"EX-1","reason":"x","force":true}""").field).isEqualTo("force")
        assertThat(refused("bust_fill", """{"execution_id":"EX-1"}""").field).isEqualTo("reason")
        assertThat(refused("bust_fill", """{"execution_id":"EX-1","reason":"x","reason":"y"}""").code).isEqualTo("BAD_REQUEST")
        assertThat(refused("bust_fill", """{"execution_id":"EX-1","reason":"x"} {}""").code).isEqualTo("BAD_REQUEST")
        assertThat(refused("bust_fill", """[]""").message).contains("a list")
        assertThat(refused("bust_fill", """{"execution_id":"EX-1",""").code).isEqualTo("BAD_REQUEST")
    }

    @Test
    fun `nesting without end is refused and breaks nothing`() {
        assertThat(refused("bust_fill", """{"execution_id":""" + "[".repeat(400_000)).code).isEqualTo("BAD_REQUEST")
        assertThat(refused("bust_fill", """{"execution_id":${"[".repeat(200_000)}${"]".repeat(200_000)},"reason":"x"}""").field).isEqualTo("execution_id")
    }

    @Test
    fun `a list too long is refused, one too short as well`() {
        val ids = (1..201).joinToString(",", "[", "]") { "\"EX-$it\"" }
        assertThat(refused("settle_fills", """{"execution_ids":$ids}""").code).isEqualTo("TOO_MANY")
        assertThat(refused("settle_fills", """{"execution_ids":[]}""").field).isEqualTo("execution_ids")
        assertThat(refused("settle_fills", """{"execution_ids":["a", 1]}""").field).isEqualTo("execution_ids[1]")
        assertThat(read("settle_fills", """{"execution_ids":["a","b"]}""")).containsExactly(listOf("a", "b"))
    }

    @Test
    fun `objects in lists are read one by one`() {
        assertThat(read("register_investors", """{"investors":[{"investor_id":"A-1"},{"investor_id":"A-2","coin_investor_id":"C-2"}]}"""))
                .containsExactly(listOf(InvestorEntry("A-1", null), InvestorEntry("A-2", "C-2")))
        assertThat(refused("register_investors", """{"investors":[{"investor_id":"A-1","name":"Taro"}]}""").field).isEqualTo("investors[0].name")
    }

    @Test
    fun `a party is found by organisation or X500 name, or refused as unknown`() {
        val party = network.party("Custodian B")!!
        assertThat(read("announce_funds", """{"custodian":"Custodian B","execution_ids":["a"]}""").first()).isEqualTo(party)
        assertThat(read("announce_funds", """{"custodian":"O=Custodian B, L=Tokyo, C=JP","execution_ids":["a"]}""").first()).isEqualTo(party)
        val error = refused("announce_funds", """{"custodian":"Custodian C","execution_ids":["a"]}""")
        assertThat(listOf(error.code, error.field)).containsExactly("UNKNOWN_PARTY", "custodian")
    }

    @Test
    fun `every operation's arguments fit one constructor of its flow`() {
        OPERATIONS.values.forEach { operation ->
            val arguments = read(operation.name, Json.text(Samples.of(operation.fields)))
            assertThat(Samples.fitting(operation.flow, arguments)).describedAs(operation.name).hasSize(1)
        }
    }

    @Test
    fun `every query's arguments fit one constructor of its flow`() {
        QUERIES.values.forEach { query ->
            val (arguments, page) = query.read(Json.read("""{}""".toByteArray()).also { it.setAll<com.fasterxml.jackson.databind.JsonNode>(Samples.of(query.fields)) }, Network.Nobody)
            assertThat(Samples.fitting(query.flow, arguments)).describedAs(query.name).hasSize(1)
            assertThat(page.page).isEqualTo(1)
        }
    }

    @Test
    fun `pages have bounds and defaults`() {
        val states = QUERIES.getValue("fills")
        fun page(json: String) = states.read(Json.read(json.toByteArray()), Network.Nobody).second
        assertThat(page("{}")).isEqualTo(PageRequest(1, 100))
        assertThat(page("""{"page":3,"size":200}""")).isEqualTo(PageRequest(3, 200))
        listOf("""{"page":0}""", """{"size":201}""", """{"size":0}""", """{"page":1.5}""", """{"page":4294967297}""").forEach {
            assertThat(catchThrowable { page(it) }).describedAs(it).isInstanceOf(BridgeError::class.java)
        }
    }
}
