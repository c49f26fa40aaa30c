package org.ippon.test.store

import net.corda.core.crypto.Crypto
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.assertThatThrownBy
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.Reversal
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.store.Tree
import org.junit.Test
import java.math.BigDecimal
import java.time.Instant

/** States and commands as JSON: every field. */
class TreeTest {
    private val key = Crypto.generateKeyPair().public
    private val custodian = Party(CordaX500Name("Custodian A", "Tokyo", "JP"), key)
    private val tree = Tree { "a key" }

    // Private and hidden by no property: what is asked is what can be read.
    @Suppress("unused")
    private class Odd(private val hiddenNote: String, val price: BigDecimal, val at: Instant, val hash: SecureHash, val none: String?, val bytes: ByteArray, val many: Map<String, List<Int>>)

    private class Endless(var next: Any? = null)

    @Test
    fun `a state when it is written has every field, nested, with parties by name`() {
        val token = SecurityToken(Security("ZA101", custodian), 10, Holder(custodian, "INV-1"))
        assertThat(tree.of(token).toString()).isEqualTo(
                """{"security":{"code":"ZA101","registrar":"O=Custodian A, L=Tokyo, C=JP"},"units":10,""" +
                        """"holder":{"custodian":"O=Custodian A, L=Tokyo, C=JP","investor_id":"INV-1"}}"""
        )
    }

    @Test
    fun `a value of each kind when it is written is a text, a number, a list or an object`() {
        val odd = Odd("seen", BigDecimal("100.50"), Instant.EPOCH, SecureHash.zeroHash, null, byteArrayOf(1, -1), mapOf("a" to listOf(1, 2)))
        assertThat(tree.of(odd).toString()).isEqualTo(
                """{"hidden_note":"seen","price":"100.50","at":"1970-01-01T00:00:00Z","hash":"${SecureHash.zeroHash}","none":null,"bytes":"01ff","many":{"a":[1,2]}}"""
        )
        assertThat(tree.of(key).asText()).isEqualTo("a key")
    }

    @Test
    fun `a command when it is written has its fields`() {
        assertThat(tree.of(FillCommand.Bust(listOf("EX-1"), "why")).toString()).isEqualTo("""{"execution_ids":["EX-1"],"reason":"why"}""")
        assertThat(tree.of(Reversal("EX-1", "why")).get("reason").asText()).isEqualTo("why")
    }

    @Test
    fun `a value that contains itself is refused, not followed for ever`() {
        val endless = Endless().also { it.next = it }
        assertThatThrownBy { tree.of(endless) }.isInstanceOf(IllegalArgumentException::class.java).hasMessageContaining("levels deep")
    }
}
