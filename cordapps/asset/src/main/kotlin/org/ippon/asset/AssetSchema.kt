package org.ippon.asset

import net.corda.core.schemas.MappedSchema
import java.time.Instant
import javax.persistence.Column
import javax.persistence.Entity
import javax.persistence.Id
import javax.persistence.Table

/** Family of the asset node's tables. */
object AssetSchema

/** First version. */
object AssetSchemaV1 : MappedSchema(AssetSchema.javaClass, 1, listOf(IssueRow::class.java)) {
    override val migrationResource = "ippon-asset.changelog-master"
}

/** An issue made by this registrar: an issue id issues once. */
@Entity
@Table(name = "asset_issue")
class IssueRow(
        @Id @Column(name = "issue_id", nullable = false, length = 64) var issueId: String = "",
        @Column(name = "content_hash", nullable = false, length = 64) var contentHash: String = "",
        @Column(name = "issue_tx", nullable = false, length = 64) var transactionId: String = "",
        @Column(name = "issued_at", nullable = false) var issuedAt: Instant = Instant.EPOCH
)
