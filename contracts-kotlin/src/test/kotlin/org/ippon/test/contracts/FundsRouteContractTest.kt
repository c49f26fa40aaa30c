package org.ippon.test.contracts

import org.ippon.contracts.Holder
import org.ippon.contracts.funds.FundsRouteCommand
import org.ippon.contracts.funds.FundsRouteCommand.Register
import org.ippon.contracts.funds.FundsRouteCommand.Replace
import org.ippon.contracts.funds.FundsRouteCommand.Withdraw
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.contracts.funds.TrustInstructionCommand
import org.junit.Test

class FundsRouteContractTest {
    private val id = "must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is"

    @Test
    fun `registration of a route needs its custodian`() = ledger {
        leaves(route())
        tweak {
            asks(Register(), CUSTODIAN_A, COIN_ISSUER)
            failsWith("A registration must be signed by Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            asks(Register(), CUSTODIAN_B)
            asks(Withdraw(), CUSTODIAN_B)
            failsWith("List has more than one element.")
        }
        tweak {
            asks(TrustInstructionCommand.Instruct(), CUSTODIAN_B)
            failsWith("Required ${FundsRouteCommand::class.qualifiedName} command")
        }
        tweak {
            asks(Register(), CUSTODIAN_B)
            asks(TrustInstructionCommand.Instruct(), CUSTODIAN_B)
            failsWith("A funds route must have the commands [Register] and no other, but has [Instruct, Register].")
        }
        asks(Register(), CUSTODIAN_B)
        verifies()
    }

    @Test
    fun `registration makes one well formed route of version 1`() = ledger {
        tweak {
            leaves(route(version = 2))
            asks(Register(), CUSTODIAN_B)
            failsWith("A registration must be version 1, but is version 2.")
        }
        tweak {
            leaves(route(), route(id = "R-2"))
            asks(Register(), CUSTODIAN_B)
            failsWith("A registration must turn 0 routes into 1, but turns 0 into 2.")
        }
        tweak {
            spends(route())
            leaves(route())
            asks(Register(), CUSTODIAN_B)
            failsWith("A registration must turn 0 routes into 1, but turns 1 into 1.")
        }
        tweak {
            leaves(route(id = "R 1"))
            asks(Register(), CUSTODIAN_B)
            failsWith("The route id $id 'R 1'.")
        }
        tweak {
            leaves(route(Holder(CUSTODIAN_B, "")))
            asks(Register(), CUSTODIAN_B)
            failsWith("The investor id $id ''.")
        }
        tweak {
            leaves(route(institutionCode = "銀行"))
            asks(Register(), CUSTODIAN_B)
            failsWith("The institution code $id '銀行'.")
        }
        leaves(route())
        tweak {
            leaves(coins(BUYER, 1))
            asks(Register(), CUSTODIAN_B)
            failsWith("A funds route may touch only FundsRoute, but also touches [Coin].")
        }
        asks(Register(), CUSTODIAN_B)
        verifies()
    }

    @Test
    fun `replacement keeps route and investor and raises the version by one`() = ledger {
        spends(route(version = 4))
        tweak {
            leaves(route(version = 6))
            asks(Replace(), CUSTODIAN_B)
            failsWith("A replacement must be version 5, but is version 6.")
        }
        tweak {
            leaves(route(version = 4))
            asks(Replace(), CUSTODIAN_B)
            failsWith("A replacement must be version 5, but is version 4.")
        }
        tweak {
            leaves(route(version = 5, id = "R-2"))
            asks(Replace(), CUSTODIAN_B)
            failsWith("A replacement must keep the route R-1 of B-1 at Custodian B, but makes R-2 of B-1 at Custodian B.")
        }
        tweak {
            leaves(route(SELLER, 5))
            asks(Replace(), CUSTODIAN_A, CUSTODIAN_B)
            failsWith("A replacement must keep the route R-1 of B-1 at Custodian B, but makes R-1 of S-1 at Custodian A.")
        }
        tweak {
            leaves(route(Holder(CUSTODIAN_B.renamed(), "B-1"), 5))
            asks(Replace(), CUSTODIAN_B)
            failsWith("A funds route must call the holder of a key by one name, but calls it O=Custodian B, L=Tokyo, C=JP and O=Renamed, L=Tokyo, C=JP.")
        }
        tweak {
            leaves(route(version = 5, institutionCode = ""))
            asks(Replace(), CUSTODIAN_B)
            failsWith("The institution code $id ''.")
        }
        tweak {
            leaves(route(version = 5), route(version = 5, id = "R-2"))
            asks(Replace(), CUSTODIAN_B)
            failsWith("A replacement must turn 1 routes into 1, but turns 1 into 2.")
        }
        leaves(route(version = 5).copy(method = PaymentMethod.BANK, institutionCode = "BANK-7"))
        tweak {
            asks(Replace(), CUSTODIAN_A)
            failsWith("A replacement must be signed by Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            asks(Register(), CUSTODIAN_B)
            failsWith("A registration must turn 0 routes into 1, but turns 1 into 1.")
        }
        asks(Replace(), CUSTODIAN_B)
        verifies()
    }

    @Test
    fun `replacement beyond the last version is refused`() = ledger {
        tweak {
            spends(route(version = Int.MAX_VALUE))
            leaves(route(version = Int.MIN_VALUE))
            asks(Replace(), CUSTODIAN_B)
            failsWith("integer overflow")
        }
        spends(route(version = Int.MAX_VALUE - 1))
        leaves(route(version = Int.MAX_VALUE))
        asks(Replace(), CUSTODIAN_B)
        verifies()
    }

    @Test
    fun `withdrawal ends one route for its custodian`() = ledger {
        spends(route())
        tweak {
            asks(Withdraw(), CUSTODIAN_A)
            failsWith("A withdrawal must be signed by Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            leaves(route(version = 2))
            asks(Withdraw(), CUSTODIAN_B)
            failsWith("A withdrawal must turn 1 routes into 0, but turns 1 into 1.")
        }
        tweak {
            spends(route(SELLER, id = "R-2"))
            asks(Withdraw(), CUSTODIAN_A, CUSTODIAN_B)
            failsWith("A withdrawal must turn 1 routes into 0, but turns 2 into 0.")
        }
        tweak {
            refersTo(route(SELLER))
            asks(Withdraw(), CUSTODIAN_B)
            failsWith("A funds route must have no reference state, but has 1.")
        }
        asks(Withdraw(), CUSTODIAN_B)
        verifies()
    }
}
