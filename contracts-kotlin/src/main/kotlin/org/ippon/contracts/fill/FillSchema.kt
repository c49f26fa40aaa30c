package org.ippon.contracts.fill

import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import java.time.Instant
import java.time.LocalDate
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Index
import javax.persistence.Table

/** Family of the fill schemas. */
object FillSchema

/** First version. No unique index: a violation while recording would send the flow to the hospital. */
object FillSchemaV1 : MappedSchema(FillSchema.javaClass, 1, listOf(PersistentFill::class.java)) {
    override val migrationResource = "ippon-fill.changelog-master"
}

/** A [Fill] as the vault's queries see it. */
@Entity
@Table(name = "ippon_fill", indexes = [Index(name = "ippon_fill_execution", columnList = "execution_id"), Index(name = "ippon_fill_settle", columnList = "settle_date")])
class PersistentFill(
        @Column(name = "execution_id", nullable = false, length = 64) var executionId: String,
        @Column(name = "venue", nullable = false, length = 255) var venue: String,
        @Column(name = "security_code", nullable = false, length = 64) var securityCode: String,
        @Column(name = "registrar", nullable = false, length = 255) var registrar: String,
        @Column(name = "quantity", nullable = false) var quantity: Long,
        @Column(name = "amount", nullable = false) var amount: Long,
        @Column(name = "seller_custodian", nullable = false, length = 255) var sellerCustodian: String,
        @Column(name = "seller_investor_id", nullable = false, length = 64) var sellerInvestorId: String,
        @Column(name = "buyer_custodian", nullable = false, length = 255) var buyerCustodian: String,
        @Column(name = "buyer_investor_id", nullable = false, length = 64) var buyerInvestorId: String,
        @Column(name = "executed_at", nullable = false) var executedAt: Instant,
        @Column(name = "settle_date", nullable = false) var settleDate: LocalDate
) : PersistentState() {
    constructor(fill: Fill) : this(
            fill.executionId, fill.venue.name.toString(), fill.security.code, fill.security.registrar.name.toString(),
            fill.quantity, fill.amount,
            fill.seller.custodian.name.toString(), fill.seller.investorId,
            fill.buyer.custodian.name.toString(), fill.buyer.investorId,
            fill.executedAt, fill.settleDate
    )

    /** For Hibernate. */
    constructor() : this("", "", "", "", 0, 0, "", "", "", "", Instant.EPOCH, LocalDate.MIN)
}
