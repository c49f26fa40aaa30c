package org.ippon.test.contracts

import net.corda.core.contracts.AutomaticPlaceholderConstraint
import net.corda.core.contracts.CommandData
import net.corda.core.contracts.ContractAttachment
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.HashAttachmentConstraint
import net.corda.core.contracts.TimeWindow
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import net.corda.core.internal.requiredContractClassName
import net.corda.core.node.NotaryInfo
import net.corda.core.transactions.TransactionBuilder
import net.corda.testing.common.internal.testNetworkParameters
import net.corda.testing.core.TestIdentity
import net.corda.testing.dsl.EnforceVerifyOrFail
import net.corda.testing.dsl.TransactionDSL
import net.corda.testing.dsl.TransactionDSLInterpreter
import net.corda.testing.node.MockServices
import net.corda.testing.node.ledger
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillContract
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.fill.Reversal
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate

/** A transaction being built in the ledger DSL. */
typealias Tx = TransactionDSL<TransactionDSLInterpreter>

private fun identity(name: String) = TestIdentity(CordaX500Name(name, "Tokyo", "JP"))

val NOTARY_IDENTITY = identity("Notary")
val NOTARY: Party = NOTARY_IDENTITY.party
val VENUE: Party = identity("Venue").party
val OTHER_VENUE: Party = identity("Other Venue").party
val CUSTODIAN_A: Party = identity("Custodian A").party
val CUSTODIAN_B: Party = identity("Custodian B").party
val REGISTRAR: Party = identity("Registrar").party
val OTHER_REGISTRAR: Party = identity("Other Registrar").party
val COIN_ISSUER: Party = identity("Coin Issuer").party
val OTHER_COIN_ISSUER: Party = identity("Other Coin Issuer").party

/** Holds no part in anything. */
val OUTSIDER: Party = identity("Outsider").party

val NETWORK = testNetworkParameters(listOf(NotaryInfo(NOTARY, false)), minimumPlatformVersion = 4)
private val SERVICES = MockServices(listOf("org.ippon.contracts"), NOTARY_IDENTITY, NETWORK).apply { signCordapp(this) }

/** Mock services forget who signed a jar, and without a signer there is no signature constraint. */
private fun signCordapp(services: MockServices) {
    val id = services.cordappProvider.getContractAttachmentID(FillContract.ID)!!
    val jar = services.attachments.openAttachment(id) as ContractAttachment
    val signed = ContractAttachment.create(jar.attachment, jar.contract, jar.additionalContracts, jar.uploader, listOf(NOTARY.owningKey), jar.version)
    services.attachments.importContractAttachment(id, signed)
}

val SECURITY = Security("2970", REGISTRAR)
val SELLER = Holder(CUSTODIAN_A, "S-1")
val BUYER = Holder(CUSTODIAN_B, "B-1")

/** A third investor, at the seller's custodian. */
val BYSTANDER = Holder(CUSTODIAN_A, "S-2")

val SETTLE_DATE: LocalDate = LocalDate.parse("2026-05-20")
val TOKYO_MORNING: Instant = Instant.parse("2026-05-20T00:30:00Z")
val WINDOW: TimeWindow = TimeWindow.between(TOKYO_MORNING, TOKYO_MORNING.plusSeconds(300))

/** The same key under another name. */
fun Party.renamed() = Party(CordaX500Name("Renamed", "Tokyo", "JP"), owningKey)

/** The same name with another key. */
fun Party.forged() = Party(name, OUTSIDER.owningKey)

fun units(holder: Holder, units: Long, security: Security = SECURITY) = SecurityToken(security, units, holder)

fun coins(holder: Holder, yen: Long, issuer: Party = COIN_ISSUER) = Coin(yen, holder, issuer)

/** 10 units at ¥1,000.50 = ¥10,005, unless told otherwise. */
fun fill(
        id: String = "EX-1",
        seller: Holder = SELLER,
        buyer: Holder = BUYER,
        quantity: Long = 10,
        unitPrice: String = "1000.50",
        amount: Long = 10_005,
        security: Security = SECURITY,
        settleDate: LocalDate = SETTLE_DATE,
        reverses: Reversal? = null
) = Fill(
        id, VENUE, "IBET", security, quantity, BigDecimal(unitPrice), amount, seller, buyer, COIN_ISSUER,
        LocalDate.parse("2026-05-18"), Instant.parse("2026-05-18T01:02:03Z"), settleDate,
        OrderDetails("T-1", "O-1", "O-2", "00112233445566778899aabbccddeeff").proof(), SecureHash.zeroHash, reverses
)

/** The term by which [fill] settles between the very accounts that it names. */
fun term(fill: Fill) = SettleTerm(
        fill.executionId, fill.seller.investorId, fill.buyer.investorId, fill.seller.investorId, fill.buyer.investorId, "R-1", 1
)

/** [states] as a list that the compiler takes for one of states, whatever their kinds. */
fun states(vararg states: ContractState): List<ContractState> = states.toList()

fun route(holder: Holder = BUYER, version: Int = 1, id: String = "R-1", institutionCode: String = "COIN") =
        FundsRoute(id, version, holder, institutionCode, PaymentMethod.COIN)

val EXPIRES_AT: Instant = Instant.parse("2026-05-21T06:00:00Z")

fun instruction(amount: Long = 5_000, holder: Holder = BUYER, id: String = "I-1", expiresAt: Instant = EXPIRES_AT) =
        TrustInstruction(id, holder, amount, COIN_ISSUER, expiresAt)

/** Runs [script] on a ledger of its own; its last line says what becomes of the transaction. */
fun ledger(script: Tx.() -> EnforceVerifyOrFail) {
    SERVICES.ledger(NOTARY) { transaction(dsl = script) }
}

/** Consumes [states], which lie on the ledger under the CorDapp's signature constraint as real ones do. */
fun Tx.spends(vararg states: ContractState) {
    if (states.isEmpty()) return
    // One origin for all: the builder verifies each, and that takes most of a test's time.
    val origin = ledgerInterpreter._unverifiedTransaction(null, TransactionBuilder(NOTARY)) { states.forEach { leave(it) } }
    states.indices.forEach { input(origin.outRef<ContractState>(it).ref) }
}

/** Reads [state] without consuming it. */
fun Tx.refersTo(state: ContractState) {
    val origin = ledgerInterpreter._unverifiedTransaction(null, TransactionBuilder(NOTARY)) { leave(state) }
    reference(origin.outRef<ContractState>(0).ref)
}

/** Creates [states]. */
fun Tx.leaves(vararg states: ContractState) = states.forEach { leave(it) }

/** Creates [first] and [second], each spendable only with the other. [offset] is how many outputs there are already. */
fun Tx.leavesTied(offset: Int, first: ContractState, second: ContractState) {
    output(first.requiredContractClassName!!, offset + 1, first)
    output(second.requiredContractClassName!!, offset, second)
}

/** Creates [state] for one jar alone, as Corda would let a builder do. */
fun Tx.leavesUnderHash(state: ContractState) {
    val jar = SERVICES.cordappProvider.getContractAttachmentID(FillContract.ID)!!
    output(state.requiredContractClassName!!, null, NOTARY, null, HashAttachmentConstraint(jar), state)
}

private fun TransactionDSLInterpreter.leave(state: ContractState) =
        output(state.requiredContractClassName!!, null, NOTARY, null, AutomaticPlaceholderConstraint, state)

/** The transaction has [command], and [signers] sign it. */
fun Tx.asks(command: CommandData, vararg signers: Party) = command(signers.map { it.owningKey }, command)
