package org.ippon.test.custodian

import net.corda.core.crypto.SecureHash
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.ErrorCode
import org.ippon.core.ErrorCode.MISSING_SIGNATURE
import org.ippon.core.ErrorCode.NOT_ON_REGISTER
import org.ippon.custodian.security.TransferSecurity
import org.ippon.liars.custodian.Lie
import org.ippon.liars.custodian.Signer
import org.junit.Rule
import org.junit.Test
import kotlin.concurrent.thread

/** Settlements out of what is spent already, each seen by whoever answers for it in its own records; and a signature that does not fit. */
class SpentAlreadyTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB

    private fun refuse(id: String, lie: Lie, buyer: ErrorCode, asset: ErrorCode, coin: ErrorCode) =
            market.assertRefused(market.lie(listOf(id), lie, Signer.BUYER, Signer.ASSET, Signer.COIN), buyer, asset, coin)

    @Test
    fun `the buyer's units`() {
        val spent = b.states<SecurityToken> { it.holder.investorId == market.buyer && it.security.code == market.security }
                .first { a.services.validatedTransactions.getTransaction(it.ref.txhash) != null }
        val heir = network.investor(b, method = null)
        b.run(TransferSecurity(network.id("TR"), market.security, network.units(b, market.buyer).first, market.buyer, b.party, heir))
        assertThat(b.states<SecurityToken> { it.holder.investorId == market.buyer }.map { it.ref }).doesNotContain(spent.ref)
        val id = market.fill()
        refuse(id, Lie(deal = { it.copy(tokens = it.tokens + spent) }), NOT_ON_REGISTER, NOT_ON_REGISTER, MISSING_SIGNATURE)
        market.settles(id)
    }

    @Test
    fun `the buyer's coins`() {
        val before = market.coinsKnownToSeller()
        market.settles(market.fill())
        val spent = (before - market.coinsKnownToSeller()).first()
        val id = market.fill()
        refuse(id, Lie(deal = { it.copy(coins = it.coins + spent) }), NOT_ON_REGISTER, MISSING_SIGNATURE, NOT_ON_REGISTER)
        market.settles(id)
    }

    @Test
    fun `the fill`() {
        val id = market.fill()
        val fill = market.onRecord(id)
        val bust = network.exchange.sign { addInputState(fill).addCommand(FillCommand.Bust(listOf(id), "at the last moment"), network.exchange.party.owningKey) }
        // The buyer's side loses it after it has agreed; in a thread of its own, as this one works in another node's database.
        val lie = Lie(deal = { deal -> deal.also { thread { b.force(bust) }.join() } })
        refuse(id, lie, NOT_ON_REGISTER, MISSING_SIGNATURE, MISSING_SIGNATURE)
        listOf(a, network.exchange).forEach { it.force(bust) }
    }

    @Test
    fun `a signature of the seller's side under something else is refused by all`() {
        val id = market.fill()
        refuse(id, Lie(signature = { _, _ -> a.signatureOf(SecureHash.randomSHA256()) }), MISSING_SIGNATURE, MISSING_SIGNATURE, MISSING_SIGNATURE)
        market.settles(id)
    }
}
