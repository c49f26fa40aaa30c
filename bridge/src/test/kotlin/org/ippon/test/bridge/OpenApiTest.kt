package org.ippon.test.bridge

import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.door.METHODS
import org.ippon.bridge.door.openApi
import org.ippon.bridge.node.OPERATIONS
import org.ippon.bridge.node.QUERIES
import org.ippon.core.ErrorCode
import org.junit.Test
import java.io.File

class OpenApiTest {
    private val document = openApi()

    @Test
    fun `every operation and query is there with its arguments`() {
        OPERATIONS.values.forEach { operation ->
            val post = document.at("/paths/~1v1~1flows~1${operation.name}/post")
            val arguments = post.at("/requestBody/content/application~1json/schema/properties/arguments")
            assertThat(arguments.get("properties").fieldNames().asSequence().toList()).describedAs(operation.name).isEqualTo(operation.fields.names)
            assertThat(post.at("/x-result/properties").size()).describedAs(operation.name).isGreaterThan(0)
        }
        QUERIES.values.forEach { query ->
            val arguments = document.at("/paths/~1v1~1queries~1${query.name}/post/requestBody/content/application~1json/schema/properties")
            assertThat(arguments.fieldNames().asSequence().toList()).describedAs(query.name).isEqualTo(query.fields.names)
        }
    }

    @Test
    fun `every method is there, and each error code`() {
        val ids = document.get("paths").flatMap { it.toList() }.map { it.get("operationId").asText() }
        assertThat(ids).containsAll((METHODS.keys - "start" - "query")).doesNotHaveDuplicates()
        val codes = document.at("/components/schemas/Error/properties/error/properties/code/description").asText()
        assertThat(ErrorCode.values().map { it.name }).allMatch { codes.contains(it) }
        assertThat(document.at("/paths/~1health/get/security").size()).isEqualTo(0)
        assertThat(document.at("/paths/~1health/get/security").isArray).isTrue()
    }

    @Test
    fun `a report's fields are told`() {
        assertThat(document.at("/paths/~1v1~1flows~1settle_fills/post/x-result/properties/results/items/properties/outcome/enum").map { it.asText() })
                .containsExactly("SETTLED", "WAITING", "REFUSED", "BUSTED")
        assertThat(document.at("/paths/~1v1~1flows~1notify_fill/post/x-result/properties/already_notified/type").asText()).isEqualTo("boolean")
    }

    @Test
    fun `the words for people name every operation and query`() {
        val words = generateSequence(File("").absoluteFile) { it.parentFile }.map { File(it, "docs/node-operations.md") }.first { it.exists() }.readText()
        assertThat(OPERATIONS.keys + QUERIES.keys + METHODS.keys).allMatch { words.contains("`$it ") || words.contains("`$it(") }
    }
}
