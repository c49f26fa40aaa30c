package org.ippon.test.custodian

import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.UNCONSUMED
import org.ippon.core.count
import org.ippon.core.isRecorded
import org.ippon.liars.signatureOf

/** Runs [action], which must be refused with [code], about [field] when given. */
fun refused(code: ErrorCode, field: String? = null, action: () -> Any?): Refusal {
    val refusal = try {
        val result = action()
        throw AssertionError("Expected the refusal $code, but got $result.")
    } catch (e: Refusal) {
        e
    }
    assertThat(refusal.code).`as`(refusal.message).isEqualTo(code)
    if (field != null) assertThat(refusal.field).`as`(refusal.message).isEqualTo(field)
    return refusal
}

/** A transaction made by hand and signed by this node alone. */
fun StartedMockNode.sign(make: TransactionBuilder.() -> Unit): SignedTransaction = transaction { services.signInitialTransaction(TransactionBuilder(TestNetwork.notary).apply(make)) }

/** [stx] signed by this node too. */
fun StartedMockNode.signToo(stx: SignedTransaction): SignedTransaction = transaction { services.addSignature(stx) }

/** Puts [stx] into this node's records unchecked, as a node that went wrong might have. */
fun StartedMockNode.force(stx: SignedTransaction) = transaction { services.recordTransactions(stx) }

/** This node's signature of the transaction [id], whatever that is. */
fun StartedMockNode.signatureOf(id: SecureHash): TransactionSignature = transaction { signatureOf(services, id) }

fun StartedMockNode.has(stx: SignedTransaction): Boolean = transaction { services.isRecorded(stx.id) }

/** How many states of [type] this node's vault holds, consumed ones included. */
fun StartedMockNode.vaultCount(type: Class<out ContractState>): Long = transaction { services.count("SELECT COUNT(*) FROM vault_states WHERE contract_state_class_name = ?", type.name) }

fun StartedMockNode.vaultSize(): Long = transaction { services.count("SELECT COUNT(*) FROM vault_states") }

/** The unconsumed states of [type] in this node's vault that [fits] takes, oldest first. */
inline fun <reified T : ContractState> StartedMockNode.states(crossinline fits: (T) -> Boolean): List<StateAndRef<T>> = transaction {
    services.vaultService.queryBy(T::class.java, net.corda.core.node.services.vault.PageSpecification(1, 10_000)).states.filter { fits(it.state.data) }
}

@Suppress("UNCHECKED_CAST")
fun <T : ContractState> StartedMockNode.state(ref: StateRef): StateAndRef<T> = transaction { services.toStateAndRef<ContractState>(ref) as StateAndRef<T> }

/** What is no signature at all: the algorithms throw these out, each in its own way. */
val RUBBISH = listOf(ByteArray(3) { 7 }, ByteArray(64), ByteArray(500) { 7 })
