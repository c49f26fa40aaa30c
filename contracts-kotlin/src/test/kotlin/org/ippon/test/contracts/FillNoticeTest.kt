package org.ippon.test.contracts

import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.FillCommand.Bust
import org.ippon.contracts.fill.FillCommand.Notify
import org.ippon.contracts.fill.Reversal
import org.ippon.contracts.security.Security
import org.junit.Test
import java.time.Instant
import java.time.LocalDate

/** `Notify`: how a fill comes onto the ledger. */
class FillNoticeTest {
    private val id = "must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is"

    /** [fills] by their venue; what becomes of them is the caller's to say. */
    private fun Tx.notifies(vararg fills: Fill) {
        leaves(*fills)
        asks(Notify(), VENUE)
    }

    @Test
    fun `notice needs the venue's signature alone`() = ledger {
        leaves(fill())
        tweak {
            asks(Notify(), CUSTODIAN_A, CUSTODIAN_B)
            failsWith("The notice of EX-1 must be signed by Venue, but Venue is not among its signers.")
        }
        tweak {
            leaves(fill("EX-2").copy(venue = OTHER_VENUE))
            asks(Notify(), VENUE)
            failsWith("The notice of EX-2 must be signed by Other Venue, but Other Venue is not among its signers.")
        }
        tweak {
            leaves(fill("EX-2").copy(venue = VENUE.forged()))
            asks(Notify(), VENUE)
            failsWith("The notice of EX-2 must be signed by Venue, but Venue is not among its signers.")
        }
        tweak {
            leaves(fill("EX-2").copy(venue = VENUE.renamed()))
            asks(Notify(), VENUE)
            failsWith("A notice must call the holder of a key by one name, but calls it O=Venue, L=Tokyo, C=JP and O=Renamed, L=Tokyo, C=JP.")
        }
        asks(Notify(), VENUE)
        verifies()
    }

    @Test
    fun `notice of several fills names each once`() = ledger {
        leaves(fill(), fill("EX-2"), fill("EX-3", seller = BUYER, buyer = SELLER))
        tweak {
            notifies(fill("EX-2", quantity = 20, amount = 20_010))
            failsWith("A notice must name each execution id once, but names [EX-2] twice.")
        }
        tweak {
            leaves(*(4..201).map { fill("EX-$it") }.toTypedArray())
            asks(Notify(), VENUE)
            failsWith("A notice must be of 1 to 200 fills, but is of 201.")
        }
        asks(Notify(), VENUE)
        verifies()
    }

    @Test
    fun `notice of the most fills a transaction may have`() = ledger {
        leaves(*(1..200).map { fill("EX-$it") }.toTypedArray())
        asks(Notify(), VENUE)
        verifies()
    }

    @Test
    fun `notice refuses other states and commands`() = ledger {
        leaves(fill())
        tweak {
            spends(fill("EX-0"))
            asks(Notify(), VENUE)
            failsWith("A notice must consume nothing, but consumes 1 states.")
        }
        tweak {
            leaves(units(SELLER, 1))
            asks(Notify(), VENUE)
            failsWith("A notice may touch only Fill, but also touches [SecurityToken].")
        }
        tweak {
            refersTo(fill("EX-0"))
            asks(Notify(), VENUE)
            failsWith("A notice must have no reference state, but has 1.")
        }
        tweak {
            leavesTied(1, fill("EX-2"), fill("EX-3"))
            asks(Notify(), VENUE)
            failsWith("A notice must leave no state encumbered, but encumbers 2.")
        }
        tweak {
            leavesUnderHash(fill("EX-2"))
            asks(Notify(), VENUE)
            failsWith("A notice must leave states under signature constraints, but leaves 1 under [HashAttachmentConstraint].")
        }
        tweak {
            asks(Notify(), VENUE)
            asks(CoinCommand.Transfer("MOVE-1"), VENUE)
            failsWith("A notice must have the commands [Notify] and no other, but has [Notify, Transfer].")
        }
        tweak {
            asks(Notify(), VENUE)
            asks(Bust(listOf("EX-1"), "wrong price"), VENUE)
            failsWith("List has more than one element.")
        }
        tweak {
            asks(CoinCommand.Transfer("MOVE-1"), VENUE)
            failsWith("Required ${FillCommand::class.qualifiedName} command")
        }
        asks(Notify(), VENUE)
        verifies()
    }

    @Test
    fun `notice refuses an amount that is not quantity times price`() = ledger {
        tweak {
            notifies(fill(amount = 10_004))
            failsWith("EX-1 must be for quantity × unit price = 10005.00 yen, but is for 10004 yen.")
        }
        tweak {
            notifies(fill(quantity = 11))
            failsWith("EX-1 must be for quantity × unit price = 11005.50 yen, but is for 10005 yen.")
        }
        tweak {
            notifies(fill(quantity = 3, amount = 3_001))
            failsWith("EX-1 must be for quantity × unit price = 3001.50 yen, but is for 3001 yen.")
        }
        tweak {
            notifies(fill(quantity = 3, amount = 3_002))
            failsWith("EX-1 must be for quantity × unit price = 3001.50 yen, but is for 3002 yen.")
        }
        tweak {
            notifies(fill(quantity = Long.MAX_VALUE, unitPrice = "2.00", amount = -2))
            failsWith("EX-1 must be for quantity × unit price = 18446744073709551614.00 yen, but is for -2 yen.")
        }
        tweak {
            notifies(fill(quantity = Long.MAX_VALUE, unitPrice = "1.00", amount = Long.MAX_VALUE))
            verifies()
        }
        notifies(fill(quantity = 4, amount = 4_002))
        verifies()
    }

    @Test
    fun `notice refuses a price that is not yen with two decimals above zero`() = ledger {
        listOf("1000.500", "1000.5", "1000", "0.00", "-1000.50", "1E+3").forEach { price ->
            tweak {
                notifies(fill(unitPrice = price))
                failsWith("EX-1 must have a unit price above zero with two decimals, but has $price.")
            }
        }
        listOf(0L, -10L).forEach { quantity ->
            tweak {
                notifies(fill(quantity = quantity, amount = 1_000 * quantity, unitPrice = "1000.00"))
                failsWith("EX-1 must be for more than zero units, but is for $quantity.")
            }
        }
        notifies(fill(quantity = 100, unitPrice = "0.01", amount = 1))
        verifies()
    }

    @Test
    fun `notice refuses bad ids`() = ledger {
        tweak {
            notifies(fill("EX 1"))
            failsWith("The execution id $id 'EX 1'.")
        }
        tweak {
            notifies(fill("E".repeat(65)))
            failsWith("The execution id $id '${"E".repeat(65)}'.")
        }
        tweak {
            notifies(fill("EX-1\n"))
            failsWith("The execution id $id 'EX-1\n'.")
        }
        tweak {
            notifies(fill().copy(platformCode = "約定"))
            failsWith("The platform code $id '約定'.")
        }
        tweak {
            notifies(fill(security = Security("", REGISTRAR)))
            failsWith("The security code $id ''.")
        }
        tweak {
            notifies(fill(seller = Holder(CUSTODIAN_A, "S/1")))
            failsWith("The seller's investor id $id 'S/1'.")
        }
        tweak {
            notifies(fill(buyer = Holder(CUSTODIAN_B, ".B")))
            failsWith("The buyer's investor id $id '.B'.")
        }
        notifies(fill("E".repeat(64)).copy(platformCode = "a.b_c:d-9"))
        verifies()
    }

    @Test
    fun `notice refuses one holder on both sides`() = ledger {
        tweak {
            notifies(fill(buyer = SELLER))
            failsWith("EX-1 must have two holders, but S-1 at Custodian A stands on both sides.")
        }
        tweak {
            notifies(fill(buyer = Holder(CUSTODIAN_A.renamed(), "S-1")))
            failsWith("A notice must call the holder of a key by one name")
        }
        tweak {
            notifies(fill(buyer = Holder(CUSTODIAN_B, "S-1")))
            verifies()
        }
        notifies(fill(buyer = BYSTANDER))
        verifies()
    }

    @Test
    fun `notice refuses days out of order or out of reach`() = ledger {
        tweak {
            notifies(fill(settleDate = LocalDate.parse("2026-05-17")))
            failsWith("EX-1 must settle on or after its trade date 2026-05-18, but its settle date is 2026-05-17.")
        }
        tweak {
            notifies(fill(settleDate = LocalDate.MAX))
            failsWith("The settle date must lie between 2000-01-01 and 9999-12-31, but is +999999999-12-31.")
        }
        tweak {
            notifies(fill().copy(tradeDate = LocalDate.parse("1999-12-31")))
            failsWith("The trade date must lie between 2000-01-01 and 9999-12-31, but is 1999-12-31.")
        }
        tweak {
            notifies(fill().copy(executedAt = Instant.MAX))
            failsWith("The time executed must lie between 2000-01-01T00:00:00Z and 9999-12-31T00:00:00Z, but is +1000000000-12-31T23:59:59.999999999Z.")
        }
        tweak {
            notifies(fill().copy(executedAt = Instant.EPOCH))
            failsWith("The time executed must lie between 2000-01-01T00:00:00Z and 9999-12-31T00:00:00Z, but is 1970-01-01T00:00:00Z.")
        }
        notifies(fill(settleDate = LocalDate.parse("2026-05-18")))
        verifies()
    }

    @Test
    fun `notice of a reversing fill needs both custodians too`() = ledger {
        val reversal = fill("EX-9", seller = BUYER, buyer = SELLER, reverses = Reversal("EX-1", "wrong price"))
        tweak {
            leaves(reversal.copy(reverses = Reversal("EX-9", "wrong price")))
            asks(Notify(), VENUE, CUSTODIAN_A, CUSTODIAN_B)
            failsWith("EX-9 must reverse another execution, but names itself.")
        }
        tweak {
            leaves(reversal.copy(reverses = Reversal("", "wrong price")))
            asks(Notify(), VENUE, CUSTODIAN_A, CUSTODIAN_B)
            failsWith("The reversed execution id $id ''.")
        }
        tweak {
            leaves(reversal.copy(reverses = Reversal("EX-1", " ")))
            asks(Notify(), VENUE, CUSTODIAN_A, CUSTODIAN_B)
            failsWith("A reversing fill must give a reason of 1 to 255 characters, but gives 1.")
        }
        leaves(reversal)
        tweak {
            asks(Notify(), VENUE)
            failsWith("The reversing fill EX-9 must be signed by Custodian A, Custodian B, but Custodian A, Custodian B is not among its signers.")
        }
        tweak {
            asks(Notify(), VENUE, CUSTODIAN_B)
            failsWith("The reversing fill EX-9 must be signed by Custodian A, Custodian B, but Custodian A is not among its signers.")
        }
        tweak {
            asks(Notify(), VENUE, CUSTODIAN_A)
            failsWith("The reversing fill EX-9 must be signed by Custodian A, Custodian B, but Custodian B is not among its signers.")
        }
        tweak {
            asks(Notify(), CUSTODIAN_A, CUSTODIAN_B)
            failsWith("The notice of EX-9 must be signed by Venue, but Venue is not among its signers.")
        }
        asks(Notify(), VENUE, CUSTODIAN_A, CUSTODIAN_B)
        verifies()
    }
}
