package org.ippon.test.custodian

import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.transactions.SignedTransaction
import org.assertj.core.api.Assertions.assertThat
import org.ippon.core.AskOutcome
import org.ippon.core.LedgerOutcome
import org.ippon.core.update
import org.ippon.liars.custodian.Notarise
import org.ippon.liars.custodian.RecordLate
import org.ippon.liars.custodian.Silence
import org.ippon.liars.custodian.SilentSeller
import org.junit.Rule
import org.junit.Test
import java.time.Instant

/** Somebody who is asked what became of a transaction, and lies. */
class OutcomeTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val a = network.custodianA
    private val b = network.custodianB
    private val coin = network.coin

    /** A settlement that all but the notary have signed, and that nobody has on record. */
    private fun signed(): SignedTransaction {
        // Investors of their own: the coin node's records are wrong about their coins for a while.
        val (seller, buyer) = Pair(network.investor(a), network.investor(b))
        val security = network.id("S")
        network.giveUnits(a, seller, security, 5)
        network.giveCoins(b, buyer, 500)
        val notice = network.notice(a to seller, b to buyer, security, 5, "100.00")
        network.notify(notice)
        return a.run(SilentSeller(listOf(notice.executionId), Silence.NEVER_NOTARISES, b.party, network.asset.party, coin.party))
    }

    @Test
    fun `who sends a transaction that the notary has not signed is passed over, and the next one asked`() {
        val stx = signed()
        coin.run(RecordLate(stx))
        assertThat(b.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.UNKNOWN)
        assertThat(b.has(stx)).isFalse()
        a.run(RecordLate(a.run(Notarise(stx))))
        val report = b.run(AskOutcome(stx.id))
        assertThat(listOf(report.outcome, report.from)).isEqualTo(listOf(LedgerOutcome.RECORDED, a.party.name.toString()))
        assertThat(network.asset.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.RECORDED)
    }

    @Test
    fun `who sends rubbish in place of the notary's signature is passed over, and the next one asked`() {
        for (rubbish in RUBBISH) {
            val stx = signed()
            val full = a.run(Notarise(stx))
            val notary = full.sigs.single { it.by == full.notary!!.owningKey }
            coin.run(RecordLate(SignedTransaction(stx.txBits, stx.sigs + TransactionSignature(rubbish, notary.by, notary.signatureMetadata))))
            assertThat(b.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.UNKNOWN)
            a.run(RecordLate(full))
            listOf(b, network.asset).forEach { assertThat(it.run(AskOutcome(stx.id)).from).isEqualTo(a.party.name.toString()) }
        }
    }

    @Test
    fun `who sends another transaction than was asked for is passed over`() {
        val investor = network.investor(b, method = null)
        network.giveCoins(b, investor, 500)
        val other = b.states<org.ippon.contracts.coin.Coin> { it.holder.investorId == investor }.single().ref.txhash
        val made = b.services.validatedTransactions.getTransaction(other)!!.inputs.single().txhash
        val asked = SecureHash.randomSHA256()
        coin.transaction {
            coin.services.update("INSERT INTO ippon_recorded (transaction_id, recorded_at) VALUES (?, ?)", asked.toString(), Instant.now())
            coin.services.update(
                    "INSERT INTO node_transactions (tx_id, transaction_value, state_machine_run_id, status, timestamp) " +
                            "SELECT ?, transaction_value, state_machine_run_id, status, timestamp FROM node_transactions WHERE tx_id = ?", asked.toString(), made.toString()
            )
        }
        assertThat(coin.services.validatedTransactions.getTransaction(asked)?.id).isEqualTo(made)
        assertThat(b.run(AskOutcome(asked)).outcome).isEqualTo(LedgerOutcome.UNKNOWN)
    }
}
