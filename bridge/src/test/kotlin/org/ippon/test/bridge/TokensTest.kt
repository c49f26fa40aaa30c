package org.ippon.test.bridge

import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.Role
import org.ippon.bridge.door.Tokens
import org.junit.Test
import java.lang.reflect.Modifier

class TokensTest {
    private val tokens = Tokens(mapOf(Role.AGENT to "agent-token-0123456", Role.READER to "reader-token-012345"))

    @Test
    fun `a token is its role's and nobody else's`() {
        assertThat(tokens.role("agent-token-0123456")).isEqualTo(Role.AGENT)
        assertThat(tokens.role("reader-token-012345")).isEqualTo(Role.READER)
        listOf("", "agent", "agent-token-0123457", "Agent-token-0123456").forEach { assertThat(tokens.role(it)).isNull() }
    }

    @Test
    fun `nothing but digests is kept, to be compared in constant time`() {
        val fields = Tokens::class.java.declaredFields.filter { !Modifier.isStatic(it.modifiers) }.map { it.isAccessible = true; it.get(tokens) }
        val digests = (fields.single() as Map<*, *>).values
        assertThat(digests).allMatch { it is ByteArray && it.size == 32 }
        // The class calls MessageDigest.isEqual, and neither equals of texts nor Arrays.equals.
        val code = Tokens::class.java.getResourceAsStream("Tokens.class").readBytes().toString(Charsets.ISO_8859_1)
        assertThat(code.contains("isEqual")).isTrue()
        assertThat(code.contains("areEqual") || code.contains("java/util/Arrays")).isFalse()
    }
}
