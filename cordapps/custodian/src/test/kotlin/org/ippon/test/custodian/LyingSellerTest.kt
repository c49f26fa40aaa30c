package org.ippon.test.custodian

import net.corda.core.contracts.HashAttachmentConstraint
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TransactionState
import net.corda.core.crypto.SecureHash
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.ErrorCode
import org.ippon.core.ErrorCode.CONTRACT_REFUSED
import org.ippon.core.ErrorCode.MISSING_SIGNATURE
import org.ippon.core.ErrorCode.NOT_ON_REGISTER
import org.ippon.core.ErrorCode.UNEXPECTED_STATE
import org.ippon.core.ErrorCode.WRONG_TIME_WINDOW
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.ippon.liars.custodian.Deal
import org.ippon.liars.custodian.ForgedSettlement
import org.ippon.liars.custodian.Lie
import org.ippon.liars.custodian.Notarise
import org.ippon.liars.custodian.Scene
import org.ippon.liars.custodian.SellerLie
import org.ippon.liars.custodian.Signer
import org.junit.Rule
import org.junit.Test
import java.io.ByteArrayOutputStream
import java.time.Instant
import java.util.jar.JarEntry
import java.util.jar.JarOutputStream

/** A seller's custodian that lies, before the buyer's custodian, the asset node and the coin node at once. The truth settles afterwards. */
class LyingSellerTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market

    /** All three refuse [lie] with [code] about [field]; then the fill settles. */
    private fun allRefuse(code: ErrorCode, field: String?, lie: Lie) = refuse(lie, field, code, code, code)

    private fun allRefuse(code: ErrorCode, field: String?, lie: SellerLie) = refuse(lie, field, code, code, code)

    private fun refuse(lie: SellerLie, field: String?, buyer: ErrorCode, asset: ErrorCode, coin: ErrorCode) =
            refuse(lie.of(Scene(network.custodianA.services, network.outsider.party, network.otherNotary)), field, buyer, asset, coin)

    private fun refuse(lie: Lie, field: String?, buyer: ErrorCode?, asset: ErrorCode?, coin: ErrorCode?) = refuse(market.fill(), lie, field, buyer, asset, coin)

    private fun refuse(id: String, lie: Lie, field: String?, buyer: ErrorCode?, asset: ErrorCode?, coin: ErrorCode?) {
        val answers = market.lie(listOf(id), lie, Signer.BUYER, Signer.ASSET, Signer.COIN)
        val expected = listOf(buyer, asset, coin).map { code -> code to if (code == null) null else if (code == MISSING_SIGNATURE) "signatures" else field }
        assertThat(answers.map { it.refusal?.code to it.refusal?.field }).`as`(answers.map { it.refusal?.message }.toString()).isEqualTo(expected)
        assertThat(answers.filter { it.refusal != null }).allMatch { it.signature == null }
        market.settles(id)
    }

    @Test
    fun `the truth is signed by all, so that each refusal here is about its lie`() {
        val id = market.fill()
        val answers = market.lie(listOf(id), Lie(), Signer.BUYER, Signer.ASSET, Signer.COIN)
        assertThat(answers.map { it.refusal }).containsOnlyNulls()
        assertThat(answers.map { it.signature!!.by }).containsExactly(network.custodianB.party.owningKey, network.asset.party.owningKey, network.coin.party.owningKey)
        market.settles(id)
    }

    @Test
    fun `a unit too few is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.QUANTITY)

    @Test
    fun `another price is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.PRICE)

    @Test
    fun `units that stay with the seller's custodian are refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.HOLDER)

    @Test
    fun `payment in coins of another issuer is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.COIN_ISSUER)

    @Test
    fun `a yen too many is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.AMOUNT)

    @Test
    fun `change in two pieces is refused, being another transaction than the fills make`() = allRefuse(UNEXPECTED_STATE, "outputs", SellerLie.SPLIT_CHANGE)

    @Test
    fun `an output beside the exchange is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.EXTRA_STATE)

    @Test
    fun `one more signer than needed is refused`() = allRefuse(ErrorCode.UNEXPECTED_COMMAND, "commands", SellerLie.EXTRA_SIGNER)

    @Test
    fun `a second settle command is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.EXTRA_COMMAND)

    @Test
    fun `a state tied to another is refused`() = allRefuse(CONTRACT_REFUSED, null, Lie(paper = { paper ->
        paper.copy(outputs = paper.outputs.mapIndexed { index, state -> if (index == 0) state.copy(encumbrance = 1) else if (index == 1) state.copy(encumbrance = 0) else state })
    }))

    @Test
    fun `a state for one jar alone is refused`() = allRefuse(CONTRACT_REFUSED, null, Lie(paper = { paper ->
        paper.copy(outputs = paper.outputs.map { TransactionState(it.data, it.contract, it.notary, null, HashAttachmentConstraint(paper.attachments.first())) })
    }))

    @Test
    fun `a state that is only read is refused`() {
        val read = market.coinsKnownToSeller()
        allRefuse(CONTRACT_REFUSED, null, Lie(paper = { paper -> paper.copy(references = listOf(read.first { it.ref !in paper.inputs }.ref)) }))
    }

    @Test
    fun `another notary is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.NOTARY)

    @Test
    fun `an attachment beside the contracts is refused`() {
        val attachment = attachment()
        allRefuse(ErrorCode.UNEXPECTED_ATTACHMENT, "attachments", Lie(paper = { it.copy(attachments = it.attachments + attachment) }))
    }

    private fun attachment(): SecureHash {
        val jar = ByteArrayOutputStream()
        JarOutputStream(jar).use {
            it.putNextEntry(JarEntry("note-${network.id("A")}.txt"))
            it.write(1)
        }
        return network.custodianA.transaction { network.custodianA.services.attachments.importAttachment(jar.toByteArray().inputStream(), "a seller", "note.jar") }
    }

    @Test
    fun `a window without an end is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.OPEN_WINDOW)

    @Test
    fun `no window at all is refused`() = allRefuse(CONTRACT_REFUSED, null, SellerLie.NO_WINDOW)

    @Test
    fun `a window of an hour is refused`() = allRefuse(WRONG_TIME_WINDOW, "time_window", SellerLie.LONG_WINDOW)

    @Test
    fun `a window that is over is refused`() = allRefuse(WRONG_TIME_WINDOW, "time_window", SellerLie.PAST_WINDOW)

    @Test
    fun `a window still to come is refused`() = allRefuse(WRONG_TIME_WINDOW, "time_window", SellerLie.FUTURE_WINDOW)

    @Test
    fun `a transaction that the seller's side has not signed is refused`() = allRefuse(MISSING_SIGNATURE, "signatures", SellerLie.UNSIGNED)

    @Test
    fun `asset node and coin node sign nothing that the buyer's side has not signed`() {
        val id = market.fill()
        market.assertRefused(market.lie(listOf(id), Lie(), Signer.ASSET, Signer.COIN), MISSING_SIGNATURE, MISSING_SIGNATURE)
        market.settles(id)
    }

    @Test
    fun `registrar and issuer sign only what is theirs`() {
        val id = market.fill()
        val answers = market.lie(listOf(id), Lie(), Signer.BUYER, Signer.COIN_AS_ASSET, Signer.ASSET_AS_COIN)
        assertThat(answers[0].refusal).isNull()
        market.assertRefused(answers.drop(1), ErrorCode.NOT_ACCEPTED_PARTY, ErrorCode.NOT_ACCEPTED_PARTY)
        market.settles(id)
    }

    @Test
    fun `units for an account that the buyer's side never named are refused by it`() = refuse(SellerLie.INVESTOR, "terms", ErrorCode.WRONG_ACCOUNT, MISSING_SIGNATURE, MISSING_SIGNATURE)

    @Test
    fun `payment by an account that the buyer's side never named is refused by it`() {
        val other = network.investor(network.custodianB)
        network.giveCoins(network.custodianB, other, 10_000)
        val earlier = network.notice(network.custodianA to market.seller, network.custodianB to other, market.security, 5, "100.00")
        network.notify(earlier)
        market.settles(earlier.executionId)
        val coins = network.custodianB.states<Coin> { it.holder.investorId == other }
        refuse(Lie(deal = { deal -> deal.copy(terms = deal.terms.map { it.copy(buyerCoinId = other) }, coins = coins) }), "terms", ErrorCode.WRONG_ACCOUNT, MISSING_SIGNATURE, MISSING_SIGNATURE)
    }

    @Test
    fun `a route version out of date is refused by the buyer's side`() = refuse(SellerLie.OLD_ROUTE, "terms", ErrorCode.ROUTE_CHANGED, MISSING_SIGNATURE, MISSING_SIGNATURE)

    @Test
    fun `more of the buyer's coins than were reserved are refused by its side`() {
        val coins = market.coinsKnownToSeller()
        refuse(Lie(deal = { deal -> deal.copy(coins = deal.coins + coins.filter { it !in deal.coins }.take(1)) }), "coins", UNEXPECTED_STATE, MISSING_SIGNATURE, MISSING_SIGNATURE)
    }

    @Test
    fun `a fill that the sides did not speak about is refused by the buyer's`() {
        val other = market.fill()
        val second = market.onRecord(other)
        refuse(Lie(deal = { it.plus(second) }), "terms", UNEXPECTED_STATE, MISSING_SIGNATURE, MISSING_SIGNATURE)
        market.settles(other)
    }

    @Test
    fun `units that are spent already are refused by the registrar`() {
        val spent = market.units()
        market.settles(market.fill())
        refuse(Lie(deal = { it.copy(tokens = spent) }), "inputs", null, NOT_ON_REGISTER, null)
    }

    @Test
    fun `coins that are spent already are refused by their issuer`() {
        val spent = market.coinsKnownToSeller()
        val id = market.fill()
        market.settles(market.fill())
        val gone = spent.filter { it !in market.coinsKnownToSeller() }
        val deal = Deal(listOf(market.onRecord(id)), listOf(market.term(id)), market.units(), gone)
        assertThat(gone).isNotEmpty()
        market.assertRefused(listOf(forge(deal, Signer.COIN)), NOT_ON_REGISTER)
        market.settles(id)
    }

    @Test
    fun `a settlement proposed by another than the seller's custodian is refused`() {
        val id = market.fill()
        val units = market.units()
        eventually { network.custodianB.transaction { network.custodianB.services.validatedTransactions.getTransaction(units.first().ref.txhash) } != null }
        val deal = Deal(listOf(market.onRecord(id)), listOf(market.term(id)), units, market.coinsKnownToSeller())
        listOf(Signer.ASSET, Signer.COIN).forEach { signer -> market.assertRefused(listOf(forge(deal, signer, network.custodianB)), ErrorCode.MIXED_COUNTERPARTIES) }
        market.settles(id)
    }

    @Test
    fun `a settlement with two buyers' custodians is refused`() {
        val neighbour = network.investor(network.custodianA)
        network.giveCoins(network.custodianA, neighbour, 500)
        val here = network.notice(network.custodianA to market.seller, network.custodianA to neighbour, market.security, 5, "100.00")
        network.notify(here)
        val fill = market.onRecord(here.executionId)
        val coins = network.custodianA.states<Coin> { it.holder.investorId == neighbour }
        allRefuse(ErrorCode.MIXED_COUNTERPARTIES, "buyer_custodian", Lie(deal = { deal ->
            deal.copy(fills = deal.fills + fill, terms = deal.terms + market.term(here.executionId).copy(buyerTokenId = neighbour, buyerCoinId = neighbour), coins = deal.coins + coins)
        }))
        market.settles(here.executionId)
    }

    @Test
    fun `a transaction without a settlement is refused by registrar and issuer`() {
        val units = market.units()
        val free = network.custodianA.sign {
            units.forEach { addInputState(it) }
            units.forEach { addOutputState(it.state.data) }
            addCommand(SecurityTokenCommand.Transfer(network.id("TR")), network.custodianA.party.owningKey, network.asset.party.owningKey)
        }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { network.custodianA.run(Deliver(free, Door.SETTLEMENT_ASSET, network.asset.party)) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { network.custodianA.run(Deliver(free, Door.SETTLEMENT_COIN, network.coin.party)) }
    }

    @Test
    fun `a fill between parties that a signer does not accept is refused by it`() {
        val known = market.onRecord(market.fill()).state.data
        val forged = listOf(
                "venue" to known.copy(executionId = network.id("EX"), venue = network.outsider.party),
                "coin_issuer" to known.copy(executionId = network.id("EX"), coinIssuer = network.outsider.party),
                "platform_code" to known.copy(executionId = network.id("EX"), platformCode = "NOWHERE")
        )
        forged.forEach { (field, fill) ->
            val venue = if (fill.venue == network.outsider.party) network.outsider else network.exchange
            val stx = venue.sign { addOutputState(fill).addCommand(FillCommand.Notify(), venue.party.owningKey) }
            network.custodianA.force(stx)
            val state = network.custodianA.state<Fill>(StateRef(stx.id, 0))
            val coins = if (fill.coinIssuer == network.coin.party) market.coinsKnownToSeller() else foreignCoins()
            val answer = forge(Deal(listOf(state), listOf(market.term(fill)), market.units(), coins), Signer.ASSET)
            assertThat(answer.refusal?.field).`as`(answer.refusal.toString()).isEqualTo(field)
        }
        market.settles(known.executionId)
    }

    /** Coins that the outsider made out of nothing for the buyer. */
    private fun foreignCoins(): List<StateAndRef<Coin>> {
        val holder = Holder(network.custodianB.party, market.buyer)
        val instruction = TrustInstruction(network.id("TI"), holder, 10_000, network.outsider.party, Instant.parse("2030-01-01T00:00:00Z"))
        val asked = network.custodianB.sign { addOutputState(instruction).addCommand(TrustInstructionCommand.Instruct(), network.custodianB.party.owningKey) }
        network.custodianA.force(asked)
        network.outsider.force(asked)
        val issued = network.outsider.sign {
            addInputState(network.outsider.state<TrustInstruction>(StateRef(asked.id, 0)))
            addOutputState(Coin(10_000, holder, network.outsider.party))
            addCommand(CoinCommand.Issue(10_000), network.outsider.party.owningKey)
            addCommand(TrustInstructionCommand.Execute(), network.outsider.party.owningKey)
        }
        val notarised = network.outsider.run(Notarise(issued))
        network.custodianA.force(notarised)
        return listOf(network.custodianA.state(StateRef(notarised.id, 0)))
    }

    private fun forge(deal: Deal, signer: Signer, by: StartedMockNode = network.custodianA) =
            by.run(ForgedSettlement(deal, Lie.keep(Lie()), signer, network.asset.party, network.coin.party))

    @Test
    fun `a second fill of an id never settles, whatever the venue has signed`() {
        val id = market.fill()
        val first = market.onRecord(id)
        val twin = network.exchange.sign { addOutputState(first.state.data).addCommand(FillCommand.Notify(), network.exchange.party.owningKey) }
        listOf(network.custodianA, network.custodianB).forEach { it.force(twin) }
        val second = network.custodianA.state<Fill>(StateRef(twin.id, 0))
        refuse(id, Lie(deal = { it.copy(fills = listOf(second)) }), "execution_id", ErrorCode.DUPLICATE_FILL, MISSING_SIGNATURE, MISSING_SIGNATURE)
        assertThat(market.onRecord(id).ref).isEqualTo(first.ref)
        assertThat(network.custodianA.state<Fill>(second.ref).state.data.executionId).isEqualTo(id)
    }
}
