package org.ippon.liars.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.TimeWindow
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.NotaryFlow
import net.corda.core.identity.Party
import net.corda.core.internal.createComponentGroups
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.WireTransaction
import net.corda.core.utilities.unwrap
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.Position
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.BuyerSession
import org.ippon.core.DeliveryAnswer
import org.ippon.core.DeliveryVerdict
import org.ippon.core.ReceiveNamed
import org.ippon.core.fillOnRecord
import org.ippon.core.lockId
import org.ippon.core.me
import org.ippon.core.recordChecked
import org.ippon.core.reserve
import org.ippon.core.settlement.FillRef
import org.ippon.core.settlement.ReserveAnswer
import org.ippon.core.settlement.SellerAccount
import org.ippon.core.settlement.SettlementAnswer
import org.ippon.core.settlement.SettlementDecision
import org.ippon.core.settlement.SettlementPlan
import org.ippon.core.settlement.SettlementQuery
import org.ippon.core.trust
import org.ippon.custodian.settlement.SettlementRequest
import org.ippon.liars.Door
import org.ippon.liars.Show
import org.ippon.liars.signatureOf

/** Where a settlement is shown. */
@CordaSerializable
enum class Signer { BUYER, ASSET, COIN, COIN_AS_ASSET, ASSET_AS_COIN }

/** The parts of a settlement by hand that the lying and the silent seller share. */
abstract class SellerByHand<T>(private val ids: List<String>, private val lie: Int) : FlowLogic<T>() {
    /** Steps 2 to 4 of a settlement with an honest buyer. */
    @Suspendable
    protected fun agree(session: FlowSession): Deal {
        val fills = ids.map { serviceHub.fillOnRecord(it)!!.fill }
        val answer = session.sendAndReceive<SettlementAnswer>(SettlementRequest(SettlementQuery(fills.map { FillRef(it.state.data.executionId, it.ref) }), null)).unwrap { it }
        val accounts = answer.lines.associate { it.executionId to (it.account ?: throw IllegalStateException("${it.stand} ${it.cause} ${it.message}")) }
        val decision = SettlementDecision(fills.map { SellerAccount(it.state.data.executionId, it.state.data.seller.investorId, it.state.data.seller.investorId) }, emptyList())
        val reserved = session.sendAndReceive<ReserveAnswer>(SettlementRequest(null, decision)).unwrap { it }
        check(reserved.refusal == null) { "${reserved.refusal}" }
        val named = subFlow(ReceiveNamed(session, reserved.coins, reserved.near))
        val terms = fills.map { fill ->
            val data = fill.state.data
            val account = accounts[data.executionId]!!
            SettleTerm(data.executionId, data.seller.investorId, account.tokenId, data.seller.investorId, account.coinId, account.routeId, account.routeVersion)
        }
        return Deal(fills, terms, units(fills), coins(named))
    }

    @Suppress("UNCHECKED_CAST")
    private fun coins(named: List<StateAndRef<*>>) = named as List<StateAndRef<Coin>>

    private fun units(fills: List<StateAndRef<Fill>>): List<StateAndRef<SecurityToken>> {
        val first = fills.first().state.data
        return serviceHub.reserve(Position(Holder(serviceHub.me, first.seller.investorId), Asset.Units(first.security)), fills.map { it.state.data.quantity }.sum(), lockId)
    }

    protected fun write(deal: Deal): SignedTransaction {
        val lies = Lie.get(lie)
        val now = serviceHub.clock.instant()
        val window = TimeWindow.between(now.minusSeconds(10), now.plusSeconds(serviceHub.trust.settlementWindowSeconds))
        val changed = lies.deal(deal)
        val honest = SettlementPlan(changed.fills, changed.terms, changed.tokens, changed.coins).build(serviceHub.trust.notary, window).toWireTransaction(serviceHub)
        val paper = Paper(honest.inputs, honest.outputs, honest.commands, honest.attachments, honest.notary!!, honest.timeWindow, honest.references)
        val tx = wire(lies.paper(paper), honest)
        return SignedTransaction(tx, listOf(lies.signature?.invoke(tx.id, serviceHub) ?: signatureOf(serviceHub, tx.id)))
    }

    private fun wire(paper: Paper, honest: WireTransaction) = WireTransaction(
            createComponentGroups(paper.inputs, paper.outputs, paper.commands, paper.attachments, paper.notary, paper.window, paper.references, honest.networkParametersHash),
            honest.privacySalt, honest.digestService
    )

    @Suspendable
    protected fun show(session: FlowSession, stx: SignedTransaction): DeliveryAnswer {
        val showing = Show(session, stx)
        return subFlow(showing)
    }

    @Suspendable
    protected fun open(signer: Signer, asset: Party, coin: Party): FlowSession {
        val opener = when (signer) {
            Signer.ASSET -> Door.SETTLEMENT_ASSET.open(asset)
            Signer.COIN_AS_ASSET -> Door.SETTLEMENT_ASSET.open(coin)
            Signer.ASSET_AS_COIN -> Door.SETTLEMENT_COIN.open(asset)
            else -> Door.SETTLEMENT_COIN.open(coin)
        }
        return subFlow(opener)
    }
}

/** A seller's custodian that agrees like an honest one and then shows [signers] a transaction of its own. Nothing is notarised. */
class LyingSeller(ids: List<String>, lie: Int, private val signers: List<Signer>, private val buyer: Party, private val asset: Party, private val coin: Party) : SellerByHand<List<DeliveryAnswer>>(ids, lie) {
    @Suspendable
    override fun call(): List<DeliveryAnswer> {
        val session = subFlow(BuyerSession(buyer))
        var stx = write(agree(session))
        val answers = mutableListOf<DeliveryAnswer>()
        for (signer in signers) {
            val to = if (signer == Signer.BUYER) session else open(signer, asset, coin)
            val answer = show(to, stx)
            answers += answer
            if (answer.refusal == null) {
                answer.signature?.let { stx += it }
                to.send(DeliveryVerdict(null))
            }
        }
        return answers
    }
}

/** Shows [signers] a settlement that needs nobody's agreement: everything is given. */
class ForgedSettlement(private val deal: Deal, lie: Int, private val signer: Signer, private val asset: Party, private val coin: Party) : SellerByHand<DeliveryAnswer>(emptyList(), lie) {
    @Suspendable
    override fun call(): DeliveryAnswer {
        val stx = write(deal)
        val session = open(signer, asset, coin)
        val answer = show(session, stx)
        if (answer.refusal == null) session.send(DeliveryVerdict(null))
        return answer
    }
}

/** How far a silent seller goes. */
@CordaSerializable
enum class Silence {
    NEVER_NOTARISES, NOTARISES, RECORDS,
    /** Recorded, and told to registrar and coin issuer alone. */
    TELLS_ISSUERS
}

/** A seller's custodian that collects every signature and then tells nobody, or not everybody. Returns the transaction as far as it went. */
class SilentSeller(ids: List<String>, private val silence: Silence, private val buyer: Party, private val asset: Party, private val coin: Party) : SellerByHand<SignedTransaction>(ids, Lie.keep(Lie())) {
    @Suspendable
    override fun call(): SignedTransaction {
        val session = subFlow(BuyerSession(buyer))
        var stx = write(agree(session))
        stx += show(session, stx).signature!!
        val issuers = mutableListOf<FlowSession>()
        for (signer in listOf(Signer.ASSET, Signer.COIN)) {
            val other = open(signer, asset, coin)
            issuers += other
            stx += show(other, stx).signature!!
        }
        if (silence == Silence.NEVER_NOTARISES) return stx
        val full = stx + subFlow(NotaryFlow.Client(stx))
        if (silence != Silence.NOTARISES) serviceHub.recordChecked(full)
        if (silence == Silence.TELLS_ISSUERS) for (issuer in issuers) issuer.send(DeliveryVerdict(full.sigs))
        return full
    }
}

/** Asks the notary for [stx], later. */
class Notarise(private val stx: SignedTransaction) : FlowLogic<SignedTransaction>() {
    @Suspendable
    override fun call(): SignedTransaction = stx + subFlow(NotaryFlow.Client(stx))
}

/** Records [stx] as if it had come the proper way. */
class RecordLate(private val stx: SignedTransaction) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() = serviceHub.recordChecked(stx)
}
