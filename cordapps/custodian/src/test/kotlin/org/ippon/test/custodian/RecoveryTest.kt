package org.ippon.test.custodian

import net.corda.core.crypto.SecureHash
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.asset.IssueRow
import org.ippon.asset.IssueSecurity
import org.ippon.asset.RecoverAsAsset
import org.ippon.coin.IssueCoins
import org.ippon.coin.RecordStatement
import org.ippon.coin.RecoverAsCoin
import org.ippon.coin.RedemptionRow
import org.ippon.coin.StatementEntry
import org.ippon.coin.StatementLine
import org.ippon.core.ErrorCode
import org.ippon.core.FillStatus
import org.ippon.core.count
import org.ippon.core.fillOnRecord
import org.ippon.core.isRecorded
import org.ippon.core.recovery.RecoveryReport
import org.ippon.core.select
import org.ippon.core.update
import org.ippon.custodian.RecoverAsCustodian
import org.ippon.custodian.funds.InstructTrust
import org.ippon.custodian.funds.RedeemCoins
import org.ippon.custodian.funds.ShareFundsRoutes
import org.ippon.custodian.funds.WithdrawFundsRoute
import org.ippon.custodian.security.TransferSecurity
import org.ippon.exchange.BustFill
import org.ippon.exchange.NotifiedFill
import org.ippon.exchange.NotifyFill
import org.ippon.exchange.RecoverAsExchange
import org.junit.Rule
import org.junit.Test
import java.time.Instant
import java.time.LocalDate

/** A node that was restored from an old backup learns from the others what it has lost, and does nothing a second time. */
class RecoveryTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val a = network.custodianA
    private val b = network.custodianB
    private val asset = network.asset
    private val coin = network.coin
    private val exchange = network.exchange
    private val begun = Instant.now().minusSeconds(1)

    private fun recover(custodian: StartedMockNode, vararg from: StartedMockNode): List<RecoveryReport> = from.map { custodian.run(RecoverAsCustodian(it.party, begun)) }.onEach { none(it) }

    private fun none(report: RecoveryReport) = assertThat(report.refusals).isEmpty()

    private fun isRecorded(node: StartedMockNode, id: String) = node.transaction { node.services.isRecorded(SecureHash.parse(id)) }

    private fun status(node: StartedMockNode, executionId: String) = node.transaction { node.services.fillOnRecord(executionId)?.status }

    /** A fill of new investors, with everything needed to settle it. */
    private class Deal(val seller: String, val buyer: String, val security: String, val executionId: String, val notice: String)

    private fun deal(): Deal {
        val (seller, buyer) = Pair(network.investor(a), network.investor(b))
        val security = network.id("S")
        network.giveUnits(a, seller, security, 30)
        network.giveCoins(b, buyer, 3_000)
        val fill = network.notice(a to seller, b to buyer, security, 5, "100.00")
        return Deal(seller, buyer, security, fill.executionId, network.notify(fill).transactionId)
    }

    private fun settled(deal: Deal): String = Market.settles(deal.executionId)

    @Test
    fun `a seller's custodian that has lost a settlement, and the fill, has both again and settles it no second time`() {
        val deal = deal()
        val settlement = settled(deal)
        a.forget(settlement, deal.notice)
        a.transaction { a.services.update("DELETE FROM custodian_fill_order WHERE execution_id = ?", deal.executionId) }
        assertThat(status(a, deal.executionId)).isNull()
        assertThat(network.units(a, deal.seller).first).isEqualTo(30)
        recover(a, coin, asset, b, exchange)
        assertThat(status(a, deal.executionId)).isEqualTo(FillStatus.SETTLED)
        assertThat(network.units(a, deal.seller).first).isEqualTo(25)
        assertThat(network.coins(a, deal.seller).first).isEqualTo(500)
        assertThat(network.settle(a, deal.executionId).single().transactionId).isEqualTo(settlement)
        assertThat(a.transaction { a.services.count("SELECT COUNT(*) FROM custodian_fill_order WHERE execution_id = ?", deal.executionId) }).isEqualTo(1)
    }

    @Test
    fun `a seller's custodian that has lost a settlement learns of it when it tries to settle again`() {
        val deal = deal()
        val settlement = settled(deal)
        a.forget(settlement)
        assertThat(status(a, deal.executionId)).isEqualTo(FillStatus.OPEN)
        val result = network.settle(a, deal.executionId).single()
        assertThat(listOf(result.outcome.name, result.transactionId)).isEqualTo(listOf("SETTLED", settlement))
        assertThat(status(a, deal.executionId)).isEqualTo(FillStatus.SETTLED)
        assertThat(network.coins(a, deal.seller).first).isEqualTo(500)
    }

    @Test
    fun `a buyer's custodian that has lost a settlement has its units, and no longer its coins`() {
        val deal = deal()
        val settlement = settled(deal)
        b.forget(settlement)
        assertThat(network.coins(b, deal.buyer).first).isEqualTo(3_000)
        val reports = recover(b, coin)
        assertThat(reports.single().recorded).isEqualTo(1)
        assertThat(isRecorded(b, settlement)).isTrue()
        assertThat(network.coins(b, deal.buyer).first).isEqualTo(2_500)
        assertThat(network.units(b, deal.buyer).first).isEqualTo(5)
        assertThat(recover(b, coin).single().recorded).isEqualTo(0)
    }

    @Test
    fun `what consumes is recorded after what it consumes, whoever is asked first`() {
        val deal = deal()
        val first = settled(deal)
        val next = network.notice(a to deal.seller, b to deal.buyer, deal.security, 5, "100.00")
        val notice = network.notify(next).transactionId
        val second = Market.settles(next.executionId)
        a.forget(second, notice, first, deal.notice)
        // The coin node has never recorded the fills; they come in the settlements' chains.
        recover(a, coin)
        listOf(deal.executionId, next.executionId).forEach { assertThat(status(a, it)).isEqualTo(FillStatus.SETTLED) }
        assertThat(network.units(a, deal.seller).first).isEqualTo(20)
        assertThat(listOf(first, second, notice, deal.notice)).allMatch { isRecorded(a, it) }
    }

    @Test
    fun `a registrar that has lost an issue and a settlement has both again and issues no second time`() {
        val (investor, security, issueId) = Triple(network.investor(a), network.id("S"), network.id("ISS"))
        val issue = IssueSecurity(issueId, security, a.party, investor, 7)
        val made = asset.run(issue).transactionId
        a.awaits(made)
        asset.forget(made)
        asset.transaction { asset.services.update("DELETE FROM asset_issue WHERE issue_id = ?", issueId) }
        none(asset.run(RecoverAsAsset(a.party, begun)))
        val again = asset.run(IssueSecurity(issueId, security, a.party, investor, 7))
        assertThat(again.alreadyIssued).isTrue()
        assertThat(again.transactionId).isEqualTo(made)
        refused(ErrorCode.ISSUE_ID_REUSED, "issue_id") { asset.run(IssueSecurity(issueId, security, a.party, investor, 8)) }
        assertThat(asset.transaction { asset.services.withEntityManager { find(IssueRow::class.java, issueId) } }!!.transactionId).isEqualTo(made)
    }

    @Test
    fun `a coin node that has lost an issue issues no second time, not even against the line recorded anew`() {
        val (investor, instruction, line) = Triple(network.investor(b), network.id("TI"), network.id("LINE"))
        val order = InstructTrust(instruction, investor, 900, Instant.now().plusSeconds(3600))
        val instructed = b.run(order).transactionId
        coin.awaits(instructed)
        val entry = StatementEntry(line, LocalDate.now(), 900, instruction, b.party.name.toString())
        val entries = listOf(entry)
        coin.run(RecordStatement(entries))
        val issued = coin.run(IssueCoins(b.party, instruction, line)).transactionId
        b.awaits(issued)
        coin.forget(issued, instructed)
        coin.transaction { coin.services.update("DELETE FROM coin_statement_line WHERE line_id = ?", line) }
        none(coin.run(RecoverAsCoin(b.party, begun)))
        coin.run(RecordStatement(entries))
        // Two alike: the payer has paid twice, and only one of them bought coins.
        coin.run(RecordStatement(listOf(entry.copy(lineId = "$line-2"))))
        refused(ErrorCode.INSTRUCTION_ENDED) { coin.run(IssueCoins(b.party, instruction, line)) }
        val lines = coin.transaction { listOf(line, "$line-2").map { coin.services.withEntityManager { find(StatementLine::class.java, it) }!!.usedTransaction } }
        assertThat(lines).isEqualTo(listOf(issued, null))
    }

    @Test
    fun `a coin node that still has the line marks it as used when it learns of the issue`() {
        val investor = network.investor(b)
        val instruction = network.giveCoins(b, investor, 800)
        val line = coin.transaction { coin.services.select("SELECT line_id, used_tx FROM coin_statement_line WHERE reference = ?", instruction) { it.getString(1) to it.getString(2) } }.single()
        coin.forget(line.second)
        coin.transaction { coin.services.update("UPDATE coin_statement_line SET used_by = NULL, used_tx = NULL WHERE line_id = ?", line.first) }
        none(coin.run(RecoverAsCoin(b.party, begun)))
        assertThat(coin.transaction { coin.services.withEntityManager { find(StatementLine::class.java, line.first) }!!.usedTransaction }).isEqualTo(line.second)
    }

    @Test
    fun `business ids of a custodian stay used, and stand for what they stood for`() {
        val (investor, other) = Pair(network.investor(b, coinId = network.id("COIN")), network.investor(b))
        val instruction = network.giveCoins(b, investor, 700)
        val security = network.id("S")
        network.giveUnits(b, investor, security, 9)
        val (transferId, redemptionId) = Pair(network.id("TR"), network.id("RD"))
        val transfer = b.run(TransferSecurity(transferId, security, 4, investor, b.party, other)).transactionId
        val redemption = b.run(RedeemCoins(redemptionId, investor, 200)).transactionId
        eventually { isRecorded(coin, redemption) && isRecorded(asset, transfer) }
        b.forget(transfer, redemption)
        b.transaction { b.services.update("DELETE FROM custodian_started WHERE business_id IN (?, ?, ?)", transferId, redemptionId, instruction) }
        recover(b, coin, asset)
        assertThat(b.run(TransferSecurity(transferId, security, 4, investor, b.party, other)).transactionId).isEqualTo(transfer)
        assertThat(b.run(RedeemCoins(redemptionId, investor, 200)).transactionId).isEqualTo(redemption)
        assertThat(b.run(InstructTrust(instruction, investor, 700, Instant.now().plusSeconds(60))).alreadyInstructed).isTrue()
        refused(ErrorCode.TRANSFER_ID_REUSED) { b.run(TransferSecurity(transferId, security, 3, investor, b.party, other)) }
        refused(ErrorCode.REDEMPTION_ID_REUSED) { b.run(RedeemCoins(redemptionId, investor, 201)) }
        refused(ErrorCode.INSTRUCTION_ID_REUSED) { b.run(InstructTrust(instruction, other, 700, Instant.now().plusSeconds(60))) }
        coin.forget(redemption)
        coin.transaction { coin.services.update("DELETE FROM coin_redemption WHERE redeemed_tx = ?", redemption) }
        none(coin.run(RecoverAsCoin(b.party, begun)))
        assertThat(coin.transaction { coin.services.withEntityManager { find(RedemptionRow::class.java, "Custodian B/$redemptionId") }!!.transactionId }).isEqualTo(redemption)
    }

    @Test
    fun `another custodian's routes come back, and withdrawn ones stay withdrawn`() {
        val (investor, gone) = Pair(network.investor(b), network.investor(b))
        b.run(WithdrawFundsRoute(gone))
        b.run(ShareFundsRoutes(a.party, listOf(gone)))
        fun routes(of: String, status: Int) = a.transaction {
            a.services.select("SELECT r.transaction_id FROM ippon_funds_route r JOIN vault_states v ON v.transaction_id = r.transaction_id WHERE r.investor_id = ? AND v.state_status = ?", of, status) { it.getString(1) }
        }
        eventually { routes(investor, 0).size == 1 && routes(gone, 1).size == 1 }
        val (route, withdrawn) = Pair(routes(investor, 0).single(), routes(gone, 1).single())
        val withdrawal = a.transaction { a.services.select("SELECT spent_by FROM ippon_spent WHERE transaction_id = ?", withdrawn) { it.getString(1) } }.single()
        a.forget(route, withdrawal, withdrawn)
        recover(a, b)
        assertThat(routes(investor, 0)).isEqualTo(listOf(route))
        assertThat(routes(gone, 1)).isEqualTo(listOf(withdrawn))
        // And one's own, from whom they were shared with.
        b.forget(route)
        recover(b, a)
        assertThat(isRecorded(b, route)).isTrue()
    }

    @Test
    fun `a venue that has lost a fill and a bust knows the same notice again and signs no other`() {
        val deal = deal()
        val notice = network.notice(a to deal.seller, b to deal.buyer, deal.security, 5, "100.00")
        val busted = network.notify(notice).transactionId
        val bust = exchange.run(BustFill(notice.executionId, "wrong")).transactionId
        listOf(a, b).forEach { it.awaits(bust) }
        val kept = network.notice(a to deal.seller, b to deal.buyer, deal.security, 5, "100.00")
        val fill = network.notify(kept).transactionId
        exchange.forget(bust, busted, fill)
        exchange.transaction { exchange.services.update("DELETE FROM exchange_fill WHERE execution_id IN (?, ?)", notice.executionId, kept.executionId) }
        none(exchange.run(RecoverAsExchange(a.party, begun)))
        val again = exchange.run(NotifyFill(kept))
        assertThat(again.alreadyNotified).isTrue()
        assertThat(again.transactionId).isEqualTo(fill)
        listOf(kept.copy(tradeId = "T-2"), kept.copy(buyOrderId = "BO-2"), kept.copy(quantity = 6, amount = 600), kept.copy(platformCode = "NONE")).forEach {
            refused(ErrorCode.EXECUTION_ID_REUSED, "execution_id") { exchange.run(NotifyFill(it)) }
        }
        val row = exchange.transaction { exchange.services.withEntityManager { find(NotifiedFill::class.java, notice.executionId) } }!!
        assertThat(listOf(row.status, row.endedBy)).isEqualTo(listOf(NotifiedFill.BUSTED, bust))
        Market.settles(deal.executionId, kept.executionId)
    }

    @Test
    fun `more than a page comes back page by page`() {
        val investor = network.investor(b, method = null)
        val issued = (1..MORE_THAN_A_PAGE).map { asset.run(IssueSecurity(network.id("ISS"), "PAGED", b.party, investor, 1)).transactionId }
        issued.forEach { b.awaits(it) }
        b.forget(*issued.toTypedArray())
        val report = recover(b, asset).single()
        assertThat(report.recorded).isEqualTo(MORE_THAN_A_PAGE)
        assertThat(network.units(b, investor).first).isEqualTo(MORE_THAN_A_PAGE.toLong())
        assertThat(b.run(RecoverAsCustodian(asset.party, Instant.now())).let { it.recorded + it.known }).isEqualTo(0)
    }

    @Test
    fun `nobody is told of what is not its own, and none but members are told anything`() {
        val investor = network.investor(b, method = null)
        network.giveCoins(b, investor, 100)
        val foreign = b.states<org.ippon.contracts.coin.Coin> { it.holder.investorId == investor }.single().ref.txhash
        assertThat(b.run(FetchUntold(listOf(foreign), coin.party)).single().id).isEqualTo(foreign)
        refused(ErrorCode.UNKNOWN_TRANSACTION) { a.run(FetchUntold(listOf(foreign), coin.party)) }
        refused(ErrorCode.UNKNOWN_TRANSACTION) { b.run(FetchUntold(listOf(SecureHash.randomSHA256()), coin.party)) }
        refused(ErrorCode.TOO_MANY) { b.run(FetchUntold((1..101).map { foreign }, coin.party)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY) { network.outsider.run(AskPage(coin.party)) }
        val told = a.run(AskPage(coin.party)).items.map { it.transactionId }
        assertThat(told).isNotEmpty.allMatch { id -> a.transaction { a.services.validatedTransactions.getTransaction(id) } != null }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "member") { a.run(RecoverAsCustodian(network.outsider.party, null)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "member") { a.run(RecoverAsCustodian(a.party, null)) }
    }

    private companion object {
        const val MORE_THAN_A_PAGE = 103
    }
}
