package org.ippon.test.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.InitiatingFlow
import net.corda.core.flows.ReceiveTransactionFlow
import net.corda.core.flows.SendTransactionFlow
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.fill.OrderDetails
import org.ippon.core.CoreSchemaV1
import org.ippon.core.KnownSignatures
import org.ippon.core.OpenSession
import org.ippon.core.RecoveryCoinSession
import org.ippon.core.SignaturesSession
import org.ippon.core.recovery.RecoverRecords
import org.ippon.core.recovery.RecoveryAnswer
import org.ippon.core.recovery.RecoveryItem
import org.ippon.core.recovery.RecoveryPage
import org.ippon.core.recovery.RecoveryRequest
import org.ippon.core.update

/** As a node that was restored from a backup: [ids] are not on record here, their outputs in no vault, what they consumed unspent. Only Corda's storage keeps them. */
fun StartedMockNode.forget(vararg ids: String) = transaction {
    ids.forEach { id ->
        val stx = services.validatedTransactions.getTransaction(SecureHash.parse(id))!!
        services.update("DELETE FROM ippon_recorded WHERE transaction_id = ?", id)
        services.update("DELETE FROM ippon_spent WHERE spent_by = ?", id)
        for (table in listOf("vault_states", "ippon_fill", "ippon_coin", "ippon_security_token", "ippon_funds_route", "ippon_trust_instruction")) services.update("DELETE FROM $table WHERE transaction_id = ?", id)
        stx.inputs.forEach { services.update("UPDATE vault_states SET state_status = 0, consumed_timestamp = NULL WHERE transaction_id = ? AND output_index = ?", it.txhash.toString(), it.index) }
    }
    services.bookAnew()
}

/** Holdings and totals made out of the vault, by the migration's own statements. */
private fun ServiceHub.bookAnew() {
    listOf("ippon_holding", "ippon_total").forEach { update("DELETE FROM $it") }
    val migration = CoreSchemaV1::class.java.getResource("/migration/${CoreSchemaV1.migrationResource}.xml").readText()
    val statements = Regex("<sql>(INSERT INTO ippon_(?:holding|total) .*?)</sql>").findAll(migration).map { it.groupValues[1] }.toList()
    assertThat(statements).hasSize(4)
    statements.forEach { update(it) }
}

/** Asks [to], as coin node, for transactions by id without having been told of them, and returns what comes. */
class FetchUntold(private val ids: List<SecureHash>, private val to: Party) : FlowLogic<List<SignedTransaction>>() {
    @Suspendable
    override fun call(): List<SignedTransaction> {
        val session = subFlow(RecoveryCoinSession(to))
        session.sendAndReceive<RecoveryAnswer>(RecoveryRequest(null, null, ids, over = false)).unwrap { answer -> answer.refusal?.let { throw it.toRefusal("there") } }
        val found = mutableListOf<SignedTransaction>()
        for (id in ids) found += subFlow(ReceiveTransactionFlow(session, checkSufficientSignatures = false))
        session.send(RecoveryRequest(null, null, emptyList(), over = true))
        return found
    }
}

/** Asks [to], as coin node, for one page, and says no more. */
class AskPage(private val to: Party) : FlowLogic<RecoveryPage>() {
    @Suspendable
    override fun call(): RecoveryPage {
        val session = subFlow(RecoveryCoinSession(to))
        val page = session.sendAndReceive<RecoveryAnswer>(RecoveryRequest(null, null, emptyList(), over = false)).unwrap { answer ->
            answer.refusal?.let { throw it.toRefusal("there") }
            answer.page!!
        }
        session.send(RecoveryRequest(null, null, emptyList(), over = true))
        return page
    }
}

/** Opens a session with a [LyingMember]. */
@InitiatingFlow class LyingMemberSession(party: Party) : OpenSession(party)

/** Recovers from a [LyingMember]. */
class RecoverFromLiar(private val liar: Party) : RecoverRecords(liar, null) {
    override fun doors(): List<OpenSession> = listOf(LyingMemberSession(liar))
    override fun onRecovered(stx: SignedTransaction, orders: List<OrderDetails>) = Unit
}

/** Says that it has recorded what it is told to say, and sends what it is told to send. */
@InitiatedBy(LyingMemberSession::class)
class LyingMember(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        while (true) {
            val request = session.receive<RecoveryRequest>().unwrap { it }
            if (request.over) return
            val page = if (request.fetch.isEmpty()) RecoveryPage(says.map { RecoveryItem(it, emptyList()) }, null) else null
            session.send(RecoveryAnswer(null, page.takeUnless { silent }))
            if (page == null) {
                for (id in request.fetch) {
                    val stx = sends(id)
                    subFlow(SendTransactionFlow(session, stx))
                }
            }
        }
    }

    private fun sends(id: SecureHash) = lies[id] ?: serviceHub.validatedTransactions.getTransaction(id)!!

    companion object {
        @Volatile
        var silent = false

        @Volatile
        var says: List<SecureHash> = emptyList()

        @Volatile
        var lies: Map<SecureHash, SignedTransaction> = emptyMap()
    }
}

/** Asks [to] which signatures of a transaction it has. */
class AskSignatures(private val id: SecureHash, private val to: Party) : FlowLogic<List<TransactionSignature>>() {
    @Suspendable
    override fun call(): List<TransactionSignature> {
        val session = subFlow(SignaturesSession(to))
        return session.sendAndReceive<KnownSignatures>(id).unwrap { it.signatures }
    }
}
