package org.ippon.test.custodian

import org.assertj.core.api.Assertions.assertThat
import org.ippon.core.AskOutcome
import org.ippon.core.ErrorCode
import org.ippon.core.LedgerOutcome
import org.ippon.core.settlement.Outcome
import org.ippon.liars.asset.LyingRegistrar
import org.ippon.liars.asset.PlanRegistrarLie
import org.ippon.liars.asset.RegistrarLie
import org.junit.Rule
import org.junit.Test

/** An asset node that lies when it is asked for its signature. Nothing moves; the truth settles afterwards, at once. */
class LyingRegistrarTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market

    init {
        // Where no lie is planned it is the production flow.
        if (!standsIn) network.asset.registerInitiatedFlow(LyingRegistrar::class.java)
        standsIn = true
    }

    private fun refuse(lie: RegistrarLie, cause: ErrorCode, says: String) {
        val id = market.fill()
        val before = market.holdings()
        network.asset.run(PlanRegistrarLie(listOf(lie.name)))
        val result = network.settle(network.custodianA, id).single()
        assertThat(listOf(result.outcome, result.cause)).`as`(result.message).isEqualTo(listOf(Outcome.REFUSED, cause))
        assertThat(result.message).contains(says)
        assertThat(market.holdings()).isEqualTo(before)
        // Not after a deadline: all who had signed have heard that it came to nothing.
        market.settles(id)
    }

    @Test
    fun `a signature of something else is refused`() = refuse(RegistrarLie.OTHER_BYTES, ErrorCode.MISSING_SIGNATURE, "its signature does not fit")

    @Test
    fun `a signature by another key is refused`() = refuse(RegistrarLie.OTHER_KEY, ErrorCode.MISSING_SIGNATURE, "its signature does not fit")

    @Test
    fun `a signature that is none is refused`() = refuse(RegistrarLie.NONSENSE, ErrorCode.MISSING_SIGNATURE, "its signature does not fit")

    @Test
    fun `acceptance without a signature is refused`() = refuse(RegistrarLie.NO_SIGNATURE, ErrorCode.MISSING_SIGNATURE, "is not signed by all who must")

    @Test
    fun `a registrar that hangs up drops the settlement`() = refuse(RegistrarLie.HANGS_UP, ErrorCode.COUNTERPARTY_FAILED, "without an answer")

    @Test
    fun `an answer that is none drops the settlement`() = refuse(RegistrarLie.BABBLES, ErrorCode.COUNTERPARTY_FAILED, "without an answer")

    @Test
    fun `a registrar that signs and never records undoes nothing, and finds it when it asks`() {
        val id = market.fill()
        network.asset.run(PlanRegistrarLie(listOf(RegistrarLie.NEVER_RECORDS.name)))
        val result = network.settle(network.custodianA, id).single()
        assertThat(result.outcome).`as`(result.message).isEqualTo(Outcome.SETTLED)
        val transaction = net.corda.core.crypto.SecureHash.parse(result.transactionId!!)
        listOf(network.custodianB, network.coin).forEach { it.awaits(result.transactionId!!) }
        assertThat(network.asset.run(AskOutcome(transaction)).outcome).isEqualTo(LedgerOutcome.RECORDED)
        market.settles(market.fill())
    }

    private companion object {
        var standsIn = false
    }
}
