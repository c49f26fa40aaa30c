package org.ippon.test.contracts

import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.FillCommand.Bust
import org.ippon.contracts.fill.FillCommand.Settle
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.security.SecurityTokenCommand
import org.junit.Test

/** Which commands stand together when a fill is consumed; each contract sees to its own. */
class SettlementCommandsTest {
    private val settle = Settle(listOf(term(fill())))
    private val moveUnits = SecurityTokenCommand.Transfer("")
    private val moveCoins = CoinCommand.Transfer("")
    private val bust = Bust(listOf("EX-1"), "wrong price")
    private val signers = arrayOf(CUSTODIAN_A, CUSTODIAN_B, REGISTRAR, COIN_ISSUER)

    private fun Tx.exchange() {
        spends(fill(), units(SELLER, 10), coins(BUYER, 10_005))
        leaves(units(BUYER, 10), coins(SELLER, 10_005))
        timeWindow(WINDOW)
    }

    @Test
    fun `settlement has a command for each kind of state and no other`() = ledger {
        exchange()
        asks(settle, *signers)
        tweak {
            asks(moveUnits, *signers)
            failsWith("A settlement must have the commands [Settle, Transfer, Transfer] and no other, but has [Settle, Transfer].")
        }
        tweak {
            asks(SecurityTokenCommand.Issue("ISSUE-1"), *signers)
            asks(moveCoins, *signers)
            failsWith("A settlement must have the commands [Settle, Transfer, Transfer] and no other, but has [Issue, Settle, Transfer].")
        }
        asks(moveUnits, *signers)
        tweak {
            asks(moveUnits, *signers)
            failsWith("List has more than one element.")
        }
        asks(moveCoins, *signers)
        tweak {
            asks(bust, VENUE)
            failsWith("List has more than one element.")
        }
        tweak {
            asks(TrustInstructionCommand.Cancel(), CUSTODIAN_B)
            failsWith("A settlement must have the commands [Settle, Transfer, Transfer] and no other, but has [Cancel, Settle, Transfer, Transfer].")
        }
        tweak {
            asks(CoinCommand.Redeem("REDEEM-1", 1), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A settlement must have the commands [Settle, Transfer, Transfer] and no other, but has [Redeem, Settle, Transfer, Transfer].")
        }
        verifies()
    }

    @Test
    fun `bust of a fill moves nothing`() = ledger {
        tweak {
            exchange()
            asks(bust, VENUE)
            asks(moveUnits, *signers)
            asks(moveCoins, *signers)
            failsWith("A bust may touch only Fill, but also touches [SecurityToken, Coin].")
        }
        tweak {
            spends(units(SELLER, 10), fill())
            leaves(units(BUYER, 10))
            asks(bust, VENUE)
            asks(SecurityTokenCommand.Transfer("MOVE-1"), CUSTODIAN_A, REGISTRAR)
            failsWith("Units may move beside a fill only under one Settle command, but there are 0.")
        }
        tweak {
            spends(coins(BUYER, 10), fill())
            leaves(coins(SELLER, 10))
            asks(bust, VENUE)
            asks(CoinCommand.Transfer("MOVE-1"), CUSTODIAN_B, COIN_ISSUER)
            failsWith("Coins may move beside a fill only under one Settle command, but there are 0.")
        }
        spends(fill())
        asks(bust, VENUE)
        verifies()
    }

    @Test
    fun `transfers beside a fill carry no transfer id`() = ledger {
        exchange()
        asks(settle, *signers)
        tweak {
            asks(SecurityTokenCommand.Transfer("MOVE-1"), *signers)
            asks(moveCoins, *signers)
            failsWith("Units in a settlement must have no transfer id, but have 'MOVE-1'.")
        }
        tweak {
            asks(moveUnits, *signers)
            asks(CoinCommand.Transfer("MOVE-1"), *signers)
            failsWith("Coins in a settlement must have no transfer id, but have 'MOVE-1'.")
        }
        asks(moveUnits, *signers)
        asks(moveCoins, *signers)
        verifies()
    }
}
