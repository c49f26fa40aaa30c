package org.ippon.test.contracts

import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.ExchangeRule
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand.Settle
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.SecurityTokenCommand
import org.junit.Assert.assertEquals
import org.junit.Test
import kotlin.test.assertFailsWith

/** What the terms of a settlement may say: which fills, between which accounts. */
class SettlementTermsTest {
    private val id = "must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is"
    private val fill = fill()
    private val term = term(fill)
    private val signers = arrayOf(CUSTODIAN_A, CUSTODIAN_B, REGISTRAR, COIN_ISSUER)

    /** Settles [fill] between the accounts of [term], under [terms]. */
    private fun Tx.settlement(fill: Fill, term: SettleTerm, terms: List<SettleTerm> = listOf(term)) {
        spends(fill, units(Holder(fill.seller.custodian, term.sellerTokenId), 10), coins(Holder(fill.buyer.custodian, term.buyerCoinId), 10_005))
        leaves(units(Holder(fill.buyer.custodian, term.buyerTokenId), 10), coins(Holder(fill.seller.custodian, term.sellerCoinId), 10_005))
        asks(Settle(terms), *signers)
        asks(SecurityTokenCommand.Transfer(""), *signers)
        asks(CoinCommand.Transfer(""), *signers)
        timeWindow(WINDOW)
    }

    @Test
    fun `terms name exactly the fills consumed`() = ledger {
        tweak {
            settlement(fill, term, emptyList())
            failsWith("A settlement must be of 1 to 200 fills, but is of 0.")
        }
        tweak {
            settlement(fill, term, listOf(term.copy(executionId = "EX-2")))
            failsWith("A settlement names the fills [EX-2], but consumes the fills [EX-1].")
        }
        tweak {
            settlement(fill, term, listOf(term, term.copy(executionId = "EX-2")))
            failsWith("A settlement names the fills [EX-1, EX-2], but consumes the fills [EX-1].")
        }
        tweak {
            settlement(fill, term, listOf(term, term))
            failsWith("A settlement must name each execution id once, but names [EX-1] twice.")
        }
        tweak {
            settlement(fill, term)
            spends(fill("EX-2"))
            failsWith("A settlement names the fills [EX-1], but consumes the fills [EX-1, EX-2].")
        }
        tweak {
            settlement(fill, term)
            spends(fill.copy(venue = OTHER_VENUE))
            failsWith("A settlement names the fills [EX-1], but consumes the fills [EX-1, EX-1].")
        }
        settlement(fill, term)
        verifies()
    }

    @Test
    fun `terms may give each investor an account per leg`() = ledger {
        val mapped = term.copy(sellerTokenId = "S-1-ST", sellerCoinId = "S-1-SC", buyerTokenId = "B-1-ST", buyerCoinId = "B-1-SC")
        tweak {
            settlement(fill, mapped, listOf(mapped.copy(sellerTokenId = "S-1")))
            failsWith("A settlement may move only what its fills name, but touches units of 2970 of Registrar held by S-1-ST at Custodian A.")
        }
        tweak {
            settlement(fill, mapped, listOf(mapped.copy(buyerTokenId = "B-1")))
            failsWith("A settlement may move only what its fills name, but touches units of 2970 of Registrar held by B-1-ST at Custodian B.")
        }
        tweak {
            settlement(fill, mapped, listOf(mapped.copy(sellerCoinId = "S-1")))
            failsWith("A settlement may move only what its fills name, but touches coins of Coin Issuer held by S-1-SC at Custodian A.")
        }
        tweak {
            settlement(fill, mapped, listOf(mapped.copy(buyerCoinId = "B-1")))
            failsWith("A settlement may move only what its fills name, but touches coins of Coin Issuer held by B-1-SC at Custodian B.")
        }
        settlement(fill, mapped)
        verifies()
    }

    @Test
    fun `terms refuse ids that nobody could store`() = ledger {
        val long = "x".repeat(65)
        tweak {
            settlement(fill, term.copy(sellerTokenId = long))
            failsWith("The seller's token account of EX-1 $id '$long'.")
        }
        tweak {
            settlement(fill, term.copy(buyerTokenId = ""))
            failsWith("The buyer's token account of EX-1 $id ''.")
        }
        tweak {
            settlement(fill, term.copy(sellerCoinId = "S 1"))
            failsWith("The seller's coin account of EX-1 $id 'S 1'.")
        }
        tweak {
            settlement(fill, term.copy(buyerCoinId = "B'1"))
            failsWith("The buyer's coin account of EX-1 $id 'B'1'.")
        }
        tweak {
            settlement(fill, term.copy(routeId = ""))
            failsWith("The route id of EX-1 $id ''.")
        }
        tweak {
            settlement(fill, term.copy(routeVersion = 0))
            failsWith("The route of EX-1 must be of version 1 or above, but is of 0.")
        }
        settlement(fill, term.copy(sellerTokenId = "x".repeat(64)))
        verifies()
    }

    @Test
    fun `terms refuse one account on both sides`() = ledger {
        val within = fill(buyer = BYSTANDER)
        tweak {
            settlement(within, term(within).copy(buyerTokenId = "S-1"))
            failsWith("EX-1 must settle between two accounts, but S-1 at Custodian A stands on both sides.")
        }
        tweak {
            settlement(within, term(within).copy(sellerCoinId = "S-9", buyerCoinId = "S-9"))
            failsWith("EX-1 must settle between two accounts, but S-9 at Custodian A stands on both sides.")
        }
        tweak {
            settlement(fill, term.copy(sellerTokenId = "X", buyerTokenId = "X", sellerCoinId = "X", buyerCoinId = "X"))
            verifies()
        }
        settlement(within, term(within))
        verifies()
    }

    @Test
    fun `rule of exchange says what each fill changes`() {
        val second = fill("EX-2", seller = BUYER, buyer = SELLER, quantity = 4, amount = 4_002)
        val changes = ExchangeRule(listOf(fill, second), listOf(term, term(second))).changes().mapKeys { it.key.toString() }
        assertEquals(mapOf(
                "units of 2970 of Registrar held by S-1 at Custodian A" to -6L,
                "units of 2970 of Registrar held by B-1 at Custodian B" to 6L,
                "coins of Coin Issuer held by B-1 at Custodian B" to -6_003L,
                "coins of Coin Issuer held by S-1 at Custodian A" to 6_003L
        ), changes)
    }

    @Test
    fun `rule of exchange refuses a fill without a term`() {
        val refusal = assertFailsWith<IllegalArgumentException> { ExchangeRule(listOf(fill), emptyList()).changes() }
        assertEquals("EX-1 must have a term, but has none.", refusal.message)
    }

    @Test
    fun `rule of exchange knows no position of other states`() = assertEquals(null, ExchangeRule.positionOf(fill))
}
