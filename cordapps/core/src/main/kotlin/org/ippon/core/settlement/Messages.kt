package org.ippon.core.settlement

import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import org.ippon.core.ErrorCode
import org.ippon.core.WireRefusal

/** Seller's custodian → buyer's: are the buyers of these fills ready? Nothing is locked by the question. */
@CordaSerializable
data class SettlementQuery(val fills: List<FillRef>)

/** A fill by id and by state. */
@CordaSerializable
data class FillRef(val executionId: String, val ref: StateRef)

/** Buyer's custodian → seller's: a line for each fill asked about. */
@CordaSerializable
data class SettlementAnswer(val lines: List<BuyerLine>)

/** How the buyer's side of one fill stands. What a buyer holds or lacks does not travel, unless its custodian shares it. */
@CordaSerializable
enum class BuyerStand { READY, SHORT, HELD, REFUSED }

/**
 * @property cause why it is held or refused. @property account the buyer's accounts and route, when ready or short.
 * @property balance yen that a short buyer holds; only to a custodian with which the buyer's shares balances.
 * @property settledBy the transaction in which it has settled, for a seller's side that has lost it.
 */
@CordaSerializable
data class BuyerLine(
        val executionId: String, val stand: BuyerStand, val cause: ErrorCode?, val message: String, val account: BuyerAccount?,
        val balance: Long? = null, val settledBy: SecureHash? = null
)

/** The buyer's holding accounts and the funds route in force, vouched for by its custodian. */
@CordaSerializable
data class BuyerAccount(val tokenId: String, val coinId: String, val routeId: String, val routeVersion: Int)

/**
 * Seller's custodian → buyer's: the end of the questions. [settle] go into the transaction, and the buyer's side
 * reserves coins for them; of [lacking] the buyer's side learns only that its counterparty is short of units.
 */
@CordaSerializable
data class SettlementDecision(val settle: List<SellerAccount>, val lacking: List<String>)

/** The seller's holding accounts for one fill, vouched for by its custodian. */
@CordaSerializable
data class SellerAccount(val executionId: String, val tokenId: String, val coinId: String)

/** Buyer's custodian → seller's: the coin states reserved, and what the seller's side probably lacks of their chains; or why not. */
@CordaSerializable
data class ReserveAnswer(val refusal: WireRefusal?, val coins: List<StateRef> = emptyList(), val near: List<SignedTransaction> = emptyList())

/** What became of one fill in one try. */
@CordaSerializable
enum class Outcome { SETTLED, WAITING, REFUSED, BUSTED }

/** Why a fill waits, in ISO 20022 words. */
@CordaSerializable
enum class Reason { MONY, CMON, LACK, CLAC, PREA, PRCY, FUTU, BLOC, CONF, LATE }

/**
 * The result of one try for one fill.
 *
 * @property missing yen (MONY) or units (LACK) of the side that asks; the counterparty's (CMON) only where it shares balances.
 * @property cause finer than [reason]: an error code.
 */
@CordaSerializable
data class FillResult(
        val executionId: String, val outcome: Outcome, val reason: Reason?, val cause: ErrorCode?, val missing: Long?,
        val transactionId: String?, val message: String
)

/** The result of one settle flow. */
@CordaSerializable
data class SettlementResults(val results: List<FillResult>)
