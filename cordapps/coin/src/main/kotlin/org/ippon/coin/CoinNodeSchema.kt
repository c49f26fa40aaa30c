package org.ippon.coin

import net.corda.core.schemas.MappedSchema
import java.time.Instant
import java.time.LocalDate
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Id
import javax.persistence.Table

/** Family of the coin node's tables. */
object CoinNodeSchema

/** First version. */
object CoinNodeSchemaV1 : MappedSchema(CoinNodeSchema.javaClass, 1, listOf(StatementLine::class.java, RedemptionRow::class.java)) {
    override val migrationResource = "ippon-coin-node.changelog-master"
}

/**
 * A line of the trust account's statement, as the bank sent it. Coins are issued only against a line, and each line once.
 *
 * @property amount yen; negative for yen paid out. @property reference what the payer wrote: the instruction id.
 * @property usedBy custodian and instruction id, once coins are issued against it.
 */
@Entity
@Table(name = "coin_statement_line")
class StatementLine(
        @Id @Column(name = "line_id", nullable = false, length = 64) var lineId: String = "",
        @Column(name = "value_date", nullable = false) var valueDate: LocalDate = LocalDate.MIN,
        @Column(name = "amount", nullable = false) var amount: Long = 0,
        @Column(name = "reference", nullable = false, length = 64) var reference: String = "",
        @Column(name = "custodian", nullable = false, length = 128) var custodian: String = "",
        @Column(name = "used_by", nullable = true, length = 160) var usedBy: String? = null,
        @Column(name = "used_tx", nullable = true, length = 64) var usedTransaction: String? = null,
        @Column(name = "recorded_at", nullable = false) var recordedAt: Instant = Instant.EPOCH
)

/** A redemption signed by this issuer: a custodian's redemption id redeems once. */
@Entity
@Table(name = "coin_redemption")
class RedemptionRow(
        @Id @Column(name = "redemption_id", nullable = false, length = 160) var redemptionId: String = "",
        @Column(name = "custodian", nullable = false, length = 128) var custodian: String = "",
        @Column(name = "amount", nullable = false) var amount: Long = 0,
        @Column(name = "redeemed_tx", nullable = false, length = 64) var transactionId: String = "",
        @Column(name = "redeemed_at", nullable = false) var redeemedAt: Instant = Instant.EPOCH
)
