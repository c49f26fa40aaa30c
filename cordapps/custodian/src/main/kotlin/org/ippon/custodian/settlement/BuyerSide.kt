package org.ippon.custodian.settlement

import net.corda.core.contracts.StateAndRef
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.Position
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.core.ErrorCode
import org.ippon.core.FillStatus
import org.ippon.core.busyFills
import org.ippon.core.fillOnRecord
import org.ippon.core.held
import org.ippon.core.me
import org.ippon.core.reserve
import org.ippon.core.settlement.BuyerAccount
import org.ippon.core.settlement.BuyerLine
import org.ippon.core.settlement.BuyerStand
import org.ippon.core.settlement.FillRef
import org.ippon.core.settlement.Reason
import org.ippon.core.settlement.Shortage
import org.ippon.core.settlement.movement
import org.ippon.core.trust
import org.ippon.custodian.NoticeKind
import org.ippon.custodian.investor
import org.ippon.custodian.note
import org.ippon.custodian.routeOf
import java.util.UUID

/** A fill that the buyer's side has looked at. */
class AssessedFill(val line: BuyerLine, val fill: StateAndRef<Fill>?)

/** What the buyer's custodian says of fills, out of its own records; the same whether the seller's is another node or this one. */
class BuyerSide(private val services: ServiceHub, private val seller: Party, private val runId: UUID) {

    /** Everything but money: on record, first of its id, open, between these two, with a coin route in force. */
    fun assess(refs: List<FillRef>): List<AssessedFill> {
        val busy = services.busyFills(refs.map { it.executionId }, runId)
        return refs.map { assess(it, it.executionId in busy) }
    }

    private fun assess(ref: FillRef, busy: Boolean): AssessedFill {
        val id = ref.executionId
        val record = services.fillOnRecord(id)
        val fill = record?.fill?.state?.data
        return when {
            record == null || fill == null -> refused(id, ErrorCode.UNKNOWN_FILL, "$id is not on record here.")
            record.fill.ref != ref.ref -> refused(id, ErrorCode.DUPLICATE_FILL, "$id is on record as ${record.fill.ref}, not ${ref.ref}.")
            fill.buyer.custodian != services.me || fill.seller.custodian != seller ->
                refused(id, ErrorCode.MIXED_COUNTERPARTIES, "$id is between ${fill.seller.custodian.name.organisation} and ${fill.buyer.custodian.name.organisation}.")
            record.status == FillStatus.SETTLED -> refused(id, ErrorCode.ALREADY_SETTLED, "$id has settled in ${record.endedBy}.", record.endedBy?.let { SecureHash.parse(it) })
            record.status == FillStatus.BUSTED -> refused(id, ErrorCode.ALREADY_BUSTED, "$id is busted by ${record.endedBy}.")
            busy -> refused(id, ErrorCode.SESSION_BUSY, "$id is in another settlement already.")
            else -> withRoute(record.fill)
        }
    }

    private fun withRoute(fill: StateAndRef<Fill>): AssessedFill {
        val data = fill.state.data
        val investor = services.investor(data.buyer.investorId)
                ?: return refused(data.executionId, ErrorCode.UNKNOWN_INVESTOR, "${data.buyer.investorId} is not registered here.")
        val route = services.routeOf(Holder(services.me, investor.investorId))?.state?.data
                ?: return held(fill, ErrorCode.ROUTE_MISSING, "${data.buyer.investorId} has no funds route in force.")
        if (route.method != PaymentMethod.COIN) return held(fill, ErrorCode.ROUTE_BANK, "${data.buyer.investorId} pays by bank (${route.institutionCode}), which this settlement does not do.")
        val account = BuyerAccount(investor.investorId, investor.coinInvestorId, route.routeId, route.version)
        return AssessedFill(BuyerLine(data.executionId, BuyerStand.READY, null, "", account), fill)
    }

    /** Which of the ready fills their buyers can pay, and what the others lack, in yen. Nothing is locked. */
    fun withMoney(assessed: List<AssessedFill>): Pair<List<AssessedFill>, List<Shortage>> {
        val ready = assessed.filter { it.line.stand == BuyerStand.READY }
        val movements = ready.map { movement(it.fill!!.state.data, mapOf(paysFrom(it) to it.fill.state.data.amount)) }
        val afford = services.afford(movements, runId)
        val short = afford.short.map { it.executionId }.toSet()
        val lines = assessed.map {
            when (it.line.executionId) {
                in short -> AssessedFill(it.line.copy(stand = BuyerStand.SHORT, balance = sharedBalance(it)), it.fill)
                in afford.busy -> refused(it.line.executionId, ErrorCode.SESSION_BUSY, "The coins of ${it.line.executionId}'s buyer are in another settlement; the change comes back with its end.")
                else -> it
            }
        }
        return lines to afford.short
    }

    private fun sharedBalance(assessed: AssessedFill): Long? = if (services.trust.sharesBalanceWith(seller)) services.held(paysFrom(assessed)) else null

    /** The position that pays for a ready fill. */
    fun paysFrom(assessed: AssessedFill) = Position(Holder(services.me, assessed.line.account!!.coinId), Asset.Coins(assessed.fill!!.state.data.coinIssuer))

    /** Id and version of the coin route in force for the buyer of [assessed]; null when there is none. */
    fun routeNow(assessed: AssessedFill): Pair<String, Int>? = services.routeOf(Holder(services.me, assessed.line.account!!.tokenId))?.state?.data
            ?.takeIf { it.method == PaymentMethod.COIN }?.let { Pair(it.routeId, it.version) }

    /** Tells this side's people and agent what holds fills up: yen missing, routes missing, a counterparty short of units ([lacking], of fills it was asked about). */
    fun note(assessed: List<AssessedFill>, short: List<Shortage>, lacking: List<String>) {
        short.forEach { shortage -> services.note(NoticeKind.SHORTAGE, shortage.executionId, Reason.MONY, seller, shortage.missing, shortage.position.holder.investorId) }
        assessed.filter { it.line.stand == BuyerStand.HELD }.forEach { services.note(NoticeKind.ROUTE_NEEDED, it.line.executionId, Reason.CONF, seller, investorId = it.fill?.state?.data?.buyer?.investorId) }
        lacking.forEach { services.note(NoticeKind.COUNTERPARTY_SHORT, it, Reason.CLAC, seller) }
    }

    /** Reserves the coins that [fills] cost, netted per account. @throws org.ippon.core.Refusal if somebody was quicker. */
    fun reserveCoins(fills: List<AssessedFill>): List<StateAndRef<Coin>> =
            fills.groupBy { paysFrom(it) }.flatMap { (position, of) -> services.reserve<Coin>(position, of.map { it.fill!!.state.data.amount }.reduce { a, b -> Math.addExact(a, b) }, runId) }

    private fun refused(id: String, cause: ErrorCode, message: String, settledBy: SecureHash? = null) =
            AssessedFill(BuyerLine(id, BuyerStand.REFUSED, cause, message, null, settledBy = settledBy), null)

    private fun held(fill: StateAndRef<Fill>, cause: ErrorCode, message: String) = AssessedFill(BuyerLine(fill.state.data.executionId, BuyerStand.HELD, cause, message, null), fill)
}
