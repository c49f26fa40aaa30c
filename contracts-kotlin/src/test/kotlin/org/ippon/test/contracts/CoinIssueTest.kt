package org.ippon.test.contracts

import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.coin.CoinCommand.Issue
import org.ippon.contracts.coin.CoinContract
import org.ippon.contracts.funds.TrustInstructionCommand.Execute
import org.ippon.contracts.security.SecurityTokenCommand
import org.junit.Assert.assertEquals
import org.junit.Test
import kotlin.test.assertFailsWith

/** `Issue` of coins beside `Execute` of a trust instruction. */
class CoinIssueTest {
    private fun Tx.executes(yen: Long = 5_000) {
        asks(Issue(yen), COIN_ISSUER)
        asks(Execute(), COIN_ISSUER)
    }

    @Test
    fun `issue of coins needs the issuer's signature under both commands`() = ledger {
        spends(instruction(5_000))
        leaves(coins(BUYER, 5_000))
        tweak {
            asks(Issue(5_000), CUSTODIAN_B)
            asks(Execute(), COIN_ISSUER)
            failsWith("An issue of coins must be signed by Coin Issuer, but Coin Issuer is not among its signers.")
        }
        tweak {
            asks(Issue(5_000), COIN_ISSUER)
            asks(Execute(), CUSTODIAN_B)
            failsWith("An execution must be signed by Coin Issuer, but Coin Issuer is not among its signers.")
        }
        tweak {
            asks(Execute(), COIN_ISSUER)
            failsWith("An execution must have the commands [Execute, Issue] and no other, but has [Execute].")
        }
        tweak {
            asks(Issue(5_000), COIN_ISSUER)
            failsWith("Required org.ippon.contracts.funds.TrustInstructionCommand command")
        }
        executes()
        verifies()
    }

    @Test
    fun `issue of coins is of exactly what was instructed`() = ledger {
        spends(instruction(5_000))
        tweak {
            leaves(coins(BUYER, 5_001))
            executes(5_001)
            failsWith("An issue must be of the 5000 yen instructed, but issues 5001 and creates 5001.")
        }
        tweak {
            leaves(coins(BUYER, 5_000))
            executes(4_999)
            failsWith("An issue must be of the 5000 yen instructed, but issues 4999 and creates 5000.")
        }
        tweak {
            leaves(coins(BUYER, 4_999))
            executes(5_000)
            failsWith("An issue must be of the 5000 yen instructed, but issues 5000 and creates 4999.")
        }
        tweak {
            leaves(coins(BUYER, 5_001))
            executes(5_000)
            failsWith("An issue must be of the 5000 yen instructed, but issues 5000 and creates 5001.")
        }
        tweak {
            leaves(coins(BUYER, 4_999))
            executes(4_999)
            failsWith("An issue must be of the 5000 yen instructed, but issues 4999 and creates 4999.")
        }
        tweak {
            leaves(coins(SELLER, 5_000))
            executes()
            failsWith("An issue must give B-1 at Custodian B coins of Coin Issuer, but gives S-1 at Custodian A coins of Coin Issuer.")
        }
        tweak {
            leaves(coins(Holder(CUSTODIAN_B.forged(), "B-1"), 5_000))
            executes()
            failsWith("An issue must give B-1 at Custodian B coins of Coin Issuer, but gives B-1 at Custodian B coins of Coin Issuer.")
        }
        tweak {
            leaves(coins(BUYER, 5_000, OTHER_COIN_ISSUER))
            asks(Issue(5_000), COIN_ISSUER, OTHER_COIN_ISSUER)
            asks(Execute(), COIN_ISSUER, OTHER_COIN_ISSUER)
            failsWith("An issue must give B-1 at Custodian B coins of Coin Issuer, but gives B-1 at Custodian B coins of Other Coin Issuer.")
        }
        leaves(coins(BUYER, 5_000))
        executes()
        verifies()
    }

    @Test
    fun `issue of coins is of one instruction and one coin state`() = ledger {
        tweak {
            leaves(coins(BUYER, 5_000))
            executes()
            failsWith("An issue of coins must turn one trust instruction into one coin state, but turns [] into [Coin].")
        }
        tweak {
            spends(coins(BUYER, 5_000))
            leaves(coins(BUYER, 5_000))
            executes()
            failsWith("An issue of coins must turn one trust instruction into one coin state, but turns [Coin] into [Coin].")
        }
        tweak {
            leaves(coins(BUYER, 5_000), coins(BUYER, 5_000))
            spends(instruction(5_000))
            asks(Issue(5_000), COIN_ISSUER)
            asks(Execute(), COIN_ISSUER)
            failsWith("must turn one trust instruction into one coin state, but turns [TrustInstruction] into [Coin, Coin].")
        }
        tweak {
            spends(coins(SELLER, 1), instruction(5_000))
            leaves(coins(BUYER, 5_000))
            executes()
            failsWith("An issue of coins must turn one trust instruction into one coin state, but turns [Coin, TrustInstruction] into [Coin].")
        }
        spends(instruction(5_000))
        tweak {
            spends(instruction(5_000, id = "I-2"))
            leaves(coins(BUYER, 5_000))
            executes()
            failsWith("An execution must turn one trust instruction into one coin state, but turns [TrustInstruction, TrustInstruction] into [Coin].")
        }
        leaves(coins(BUYER, 5_000))
        tweak {
            leaves(instruction(5_000, id = "I-2"))
            executes()
            failsWith("An execution must turn one trust instruction into one coin state, but turns [TrustInstruction] into [Coin, TrustInstruction].")
        }
        executes()
        verifies()
    }

    @Test
    fun `issue of coins refuses other states and commands`() = ledger {
        tweak {
            spends(coins(SELLER, 1), instruction(5_000))
            leaves(coins(BUYER, 5_000), units(BUYER, 1))
            executes()
            failsWith("An issue of coins may touch only TrustInstruction, Coin, but also touches [SecurityToken].")
        }
        tweak {
            spends(coins(SELLER, 1), instruction(5_000))
            leaves(coins(BUYER, 5_000))
            executes()
            asks(SecurityTokenCommand.Issue("ISSUE-1"), REGISTRAR)
            failsWith("An issue of coins must have the commands [Execute, Issue] and no other, but has [Execute, Issue, Issue].")
        }
        spends(instruction(5_000))
        leaves(coins(BUYER, 5_000))
        tweak {
            executes()
            asks(CoinCommand.Transfer("MOVE-1"), COIN_ISSUER)
            failsWith("An execution must have the commands [Execute, Issue] and no other, but has [Execute, Issue, Transfer].")
        }
        executes()
        verifies()
    }

    @Test
    fun `issue of no coins is refused`() = ledger {
        tweak {
            spends(instruction(0))
            leaves(coins(BUYER, 0))
            executes(0)
            failsWith("A holding must be above zero, but the coins of Coin Issuer held by B-1 at Custodian B are 0.")
        }
        spends(instruction(1))
        leaves(coins(BUYER, 1))
        executes(1)
        verifies()
    }

    @Test
    fun `coin contract by itself sees that an issue makes one coin state`() {
        fun refusal(vararg left: Coin) = assertFailsWith<IllegalArgumentException> {
            PlainTransaction(states(instruction(5_000)), left.toList(), listOf(Issue(5_000), Execute()), listOf(COIN_ISSUER)).verify(CoinContract())
        }.message
        assertEquals("An issue of coins must turn one trust instruction into one coin state, but turns [TrustInstruction] into [].", refusal())
        assertEquals("An issue of coins must turn one trust instruction into one coin state, but turns [TrustInstruction] into [Coin, Coin].",
                refusal(coins(BUYER, 5_000), coins(BUYER, 5_000)))
    }
}
