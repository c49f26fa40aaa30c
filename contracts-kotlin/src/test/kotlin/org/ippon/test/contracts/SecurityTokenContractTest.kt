package org.ippon.test.contracts

import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.contracts.security.SecurityTokenCommand.Issue
import org.ippon.contracts.security.SecurityTokenCommand.Transfer
import org.junit.Test

class SecurityTokenContractTest {
    private val issue = Issue("ISSUE-1")
    private val transfer = Transfer("MOVE-1")

    @Test
    fun `issue of units needs the registrar's signature`() = ledger {
        leaves(units(SELLER, 100), units(BUYER, 50))
        tweak {
            asks(issue, CUSTODIAN_A, CUSTODIAN_B)
            failsWith("An issue must be signed by Registrar, but Registrar is not among its signers.")
        }
        tweak {
            leaves(units(BUYER, 1, Security("2971", OTHER_REGISTRAR)))
            asks(issue, REGISTRAR)
            failsWith("An issue must be signed by Other Registrar, Registrar, but Other Registrar is not among its signers.")
        }
        tweak {
            leaves(units(BUYER, 1, SECURITY.copy(registrar = REGISTRAR.forged())))
            asks(issue, REGISTRAR)
            failsWith("An issue must be signed by Registrar, but Registrar is not among its signers.")
        }
        asks(issue, REGISTRAR)
        verifies()
    }

    @Test
    fun `issue of units refuses other states and commands`() = ledger {
        leaves(units(SELLER, 100))
        tweak {
            spends(units(BUYER, 1))
            asks(issue, REGISTRAR)
            failsWith("An issue must consume nothing, but consumes 1 states.")
        }
        tweak {
            leaves(coins(SELLER, 100))
            asks(issue, REGISTRAR)
            failsWith("An issue may touch only SecurityToken, but also touches [Coin].")
        }
        tweak {
            refersTo(units(BUYER, 1))
            asks(issue, REGISTRAR)
            failsWith("An issue must have no reference state, but has 1.")
        }
        tweak {
            leavesTied(1, units(SELLER, 1), units(BUYER, 1))
            asks(issue, REGISTRAR)
            failsWith("An issue must leave no state encumbered, but encumbers 2.")
        }
        tweak {
            leavesUnderHash(units(BUYER, 1))
            asks(issue, REGISTRAR)
            failsWith("An issue must leave states under signature constraints, but leaves 1 under [HashAttachmentConstraint].")
        }
        tweak {
            leaves(units(Holder(CUSTODIAN_A.renamed(), "S-1"), 1))
            asks(issue, REGISTRAR)
            failsWith("An issue must call the holder of a key by one name, but calls it O=Custodian A, L=Tokyo, C=JP and O=Renamed, L=Tokyo, C=JP.")
        }
        tweak {
            asks(issue, REGISTRAR)
            asks(CoinCommand.Transfer("MOVE-1"), REGISTRAR)
            failsWith("An issue must have the commands [Issue] and no other, but has [Issue, Transfer].")
        }
        tweak {
            asks(issue, REGISTRAR)
            asks(issue, REGISTRAR)
            failsWith("List has more than one element.")
        }
        tweak {
            asks(CoinCommand.Issue(100), REGISTRAR)
            failsWith("Required ${SecurityTokenCommand::class.qualifiedName} command")
        }
        asks(issue, REGISTRAR)
        verifies()
    }

    @Test
    fun `issue of units refuses bad ids and sizes`() = ledger {
        leaves(units(SELLER, 100))
        tweak {
            asks(Issue(""), REGISTRAR)
            failsWith("The issue id must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is ''.")
        }
        tweak {
            leaves(units(Holder(CUSTODIAN_B, "B 1"), 1))
            asks(issue, REGISTRAR)
            failsWith("The investor id must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is 'B 1'.")
        }
        tweak {
            leaves(units(BUYER, 1, Security("29/70", REGISTRAR)))
            asks(issue, REGISTRAR)
            failsWith("The security code must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is '29/70'.")
        }
        tweak {
            leaves(units(BUYER, 0))
            asks(issue, REGISTRAR)
            failsWith("A holding must be above zero, but the units of 2970 of Registrar held by B-1 at Custodian B are 0.")
        }
        tweak {
            leaves(units(BUYER, -1))
            asks(issue, REGISTRAR)
            failsWith("A holding must be above zero, but the units of 2970 of Registrar held by B-1 at Custodian B are -1.")
        }
        asks(issue, REGISTRAR)
        verifies()
    }

    @Test
    fun `issue that creates nothing is refused`() = ledger {
        spends(units(SELLER, 100))
        tweak {
            asks(issue, REGISTRAR)
            failsWith("An issue must consume nothing, but consumes 1 states.")
        }
        leaves(units(SELLER, 100))
        asks(transfer, CUSTODIAN_A, REGISTRAR)
        verifies()
    }

    @Test
    fun `free transfer of units needs the giving custodians and the registrar`() = ledger {
        spends(units(SELLER, 60), units(BYSTANDER, 40))
        leaves(units(BUYER, 70), units(SELLER, 30))
        tweak {
            asks(transfer, REGISTRAR, CUSTODIAN_B)
            failsWith("A free transfer must be signed by Custodian A, Registrar, but Custodian A is not among its signers.")
        }
        tweak {
            asks(transfer, CUSTODIAN_A)
            failsWith("A free transfer must be signed by Custodian A, Registrar, but Registrar is not among its signers.")
        }
        tweak {
            spends(units(BUYER, 5))
            leaves(units(SELLER, 5))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("A free transfer must be signed by Custodian A, Custodian B, Registrar, but Custodian B is not among its signers.")
        }
        asks(transfer, CUSTODIAN_A, REGISTRAR)
        verifies()
    }

    @Test
    fun `free transfer keeps the units of each security`() = ledger {
        spends(units(SELLER, 60))
        tweak {
            leaves(units(BUYER, 61))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("A free transfer must keep the units of each security, but turns {Security(code=2970, registrar=O=Registrar, L=Tokyo, C=JP)=60} into {Security(code=2970, registrar=O=Registrar, L=Tokyo, C=JP)=61}.")
        }
        tweak {
            leaves(units(BUYER, 59))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("=60} into {Security(code=2970, registrar=O=Registrar, L=Tokyo, C=JP)=59}.")
        }
        tweak {
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("=60} into {}.")
        }
        tweak {
            leaves(units(BUYER, 60, Security("2970", OTHER_REGISTRAR)))
            asks(transfer, CUSTODIAN_A, REGISTRAR, OTHER_REGISTRAR)
            failsWith("=60} into {Security(code=2970, registrar=O=Other Registrar, L=Tokyo, C=JP)=60}.")
        }
        tweak {
            leaves(units(BUYER, 60, Security("2971", REGISTRAR)))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("=60} into {Security(code=2971, registrar=O=Registrar, L=Tokyo, C=JP)=60}.")
        }
        tweak {
            leaves(units(BUYER, 61), units(SELLER, -1))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("A holding must be above zero, but the units of 2970 of Registrar held by S-1 at Custodian A are -1.")
        }
        tweak {
            spends(units(SELLER, Long.MAX_VALUE))
            leaves(units(BUYER, 59))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("long overflow")
        }
        tweak {
            spends(units(BYSTANDER, Long.MAX_VALUE))
            leaves(units(BUYER, 59))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("long overflow")
        }
        leaves(units(BUYER, 60))
        asks(transfer, CUSTODIAN_A, REGISTRAR)
        verifies()
    }

    @Test
    fun `free transfer of units refuses what it does not name`() = ledger {
        spends(units(SELLER, 60))
        leaves(units(BUYER, 60))
        tweak {
            leaves(coins(SELLER, 1))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("A free transfer may touch only SecurityToken, but also touches [Coin].")
        }
        tweak {
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            asks(CoinCommand.Transfer("MOVE-1"), CUSTODIAN_A, COIN_ISSUER)
            failsWith("A free transfer must have the commands [Transfer] and no other, but has [Transfer, Transfer].")
        }
        tweak {
            asks(Transfer(""), CUSTODIAN_A, REGISTRAR)
            failsWith("The transfer id must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is ''.")
        }
        tweak {
            spends(units(SELLER, 1))
            leaves(units(Holder(CUSTODIAN_B, ""), 1))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("The investor id must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is ''.")
        }
        tweak {
            spends(units(SELLER, 1))
            leaves(units(BUYER, 1, Security("2970", REGISTRAR.renamed())))
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("A free transfer must call the holder of a key by one name, but calls it O=Registrar, L=Tokyo, C=JP and O=Renamed, L=Tokyo, C=JP.")
        }
        asks(transfer, CUSTODIAN_A, REGISTRAR)
        verifies()
    }

    @Test
    fun `free transfer out of nothing is refused`() = ledger {
        leaves(units(SELLER, 100))
        tweak {
            asks(transfer, CUSTODIAN_A, REGISTRAR)
            failsWith("A free transfer must consume units, but consumes none.")
        }
        asks(issue, REGISTRAR)
        verifies()
    }
}
