package org.ippon.test.contracts

import net.corda.core.contracts.ContractState
import net.corda.core.contracts.TimeWindow
import net.corda.core.identity.Party
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.FillCommand.Settle
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityTokenCommand
import org.junit.Test
import java.time.Instant

/** `Settle` of one fill: S-1 of custodian A sells 10 units for ¥10,005 to B-1 of custodian B, with change on both legs. */
class SettlementTest {
    private val fill = fill()
    private val signers = listOf(CUSTODIAN_A, CUSTODIAN_B, REGISTRAR, COIN_ISSUER)
    private val held = states(units(SELLER, 25), units(SELLER, 5), coins(BUYER, 20_000), coins(BUYER, 1_000))
    private val bought = units(BUYER, 10)
    private val paid = coins(SELLER, 10_005)
    private val unitChange = units(SELLER, 20)
    private val coinChange = coins(BUYER, 10_995)

    /** The valid settlement but for what the caller gives otherwise. */
    private fun Tx.settlement(
            terms: List<SettleTerm> = listOf(term(fill)),
            signers: List<Party> = this@SettlementTest.signers,
            window: TimeWindow? = WINDOW,
            unitsLeft: List<ContractState> = listOf(bought, unitChange),
            coinsLeft: List<ContractState> = listOf(paid, coinChange)
    ) {
        spends(fill, *held.toTypedArray())
        leaves(*unitsLeft.toTypedArray(), *coinsLeft.toTypedArray())
        settlementCommands(terms, held).forEach { asks(it, *signers.toTypedArray()) }
        if (window != null) timeWindow(window)
    }

    @Test
    fun `settlement needs both custodians, the registrar and the coin issuer`() = ledger {
        signers.forEach { missing ->
            tweak {
                settlement(signers = signers - missing)
                val name = missing.name.organisation
                failsWith("The settlement of EX-1 must be signed by Coin Issuer, Custodian A, Custodian B, Registrar, but $name is not among its signers.")
            }
            tweak {
                settlement(signers = signers - missing + missing.forged())
                failsWith("but ${missing.name.organisation} is not among its signers.")
            }
        }
        settlement()
        verifies()
    }

    @Test
    fun `settlement refuses a change that the fill does not say`() = ledger {
        tweak {
            settlement(unitsLeft = listOf(units(BUYER, 11), units(SELLER, 19)))
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -10, but change by -11.")
        }
        tweak {
            settlement(unitsLeft = listOf(units(BUYER, 9), units(SELLER, 21)))
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -10, but change by -9.")
        }
        tweak {
            settlement(unitsLeft = listOf(units(BUYER, 9), unitChange))
            failsWith("The units of 2970 of Registrar held by B-1 at Custodian B must change by 10, but change by 9.")
        }
        tweak {
            settlement(unitsLeft = listOf(units(BUYER, 11), unitChange))
            failsWith("The units of 2970 of Registrar held by B-1 at Custodian B must change by 10, but change by 11.")
        }
        tweak {
            settlement(unitsLeft = listOf(bought))
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -10, but change by -30.")
        }
        tweak {
            settlement(coinsLeft = listOf(coins(SELLER, 10_004), coinChange))
            failsWith("The coins of Coin Issuer held by S-1 at Custodian A must change by 10005, but change by 10004.")
        }
        tweak {
            settlement(coinsLeft = listOf(coins(SELLER, 10_006), coinChange))
            failsWith("The coins of Coin Issuer held by S-1 at Custodian A must change by 10005, but change by 10006.")
        }
        tweak {
            settlement(coinsLeft = listOf(paid, coins(BUYER, 10_994)))
            failsWith("The coins of Coin Issuer held by B-1 at Custodian B must change by -10005, but change by -10006.")
        }
        tweak {
            settlement(coinsLeft = listOf(paid, coins(BUYER, 10_996)))
            failsWith("The coins of Coin Issuer held by B-1 at Custodian B must change by -10005, but change by -10004.")
        }
        settlement()
        verifies()
    }

    @Test
    fun `settlement of one leg only is refused`() = ledger {
        tweak {
            spends(fill, units(SELLER, 10))
            leaves(bought)
            asks(Settle(listOf(term(fill))), *signers.toTypedArray())
            asks(SecurityTokenCommand.Transfer(""), *signers.toTypedArray())
            timeWindow(WINDOW)
            failsWith("The coins of Coin Issuer held by B-1 at Custodian B must change by -10005, but change by 0.")
        }
        tweak {
            spends(fill, coins(BUYER, 10_005))
            leaves(paid)
            asks(Settle(listOf(term(fill))), *signers.toTypedArray())
            asks(CoinCommand.Transfer(""), *signers.toTypedArray())
            timeWindow(WINDOW)
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -10, but change by 0.")
        }
        tweak {
            spends(fill)
            asks(Settle(listOf(term(fill))), *signers.toTypedArray())
            timeWindow(WINDOW)
            failsWith("The units of 2970 of Registrar held by S-1 at Custodian A must change by -10, but change by 0.")
        }
        settlement()
        verifies()
    }

    @Test
    fun `settlement refuses holdings of anybody else`() = ledger {
        tweak {
            settlement(coinsLeft = listOf(paid, coins(Holder(CUSTODIAN_B, "B-2"), 10_995)))
            failsWith("A settlement may move only what its fills name, but touches coins of Coin Issuer held by B-2 at Custodian B.")
        }
        tweak {
            settlement(coinsLeft = listOf(paid, coins(Holder(CUSTODIAN_A, "B-1"), 10_995)))
            failsWith("A settlement may move only what its fills name, but touches coins of Coin Issuer held by B-1 at Custodian A.")
        }
        tweak {
            settlement(unitsLeft = listOf(bought, units(BYSTANDER, 20)))
            failsWith("A settlement may move only what its fills name, but touches units of 2970 of Registrar held by S-2 at Custodian A.")
        }
        tweak {
            settlement(unitsLeft = listOf(bought, unitChange, units(BYSTANDER, 7)))
            spends(units(BYSTANDER, 7))
            failsWith("A settlement may move only what its fills name, but touches units of 2970 of Registrar held by S-2 at Custodian A.")
        }
        tweak {
            settlement()
            spends(coins(BYSTANDER, 7))
            failsWith("A settlement may move only what its fills name, but touches coins of Coin Issuer held by S-2 at Custodian A.")
        }
        tweak {
            settlement(unitsLeft = listOf(bought, units(Holder(CUSTODIAN_A.forged(), "S-1"), 20)))
            failsWith("A settlement may move only what its fills name, but touches units of 2970 of Registrar held by S-1 at Custodian A.")
        }
        tweak {
            settlement(coinsLeft = listOf(coins(Holder(CUSTODIAN_A.renamed(), "S-1"), 10_005), coinChange))
            failsWith("A settlement must call the holder of a key by one name, but calls it O=Custodian A, L=Tokyo, C=JP and O=Renamed, L=Tokyo, C=JP.")
        }
        settlement()
        verifies()
    }

    @Test
    fun `settlement refuses units and coins of another kind`() = ledger {
        tweak {
            settlement(unitsLeft = listOf(units(BUYER, 10, Security("2970", OTHER_REGISTRAR)), unitChange))
            failsWith("A settlement may move only what its fills name, but touches units of 2970 of Other Registrar held by B-1 at Custodian B.")
        }
        tweak {
            settlement(unitsLeft = listOf(units(BUYER, 10, Security("2971", REGISTRAR)), unitChange))
            failsWith("A settlement may move only what its fills name, but touches units of 2971 of Registrar held by B-1 at Custodian B.")
        }
        tweak {
            settlement(unitsLeft = listOf(units(BUYER, 10, Security("2970", REGISTRAR.forged())), unitChange))
            failsWith("A settlement may move only what its fills name, but touches units of 2970 of Registrar held by B-1 at Custodian B.")
        }
        tweak {
            settlement(coinsLeft = listOf(coins(SELLER, 10_005, OTHER_COIN_ISSUER), coinChange))
            failsWith("A settlement may move only what its fills name, but touches coins of Other Coin Issuer held by S-1 at Custodian A.")
        }
        tweak {
            settlement(coinsLeft = listOf(coins(SELLER, 10_005, COIN_ISSUER.renamed()), coinChange))
            failsWith("A settlement must call the holder of a key by one name, but calls it O=Coin Issuer, L=Tokyo, C=JP and O=Renamed, L=Tokyo, C=JP.")
        }
        settlement()
        verifies()
    }

    @Test
    fun `settlement refuses sizes of zero, below zero and beyond Long`() = ledger {
        tweak {
            settlement(unitsLeft = listOf(bought, unitChange, units(SELLER, 0)))
            failsWith("A holding must be above zero, but the units of 2970 of Registrar held by S-1 at Custodian A are 0.")
        }
        tweak {
            settlement(unitsLeft = listOf(bought, units(SELLER, 30), units(SELLER, -10)))
            failsWith("A holding must be above zero, but the units of 2970 of Registrar held by S-1 at Custodian A are -10.")
        }
        tweak {
            settlement(coinsLeft = listOf(paid, coins(BUYER, 20_995), coins(BUYER, -10_000)))
            failsWith("A holding must be above zero, but the coins of Coin Issuer held by B-1 at Custodian B are -10000.")
        }
        tweak {
            settlement(unitsLeft = listOf(bought, unitChange) + listOf(units(SELLER, Long.MAX_VALUE), units(SELLER, Long.MAX_VALUE), units(SELLER, 2)))
            failsWith("long overflow")
        }
        tweak {
            settlement()
            spends(coins(BUYER, Long.MAX_VALUE))
            failsWith("long overflow")
        }
        settlement()
        verifies()
    }

    @Test
    fun `settlement refuses other states`() = ledger {
        tweak {
            settlement()
            leaves(route())
            failsWith("A settlement may touch only Fill, SecurityToken, Coin, but also touches [FundsRoute].")
        }
        tweak {
            settlement()
            spends(instruction())
            failsWith("A settlement may touch only Fill, SecurityToken, Coin, but also touches [TrustInstruction].")
        }
        tweak {
            settlement()
            refersTo(route())
            failsWith("A settlement must have no reference state, but has 1.")
        }
        tweak {
            settlement()
            leaves(fill("EX-2"))
            failsWith("A settlement must leave no fill, but leaves 1.")
        }
        tweak {
            settlement(unitsLeft = listOf(bought), coinsLeft = listOf(paid, coinChange))
            leavesTied(3, units(SELLER, 15), units(SELLER, 5))
            failsWith("A settlement must leave no state encumbered, but encumbers 2.")
        }
        tweak {
            settlement(unitsLeft = listOf(unitChange))
            leavesUnderHash(bought)
            failsWith("A settlement must leave states under signature constraints, but leaves 1 under [HashAttachmentConstraint].")
        }
        settlement()
        verifies()
    }

    @Test
    fun `settlement needs a time-window that begins on the settle date in Tokyo`() = ledger {
        val midnight = Instant.parse("2026-05-19T15:00:00Z")
        tweak {
            settlement(window = null)
            failsWith("A settlement must have a time-window with a beginning and an end, but has null.")
        }
        tweak {
            settlement(window = TimeWindow.fromOnly(TOKYO_MORNING))
            failsWith("A settlement must have a time-window with a beginning and an end, but has [2026-05-20T00:30:00Z, ∞).")
        }
        tweak {
            settlement(window = TimeWindow.untilOnly(TOKYO_MORNING))
            failsWith("A settlement must have a time-window with a beginning and an end, but has (∞, 2026-05-20T00:30:00Z).")
        }
        tweak {
            settlement(window = TimeWindow.between(midnight.minusNanos(1), midnight.plusSeconds(300)))
            failsWith("EX-1 may settle from 2026-05-19T15:00:00Z (2026-05-20 in Tokyo), but the time-window begins at 2026-05-19T14:59:59.999999999Z.")
        }
        settlement(window = TimeWindow.between(midnight, midnight.plusSeconds(300)))
        verifies()
    }
}
