package org.ippon.test.contracts

import net.corda.core.contracts.ContractState
import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.QueryableState
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.CoinSchemaV1
import org.ippon.contracts.coin.PersistentCoin
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.FillContract
import org.ippon.contracts.fill.FillSchemaV1
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.fill.PersistentFill
import org.ippon.contracts.funds.FundsRouteCommand
import org.ippon.contracts.funds.FundsSchemaV1
import org.ippon.contracts.funds.PersistentFundsRoute
import org.ippon.contracts.funds.PersistentTrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.isLedgerId
import org.ippon.contracts.security.PersistentSecurityToken
import org.ippon.contracts.security.SecurityTokenSchemaV1
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.time.LocalTime
import java.time.ZoneId
import kotlin.test.assertFailsWith

/** What the states say of themselves: who gets them, how vaults see them, what proves a fill's orders. */
class StatesTest {
    @Test
    fun `states go to those concerned and to nobody else`() {
        fun participants(state: ContractState) = state.participants.map { it.nameOrNull()!!.organisation }
        assertEquals(listOf("Custodian A", "Custodian B"), participants(fill()))
        assertEquals(listOf("Custodian A"), participants(fill(buyer = BYSTANDER)))
        assertEquals(listOf("Custodian A", "Registrar"), participants(units(SELLER, 1)))
        assertEquals(listOf("Custodian B", "Coin Issuer"), participants(coins(BUYER, 1)))
        assertEquals(listOf("Coin Issuer"), participants(coins(Holder(COIN_ISSUER, "TRUST"), 1)))
        assertEquals(listOf("Custodian B"), participants(route()))
        assertEquals(listOf("Custodian B", "Coin Issuer"), participants(instruction()))
    }

    @Test
    fun `fill names its settlement's signers once each`() {
        assertEquals(listOf(CUSTODIAN_A, CUSTODIAN_B, REGISTRAR, COIN_ISSUER), fill().settlementSigners)
        assertEquals(listOf(CUSTODIAN_A, REGISTRAR), fill(buyer = BYSTANDER).copy(coinIssuer = CUSTODIAN_A).settlementSigners)
    }

    @Test
    fun `states map to rows that can be asked for`() {
        fun <T> row(state: QueryableState): T {
            @Suppress("UNCHECKED_CAST")
            return state.generateMappedObject(state.supportedSchemas().single()) as T
        }
        row<PersistentFill>(fill()).run {
            assertEquals(listOf("EX-1", VENUE.name.toString(), "2970", REGISTRAR.name.toString()), listOf(executionId, venue, securityCode, registrar))
            assertEquals(listOf(10L, 10_005L), listOf(quantity, amount))
            assertEquals(listOf(CUSTODIAN_A.name.toString(), "S-1", CUSTODIAN_B.name.toString(), "B-1"), listOf(sellerCustodian, sellerInvestorId, buyerCustodian, buyerInvestorId))
            assertEquals(listOf(fill().executedAt, SETTLE_DATE), listOf(executedAt, settleDate))
        }
        row<PersistentSecurityToken>(units(SELLER, 7)).run {
            assertEquals(listOf("2970", REGISTRAR.name.toString(), CUSTODIAN_A.name.toString(), "S-1", 7L), listOf(securityCode, registrar, custodian, investorId, units))
        }
        row<PersistentCoin>(coins(BUYER, 8)).run {
            assertEquals(listOf(COIN_ISSUER.name.toString(), CUSTODIAN_B.name.toString(), "B-1", 8L), listOf(issuer, custodian, investorId, amount))
        }
        row<PersistentFundsRoute>(route()).run {
            assertEquals(listOf("R-1", 1, CUSTODIAN_B.name.toString(), "B-1", "COIN", "COIN"), listOf(routeId, version, custodian, investorId, institutionCode, method))
        }
        row<PersistentTrustInstruction>(instruction()).run {
            assertEquals(listOf("I-1", CUSTODIAN_B.name.toString(), "B-1", 5_000L, COIN_ISSUER.name.toString(), EXPIRES_AT), listOf(instructionId, custodian, investorId, amountInstructed, issuer, expiresAt))
        }
    }

    @Test
    fun `states refuse a schema that is not theirs`() {
        fun refusal(state: QueryableState, schema: MappedSchema) = assertFailsWith<IllegalArgumentException> { state.generateMappedObject(schema) }.message
        assertEquals("Fill has the schema FillSchemaV1, not ${CoinSchemaV1.name}.", refusal(fill(), CoinSchemaV1))
        assertEquals("SecurityToken has the schema SecurityTokenSchemaV1, not ${CoinSchemaV1.name}.", refusal(units(SELLER, 1), CoinSchemaV1))
        assertEquals("Coin has the schema CoinSchemaV1, not ${FillSchemaV1.name}.", refusal(coins(BUYER, 1), FillSchemaV1))
        assertEquals("FundsRoute has the schema FundsSchemaV1, not ${SecurityTokenSchemaV1.name}.", refusal(route(), SecurityTokenSchemaV1))
        assertEquals("TrustInstruction has the schema FundsSchemaV1, not ${FillSchemaV1.name}.", refusal(instruction(), FillSchemaV1))
        assertEquals(FundsSchemaV1, route().supportedSchemas().single())
    }

    @Test
    fun `proof of orders differs with each id, each field and the salt`() {
        val details = OrderDetails("T-1", "O-1", "O-2", "00ff")
        assertEquals(details.proof(), details.copy().proof())
        assertNotEquals(details.proof().tradeId, details.copy(tradeId = "T-2").proof().tradeId)
        assertNotEquals(details.proof().sellOrderId, details.copy(sellOrderId = "O-3").proof().sellOrderId)
        assertNotEquals(details.proof().buyOrderId, details.copy(buyOrderId = "O-3").proof().buyOrderId)
        val same = OrderDetails("X", "X", "X", "00ff").proof()
        assertEquals(3, setOf(same.tradeId, same.sellOrderId, same.buyOrderId).size)
        val salted = OrderDetails("X", "X", "X", "00fe").proof()
        assertEquals(6, setOf(same.tradeId, same.sellOrderId, same.buyOrderId, salted.tradeId, salted.sellOrderId, salted.buyOrderId).size)
    }

    @Test
    fun `ledger ids are short, plain and start with a letter or digit`() {
        listOf("a", "9", "Ab.c_d:e-f", "x".repeat(64)).forEach { assertTrue(it, isLedgerId(it)) }
        listOf("", " ", "-a", ".a", "a b", "a/b", "a\n", "\na", "投資家", "a\u0000", "x".repeat(65)).forEach { assertFalse(it, isLedgerId(it)) }
    }

    @Test
    fun `commands without content are equal to themselves alone`() {
        val commands = listOf(
                FillCommand.Notify(), FundsRouteCommand.Register(), FundsRouteCommand.Replace(), FundsRouteCommand.Withdraw(),
                TrustInstructionCommand.Instruct(), TrustInstructionCommand.Execute(), TrustInstructionCommand.Cancel(), TrustInstructionCommand.Expire()
        )
        commands.forEach { one ->
            val again = one.javaClass.newInstance()
            assertEquals(one, again)
            assertEquals(one.hashCode(), again.hashCode())
            assertEquals(listOf(one), commands.filter { it == one })
        }
    }

    @Test
    fun `settle dates are days of Tokyo`() {
        val midnight = SETTLE_DATE.atTime(LocalTime.MIDNIGHT)
        assertEquals(midnight.atZone(ZoneId.of("Asia/Tokyo")).toInstant(), midnight.atZone(FillContract.TOKYO).toInstant())
    }
}
