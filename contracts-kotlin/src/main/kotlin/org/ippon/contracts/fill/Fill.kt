package org.ippon.contracts.fill

import net.corda.core.contracts.BelongsToContract
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.AbstractParty
import net.corda.core.identity.Party
import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import net.corda.core.schemas.QueryableState
import net.corda.core.serialization.CordaSerializable
import org.ippon.contracts.Holder
import org.ippon.contracts.NamesParties
import org.ippon.contracts.security.Security
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate

/**
 * One execution of the venue (出来情報), signed by the exchange node onto the ledger.
 *
 * Lifecycle: `Notify` creates it; `Settle` consumes it, once, together with the exchange that it describes; `Bust`
 * consumes it without an exchange. Participants: both custodians, and nobody else until it settles. The venue is not
 * a participant: it keeps its own table of what it signed. Signers: see [FillContract].
 *
 * @property executionId 約定ID, at most once per venue.
 * @property venue the exchange node that vouches for the fill.
 * @property platformCode ST決済基盤コード: the platform on which the security lives.
 * @property quantity units, more than zero.
 * @property unitPrice yen per unit, exactly two decimals.
 * @property amount yen; exactly quantity × unit price, a whole number.
 * @property coinIssuer the coin node whose coins pay for it.
 * @property executedAt time of the match, UTC.
 * @property settleDate first day, Asia/Tokyo, on which it may settle.
 * @property orderProof salted hashes of what later holders of the tokens must not read.
 * @property tokenTransactionId transaction that made the sold token, when the venue knows it.
 * @property reverses set when this fill puts an earlier, settled one right.
 */
@BelongsToContract(FillContract::class)
data class Fill(
        val executionId: String,
        val venue: Party,
        val platformCode: String,
        val security: Security,
        val quantity: Long,
        val unitPrice: BigDecimal,
        val amount: Long,
        val seller: Holder,
        val buyer: Holder,
        val coinIssuer: Party,
        val tradeDate: LocalDate,
        val executedAt: Instant,
        val settleDate: LocalDate,
        val orderProof: OrderProof,
        val tokenTransactionId: SecureHash?,
        val reverses: Reversal?
) : QueryableState, NamesParties {
    override val participants: List<AbstractParty> get() = custodians

    override val parties: List<Party> get() = listOf(venue, seller.custodian, buyer.custodian, security.registrar, coinIssuer)

    /** Both custodians, once each: the same node may stand on both sides. */
    val custodians: List<Party> get() = listOf(seller.custodian, buyer.custodian).distinct()

    /** Everybody who must sign for the exchange that this fill describes. */
    val settlementSigners: List<Party> get() = (custodians + security.registrar + coinIssuer).distinct()

    override fun supportedSchemas(): Iterable<MappedSchema> = listOf(FillSchemaV1)

    override fun generateMappedObject(schema: MappedSchema): PersistentState = when (schema) {
        is FillSchemaV1 -> PersistentFill(this)
        else -> throw IllegalArgumentException("Fill has the schema FillSchemaV1, not ${schema.name}.")
    }
}

/**
 * Hashes of the venue's trade id and of both order ids. After settlement asset node, coin node and later holders
 * resolve the fill with the tokens' chain; the salt, which only the exchange node and both custodians have, keeps the
 * short ids from being guessed.
 */
@CordaSerializable
data class OrderProof(val tradeId: SecureHash, val sellOrderId: SecureHash, val buyOrderId: SecureHash)

/**
 * What [OrderProof] hides, sent beside the transaction to both custodians.
 *
 * @property salt at least 16 random bytes in hex, made by the exchange node for each fill.
 */
@CordaSerializable
data class OrderDetails(val tradeId: String, val sellOrderId: String, val buyOrderId: String, val salt: String) {
    /** The hashes that the fill must carry. */
    fun proof() = OrderProof(hash("trade", tradeId), hash("sell", sellOrderId), hash("buy", buyOrderId))

    private fun hash(field: String, id: String): SecureHash = SecureHash.sha256("$salt|$field|$id".toByteArray())
}

/** Names the settled execution that a fill reverses, and why. */
@CordaSerializable
data class Reversal(val executionId: String, val reason: String)
