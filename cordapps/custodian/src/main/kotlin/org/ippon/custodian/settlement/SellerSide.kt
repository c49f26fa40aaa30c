package org.ippon.custodian.settlement

import net.corda.core.contracts.StateAndRef
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.ExchangeRule
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillContract
import org.ippon.contracts.fill.Position
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.ErrorCode
import org.ippon.core.FillStatus
import org.ippon.core.Refusal
import org.ippon.core.busyFills
import org.ippon.core.fillOnRecord
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.reserve
import org.ippon.core.settlement.BuyerLine
import org.ippon.core.settlement.BuyerStand
import org.ippon.core.settlement.FillRef
import org.ippon.core.settlement.FillResult
import org.ippon.core.settlement.Outcome
import org.ippon.core.settlement.Reason
import org.ippon.core.settlement.SellerAccount
import org.ippon.core.settlement.Shortage
import org.ippon.core.settlement.movement
import org.ippon.custodian.NoticeKind
import org.ippon.custodian.note
import org.ippon.custodian.requireInvestor
import org.ippon.custodian.routeOf
import java.time.LocalDate
import java.util.UUID

/** A fill that may settle, with the terms that both sides vouch for once they agree. */
data class OpenFill(val fill: StateAndRef<Fill>, val seller: SellerAccount, val term: SettleTerm?) {
    val data: Fill get() = fill.state.data
    val id: String get() = data.executionId
    fun toRef() = FillRef(id, fill.ref)
}

/** Who goes into the transaction, the results of the others, and which of those lack units here. */
data class Agreement(val ready: List<OpenFill>, val others: List<FillResult>, val lacking: List<String>)

/** What the seller's custodian reads, compares and reserves in a settlement; nothing here talks to anybody. */
class SellerSide(private val services: ServiceHub, private val runId: UUID) {

    /** The fills that may be tried now, and the results of those that may not. */
    fun read(ids: List<String>): Pair<List<OpenFill>, List<FillResult>> {
        val busy = services.busyFills(ids, runId)
        val today = services.clock.instant().atZone(FillContract.TOKYO).toLocalDate()
        val read = ids.map { read(it, it in busy, today) }
        return Pair(read.mapNotNull { it.first }, read.mapNotNull { it.second })
    }

    private fun read(id: String, busy: Boolean, today: LocalDate): Pair<OpenFill?, FillResult?> {
        val record = services.fillOnRecord(id)
        val fill = record?.fill?.state?.data
        return when {
            record == null || fill == null -> Pair(null, refused(id, ErrorCode.UNKNOWN_FILL, "$id is not on record here."))
            fill.seller.custodian != services.me -> Pair(null, refused(id, ErrorCode.MIXED_COUNTERPARTIES, "$id is settled by its seller's custodian ${fill.seller.custodian.name.organisation}."))
            record.status == FillStatus.SETTLED -> Pair(null, settled(id, SecureHash.parse(record.endedBy!!)))
            record.status == FillStatus.BUSTED -> Pair(null, FillResult(id, Outcome.BUSTED, null, ErrorCode.ALREADY_BUSTED, null, record.endedBy, "$id is busted."))
            busy -> Pair(null, refused(id, ErrorCode.SESSION_BUSY, "$id is in another settlement already."))
            fill.settleDate.isAfter(today) -> Pair(null, waiting(id, Reason.FUTU, ErrorCode.NOT_YET, "$id settles from ${fill.settleDate}."))
            else -> Pair(OpenFill(record.fill, sellerAccount(id, fill), null), null)
        }
    }

    private fun sellerAccount(id: String, fill: Fill): SellerAccount {
        val investor = services.requireInvestor(fill.seller.investorId, "seller_investor_id")
        return SellerAccount(id, investor.investorId, investor.coinInvestorId)
    }

    /** The one custodian of all the buyers. */
    fun singleBuyer(open: List<OpenFill>): Party {
        val buyers = open.map { it.data.buyer.custodian }.distinct()
        refuseUnless(buyers.size == 1, ErrorCode.MIXED_COUNTERPARTIES, "execution_ids") { "One settlement must have one buyer's custodian, but has ${buyers.map { it.name.organisation }}." }
        services.trust(open)
        return buyers.single()
    }

    private fun ServiceHub.trust(open: List<OpenFill>) = open.forEach { cordaService(org.ippon.core.TrustAnchors::class.java).checkParties(it.data) }

    /** The buyer's lines, one for each fill asked about and no other. */
    fun checkLines(asked: List<OpenFill>, lines: List<BuyerLine>): List<BuyerLine> {
        refuseUnless(lines.map { it.executionId }.sorted() == asked.map { it.id }.sorted(), ErrorCode.COUNTERPARTY_FAILED) { "The answer must be about ${asked.map { it.id }}, but is about ${lines.map { it.executionId }}." }
        refuseUnless(lines.all { it.stand != BuyerStand.READY || it.account != null }, ErrorCode.COUNTERPARTY_FAILED) { "A ready line must name its accounts, but does not." }
        return lines
    }

    /** Investor ids whose route here is not the one that the buyer's custodian says is in force. */
    fun staleRoutes(asked: List<OpenFill>, lines: List<BuyerLine>): List<String> =
            ready(asked, lines).filter { !routeAgrees(it) }.map { it.data.buyer.investorId }.distinct()

    private fun routeAgrees(fill: OpenFill): Boolean {
        val route = services.routeOf(fill.data.buyer)?.state?.data ?: return false
        return route.method == PaymentMethod.COIN && route.routeId == fill.term!!.routeId && route.version == fill.term.routeVersion
    }

    /** What the buyer's lines and this side's own units leave. */
    fun agree(asked: List<OpenFill>, lines: List<BuyerLine>): Agreement {
        val (routed, unrouted) = ready(asked, lines).partition { routeAgrees(it) }
        val choice = services.afford(routed.map { movement(it.data, mapOf(sellsFrom(it) to it.data.quantity)) }, runId)
        val held = lines.filter { it.stand != BuyerStand.READY }.map { lineResult(it, asked) } +
                unrouted.map { waiting(it.id, Reason.CONF, ErrorCode.ROUTE_CHANGED, "The funds route of ${it.id}'s buyer is not yet here in its version ${it.term!!.routeVersion}.") }
        return Agreement(routed.filter { it.id in choice.inside }, held + busy(choice) + lacks(routed, choice.short), choice.short.map { it.executionId }.distinct())
    }

    private fun ready(asked: List<OpenFill>, lines: List<BuyerLine>): List<OpenFill> {
        val byId = lines.associateBy { it.executionId }
        return asked.filter { byId[it.id]!!.stand == BuyerStand.READY }.map { withTerm(it, byId[it.id]!!) }
    }

    private fun withTerm(open: OpenFill, line: BuyerLine): OpenFill {
        val buyer = line.account!!
        return open.copy(term = SettleTerm(open.id, open.seller.tokenId, buyer.tokenId, open.seller.coinId, buyer.coinId, buyer.routeId, buyer.routeVersion))
    }

    private fun busy(choice: Affordable) = choice.busy.map { refused(it, ErrorCode.SESSION_BUSY, "What $it needs is in another settlement; the change comes back with its end.") }

    private fun sellsFrom(open: OpenFill) = Position(Holder(services.me, open.seller.tokenId), Asset.Units(open.data.security))

    /** Both sides here: units and coins of all positions in one choice, with what the fills bring each other. */
    fun agreeHere(open: List<OpenFill>, buyerSide: BuyerSide): Agreement {
        val assessed = buyerSide.assess(open.map { it.toRef() })
        val lines = assessed.map { it.line }
        val fills = ready(open, lines)
        val movements = fills.map { fill ->
            val changes = ExchangeRule(listOf(fill.data), listOf(fill.term!!)).changes()
            movement(fill.data, changes.filter { it.value < 0 }.mapValues { -it.value }, changes.filter { it.value > 0 })
        }
        val choice = services.afford(movements, runId)
        val coinShort = choice.short.filter { it.position.asset is Asset.Coins }
        buyerSide.note(assessed, coinShort, emptyList())
        val held = lines.filter { it.stand != BuyerStand.READY }.map { lineResult(it, open) }
        val unitShort = choice.short.filter { it.position.asset is Asset.Units }
        val money = coinShort.filter { short -> unitShort.none { it.executionId == short.executionId } }
                .map { FillResult(it.executionId, Outcome.WAITING, Reason.MONY, ErrorCode.SHORT_OF_COINS, it.missing, null, "${it.executionId} lacks ${it.missing} yen.") }
        return Agreement(fills.filter { it.id in choice.inside }, held + busy(choice) + money + lacks(fills, unitShort), unitShort.map { it.executionId })
    }

    /** This side's own shortages, told to its own people, with the units missing. */
    private fun lacks(fills: List<OpenFill>, short: List<Shortage>): List<FillResult> = short.map { shortage ->
        val fill = fills.single { it.id == shortage.executionId }
        services.note(NoticeKind.SHORTAGE, shortage.executionId, Reason.LACK, fill.data.buyer.custodian, shortage.missing, shortage.position.holder.investorId)
        FillResult(shortage.executionId, Outcome.WAITING, Reason.LACK, ErrorCode.SHORT_OF_UNITS, shortage.missing, null, "${shortage.executionId} lacks ${shortage.missing} units of ${fill.data.security.code}.")
    }

    fun account(open: OpenFill): SellerAccount = open.seller

    /** Reserves the units that [agreed] takes, net of what it brings when both sides are here. */
    fun reserveUnits(agreed: Agreement): List<StateAndRef<SecurityToken>> = reserveNet(agreed) { it.asset is Asset.Units }

    /** Reserves the coins of buyers who are investors of this same node. */
    fun reserveHere(agreed: Agreement): List<StateAndRef<Coin>> = reserveNet(agreed) { it.asset is Asset.Coins }

    /** What the buyer's side has named is coins. */
    fun coins(named: List<StateAndRef<*>>): List<StateAndRef<Coin>> {
        refuseUnless(named.all { it.state.data is Coin }, ErrorCode.UNEXPECTED_STATE, "coins") { "The buyer's side must name coins, but names ${named.map { it.state.data.javaClass.simpleName }.distinct()}." }
        @Suppress("UNCHECKED_CAST")
        return named as List<StateAndRef<Coin>>
    }

    private fun <T : net.corda.core.contracts.ContractState> reserveNet(agreed: Agreement, of: (Position) -> Boolean): List<StateAndRef<T>> =
            ExchangeRule(agreed.ready.map { it.data }, agreed.ready.map { it.term!! }).changes()
                    .filter { (position, change) -> change < 0 && of(position) && position.holder.custodian == services.me }
                    .flatMap { (position, change) -> services.reserve<T>(position, -change, runId) }

    private fun lineResult(line: BuyerLine, asked: List<OpenFill>): FillResult = when (line.stand) {
        BuyerStand.SHORT -> shortBuyer(line.executionId, line.balance, asked.single { it.id == line.executionId }.data.amount)
        BuyerStand.HELD -> waiting(line.executionId, Reason.CONF, line.cause ?: ErrorCode.ROUTE_MISSING, line.message)
        else -> settledMeanwhile(line.executionId) ?: refused(line.executionId, line.cause ?: ErrorCode.COUNTERPARTY_FAILED, line.message)
    }

    private fun settledMeanwhile(id: String): FillResult? =
            services.fillOnRecord(id)?.takeIf { it.status == FillStatus.SETTLED }?.let { settled(id, SecureHash.parse(it.endedBy!!)) }

    /** What is missing is the buyer's side's to know; where it shares the [balance], it is computed here, as in the report. */
    private fun shortBuyer(id: String, balance: Long?, amount: Long): FillResult {
        val known = balance?.let { "it holds $it yen of $amount" } ?: "its custodian knows how much"
        return waiting(id, Reason.CMON, ErrorCode.SHORT_OF_COINS, "The buyer of $id is short of coins; $known.")
                .copy(missing = balance?.let { maxOf(0L, amount - it) })
    }

    fun settled(id: String, transactionId: SecureHash) = FillResult(id, Outcome.SETTLED, null, null, null, transactionId.toString(), "$id has settled.")

    private fun waiting(id: String, reason: Reason, cause: ErrorCode, message: String) = FillResult(id, Outcome.WAITING, reason, cause, null, null, message)

    fun refused(id: String, cause: ErrorCode, message: String) = FillResult(id, Outcome.REFUSED, null, cause, null, null, message)

    companion object {
        /**
         * What a refusal on the way means for a fill. Both sides had enough when they were asked, so whoever is short when it
         * comes to reserving has lost a race to another settlement: nobody needs money, the fill needs another try.
         */
        fun refusedResult(id: String, e: Refusal): FillResult {
            val cause = if (e.code == ErrorCode.SHORT_OF_COINS || e.code == ErrorCode.SHORT_OF_UNITS) ErrorCode.SESSION_BUSY else e.code
            return FillResult(id, Outcome.REFUSED, null, cause, null, null, e.message!!)
        }
    }
}
