package org.ippon.custodian

import net.corda.core.schemas.MappedSchema
import java.io.Serializable
import java.time.Instant
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Id
import javax.persistence.IdClass
import javax.persistence.Table

/** Family of the custodian node's tables. */
object CustodianSchema

/** First version. */
object CustodianSchemaV1 : MappedSchema(
        CustodianSchema.javaClass, 1,
        listOf(Investor::class.java, FillOrder::class.java, Notice::class.java, ReversalAcceptance::class.java, Started::class.java)
) {
    override val migrationResource = "ippon-custodian.changelog-master"
}

/** An investor of this custodian: opaque ids only. [coinInvestorId] is the account that pays (買側SC投資家ID), mostly the same. */
@Entity
@Table(name = "custodian_investor")
class Investor(
        @Id @Column(name = "investor_id", nullable = false, length = 64) var investorId: String = "",
        @Column(name = "coin_investor_id", nullable = false, length = 64) var coinInvestorId: String = "",
        @Column(name = "registered_at", nullable = false) var registeredAt: Instant = Instant.EPOCH
)

/** Primary key of [FillOrder]. */
data class FillOrderKey(var executionId: String = "", var venue: String = "") : Serializable

/** What a fill's order proof hides; told by the venue beside the fill. */
@Entity
@IdClass(FillOrderKey::class)
@Table(name = "custodian_fill_order")
class FillOrder(
        @Id @Column(name = "execution_id", nullable = false, length = 64) var executionId: String = "",
        @Id @Column(name = "venue", nullable = false, length = 128) var venue: String = "",
        @Column(name = "trade_id", nullable = false, length = 64) var tradeId: String = "",
        @Column(name = "sell_order_id", nullable = false, length = 64) var sellOrderId: String = "",
        @Column(name = "buy_order_id", nullable = false, length = 64) var buyOrderId: String = "",
        @Column(name = "salt", nullable = false, length = 64) var salt: String = ""
)

/** Something that this custodian's people or agent must know. */
@Entity
@Table(name = "custodian_notice")
class Notice(
        @Id @Column(name = "notice_id", nullable = false) var noticeId: Long = 0,
        @Column(name = "noted_at", nullable = false) var notedAt: Instant = Instant.EPOCH,
        @Column(name = "kind", nullable = false, length = 32) var kind: String = "",
        @Column(name = "execution_id", nullable = false, length = 64) var executionId: String = "",
        @Column(name = "reason", nullable = false, length = 8) var reason: String = "",
        @Column(name = "missing", nullable = true) var missing: Long? = null,
        @Column(name = "investor_id", nullable = true, length = 64) var investorId: String? = null,
        @Column(name = "counterparty", nullable = false, length = 128) var counterparty: String = ""
)

/** This custodian's people accept that the fill [executionId] will reverse the settled one [reverses]. */
@Entity
@Table(name = "custodian_acceptance")
class ReversalAcceptance(
        @Id @Column(name = "execution_id", nullable = false, length = 64) var executionId: String = "",
        @Column(name = "reverses", nullable = false, length = 64) var reverses: String = "",
        @Column(name = "accepted_at", nullable = false) var acceptedAt: Instant = Instant.EPOCH
)

/** Primary key of [Started]. */
data class StartedKey(var businessId: String = "", var kind: String = "") : Serializable

/** A business id of this custodian and the transaction that it became: the same id makes nothing twice. */
@Entity
@IdClass(StartedKey::class)
@Table(name = "custodian_started")
class Started(
        @Id @Column(name = "business_id", nullable = false, length = 160) var businessId: String = "",
        @Id @Column(name = "kind", nullable = false, length = 16) var kind: String = "",
        @Column(name = "content_hash", nullable = false, length = 64) var contentHash: String = "",
        @Column(name = "started_tx", nullable = false, length = 64) var transactionId: String = "",
        @Column(name = "noted_at", nullable = false) var notedAt: Instant = Instant.EPOCH
)
