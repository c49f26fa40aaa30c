package org.ippon.test.custodian

import net.corda.core.contracts.Command
import net.corda.core.contracts.HashAttachmentConstraint
import net.corda.core.contracts.StateRef
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.FillContract
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.fill.Reversal
import org.ippon.contracts.security.Security
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.FillStatus
import org.ippon.core.fillOnRecord
import org.ippon.core.query.PageRequest
import org.ippon.custodian.fill.AcceptReversal
import org.ippon.custodian.query.QueryFills
import org.ippon.exchange.BustFill
import org.ippon.exchange.FillNotice
import org.ippon.exchange.NotifyFill
import org.ippon.exchange.QueryNotified
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.junit.Rule
import org.junit.Test
import java.math.BigDecimal

/** A fill's way onto the ledger, its bust and its reversal. */
class FillsTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB
    private val details = OrderDetails("T-1", "SO-1", "BO-1", "00112233445566778899aabbccddeeff")

    private fun status(node: StartedMockNode, id: String): FillStatus? = node.transaction { node.services.fillOnRecord(id)?.status }

    private fun nobodyHas(id: String) {
        assertThat(listOf(a, b).map { status(it, id) }).containsOnlyNulls()
        assertThat(network.exchange.run(QueryNotified(listOf(id), PageRequest())).rows).isEmpty()
    }

    private fun refusedNotice(code: ErrorCode, field: String?, change: (FillNotice) -> FillNotice) {
        val notice = change(market.notice())
        refused(code, field) { network.notify(notice) }
        nobodyHas(notice.executionId)
    }

    @Test
    fun `both custodians record a fill with its order ids and the venue's vault stays empty`() {
        val before = network.exchange.vaultSize()
        val notice = market.notice()
        val report = network.notify(notice)
        assertThat(report.alreadyNotified).isFalse()
        eventually { status(a, notice.executionId) == FillStatus.OPEN && status(b, notice.executionId) == FillStatus.OPEN }
        val row = b.run(QueryFills(listOf(notice.executionId), null, PageRequest())).rows.single()
        assertThat(row.text("trade_id")).isEqualTo("T-1")
        assertThat(row.text("sell_order_id")).isEqualTo("SO-1")

        val again = network.notify(notice)
        assertThat(again.alreadyNotified).isTrue()
        assertThat(again.transactionId).isEqualTo(report.transactionId)
        assertThat(b.run(QueryFills(listOf(notice.executionId), null, PageRequest())).rows).hasSize(1)
        assertThat(network.exchange.vaultSize()).isEqualTo(before)
        assertThat(listOf(network.asset, network.coin).map { it.vaultCount(Fill::class.java) }).containsOnly(0L)
    }

    @Test
    fun `an execution id with other content is refused`() {
        val notice = market.notice()
        network.notify(notice)
        listOf(notice.copy(quantity = 6, amount = 600), notice.copy(unitPrice = BigDecimal("100.001")), notice.copy(tradeId = "T-2"), notice.copy(buyerInvestorId = market.seller)).forEach {
            refused(ErrorCode.EXECUTION_ID_REUSED, "execution_id") { network.notify(it) }
        }
        assertThat(network.notify(notice.copy(unitPrice = BigDecimal("100.0"))).alreadyNotified).isTrue()
    }

    @Test
    fun `two requests with one execution id make one fill`() {
        val notice = market.notice()
        val outcomes = listOf(1, 2).map { network.exchange.startFlow(NotifyFill(notice)) }.map { future ->
            try {
                future.waitFor().transactionId
            } catch (e: org.ippon.core.Refusal) {
                e.code.name
            }
        }.toSet()
        assertThat(outcomes.filter { it.length == 64 }).hasSize(1)
        assertThat(outcomes - "EXECUTION_ID_REUSED" - "DUPLICATE_FILL").hasSize(1)
        eventually { status(b, notice.executionId) == FillStatus.OPEN }
        market.settles(notice.executionId)
    }

    @Test
    fun `an unknown seller is refused by the seller's custodian`() = refusedNotice(ErrorCode.UNKNOWN_INVESTOR, "seller_investor_id") { it.copy(sellerInvestorId = "NOBODY") }

    @Test
    fun `an unknown buyer is refused by the buyer's custodian, and the seller's has recorded nothing`() = refusedNotice(ErrorCode.UNKNOWN_INVESTOR, "buyer_investor_id") { it.copy(buyerInvestorId = "NOBODY") }

    @Test
    fun `an unknown platform, custodian or bad id is refused by the venue's own node with its field`() {
        refusedNotice(ErrorCode.UNKNOWN_PLATFORM, "platform_code") { it.copy(platformCode = "NOWHERE") }
        refusedNotice(ErrorCode.UNKNOWN_PARTY, "buyer_custodian") { it.copy(buyerCustodian = "Nobody") }
        refusedNotice(ErrorCode.BAD_REQUEST, "trade_id") { it.copy(tradeId = "") }
        refusedNotice(ErrorCode.BAD_REQUEST, "token_transaction_id") { it.copy(tokenTransactionId = "not-a-hash") }
    }

    @Test
    fun `an amount that is not quantity times price, and a price of no whole yen, are refused by the contract`() {
        refusedNotice(ErrorCode.CONTRACT_REFUSED, null) { it.copy(amount = it.amount + 1) }
        refusedNotice(ErrorCode.CONTRACT_REFUSED, null) { it.copy(quantity = 1, unitPrice = BigDecimal("100.50"), amount = 100) }
    }

    // By hand, as a venue gone wrong or another node might.

    private fun forged(change: (Fill) -> Fill = { it }): Fill = change(Fill(
            network.id("EX"), network.exchange.party, "IPPON", Security(market.security, network.asset.party), 5, BigDecimal("100.00"), 500,
            Holder(a.party, market.seller), Holder(b.party, market.buyer), network.coin.party,
            market.notice().tradeDate, market.notice().executedAt, market.notice().settleDate, details.proof(), null, null
    ))

    private fun signed(fill: Fill, by: StartedMockNode = network.exchange): SignedTransaction = by.sign { addOutputState(fill).addCommand(FillCommand.Notify(), fill.venue.owningKey) }

    private fun refusedForgery(code: ErrorCode, field: String?, note: DeliveryNote = DeliveryNote(listOf(details)), change: (Fill) -> Fill) {
        val fill = forged(change)
        listOf(a, b).forEach { refusedAt(it.party, signed(fill), code, field, note) }
        nobodyHas(fill.executionId)
    }

    private fun refusedAt(to: Party, stx: SignedTransaction, code: ErrorCode, field: String?, note: DeliveryNote = DeliveryNote(listOf(details)), by: StartedMockNode = network.exchange) {
        refused(code, field) { by.run(Deliver(stx, Door.FILL, to, note)) }
    }

    @Test
    fun `order ids must fit their hashes, with a salt that cannot be guessed`() {
        refusedForgery(ErrorCode.ORDER_PROOF_MISMATCH, "trade_id", DeliveryNote(listOf(details.copy(tradeId = "T-2")))) { it }
        val short = details.copy(salt = "0011223344556677")
        refusedForgery(ErrorCode.ORDER_PROOF_MISMATCH, "trade_id", DeliveryNote(listOf(short))) { it.copy(orderProof = short.proof()) }
        refusedForgery(ErrorCode.ORDER_PROOF_MISMATCH, "trade_id", DeliveryNote()) { it }
    }

    @Test
    fun `a fill is taken from its own venue only`() {
        val fill = forged()
        val stx = signed(fill)
        listOf(a, b).forEach { refusedAt(it.party, stx, ErrorCode.NOT_ACCEPTED_PARTY, "venue", by = network.outsider) }
        val others = forged { it.copy(venue = network.outsider.party) }
        listOf(a, b).forEach { refusedAt(it.party, signed(others, network.outsider), ErrorCode.NOT_ACCEPTED_PARTY, "venue", by = network.outsider) }
        nobodyHas(fill.executionId)
        nobodyHas(others.executionId)
    }

    @Test
    fun `a fill that names a party not accepted in its role is refused by name`() {
        refusedForgery(ErrorCode.NOT_ACCEPTED_PARTY, "coin_issuer") { it.copy(coinIssuer = network.outsider.party) }
        refusedForgery(ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { it.copy(security = it.security.copy(registrar = network.outsider.party)) }
        refusedForgery(ErrorCode.NOT_ACCEPTED_PARTY, "seller_custodian") { it.copy(seller = it.seller.copy(custodian = network.outsider.party)) }
        refusedForgery(ErrorCode.NOT_ACCEPTED_PARTY, "buyer_custodian") { it.copy(buyer = it.buyer.copy(custodian = network.outsider.party)) }
        refusedForgery(ErrorCode.UNKNOWN_PLATFORM, "platform_code") { it.copy(platformCode = "NOWHERE") }
    }

    @Test
    fun `a party of the right name with another key is refused`() {
        val impostor = Party(network.coin.party.name, network.outsider.party.owningKey)
        refusedForgery(ErrorCode.NOT_ACCEPTED_PARTY, "coin_issuer") { it.copy(coinIssuer = impostor) }
    }

    @Test
    fun `a fill between two others is none of this custodian's business`() {
        val fill = forged { it.copy(buyer = Holder(a.party, network.investor(a))) }
        refusedAt(b.party, signed(fill), ErrorCode.NOT_ACCEPTED_PARTY, "seller_custodian")
    }

    @Test
    fun `a second fill of an execution id is refused at receipt`() {
        val id = market.fill()
        val twin = signed(market.onRecord(id).state.data.copy(orderProof = details.proof()))
        listOf(a, b).forEach { refusedAt(it.party, twin, ErrorCode.DUPLICATE_FILL, "execution_id") }
        market.settles(id)
        listOf(a, b).forEach { refusedAt(it.party, twin, ErrorCode.DUPLICATE_FILL, "execution_id") }
    }

    @Test
    fun `another notary and a constraint to one jar are refused`() {
        val fill = forged()
        val elsewhere = network.exchange.sign {
            notary = network.otherNotary
            addOutputState(fill, FillContract.ID, network.otherNotary).addCommand(FillCommand.Notify(), fill.venue.owningKey)
        }
        val oneJar = network.exchange.sign {
            val jar = network.exchange.services.cordappProvider.getContractAttachmentID(FillContract.ID)!!
            addOutputState(fill, FillContract.ID, network.notary, null, HashAttachmentConstraint(jar)).addCommand(FillCommand.Notify(), fill.venue.owningKey)
        }
        refusedAt(a.party, elsewhere, ErrorCode.WRONG_NOTARY, "notary")
        refusedAt(a.party, oneJar, ErrorCode.CONTRACT_REFUSED, null)
        nobodyHas(fill.executionId)
    }

    @Test
    fun `only a notice comes through the door for fills`() {
        val id = market.fill()
        val fill = market.onRecord(id)
        val bust = network.exchange.sign { addInputState(fill).addCommand(FillCommand.Bust(listOf(id), "by mistake"), network.exchange.party.owningKey) }
        refusedAt(a.party, bust, ErrorCode.UNEXPECTED_COMMAND, "commands")
        market.settles(id)
    }

    // Busts.

    @Test
    fun `a bust withdraws a fill for good, and says so again when repeated`() {
        val id = market.fill()
        val report = network.exchange.run(BustFill(id, "entered twice"))
        assertThat(network.exchange.run(BustFill(id, "entered twice")).transactionId).isEqualTo(report.transactionId)
        eventually { status(a, id) == FillStatus.BUSTED && status(b, id) == FillStatus.BUSTED }
        val result = network.settle(a, id).single()
        assertThat(result.outcome.name).isEqualTo("BUSTED")
        assertThat(result.cause).isEqualTo(ErrorCode.ALREADY_BUSTED)
        assertThat(network.exchange.vaultCount(Fill::class.java)).isEqualTo(0L)
    }

    @Test
    fun `a settled fill cannot be busted, and an unknown one neither`() {
        val id = market.fill()
        market.settles(id)
        refused(ErrorCode.ALREADY_SETTLED, "execution_id") { network.exchange.run(BustFill(id, "too late")) }
        assertThat(status(b, id)).isEqualTo(FillStatus.SETTLED)
        refused(ErrorCode.UNKNOWN_FILL, "execution_id") { network.exchange.run(BustFill("EX-NEVER", "never was")) }
    }

    @Test
    fun `nobody but the venue busts a fill`() {
        val id = market.fill()
        val bust = a.sign { addInputState(market.onRecord(id)).addCommand(FillCommand.Bust(listOf(id), "I would rather not"), network.exchange.party.owningKey) }
        refused(ErrorCode.UNKNOWN_FILL, "execution_id") { a.run(Deliver(bust, Door.BUST, b.party)) }
        val own = a.sign { addInputState(market.onRecord(id)).addCommand(FillCommand.Bust(listOf(id), "I would rather not"), a.party.owningKey) }
        refused(ErrorCode.CONTRACT_REFUSED) { a.run(Deliver(own, Door.BUST, b.party)) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { network.exchange.run(Deliver(signed(forged()), Door.BUST, b.party)) }
        assertThat(status(b, id)).isEqualTo(FillStatus.OPEN)
        market.settles(id)
    }

    @Test
    fun `a second fill of the id cannot be busted in place of the first`() {
        val id = market.fill()
        val twin = signed(market.onRecord(id).state.data)
        listOf(network.exchange, b).forEach { it.force(twin) }
        val bust = network.exchange.sign { addInputState(network.exchange.state<Fill>(StateRef(twin.id, 0))).addCommand(Command(FillCommand.Bust(listOf(id), "the wrong one"), network.exchange.party.owningKey)) }
        refused(ErrorCode.UNKNOWN_FILL, "execution_id") { network.exchange.run(Deliver(bust, Door.BUST, b.party)) }
        market.settles(id)
    }

    // Reversals.

    private fun reversal(of: String, change: (FillNotice) -> FillNotice = { it }): FillNotice =
            change(network.notice(b to market.buyer, a to market.seller, market.security, 5, "100.00").copy(reverses = Reversal(of, "wrong price")))

    @Test
    fun `a settled fill is reversed once both custodians have accepted it`() {
        network.giveCoins(a, market.seller, 1_000)
        val id = market.fill()
        market.settles(id)
        val reversal = reversal(id)
        refused(ErrorCode.REVERSAL_NOT_ACCEPTED, "reverses") { network.notify(reversal) }
        a.run(AcceptReversal(reversal.executionId, id))
        refused(ErrorCode.REVERSAL_NOT_ACCEPTED, "reverses") { network.notify(reversal) }
        b.run(AcceptReversal(reversal.executionId, id))
        val units = network.units(b, market.buyer).first
        network.notify(reversal)
        eventually { status(b, reversal.executionId) == FillStatus.OPEN }
        assertThat(network.notify(reversal).alreadyNotified).isTrue()
        assertThat(network.settle(b, reversal.executionId).single().outcome.name).isEqualTo("SETTLED")
        assertThat(network.units(b, market.buyer).first).isEqualTo(units - 5)
    }

    @Test
    fun `only a settled fill is reversed, from its buyer to its seller, and at most what it moved`() {
        val open = market.fill()
        refused(ErrorCode.UNKNOWN_FILL, "reverses") { a.run(AcceptReversal(network.id("EX"), open)) }
        refused(ErrorCode.UNKNOWN_FILL, "reverses") { network.notify(reversal(open)) }
        market.settles(open)
        val sameWay = market.notice().copy(reverses = Reversal(open, "wrong way"))
        val tooMuch = reversal(open) { it.copy(quantity = 6, amount = 600) }
        val fromAnother = reversal(open) { it.copy(sellerInvestorId = network.investor(b)) }
        val toAnother = reversal(open) { it.copy(buyerInvestorId = network.investor(a)) }
        val ofAnother = reversal(open) { it.copy(securityCode = network.id("S")) }
        listOf(sameWay, tooMuch, fromAnother, toAnother, ofAnother).forEach { notice ->
            listOf(a, b).forEach { it.run(AcceptReversal(notice.executionId, open)) }
            refused(ErrorCode.BAD_REQUEST, "reverses") { network.notify(notice) }
            nobodyHas(notice.executionId)
        }
    }

    @Test
    fun `a fill that came only with another transaction's chain is on no record`() {
        val fake = forged { it.copy(venue = network.outsider.party) }
        val made = signed(fake, network.outsider)
        network.outsider.force(made)
        val bust = network.outsider.sign {
            addInputState(network.outsider.state<Fill>(StateRef(made.id, 0))).addCommand(FillCommand.Bust(listOf(fake.executionId), "chaff"), network.outsider.party.owningKey)
        }
        listOf(a, b).forEach { refused(ErrorCode.UNKNOWN_FILL, "execution_id") { network.outsider.run(Deliver(bust, Door.BUST, it.party)) } }
        nobodyHas(fake.executionId)
        network.notify(market.notice().copy(executionId = fake.executionId))
        eventually { status(a, fake.executionId) == FillStatus.OPEN && status(b, fake.executionId) == FillStatus.OPEN }
        market.settles(fake.executionId)
    }
}
