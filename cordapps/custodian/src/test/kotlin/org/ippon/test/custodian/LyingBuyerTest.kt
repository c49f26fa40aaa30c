package org.ippon.test.custodian

import org.assertj.core.api.Assertions.assertThat
import org.ippon.core.ErrorCode
import org.ippon.core.settlement.Outcome
import org.ippon.liars.custodian.BuyerLie
import org.ippon.liars.custodian.HeardAsBuyer
import org.ippon.liars.custodian.LyingBuyer
import org.ippon.liars.custodian.PlanBuyerLie
import org.junit.Rule
import org.junit.Test

/** A buyer's custodian that lies to the seller's. Nothing moves; the truth settles afterwards, at once. */
class LyingBuyerTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market

    init {
        // Where no lie is planned it is the production flow.
        if (!standsIn) network.custodianB.registerInitiatedFlow(LyingBuyer::class.java)
        standsIn = true
    }

    /** The seller's side ends the try with [outcome] and [cause]; its transaction has left the house only if the lie [comesLate]. */
    private fun refuse(lie: BuyerLie, outcome: Outcome, cause: ErrorCode, says: String, comesLate: Boolean = false) {
        val id = market.fill()
        val heard = network.custodianB.run(HeardAsBuyer(emptyList()))
        val before = market.holdings()
        network.custodianB.run(PlanBuyerLie(listOf(lie.name, market.otherBuyer)))
        val result = network.settle(network.custodianA, id).single()
        assertThat(listOf(result.outcome, result.cause)).`as`(result.message).isEqualTo(listOf(outcome, cause))
        assertThat(result.message).contains(says)
        assertThat(network.custodianB.run(HeardAsBuyer(emptyList())) - heard).hasSize(if (comesLate) 1 else 0)
        assertThat(market.holdings()).isEqualTo(before)
        market.settles(id)
    }

    private fun refuse(lie: BuyerLie, cause: ErrorCode, says: String, comesLate: Boolean = false) = refuse(lie, Outcome.REFUSED, cause, says, comesLate)

    @Test
    fun `an answer about another fill is refused`() = refuse(BuyerLie.OTHER_FILL, ErrorCode.COUNTERPARTY_FAILED, "The answer must be about")

    @Test
    fun `readiness without an account is refused`() = refuse(BuyerLie.NO_ACCOUNT, ErrorCode.COUNTERPARTY_FAILED, "must name its accounts")

    @Test
    fun `a route that was never registered holds the fill`() = refuse(BuyerLie.OTHER_ROUTE, Outcome.WAITING, ErrorCode.ROUTE_CHANGED, "not yet here in its version")

    @Test
    fun `coins that are said to be reserved and do not come are missed`() = refuse(BuyerLie.NO_COINS, ErrorCode.UNEXPECTED_STATE, "would fall to")

    @Test
    fun `another holder's coins are refused`() = refuse(BuyerLie.OTHER_HOLDERS_COINS, ErrorCode.UNEXPECTED_STATE, "would fall to")

    @Test
    fun `another holder's coins beside the right ones are refused`() = refuse(BuyerLie.COINS_BESIDE, ErrorCode.CONTRACT_REFUSED, "may move only what its fills name")

    @Test
    fun `coins that the buyer's custodian issued itself are refused`() = refuse(BuyerLie.OWN_COINS, ErrorCode.UNEXPECTED_STATE, "would fall to")

    @Test
    fun `coins that are spent are refused by their issuer`() = refuse(BuyerLie.SPENT_COINS, ErrorCode.NOT_ON_REGISTER, "must be unconsumed in the records of Coin Issuer", comesLate = true)

    @Test
    fun `a buyer's side that hangs up leaves nothing reserved`() = refuse(BuyerLie.HANGS_UP, ErrorCode.COUNTERPARTY_FAILED, "")

    @Test
    fun `a signature by another key is refused`() = refuse(BuyerLie.OTHER_KEY, ErrorCode.MISSING_SIGNATURE, "its signature does not fit", comesLate = true)

    @Test
    fun `a signature of something else is refused`() = refuse(BuyerLie.OTHER_BYTES, ErrorCode.MISSING_SIGNATURE, "its signature does not fit", comesLate = true)

    @Test
    fun `without the buyer's side's signature registrar and issuer give none`() = refuse(BuyerLie.NO_SIGNATURE, ErrorCode.MISSING_SIGNATURE, "must be signed by [Custodian B] first", comesLate = true)

    private companion object {
        var standsIn = false
    }
}
