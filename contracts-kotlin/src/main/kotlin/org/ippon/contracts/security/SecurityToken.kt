package org.ippon.contracts.security

import net.corda.core.contracts.BelongsToContract
import net.corda.core.identity.AbstractParty
import net.corda.core.identity.Party
import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import net.corda.core.schemas.QueryableState
import net.corda.core.serialization.CordaSerializable
import org.ippon.contracts.Holder
import org.ippon.contracts.NamesParties

/**
 * One security (銘柄): its code and the registrar who keeps its register. Two registrars' securities of one code are
 * two securities.
 */
@CordaSerializable
data class Security(val code: String, val registrar: Party)

/**
 * Units of a security token (ST) in one holder's hands; all unconsumed ones together are the register (原簿).
 *
 * Lifecycle: `Issue` creates it; `Transfer` consumes it and creates others of the same sum, in a settlement or free of
 * payment. Forced transfer, freeze and redemption will be further commands of [SecurityTokenContract].
 * Participants: the holder's custodian and the registrar. Signers: see [SecurityTokenCommand].
 *
 * @property units more than zero; a unit (口) is moved whole.
 */
@BelongsToContract(SecurityTokenContract::class)
data class SecurityToken(val security: Security, val units: Long, val holder: Holder) : QueryableState, NamesParties {
    override val participants: List<AbstractParty> get() = listOf(holder.custodian, security.registrar).distinct()

    override val parties: List<Party> get() = listOf(holder.custodian, security.registrar)

    override fun supportedSchemas(): Iterable<MappedSchema> = listOf(SecurityTokenSchemaV1)

    override fun generateMappedObject(schema: MappedSchema): PersistentState = when (schema) {
        is SecurityTokenSchemaV1 -> PersistentSecurityToken(this)
        else -> throw IllegalArgumentException("SecurityToken has the schema SecurityTokenSchemaV1, not ${schema.name}.")
    }
}
