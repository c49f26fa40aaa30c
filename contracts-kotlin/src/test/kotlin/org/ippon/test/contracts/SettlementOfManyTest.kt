package org.ippon.test.contracts

import net.corda.core.contracts.ContractState
import net.corda.core.identity.Party
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.security.Security
import org.junit.Assert.assertEquals
import org.junit.Test
import java.time.LocalDate
import kotlin.test.assertFailsWith

/** `Settle` of several fills, net and within one custodian. */
class SettlementOfManyTest {
    private val all = listOf(CUSTODIAN_A, CUSTODIAN_B, REGISTRAR, COIN_ISSUER)

    /** Settles [fills] by turning [before] into [after], with the commands that these ask for. */
    private fun Tx.settlement(fills: List<Fill>, before: List<ContractState>, after: List<ContractState>, signers: List<Party> = all) {
        spends(*fills.toTypedArray(), *before.toTypedArray())
        leaves(*after.toTypedArray())
        settlementCommands(fills.map { term(it) }, before + after).forEach { asks(it, *signers.toTypedArray()) }
        timeWindow(WINDOW)
    }

    @Test
    fun `settlement of an investor who both buys and sells moves the difference`() = ledger {
        val sells = fill("EX-1")
        val buysBack = fill("EX-2", seller = BUYER, buyer = SELLER, quantity = 4, amount = 4_002)
        val fills = listOf(sells, buysBack)
        val before = states(units(SELLER, 6), coins(BUYER, 6_003))
        tweak {
            settlement(fills, before, states(units(BUYER, 5), units(SELLER, 1), coins(SELLER, 6_003)))
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -6, but change by -5.")
        }
        tweak {
            settlement(fills, before, states(units(BUYER, 6), coins(SELLER, 6_002), coins(BUYER, 1)))
            failsWith("The coins of Coin Issuer held by B-1 at Custodian B must change by -6003, but change by -6002.")
        }
        tweak {
            settlement(fills, states(units(SELLER, 10), coins(BUYER, 10_005)), states(units(BUYER, 10), coins(SELLER, 10_005)))
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -6, but change by -10.")
        }
        settlement(fills, before, states(units(BUYER, 6), coins(SELLER, 6_003)))
        verifies()
    }

    @Test
    fun `settlement of an investor in the middle passes units on and keeps the gain`() = ledger {
        val fills = listOf(fill("EX-1"), fill("EX-2", seller = BUYER, buyer = BYSTANDER, unitPrice = "1100.00", amount = 11_000))
        val before = states(units(SELLER, 10), coins(BYSTANDER, 11_000))
        tweak {
            settlement(fills, before, states(units(BYSTANDER, 10), coins(SELLER, 11_000)))
            failsWith("The coins of Coin Issuer held by B-1 at Custodian B must change by 995, but change by 0.")
        }
        tweak {
            settlement(fills, before, states(units(BUYER, 10), coins(SELLER, 10_005), coins(BUYER, 995)))
            failsWith("The units of 2970 of Registrar held by B-1 at Custodian B must change by 0, but change by 10.")
        }
        settlement(fills, before, states(units(BYSTANDER, 10), coins(SELLER, 10_005), coins(BUYER, 995)))
        verifies()
    }

    @Test
    fun `settlement that nets to zero moves nothing and still needs every signer`() = ledger {
        val fills = listOf(fill("EX-1"), fill("EX-2", seller = BUYER, buyer = SELLER))
        all.forEach { missing ->
            tweak {
                settlement(fills, emptyList(), emptyList(), all - missing)
                failsWith("The settlement of EX-1 must be signed by Coin Issuer, Custodian A, Custodian B, Registrar, but ${missing.name.organisation} is not among its signers.")
            }
        }
        tweak {
            settlement(fills, emptyList(), emptyList())
            asks(CoinCommand.Transfer(""), *all.toTypedArray())
            failsWith("A settlement must have the commands [Settle] and no other, but has [Settle, Transfer].")
        }
        tweak {
            settlement(fills, states(units(SELLER, 3)), states(units(BUYER, 3)))
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by 0, but change by -3.")
        }
        tweak {
            settlement(fills, states(units(SELLER, 3)), states(units(SELLER, 1), units(SELLER, 2)))
            verifies()
        }
        settlement(fills, emptyList(), emptyList())
        verifies()
    }

    @Test
    fun `settlement within one custodian needs it once`() = ledger {
        val fills = listOf(fill(buyer = BYSTANDER))
        val before = states(units(SELLER, 10), coins(BYSTANDER, 10_005))
        val after = states(units(BYSTANDER, 10), coins(SELLER, 10_005))
        val signers = listOf(CUSTODIAN_A, REGISTRAR, COIN_ISSUER)
        tweak {
            settlement(fills, before, after, signers - CUSTODIAN_A + CUSTODIAN_B)
            failsWith("The settlement of EX-1 must be signed by Coin Issuer, Custodian A, Registrar, but Custodian A is not among its signers.")
        }
        tweak {
            settlement(fills, before, states(units(SELLER, 10), coins(BYSTANDER, 10_005)), signers)
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -10, but change by 0.")
        }
        settlement(fills, before, after, signers)
        verifies()
    }

    @Test
    fun `settlement where one organisation plays every role`() = ledger {
        val fills = listOf(fill(buyer = BYSTANDER, security = Security("2970", CUSTODIAN_A)).copy(coinIssuer = CUSTODIAN_A, venue = CUSTODIAN_A))
        val before = states(units(SELLER, 10, fills[0].security), coins(BYSTANDER, 10_005, CUSTODIAN_A))
        val after = states(units(BYSTANDER, 10, fills[0].security), coins(SELLER, 10_005, CUSTODIAN_A))
        tweak {
            settlement(fills, before, after, all - CUSTODIAN_A)
            failsWith("The settlement of EX-1 must be signed by Custodian A, but Custodian A is not among its signers.")
        }
        settlement(fills, before, after, listOf(CUSTODIAN_A))
        verifies()
    }

    @Test
    fun `settlement of two registrars and two coin issuers needs all of them`() = ledger {
        val other = Security("2970", OTHER_REGISTRAR)
        val fills = listOf(fill("EX-1"), fill("EX-2", security = other).copy(coinIssuer = OTHER_COIN_ISSUER))
        val before = states(units(SELLER, 10), units(SELLER, 10, other), coins(BUYER, 10_005), coins(BUYER, 10_005, OTHER_COIN_ISSUER))
        val after = states(units(BUYER, 10), units(BUYER, 10, other), coins(SELLER, 10_005), coins(SELLER, 10_005, OTHER_COIN_ISSUER))
        val signers = all + OTHER_REGISTRAR + OTHER_COIN_ISSUER
        listOf(OTHER_REGISTRAR, OTHER_COIN_ISSUER).forEach { missing ->
            tweak {
                settlement(fills, before, after, signers - missing)
                failsWith("The settlement of EX-2 must be signed by Custodian A, Custodian B, Other Coin Issuer, Other Registrar, but ${missing.name.organisation} is not among its signers.")
            }
        }
        tweak {
            settlement(fills, before, states(units(BUYER, 20), coins(SELLER, 20_010)), signers)
            failsWith("The units of 2970 of Registrar held by B-1 at Custodian B must change by 10, but change by 20.")
        }
        settlement(fills, before, after, signers)
        verifies()
    }

    @Test
    fun `settlement waits for the last of its settle dates`() = ledger {
        val fills = listOf(fill("EX-1"), fill("EX-2", settleDate = SETTLE_DATE.plusDays(1)))
        val before = states(units(SELLER, 20), coins(BUYER, 20_010))
        val after = states(units(BUYER, 20), coins(SELLER, 20_010))
        tweak {
            settlement(fills, before, after)
            failsWith("EX-2 may settle from 2026-05-20T15:00:00Z (2026-05-21 in Tokyo), but the time-window begins at 2026-05-20T00:30:00Z.")
        }
        settlement(fills.map { it.copy(settleDate = LocalDate.parse("2026-05-20")) }, before, after)
        verifies()
    }

    @Test
    fun `settlement of the most fills a transaction may have`() {
        fun settlement(count: Int): PlainSettlement {
            val fills = (1..count).map { fill("EX-$it", buyer = Holder(CUSTODIAN_B, "B-${it % 7}")) }
            val byBuyer = fills.groupBy { it.buyer }
            return PlainSettlement(
                    fills, fills.map { term(it) },
                    byBuyer.map { (buyer, bought) -> coins(buyer, 10_005L * bought.size) } + units(SELLER, 10L * count),
                    byBuyer.map { (buyer, bought) -> units(buyer, 10L * bought.size) } + coins(SELLER, 10_005L * count),
                    all
            )
        }
        settlement(200).verify()
        val refusal = assertFailsWith<IllegalArgumentException> { settlement(201).verify() }
        assertEquals("A settlement must be of 1 to 200 fills, but is of 201.", refusal.message)
    }
}
