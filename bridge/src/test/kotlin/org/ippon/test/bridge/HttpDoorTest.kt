package org.ippon.test.bridge

import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.BridgeError
import org.ippon.bridge.DoorCode
import org.ippon.bridge.Role
import org.junit.Test
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

class HttpDoorTest : DoorTest() {
    private val reader = TOKENS[Role.READER]
    private val operator = TOKENS[Role.OPERATOR]

    @Test
    fun `health wants no token and says by its status whether the node is there`() {
        assertThat(ask("GET", "/health", token = null).status).isEqualTo(200)
        node.status = "connecting"
        val down = ask("GET", "/health", token = null)
        assertThat(down.status).isEqualTo(503)
        assertThat(down.json.get("status").asText()).isEqualTo("connecting")
        assertThat(ask("GET", "/health", token = "wrong").status).isEqualTo(503)
    }

    @Test
    fun `the OpenAPI document wants no token`() {
        assertThat(ask("GET", "/openapi.json", token = null).json.get("openapi").asText()).isEqualTo("3.1.0")
    }

    @Test
    fun `no token, a wrong one and half of one are refused alike, whatever the path`() {
        listOf(null, "wrong", "", TOKENS.getValue(Role.AGENT).dropLast(1), TOKENS.getValue(Role.AGENT) + "x").forEach { token ->
            listOf("/v1/node", "/v1/nowhere", "/").forEach { path ->
                val answer = ask("GET", path, token = token)
                assertThat(listOf(answer.status, answer.code)).describedAs("$token $path").containsExactly(401, "NO_TOKEN")
                assertThat(answer.headers["Www-authenticate"]).containsExactly("Bearer")
            }
        }
        assertThat(node.asked).isEmpty()
        assertThat(raw("GET /v1/node HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${TOKENS[Role.AGENT]}\r\n\r\n".toByteArray(), "}}")).contains("401")
    }

    @Test
    fun `each token may do its own things and no others`() {
        val paths = mapOf("node" to Pair("GET", "/v1/node"), "finished" to Pair("GET", "/v1/flows"), "result" to Pair("GET", "/v1/flows/x"), "forget" to Pair("DELETE", "/v1/flows/x"), "wait" to Pair("GET", "/v1/changes"))
        val allowed = mapOf(Role.AGENT to paths.keys, Role.READER to setOf("node", "wait"), Role.OPERATOR to emptySet())
        allowed.forEach { role, methods ->
            paths.forEach { name, (verb, path) ->
                val answer = ask(verb, path, token = TOKENS[role])
                assertThat(answer.status).describedAs("$role $name").isEqualTo(if (name in methods) 200 else 403)
                if (name !in methods) assertThat(answer.code).isEqualTo("FORBIDDEN")
            }
        }
        assertThat(ask("POST", "/v1/flows/settle_fills", """{"client_id":"x","arguments":{}}""", reader).status).isEqualTo(403)
        assertThat(ask("POST", "/v1/queries/fills", "{}", reader).status).isEqualTo(200)
        assertThat(ask("POST", "/v1/queries/fills", "{}", operator).status).isEqualTo(403)
        assertThat(ask("POST", "/v1/queries/pending", "{}", operator).status).isEqualTo(200)
        val kill = """{"run_id":"01234567-89ab-cdef-0123-456789abcdef"}"""
        assertThat(ask("POST", "/v1/operator/kill", kill, operator).status).isEqualTo(200)
        assertThat(ask("POST", "/v1/operator/kill", kill).status).isEqualTo(403)
        assertThat(ask("POST", "/v1/operator/kill", kill, reader).status).isEqualTo(403)
    }

    @Test
    fun `a path that is not there and a verb that it does not take`() {
        val nowhere = ask("GET", "/v1/nowhere")
        assertThat(listOf(nowhere.status, nowhere.code)).containsExactly(404, "NO_SUCH_OPERATION")
        val verb = ask("DELETE", "/v1/node")
        assertThat(listOf(verb.status, verb.code)).containsExactly(405, "NO_SUCH_OPERATION")
        assertThat(verb.headers["Allow"]).containsExactly("GET")
        assertThat(ask("PUT", "/v1/flows/x", "{}").headers["Allow"]).containsExactly("POST, GET, DELETE")
        assertThat(ask("GET", "/v1/flows/").status).isEqualTo(404)
    }

    @Test
    fun `arguments reach the node as they were sent`() {
        ask("POST", "/v1/flows/settle_fills", """{"client_id":"settle:ab:1","arguments":{"execution_ids":["EX-1"]}}""")
        ask("GET", "/v1/flows/settle%3Aab%2F1%2B+?wait_millis=250")
        ask("GET", "/v1/changes?after=9007199254740993&wait_millis=0")
        ask("POST", "/v1/queries/states", """{"type":"Coin","status":"ALL"}""")
        assertThat(node.asked).containsExactly(
                """start settle_fills settle:ab:1 {"execution_ids":["EX-1"]}""", "result settle:ab/1++ 250", "wait 9007199254740993 0", """query states {"type":"Coin","status":"ALL"}"""
        )
    }

    @Test
    fun `bad requests are refused with the field`() {
        val bad = listOf(
                Triple("POST", "/v1/flows/settle_fills", """{"client_id":"a b"}""") to "client_id",
                Triple("POST", "/v1/flows/settle_fills", """{"client_id":"${"a".repeat(201)}"}""") to "client_id",
                Triple("POST", "/v1/flows/settle_fills", """{"client_id":"a\u0007"}""") to "client_id",
                Triple("POST", "/v1/flows/settle_fills", """{"client_id":"a","operation":"bust_fill"}""") to "operation",
                Triple("POST", "/v1/flows/settle_fills", """{"client_id":"a","arguments":[]}""") to "arguments",
                Triple("POST", "/v1/flows/settle_fills", """{"client_id":"a","timeout":1}""") to "timeout",
                Triple("POST", "/v1/flows/settle_fills", """{}""") to "client_id",
                Triple("POST", "/v1/queries/fills", """[]""") to "",
                Triple("POST", "/v1/queries/fills", """nonsense""") to "",
                Triple("POST", "/v1/queries/fills", "") to "",
                Triple("GET", "/v1/flows/x?wait_millis=30001", null) to "wait_millis",
                Triple("GET", "/v1/flows/x?wait_millis=-1", null) to "wait_millis",
                Triple("GET", "/v1/flows/x?wait_millis=1.5", null) to "wait_millis",
                Triple("GET", "/v1/flows/x?wait_millis=1&wait_millis=1", null) to "wait_millis",
                Triple("GET", "/v1/flows/x?other=1", null) to "",
                Triple("GET", "/v1/flows/%00", null) to "client_id"
        )
        bad.forEach { (request, field) ->
            val answer = ask(request.first, request.second, request.third)
            assertThat(listOf(answer.status, answer.code, answer.json.path("error").path("field").asText())).describedAs(request.toString()).containsExactly(400, "BAD_REQUEST", field)
        }
        assertThat(node.asked).isEmpty()
    }

    @Test
    fun `a body that is too large is refused, told beforehand or in chunks`() {
        val large = """{"client_id":"a","arguments":{"x":"${"y".repeat(MAX_BYTES)}"}}"""
        listOf(false, true).forEach { chunked ->
            val answer = ask("POST", "/v1/flows/settle_fills", large, chunked = chunked)
            assertThat(listOf(answer.status, answer.code)).describedAs("chunked $chunked").containsExactly(413, "TOO_LARGE")
        }
        assertThat(ask("POST", "/v1/queries/fills", """{"x":"${"y".repeat(MAX_BYTES - 8)}"}""", chunked = true).status).isEqualTo(200)
        assertThat(node.asked).hasSize(1)
    }

    @Test
    fun `a body without end and a length without body cost no memory`() {
        val head = "POST /v1/queries/fills HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS[Role.AGENT]}\r\n"
        assertThat(raw("${head}Content-Length: 9000000000000\r\n\r\n".toByteArray(), "}}")).contains("413").contains("TOO_LARGE")
        val chunk = "400\r\n${"z".repeat(1024)}\r\n"
        assertThat(raw("${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(10)}".toByteArray(), "}}")).contains("413")
    }

    @Test
    fun `what the node fails in is told by code and status, and nothing else of it`() {
        val failures = listOf(
                BridgeError.door(DoorCode.NODE_DOWN, "down") to 503, BridgeError.door(DoorCode.NODE_TIMEOUT, "late") to 504, BridgeError.door(DoorCode.FORBIDDEN, "no") to 403,
                BridgeError("UNKNOWN_PARTY", "who", "custodian") to 400, BridgeError.internal("broken", RuntimeException("x")) to 500
        )
        failures.forEach { (failure, status) ->
            node.failure = failure
            val answer = ask("GET", "/v1/node")
            assertThat(listOf(answer.status, answer.code)).containsExactly(status, failure.code)
        }
        node.failure = IllegalStateException("password=hunter2")
        val fault = ask("GET", "/v1/node")
        assertThat(listOf(fault.status, fault.code)).containsExactly(500, "INTERNAL")
        assertThat(fault.json.toString()).doesNotContain("hunter2").doesNotContain("at org.ippon")
    }

    @Test
    fun `an answer never holds a token`() {
        val paths = listOf("/v1/flows/${TOKENS[Role.OPERATOR]}%20", "/v1/nowhere?${TOKENS[Role.AGENT]}", "/v1/changes?after=${TOKENS[Role.AGENT]}x")
        assertThat(paths.take(2).map { ask("GET", it).json.toString() }).noneMatch { it.contains(TOKENS.getValue(Role.AGENT)) }
        assertThat(ask("GET", "/v1/node", token = TOKENS[Role.AGENT] + "x").json.toString()).doesNotContain(TOKENS[Role.AGENT])
    }

    @Test
    fun `those who wait never fill the door`() {
        node.waitSeconds = 2
        val pool = Executors.newFixedThreadPool(2)
        val waiting = (1..2).map { pool.submit { ask("GET", "/v1/changes?after=1&wait_millis=30000") } }
        Thread.sleep(500)
        node.waitSeconds = 0
        ask("GET", "/v1/changes?after=2&wait_millis=30000")
        assertThat(node.asked).contains("wait 2 0")
        waiting.forEach { it.get(10, TimeUnit.SECONDS) }
        assertThat(node.asked).contains("wait 1 30000")
        pool.shutdown()
    }
}
