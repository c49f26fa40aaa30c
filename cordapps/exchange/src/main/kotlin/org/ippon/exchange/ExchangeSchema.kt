package org.ippon.exchange

import net.corda.core.schemas.MappedSchema
import java.time.Instant
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Id
import javax.persistence.Table

/** Family of the exchange node's tables. */
object ExchangeSchema

/** First version. */
object ExchangeSchemaV1 : MappedSchema(ExchangeSchema.javaClass, 1, listOf(NotifiedFill::class.java)) {
    override val migrationResource = "ippon-exchange.changelog-master"
}

/**
 * What this venue has signed: one row an execution id, written in the database transaction that records the fill, so an
 * id is on the ledger at most once. The venue is no participant of its fills; this is how it finds one to bust it.
 *
 * @property contentHash tells a repetition from the same id with other content; [RECOVERED] where only the fill can tell.
 * @property endedBy transaction that busted it.
 */
@Entity
@Table(name = "exchange_fill")
class NotifiedFill(
        @Id @Column(name = "execution_id", nullable = false, length = 64) var executionId: String = "",
        @Column(name = "content_hash", nullable = false, length = 64) var contentHash: String = "",
        @Column(name = "fill_tx", nullable = false, length = 64) var transactionId: String = "",
        @Column(name = "fill_index", nullable = false) var outputIndex: Int = 0,
        @Column(name = "salt", nullable = false, length = 64) var salt: String = "",
        @Column(name = "trade_id", nullable = false, length = 64) var tradeId: String = "",
        @Column(name = "sell_order_id", nullable = false, length = 64) var sellOrderId: String = "",
        @Column(name = "buy_order_id", nullable = false, length = 64) var buyOrderId: String = "",
        @Column(name = "status", nullable = false, length = 16) var status: String = "",
        @Column(name = "notified_at", nullable = false) var notifiedAt: Instant = Instant.EPOCH,
        @Column(name = "ended_by", nullable = true, length = 64) var endedBy: String? = null
) {
    companion object {
        /** On the ledger. */
        const val NOTIFIED = "NOTIFIED"
        /** Withdrawn. */
        const val BUSTED = "BUSTED"
        /** In place of a hash: the row was made anew from the ledger. */
        const val RECOVERED = "RECOVERED"
    }
}
