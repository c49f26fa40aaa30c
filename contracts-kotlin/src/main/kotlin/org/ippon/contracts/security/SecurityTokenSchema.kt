package org.ippon.contracts.security

import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Index
import javax.persistence.Table

/** Family of the security token schemas. */
object SecurityTokenSchema

/** First version. */
object SecurityTokenSchemaV1 : MappedSchema(SecurityTokenSchema.javaClass, 1, listOf(PersistentSecurityToken::class.java)) {
    override val migrationResource = "ippon-security-token.changelog-master"
}

/** A [SecurityToken] as the vault's queries see it. */
@Entity
@Table(name = "ippon_security_token", indexes = [Index(name = "ippon_token_holder", columnList = "investor_id, security_code")])
class PersistentSecurityToken(
        @Column(name = "security_code", nullable = false, length = 64) var securityCode: String,
        @Column(name = "registrar", nullable = false, length = 255) var registrar: String,
        @Column(name = "custodian", nullable = false, length = 255) var custodian: String,
        @Column(name = "investor_id", nullable = false, length = 64) var investorId: String,
        @Column(name = "units", nullable = false) var units: Long
) : PersistentState() {
    constructor(token: SecurityToken) : this(
            token.security.code, token.security.registrar.name.toString(),
            token.holder.custodian.name.toString(), token.holder.investorId, token.units
    )

    /** For Hibernate. */
    constructor() : this("", "", "", "", 0)
}
