package org.ippon.test.contracts

import net.corda.core.contracts.TimeWindow
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.funds.TrustInstructionCommand.Cancel
import org.ippon.contracts.funds.TrustInstructionCommand.Execute
import org.ippon.contracts.funds.TrustInstructionCommand.Expire
import org.ippon.contracts.funds.TrustInstructionCommand.Instruct
import org.ippon.contracts.funds.TrustInstructionCommand.Reject
import org.junit.Test
import java.time.Instant

/** Execution with the issue it asks for is in [CoinIssueTest]. */
class TrustInstructionContractTest {
    private val id = "must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is"

    @Test
    fun `instruction needs its custodian`() = ledger {
        leaves(instruction())
        tweak {
            asks(Instruct(), COIN_ISSUER)
            failsWith("An instruction must be signed by Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            asks(Instruct(), CUSTODIAN_B)
            asks(Cancel(), CUSTODIAN_B)
            failsWith("List has more than one element.")
        }
        tweak {
            asks(CoinCommand.Issue(5_000), COIN_ISSUER)
            failsWith("Required ${TrustInstructionCommand::class.qualifiedName} command")
        }
        tweak {
            asks(Instruct(), CUSTODIAN_B)
            asks(CoinCommand.Issue(5_000), COIN_ISSUER)
            failsWith("An instruction must have the commands [Instruct] and no other, but has [Instruct, Issue].")
        }
        asks(Instruct(), CUSTODIAN_B)
        verifies()
    }

    @Test
    fun `instruction makes one well formed instruction`() = ledger {
        tweak {
            leaves(instruction(0))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("An instruction must be for more than zero yen, but is for 0.")
        }
        tweak {
            leaves(instruction(-5_000))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("An instruction must be for more than zero yen, but is for -5000.")
        }
        tweak {
            leaves(instruction(id = "I 1"))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("The instruction id $id 'I 1'.")
        }
        tweak {
            leaves(instruction(holder = Holder(CUSTODIAN_B, "")))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("The investor id $id ''.")
        }
        tweak {
            leaves(instruction(expiresAt = Instant.MAX))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("The expiry time must lie between 2000-01-01T00:00:00Z and 9999-12-31T00:00:00Z, but is +1000000000-12-31T23:59:59.999999999Z.")
        }
        tweak {
            leaves(instruction(), instruction(id = "I-2"))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("An instruction must turn nothing into one trust instruction, but turns 0 states into 2.")
        }
        tweak {
            spends(instruction())
            leaves(instruction(10_000))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("An instruction must turn nothing into one trust instruction, but turns 1 states into 1.")
        }
        leaves(instruction())
        tweak {
            leaves(coins(BUYER, 5_000))
            asks(Instruct(), CUSTODIAN_B)
            failsWith("An instruction may touch only TrustInstruction, but also touches [Coin].")
        }
        asks(Instruct(), CUSTODIAN_B)
        verifies()
    }

    @Test
    fun `execution neither makes an instruction nor ends one without coins`() = ledger {
        tweak {
            leaves(instruction())
            asks(Execute(), OUTSIDER)
            asks(CoinCommand.Issue(5_000), OUTSIDER)
            failsWith("An execution must turn one trust instruction into one coin state, but turns [] into [TrustInstruction].")
        }
        spends(instruction())
        tweak {
            asks(Execute(), COIN_ISSUER)
            asks(CoinCommand.Issue(5_000), COIN_ISSUER)
            failsWith("An execution must turn one trust instruction into one coin state, but turns [TrustInstruction] into [].")
        }
        tweak {
            leaves(instruction(10_000))
            asks(Execute(), COIN_ISSUER)
            asks(CoinCommand.Issue(5_000), COIN_ISSUER)
            failsWith("An execution must turn one trust instruction into one coin state, but turns [TrustInstruction] into [TrustInstruction].")
        }
        tweak {
            leaves(coins(BUYER, 5_000), units(BUYER, 1))
            asks(Execute(), COIN_ISSUER)
            asks(CoinCommand.Issue(5_000), COIN_ISSUER)
            failsWith("An execution may touch only TrustInstruction, Coin, but also touches [SecurityToken].")
        }
        leaves(coins(BUYER, 5_000))
        asks(Execute(), COIN_ISSUER)
        asks(CoinCommand.Issue(5_000), COIN_ISSUER)
        verifies()
    }

    @Test
    fun `rejection needs the issuer and a reason`() = ledger {
        spends(instruction())
        tweak {
            asks(Reject("no such cash"), CUSTODIAN_B)
            failsWith("A rejection must be signed by Coin Issuer, but Coin Issuer is not among its signers.")
        }
        tweak {
            asks(Reject(""), COIN_ISSUER)
            failsWith("A rejection must give a reason of 1 to 255 characters, but gives 0.")
        }
        tweak {
            asks(Reject("x".repeat(256)), COIN_ISSUER)
            failsWith("A rejection must give a reason of 1 to 255 characters, but gives 256.")
        }
        tweak {
            leaves(instruction(1))
            asks(Reject("no such cash"), COIN_ISSUER)
            failsWith("A rejection must end one trust instruction, but turns 1 states into 1.")
        }
        tweak {
            spends(instruction(id = "I-2"))
            asks(Reject("no such cash"), COIN_ISSUER)
            failsWith("A rejection must end one trust instruction, but turns 2 states into 0.")
        }
        tweak {
            leaves(coins(BUYER, 5_000))
            asks(Reject("no such cash"), COIN_ISSUER)
            failsWith("A rejection may touch only TrustInstruction, but also touches [Coin].")
        }
        tweak {
            asks(Reject("no such cash"), COIN_ISSUER)
            asks(CoinCommand.Issue(5_000), COIN_ISSUER)
            failsWith("A rejection must have the commands [Reject] and no other, but has [Issue, Reject].")
        }
        asks(Reject("no such cash"), COIN_ISSUER)
        verifies()
    }

    @Test
    fun `cancellation needs the custodian`() = ledger {
        spends(instruction())
        tweak {
            asks(Cancel(), COIN_ISSUER)
            failsWith("A cancellation must be signed by Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            leaves(instruction(1))
            asks(Cancel(), CUSTODIAN_B)
            failsWith("A cancellation must end one trust instruction, but turns 1 states into 1.")
        }
        asks(Cancel(), CUSTODIAN_B)
        verifies()
    }

    @Test
    fun `expiry needs the issuer and its time to have come`() = ledger {
        spends(instruction())
        tweak {
            timeWindow(TimeWindow.fromOnly(EXPIRES_AT))
            asks(Expire(), CUSTODIAN_B)
            failsWith("An expiry must be signed by Coin Issuer, but Coin Issuer is not among its signers.")
        }
        tweak {
            asks(Expire(), COIN_ISSUER)
            failsWith("An expiry must have a time-window that begins at 2026-05-21T06:00:00Z or later, but it begins at null.")
        }
        tweak {
            timeWindow(TimeWindow.untilOnly(EXPIRES_AT.plusSeconds(60)))
            asks(Expire(), COIN_ISSUER)
            failsWith("An expiry must have a time-window that begins at 2026-05-21T06:00:00Z or later, but it begins at null.")
        }
        tweak {
            timeWindow(TimeWindow.between(EXPIRES_AT.minusNanos(1), EXPIRES_AT.plusSeconds(60)))
            asks(Expire(), COIN_ISSUER)
            failsWith("An expiry must have a time-window that begins at 2026-05-21T06:00:00Z or later, but it begins at 2026-05-21T05:59:59.999999999Z.")
        }
        timeWindow(TimeWindow.fromOnly(EXPIRES_AT))
        asks(Expire(), COIN_ISSUER)
        verifies()
    }
}
