package org.ippon.contracts.funds

import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import java.time.Instant
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Index
import javax.persistence.Table

/** Family of the funds schemas. */
object FundsSchema

/** First version: routes and trust instructions. */
object FundsSchemaV1 : MappedSchema(FundsSchema.javaClass, 1, listOf(PersistentFundsRoute::class.java, PersistentTrustInstruction::class.java)) {
    override val migrationResource = "ippon-funds.changelog-master"
}

/** A [FundsRoute] as the vault's queries see it. */
@Entity
@Table(name = "ippon_funds_route", indexes = [Index(name = "ippon_route_investor", columnList = "investor_id"), Index(name = "ippon_route_id", columnList = "route_id")])
class PersistentFundsRoute(
        @Column(name = "route_id", nullable = false, length = 64) var routeId: String,
        @Column(name = "version", nullable = false) var version: Int,
        @Column(name = "custodian", nullable = false, length = 255) var custodian: String,
        @Column(name = "investor_id", nullable = false, length = 64) var investorId: String,
        @Column(name = "institution_code", nullable = false, length = 64) var institutionCode: String,
        @Column(name = "method", nullable = false, length = 8) var method: String
) : PersistentState() {
    constructor(route: FundsRoute) : this(
            route.routeId, route.version, route.holder.custodian.name.toString(), route.holder.investorId, route.institutionCode, route.method.name
    )

    /** For Hibernate. */
    constructor() : this("", 0, "", "", "", "")
}

/** A [TrustInstruction] as the vault's queries see it. */
@Entity
@Table(name = "ippon_trust_instruction", indexes = [Index(name = "ippon_instruction_id", columnList = "instruction_id")])
class PersistentTrustInstruction(
        @Column(name = "instruction_id", nullable = false, length = 64) var instructionId: String,
        @Column(name = "custodian", nullable = false, length = 255) var custodian: String,
        @Column(name = "investor_id", nullable = false, length = 64) var investorId: String,
        @Column(name = "amount_instructed", nullable = false) var amountInstructed: Long,
        @Column(name = "issuer", nullable = false, length = 255) var issuer: String,
        @Column(name = "expires_at", nullable = false) var expiresAt: Instant
) : PersistentState() {
    constructor(instruction: TrustInstruction) : this(
            instruction.instructionId, instruction.holder.custodian.name.toString(), instruction.holder.investorId,
            instruction.amountInstructed, instruction.issuer.name.toString(), instruction.expiresAt
    )

    /** For Hibernate. */
    constructor() : this("", "", "", 0, "", Instant.EPOCH)
}
