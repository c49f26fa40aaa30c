package org.ippon.test.custodian

import net.corda.core.contracts.StateAndRef
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.NotaryError
import net.corda.core.flows.NotaryException
import net.corda.core.serialization.deserialize
import net.corda.core.serialization.serialize
import net.corda.core.transactions.SignedTransaction
import net.corda.testing.node.StartedMockNode
import net.corda.testing.node.TestClock
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.AskOutcome
import org.ippon.core.ErrorCode
import org.ippon.core.LedgerOutcome
import org.ippon.core.select
import org.ippon.core.update
import org.ippon.custodian.RecoverAsCustodian
import org.ippon.custodian.funds.ReclaimCoins
import org.ippon.custodian.funds.RedeemCoins
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.ippon.liars.custodian.Notarise
import org.ippon.liars.custodian.RecordLate
import org.ippon.liars.custodian.Silence
import org.ippon.liars.custodian.SilentSeller
import org.junit.Rule
import org.junit.Test
import java.time.Duration
import java.time.Instant

/** Coins given back, and coins taken back from a settlement that somebody keeps silent about. */
class CoinsTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB
    private val coin = network.coin

    @Test
    fun `coins are redeemed with change, once for each redemption id`() {
        val investor = network.investor(b, method = null)
        network.giveCoins(b, investor, 1_000)
        val id = network.id("RED")
        val first = b.run(RedeemCoins(id, investor, 400))
        assertThat(b.run(RedeemCoins(id, investor, 400)).transactionId).isEqualTo(first.transactionId)
        refused(ErrorCode.REDEMPTION_ID_REUSED, "redemption_id") { b.run(RedeemCoins(id, investor, 500)) }
        assertThat(network.coins(b, investor)).isEqualTo(Pair(600L, 0L))
        eventually { network.coins(coin, investor) == Pair(600L, 0L) }
        refused(ErrorCode.SHORT_OF_COINS) { b.run(RedeemCoins(network.id("RED"), investor, 601)) }
        refused(ErrorCode.BAD_REQUEST, "amount") { b.run(RedeemCoins(network.id("RED"), investor, 0)) }
        refused(ErrorCode.UNKNOWN_INVESTOR, "investor_id") { b.run(RedeemCoins(network.id("RED"), "NOBODY", 1)) }
        b.run(RedeemCoins(network.id("RED"), investor, 600))
        eventually { network.coins(coin, investor) == Pair(0L, 0L) }
    }

    private fun movement(coins: List<StateAndRef<Coin>>, outputs: List<Coin>, command: CoinCommand, by: StartedMockNode = b): SignedTransaction = by.sign {
        coins.forEach { addInputState(it) }
        outputs.forEach { addOutputState(it) }
        addCommand(command, b.party.owningKey, coin.party.owningKey)
    }

    @Test
    fun `the issuer signs a movement only for the holder's custodian, signed by it, of coins on its register, to their own holder`() {
        val investor = network.investor(b, method = null)
        network.giveCoins(b, investor, 1_000)
        val coins = b.states<Coin> { it.holder.investorId == investor }
        val id = network.id("RED")
        val redeem = movement(coins, emptyList(), CoinCommand.Redeem(id, 1_000))
        val chain = coins.map { b.services.validatedTransactions.getTransaction(it.ref.txhash)!! }
        listOf(a, network.outsider).forEach { node -> chain.forEach { node.force(it) } }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { network.outsider.run(Deliver(redeem, Door.COINS, coin.party)) }
        refused(ErrorCode.WRONG_ACCOUNT, "inputs") { a.run(Deliver(redeem, Door.COINS, coin.party)) }
        refused(ErrorCode.WRONG_ACCOUNT, "inputs") { b.run(Deliver(redeem, Door.COINS, network.asset.party)) }
        val instruction = TrustInstruction(network.id("TI"), coins.first().state.data.holder, 1, coin.party, Instant.parse("2030-01-01T00:00:00Z"))
        val nothing = b.sign { addOutputState(instruction).addCommand(TrustInstructionCommand.Instruct(), b.party.owningKey) }
        refused(ErrorCode.WRONG_ACCOUNT, "inputs") { b.run(Deliver(nothing, Door.COINS, coin.party)) }
        refused(ErrorCode.MISSING_SIGNATURE, "signatures") { b.run(Deliver(movement(coins, emptyList(), CoinCommand.Redeem(id, 1_000), by = a), Door.COINS, coin.party)) }
        val gift = coins.map { it.state.data.copy(holder = it.state.data.holder.copy(investorId = market.buyer)) }
        refused(ErrorCode.WRONG_ACCOUNT, "outputs") { b.run(Deliver(movement(coins, gift, CoinCommand.Transfer(network.id("TR"))), Door.COINS, coin.party)) }
        b.run(RedeemCoins(id, investor, 1_000))
        eventually { network.coins(coin, investor).first == 0L }
        refused(ErrorCode.NOT_ON_REGISTER, "inputs") { b.run(Deliver(movement(coins, emptyList(), CoinCommand.Redeem(network.id("RED"), 1_000)), Door.COINS, coin.party)) }
        network.giveCoins(b, investor, 1_000)
        val more = b.states<Coin> { it.holder.investorId == investor }
        refused(ErrorCode.REDEMPTION_ID_REUSED, "redemption_id") { b.run(Deliver(movement(more, emptyList(), CoinCommand.Redeem(id, 1_000)), Door.COINS, coin.party)) }
        assertThat(network.coins(coin, investor)).isEqualTo(Pair(1_000L, 0L))
    }

    // A seller's custodian that has every signature and tells nobody.

    private fun silently(id: String, silence: Silence): SignedTransaction = a.run(SilentSeller(listOf(id), silence, b.party, network.asset.party, coin.party))

    /** Everybody asks what became of [stx] until nobody waits for it. */
    private fun everybodyAsks(stx: SignedTransaction) = listOf(b, network.asset, coin).forEach { node ->
        assertThat(node.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.RECORDED)
    }

    /** [action] with the clocks of [nodes] past every deadline. */
    private fun <T> later(vararg nodes: StartedMockNode = arrayOf(b), action: () -> T): T {
        val clocks = nodes.map { it.services.clock as TestClock }
        clocks.forEach { it.advanceBy(Duration.ofMinutes(10)) }
        return try {
            action()
        } finally {
            clocks.forEach { it.setTo(Instant.now()) }
        }
    }

    @Test
    fun `what was notarised and recorded nowhere is finished by those who signed it, once its window is over`() {
        val id = market.fill()
        val stx = silently(id, Silence.NOTARISES)
        // Before, nobody gives its signature away; and nobody but who signed is told any.
        assertThat(later(b) { b.run(AskOutcome(stx.id)) }.outcome).isEqualTo(LedgerOutcome.UNKNOWN)
        later(b, network.asset, coin, network.notaryNode) {
            assertThat(network.outsider.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.UNKNOWN)
            listOf(coin, network.asset).forEach { assertThat(network.outsider.run(AskSignatures(stx.id, it.party))).isEmpty() }
            assertThat(b.run(AskSignatures(stx.id, coin.party)).map { it.by }).contains(coin.party.owningKey)
            assertThat(coin.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.RECORDED)
            everybodyAsks(stx)
        }
        // As a seller's custodian that has lost what it did.
        assertThat(a.run(RecoverAsCustodian(coin.party, null)).refusals).isEmpty()
        assertThat(network.settle(a, id).single().transactionId).isEqualTo(stx.id.toString())
    }

    @Test
    fun `rubbish in place of a signature finishes nothing, and keeps nobody from asking again`() {
        val id = market.fill()
        val stx = silently(id, Silence.NOTARISES)
        val honest = kept(stx)
        later(b, network.asset, coin, network.notaryNode) {
            for (rubbish in RUBBISH) {
                keep(stx, SignedTransaction(honest.txBits, honest.sigs.map { if (it.by == coin.party.owningKey) TransactionSignature(rubbish, it.by, it.signatureMetadata) else it }))
                assertThat(b.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.UNKNOWN)
            }
            keep(stx, honest)
            everybodyAsks(stx)
        }
        assertThat(a.run(RecoverAsCustodian(coin.party, null)).refusals).isEmpty()
    }

    /** [stx] as the coin node kept it when it signed. */
    private fun kept(stx: SignedTransaction): SignedTransaction = coin.transaction {
        coin.services.select("SELECT content FROM ippon_pending WHERE pending_tx = ?", stx.id.toString()) { it.getBytes(1) }.single().deserialize()
    }

    private fun keep(stx: SignedTransaction, instead: SignedTransaction) = coin.transaction {
        coin.services.update("UPDATE ippon_pending SET content = ? WHERE pending_tx = ?", instead.serialize().bytes, stx.id.toString())
    }

    @Test
    fun `what was never notarised is finished by nobody after its window`() {
        val id = market.fill()
        val stx = silently(id, Silence.NEVER_NOTARISES)
        later(b, network.asset, coin, network.notaryNode) {
            listOf(coin, network.asset, b).forEach { assertThat(it.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.UNKNOWN) }
            assertThat(b.run(ReclaimCoins(stx.id)).outcome).isEqualTo(LedgerOutcome.RECLAIMED)
        }
        market.settles(id)
    }

    @Test
    fun `what the seller's side has recorded and told nobody is asked for, by those who signed it only`() {
        val id = market.fill()
        val stx = silently(id, Silence.RECORDS)
        val row = network.pending(b).single { it.text("transaction_id") == stx.id.toString() }
        assertThat(row.text("kind")).isEqualTo("SIGNED")
        assertThat(row.fields.single { it.name == "execution_ids" }.texts).containsExactly(id)
        assertThat(network.outsider.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.UNKNOWN)
        val report = b.run(AskOutcome(stx.id))
        assertThat(report.outcome).isEqualTo(LedgerOutcome.RECORDED)
        assertThat(report.from).isEqualTo(a.party.name.toString())
        everybodyAsks(stx)
        assertThat(network.settle(a, id).single().transactionId).isEqualTo(stx.id.toString())
    }

    @Test
    fun `coins signed away and not heard of since pay for nothing else, and hold up nothing that others can pay`() {
        val buyer = network.investor(b)
        network.giveCoins(b, buyer, 1_000)
        fun fill() = network.notice(a to market.seller, b to buyer, market.security, 5, "100.00").also { network.notify(it) }.executionId
        val (withheld, next) = Pair(fill(), fill())
        val stx = silently(withheld, Silence.RECORDS)
        assertThat(network.settle(a, next).single().cause).isEqualTo(ErrorCode.SESSION_BUSY)
        network.giveCoins(b, buyer, 500)
        market.settles(next)
        everybodyAsks(stx)
    }

    @Test
    fun `what was notarised and recorded nowhere cannot be taken back`() {
        val id = market.fill()
        val stx = silently(id, Silence.NOTARISES)
        assertThat(b.run(AskOutcome(stx.id)).outcome).isEqualTo(LedgerOutcome.UNKNOWN)
        refused(ErrorCode.UNKNOWN_TRANSACTION, "transaction_id") { b.run(ReclaimCoins(stx.id)) }
        assertThat(later { b.run(ReclaimCoins(stx.id)) }.outcome).isEqualTo(LedgerOutcome.SETTLED)
        a.run(RecordLate(stx))
        everybodyAsks(stx)
        assertThat(b.run(ReclaimCoins(stx.id)).outcome).isEqualTo(LedgerOutcome.SETTLED)
    }

    @Test
    fun `what was never notarised is taken back after its time, and can never settle then`() {
        val id = market.fill()
        val coins = network.coins(b, market.buyer)
        val stx = silently(id, Silence.NEVER_NOTARISES)
        assertThat(network.settle(a, id).single().cause).isEqualTo(ErrorCode.SESSION_BUSY)
        val report = later { b.run(ReclaimCoins(stx.id)) }
        assertThat(report.outcome).isEqualTo(LedgerOutcome.RECLAIMED)
        assertThat(network.coins(b, market.buyer)).isEqualTo(coins)
        try {
            a.run(Notarise(stx))
            throw AssertionError("The notary took the old settlement.")
        } catch (e: NotaryException) {
            assertThat(e.error).isInstanceOf(NotaryError.Conflict::class.java)
        }
        market.settles(id)
        refused(ErrorCode.UNKNOWN_TRANSACTION, "transaction_id") { b.run(ReclaimCoins(SecureHash.randomSHA256())) }
    }
}
