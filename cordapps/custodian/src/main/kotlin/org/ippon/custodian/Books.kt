package org.ippon.custodian

import net.corda.core.contracts.StateAndRef
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import org.ippon.contracts.Holder
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.UNCONSUMED
import org.ippon.core.count
import org.ippon.core.ref
import org.ippon.core.refuseUnless
import org.ippon.core.select
import org.ippon.core.settlement.Reason

/** What a notice is about. */
enum class NoticeKind {
    /** An investor here is short: missing yen or units. */
    SHORTAGE,
    /** The other side is short; how much is its own business. */
    COUNTERPARTY_SHORT,
    /** The buyer's side says that money has come. */
    FUNDS_ANNOUNCED,
    /** A buyer here has no coin route in force. */
    ROUTE_NEEDED
}

/** The investor [investorId] of this custodian, or null. */
fun ServiceHub.investor(investorId: String): Investor? = withEntityManager { find(Investor::class.java, investorId) }

/** The investor [investorId], or a refusal that names [field]. */
fun ServiceHub.requireInvestor(investorId: String, field: String): Investor = investor(investorId)
        ?: throw Refusal(ErrorCode.UNKNOWN_INVESTOR, "The investor id '$investorId' is not registered at ${myInfo.legalIdentities.first().name.organisation}.", field)

/**
 * Notes something once: the same again about the same fill, with nothing else between, is not noted twice, so that a
 * counterparty that asks all day fills nobody's table.
 */
fun ServiceHub.note(kind: NoticeKind, executionId: String, reason: Reason, counterparty: Party, missing: Long? = null, investorId: String? = null) {
    val last = select("SELECT kind, reason, missing FROM custodian_notice WHERE execution_id = ? ORDER BY notice_id DESC LIMIT 1", executionId) {
        Triple(it.getString(1), it.getString(2), it.getLong(3).takeUnless { _ -> it.wasNull() })
    }.singleOrNull()
    if (kind != NoticeKind.FUNDS_ANNOUNCED && last == Triple(kind.name, reason.name, missing)) return
    // Flows run on one thread and nothing suspends between reading and writing. By the clock, since a node restored from
    // its backup must give no number again that its agent has read.
    val next = maxOf(count("SELECT COALESCE(MAX(notice_id), 0) FROM custodian_notice") + 1, clock.instant().toEpochMilli())
    withEntityManager {
        persist(Notice(next, clock.instant(), kind.name, executionId, reason.name, missing, investorId, counterparty.name.toString()))
        flush()
    }
}

/** The funds route in force of [holder] as this node knows it: the highest version. */
fun ServiceHub.routeOf(holder: Holder): StateAndRef<FundsRoute>? = select(
        "SELECT v.transaction_id, v.output_index FROM ippon_funds_route r JOIN vault_states v ON v.transaction_id = r.transaction_id AND v.output_index = r.output_index " +
                "WHERE r.investor_id = ? AND r.custodian = ? AND v.state_status = $UNCONSUMED ORDER BY r.version DESC LIMIT 1",
        holder.investorId, holder.custodian.name.toString()
) { it.ref() }.singleOrNull()?.let { toStateAndRef<FundsRoute>(it) }

/** Kinds of [Started]. */
const val INSTRUCTION = "INSTRUCTION"
const val REDEMPTION = "REDEMPTION"
const val TRANSFER = "TRANSFER"

/** What a transaction alone says of an instruction or a redemption: an account and an amount. */
internal fun onLedger(coinInvestorId: String, amount: Long) = "ledger|$coinInvestorId|$amount"

/** What a free transfer of the units [given] was asked for as. */
internal fun transferContent(given: SecurityToken, fromInvestorId: String) =
        "${given.security.code}|${given.units}|$fromInvestorId|${given.holder.custodian.name}|${given.holder.investorId}"

/**
 * The transaction that [businessId] has become already, or null. @throws Refusal if it stands for none of [contents]: what
 * was asked for, and, for a row made anew from the ledger, what the transaction says of it.
 */
fun ServiceHub.startedBefore(kind: String, businessId: String, contents: List<String>, code: ErrorCode, field: String): SecureHash? {
    val row = withEntityManager { find(Started::class.java, StartedKey(businessId, kind)) } ?: return null
    refuseUnless(row.contentHash in contents.map { hash(it) }, code, field) { "The id $businessId stands for something else already (transaction ${row.transactionId})." }
    return SecureHash.parse(row.transactionId)
}

/** Notes what [businessId] has become; in the database transaction that records it. */
fun ServiceHub.noteStarted(kind: String, businessId: String, content: String, transactionId: SecureHash) = withEntityManager {
    persist(Started(businessId, kind, hash(content), transactionId.toString(), clock.instant()))
}

private fun hash(content: String) = SecureHash.sha256(content.toByteArray()).toString()
