package org.ippon.test.contracts

import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinCommand.Redeem
import org.ippon.contracts.coin.CoinCommand.Transfer
import org.ippon.contracts.funds.TrustInstructionCommand.Execute
import org.ippon.contracts.security.SecurityTokenCommand
import org.junit.Test

/** What becomes of coins once there are some; how they come is in [CoinIssueTest]. */
class CoinContractTest {
    private val transfer = Transfer("MOVE-1")

    @Test
    fun `free transfer of coins needs the giving custodians and the issuer`() = ledger {
        spends(coins(BUYER, 300), coins(SELLER, 200))
        leaves(coins(BYSTANDER, 500))
        tweak {
            asks(transfer, CUSTODIAN_A, COIN_ISSUER)
            failsWith("A free transfer of coins must be signed by Coin Issuer, Custodian A, Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            asks(transfer, CUSTODIAN_A, CUSTODIAN_B)
            failsWith("A free transfer of coins must be signed by Coin Issuer, Custodian A, Custodian B, but Coin Issuer is not among its signers.")
        }
        tweak {
            asks(Redeem("REDEEM-1", 500), CUSTODIAN_A, CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must be of one holder's coins of one issuer, but is of 3.")
        }
        asks(transfer, CUSTODIAN_A, CUSTODIAN_B, COIN_ISSUER)
        verifies()
    }

    @Test
    fun `free transfer keeps the yen of each issuer`() = ledger {
        spends(coins(BUYER, 300))
        tweak {
            leaves(coins(SELLER, 301))
            asks(transfer, CUSTODIAN_B, COIN_ISSUER)
            failsWith("A free transfer of coins must keep the yen of each issuer, but turns {O=Coin Issuer, L=Tokyo, C=JP=300} into {O=Coin Issuer, L=Tokyo, C=JP=301}.")
        }
        tweak {
            leaves(coins(SELLER, 299))
            asks(transfer, CUSTODIAN_B, COIN_ISSUER)
            failsWith("but turns {O=Coin Issuer, L=Tokyo, C=JP=300} into {O=Coin Issuer, L=Tokyo, C=JP=299}.")
        }
        tweak {
            leaves(coins(SELLER, 300, OTHER_COIN_ISSUER))
            asks(transfer, CUSTODIAN_B, COIN_ISSUER, OTHER_COIN_ISSUER)
            failsWith("but turns {O=Coin Issuer, L=Tokyo, C=JP=300} into {O=Other Coin Issuer, L=Tokyo, C=JP=300}.")
        }
        tweak {
            leaves(coins(SELLER, 301), coins(BUYER, -1))
            asks(transfer, CUSTODIAN_B, COIN_ISSUER)
            failsWith("A holding must be above zero, but the coins of Coin Issuer held by B-1 at Custodian B are -1.")
        }
        tweak {
            spends(coins(SELLER, Long.MAX_VALUE))
            leaves(coins(SELLER, 299))
            asks(transfer, CUSTODIAN_A, CUSTODIAN_B, COIN_ISSUER)
            failsWith("long overflow")
        }
        leaves(coins(SELLER, 300))
        asks(transfer, CUSTODIAN_B, COIN_ISSUER)
        verifies()
    }

    @Test
    fun `free transfer of coins refuses what it does not name`() = ledger {
        tweak {
            leaves(coins(SELLER, 300))
            asks(transfer, CUSTODIAN_A, COIN_ISSUER)
            failsWith("A free transfer of coins must consume coins, but consumes none.")
        }
        spends(coins(BUYER, 300))
        leaves(coins(SELLER, 300))
        tweak {
            leaves(units(SELLER, 1))
            asks(transfer, CUSTODIAN_B, COIN_ISSUER)
            failsWith("A free transfer of coins may touch only Coin, but also touches [SecurityToken].")
        }
        tweak {
            asks(transfer, CUSTODIAN_B, COIN_ISSUER)
            asks(Execute(), COIN_ISSUER)
            failsWith("A free transfer of coins must have the commands [Transfer] and no other, but has [Execute, Transfer].")
        }
        tweak {
            asks(Transfer("MOVE 1"), CUSTODIAN_B, COIN_ISSUER)
            failsWith("The transfer id must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is 'MOVE 1'.")
        }
        tweak {
            spends(coins(BUYER, 1))
            leaves(coins(Holder(CUSTODIAN_A, "-"), 1))
            asks(transfer, CUSTODIAN_B, COIN_ISSUER)
            failsWith("The investor id must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is '-'.")
        }
        asks(transfer, CUSTODIAN_B, COIN_ISSUER)
        verifies()
    }

    @Test
    fun `redemption gives change to the same holder and takes exactly its yen`() = ledger {
        spends(coins(BUYER, 300), coins(BUYER, 200))
        tweak {
            leaves(coins(BUYER, 101))
            asks(Redeem("REDEEM-1", 400), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must take away exactly the 400 yen it names, more than zero, but takes away 399.")
        }
        tweak {
            leaves(coins(BUYER, 99))
            asks(Redeem("REDEEM-1", 400), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must take away exactly the 400 yen it names, more than zero, but takes away 401.")
        }
        tweak {
            asks(Redeem("REDEEM-1", 400), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must take away exactly the 400 yen it names, more than zero, but takes away 500.")
        }
        tweak {
            leaves(coins(BUYER, 500))
            asks(Redeem("REDEEM-1", 0), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must take away exactly the 0 yen it names, more than zero, but takes away 0.")
        }
        tweak {
            leaves(coins(BUYER, 501))
            asks(Redeem("REDEEM-1", -1), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must take away exactly the -1 yen it names, more than zero, but takes away -1.")
        }
        tweak {
            leaves(coins(SELLER, 100))
            asks(Redeem("REDEEM-1", 400), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must be of one holder's coins of one issuer, but is of 2.")
        }
        tweak {
            leaves(coins(BUYER, 100, OTHER_COIN_ISSUER))
            asks(Redeem("REDEEM-1", 400), CUSTODIAN_B, COIN_ISSUER, OTHER_COIN_ISSUER)
            failsWith("A redemption must be of one holder's coins of one issuer, but is of 2.")
        }
        leaves(coins(BUYER, 100))
        tweak {
            asks(Redeem("REDEEM-1", 400), COIN_ISSUER)
            failsWith("A redemption must be signed by Coin Issuer, Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            asks(Redeem("REDEEM-1", 400), CUSTODIAN_B)
            failsWith("A redemption must be signed by Coin Issuer, Custodian B, but Coin Issuer is not among its signers.")
        }
        asks(Redeem("REDEEM-1", 400), CUSTODIAN_B, COIN_ISSUER)
        verifies()
    }

    @Test
    fun `redemption refuses what it does not name`() = ledger {
        tweak {
            leaves(coins(BUYER, 500))
            asks(Redeem("REDEEM-1", 500), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must be of one holder's coins of one issuer, but is of 1.")
        }
        spends(coins(BUYER, 500))
        tweak {
            spends(coins(SELLER, 1))
            asks(Redeem("REDEEM-1", 501), CUSTODIAN_A, CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption must be of one holder's coins of one issuer, but is of 2.")
        }
        tweak {
            leaves(coins(BUYER, 1), coins(BUYER, -1))
            asks(Redeem("REDEEM-1", 500), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A holding must be above zero, but the coins of Coin Issuer held by B-1 at Custodian B are -1.")
        }
        tweak {
            leaves(units(BUYER, 1))
            asks(Redeem("REDEEM-1", 500), CUSTODIAN_B, COIN_ISSUER)
            failsWith("A redemption may touch only Coin, but also touches [SecurityToken].")
        }
        tweak {
            asks(Redeem("REDEEM-1", 500), CUSTODIAN_B, COIN_ISSUER)
            asks(SecurityTokenCommand.Transfer("MOVE-1"), REGISTRAR)
            failsWith("A redemption must have the commands [Redeem] and no other, but has [Redeem, Transfer].")
        }
        tweak {
            asks(Redeem("", 500), CUSTODIAN_B, COIN_ISSUER)
            failsWith("The redemption id must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is ''.")
        }
        asks(Redeem("REDEEM-1", 500), CUSTODIAN_B, COIN_ISSUER)
        verifies()
    }
}
