package org.ippon.test.contracts

import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.FillCommand.Bust
import org.junit.Test

/** `Bust`: how a fill leaves the ledger without an exchange. */
class FillBustTest {
    @Test
    fun `bust needs the venue's signature and a reason`() = ledger {
        val bust = Bust(listOf("EX-1", "EX-2"), "wrong price")
        spends(fill(), fill("EX-2"))
        tweak {
            asks(bust, CUSTODIAN_A, CUSTODIAN_B)
            failsWith("The bust of EX-1 must be signed by Venue, but Venue is not among its signers.")
        }
        tweak {
            spends(fill("EX-3").copy(venue = OTHER_VENUE))
            asks(bust.copy(executionIds = bust.executionIds + "EX-3"), VENUE)
            failsWith("The bust of EX-3 must be signed by Other Venue, but Other Venue is not among its signers.")
        }
        tweak {
            asks(bust.copy(reason = ""), VENUE)
            failsWith("A bust must give a reason of 1 to 255 characters, but gives 0.")
        }
        tweak {
            asks(bust.copy(reason = "x".repeat(256)), VENUE)
            failsWith("A bust must give a reason of 1 to 255 characters, but gives 256.")
        }
        tweak {
            asks(bust.copy(reason = "x".repeat(255)), VENUE)
            verifies()
        }
        asks(bust, VENUE)
        verifies()
    }

    @Test
    fun `bust names exactly the fills that it consumes`() = ledger {
        fun bust(vararg ids: String) = Bust(ids.toList(), "wrong price")
        spends(fill(), fill("EX-2"))
        tweak {
            asks(bust("EX-1"), VENUE)
            failsWith("A bust names the fills [EX-1], but consumes the fills [EX-1, EX-2].")
        }
        tweak {
            asks(bust("EX-1", "EX-3"), VENUE)
            failsWith("A bust names the fills [EX-1, EX-3], but consumes the fills [EX-1, EX-2].")
        }
        tweak {
            asks(bust(), VENUE)
            failsWith("A bust must be of 1 to 200 fills, but is of 0.")
        }
        tweak {
            spends(fill("EX-2"))
            asks(bust("EX-1", "EX-2", "EX-2"), VENUE)
            failsWith("A bust must name each execution id once, but names [EX-2] twice.")
        }
        asks(bust("EX-2", "EX-1"), VENUE)
        verifies()
    }

    @Test
    fun `bust refuses other states and commands`() = ledger {
        val bust = Bust(listOf("EX-1"), "wrong price")
        spends(fill())
        tweak {
            leaves(fill("EX-2"))
            asks(bust, VENUE)
            failsWith("A bust must leave no fill, but leaves 1.")
        }
        tweak {
            leaves(coins(SELLER, 10_005))
            asks(bust, VENUE)
            failsWith("A bust may touch only Fill, but also touches [Coin].")
        }
        tweak {
            asks(bust, VENUE)
            asks(CoinCommand.Transfer(""), VENUE)
            failsWith("A bust must have the commands [Bust] and no other, but has [Bust, Transfer].")
        }
        asks(bust, VENUE)
        verifies()
    }
}
