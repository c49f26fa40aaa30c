package org.ippon.contracts.coin

import net.corda.core.contracts.BelongsToContract
import net.corda.core.identity.AbstractParty
import net.corda.core.identity.Party
import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import net.corda.core.schemas.QueryableState
import org.ippon.contracts.Holder
import org.ippon.contracts.NamesParties

/**
 * Coins (SC) in one holder's hands: a beneficiary right of a money trust, 1 coin = 1 yen.
 *
 * Lifecycle: `Issue` creates it against a trust instruction; `Transfer` consumes it and creates others of the same
 * sum, in a settlement or free of payment; `Redeem` consumes it for yen.
 * Participants: the holder's custodian and the issuer. Signers: see [CoinCommand].
 *
 * @property amount yen, more than zero.
 * @property issuer the coin node (trustee).
 */
@BelongsToContract(CoinContract::class)
data class Coin(val amount: Long, val holder: Holder, val issuer: Party) : QueryableState, NamesParties {
    override val participants: List<AbstractParty> get() = listOf(holder.custodian, issuer).distinct()

    override val parties: List<Party> get() = listOf(holder.custodian, issuer)

    override fun supportedSchemas(): Iterable<MappedSchema> = listOf(CoinSchemaV1)

    override fun generateMappedObject(schema: MappedSchema): PersistentState = when (schema) {
        is CoinSchemaV1 -> PersistentCoin(this)
        else -> throw IllegalArgumentException("Coin has the schema CoinSchemaV1, not ${schema.name}.")
    }
}
