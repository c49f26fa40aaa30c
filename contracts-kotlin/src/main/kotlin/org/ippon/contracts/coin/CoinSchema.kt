package org.ippon.contracts.coin

import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Index
import javax.persistence.Table

/** Family of the coin schemas. */
object CoinSchema

/** First version. */
object CoinSchemaV1 : MappedSchema(CoinSchema.javaClass, 1, listOf(PersistentCoin::class.java)) {
    override val migrationResource = "ippon-coin.changelog-master"
}

/** A [Coin] as the vault's queries see it. */
@Entity
@Table(name = "ippon_coin", indexes = [Index(name = "ippon_coin_holder", columnList = "investor_id")])
class PersistentCoin(
        @Column(name = "issuer", nullable = false, length = 255) var issuer: String,
        @Column(name = "custodian", nullable = false, length = 255) var custodian: String,
        @Column(name = "investor_id", nullable = false, length = 64) var investorId: String,
        @Column(name = "amount", nullable = false) var amount: Long
) : PersistentState() {
    constructor(coin: Coin) : this(coin.issuer.name.toString(), coin.holder.custodian.name.toString(), coin.holder.investorId, coin.amount)

    /** For Hibernate. */
    constructor() : this("", "", "", 0)
}
