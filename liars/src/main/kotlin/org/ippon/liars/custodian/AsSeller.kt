package org.ippon.liars.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowException
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.NotaryException
import net.corda.core.flows.StartableByRPC
import net.corda.core.flows.UnexpectedFlowEndException
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.BuyerSession
import org.ippon.core.DeliveryAnswer
import org.ippon.core.fillOnRecord
import org.ippon.core.notaryRefusal
import org.ippon.core.settlement.FillRef
import org.ippon.core.trust
import org.ippon.liars.Told
import java.util.concurrent.ConcurrentHashMap

/**
 * What a lying seller's custodian is told to do, by RPC: words in, and what each node said to it out.
 *
 * @param words see each flow.
 */
abstract class AsSeller<T>(protected val words: List<String>) : FlowLogic<T>() {
    protected val id: String get() = words[0]

    protected fun fill(id: String = this.id): Fill = serviceHub.fillOnRecord(id)!!.fill.state.data

    protected fun party(signer: Signer): Party = when (signer) {
        Signer.BUYER -> fill().buyer.custodian
        Signer.ASSET, Signer.COIN_AS_ASSET -> fill().security.registrar
        Signer.COIN, Signer.ASSET_AS_COIN -> fill().coinIssuer
    }

    /** The settlement of [deal], not agreed with anybody, as registrar and coin issuer are asked to sign it. */
    @Suspendable
    protected fun forge(deal: Deal): List<Told> {
        val told = mutableListOf<Told>()
        for (signer in listOf(Signer.ASSET, Signer.COIN)) {
            val forged = ForgedSettlement(deal, Lie.keep(Lie()), signer, party(Signer.ASSET), party(Signer.COIN))
            val answer = subFlow(forged)
            told += Told.by(party(signer), answer)
        }
        return told
    }

    protected fun settlementOf(id: String): SignedTransaction = serviceHub.validatedTransactions.getTransaction(SecureHash.parse(serviceHub.fillOnRecord(id)!!.endedBy!!))!!

    protected inline fun <reified T : ContractState> List<StateAndRef<*>>.of(): List<StateAndRef<T>> {
        @Suppress("UNCHECKED_CAST")
        return filter { it.state.data is T } as List<StateAndRef<T>>
    }
}

/** `id lie [signer…]`: agrees on a fill like an honest seller and then shows the signers a transaction that is wrong in one thing ([SellerLie]). */
@StartableByRPC
class LieAsSeller(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val signers = if (words.size > 2) words.drop(2).map { Signer.valueOf(it) } else listOf(Signer.BUYER, Signer.ASSET, Signer.COIN)
        val flow = LyingSeller(listOf(id), lie(), signers, party(Signer.BUYER), party(Signer.ASSET), party(Signer.COIN))
        val answers = subFlow(flow)
        return signers.zip(answers).map { (signer, answer) -> Told.by(party(signer), answer) }
    }

    private fun lie() = Lie.keep(SellerLie.valueOf(words[1]).of(Scene(serviceHub, fill().venue)))
}

/** `id other`: agrees on one fill and shows the buyer's side a settlement of another as well. */
@StartableByRPC
class SlipInAnother(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val flow = LyingSeller(listOf(id), lie(), listOf(Signer.BUYER), party(Signer.BUYER), party(Signer.ASSET), party(Signer.COIN))
        val answers = subFlow(flow)
        return listOf(Told.by(party(Signer.BUYER), answers.single()))
    }

    private fun lie(): Int {
        val other = serviceHub.fillOnRecord(words[1])!!.fill
        return Lie.keep(Lie(deal = { it.plus(other) }))
    }
}

/** `id buyer`: asks the custodian called `buyer` about a fill, on record here or not. */
@StartableByRPC
class AskAsSeller(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val buyer = serviceHub.trust.custodian(words[1], "buyer")
        val flow = AskBuyer(listOf(ref()), emptyList(), buyer)
        return subFlow(flow).map { Told(buyer.name.organisation, it.cause?.name, null, it.message, false) }
    }

    private fun ref() = FillRef(id, serviceHub.fillOnRecord(id)?.fill?.ref ?: StateRef(SecureHash.zeroHash, 0))
}

/** How a session is played wrong. */
enum class Misplay { DECIDES_UNASKED, DECIDES_TWICE, ASKS_FOR_TOO_MANY, ASKS_TOO_OFTEN }

/** `id misplay`: opens a session about a fill and goes through it as nobody should. */
@StartableByRPC
class MisplaySession(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val buyer = party(Signer.BUYER)
        return try {
            play(buyer)
            listOf(Told(buyer.name.organisation, null, null, null, false))
        } catch (e: FlowException) {
            listOf(Told.by(buyer, e))
        } catch (e: UnexpectedFlowEndException) {
            listOf(Told.by(buyer, e))
        }
    }

    @Suspendable
    private fun play(buyer: Party) {
        val ref = FillRef(id, serviceHub.fillOnRecord(id)!!.fill.ref)
        val flow = when (Misplay.valueOf(words[1])) {
            Misplay.DECIDES_UNASKED -> AskBuyer(emptyList(), listOf(id), buyer, times = 0)
            Misplay.DECIDES_TWICE -> AskBuyer(listOf(ref), listOf(id, id), buyer)
            Misplay.ASKS_FOR_TOO_MANY -> AskBuyer((0..MANY).map { FillRef("$id-$it", ref.ref) }, emptyList(), buyer)
            Misplay.ASKS_TOO_OFTEN -> AskBuyer(listOf(ref), emptyList(), buyer, times = MANY)
        }
        subFlow(flow)
    }

    private companion object {
        const val MANY = 60
    }
}

/** `id`: the settled fill is settled again, in a transaction of today, out of what the first one consumed. */
@StartableByRPC
class SettleAgain(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> = forge(deal())

    private fun deal(): Deal {
        val tx = settlementOf(id).tx
        val inputs = tx.inputs.map { serviceHub.toStateAndRef<ContractState>(it) }
        return Deal(inputs.of(), tx.commands.map { it.value }.filterIsInstance<FillCommand.Settle>().single().terms, inputs.of(), inputs.of())
    }
}

/** `id earlier`: proposes, as if this node were the seller's side, the settlement of a fill that it bought; out of what an earlier one left to both. */
@StartableByRPC
class SettleAnothers(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> = forge(deal())

    private fun deal(): Deal {
        val fill = serviceHub.fillOnRecord(id)!!.fill
        val before = settlementOf(words[1]).tx
        val left = before.outputs.indices.map { before.outRef<ContractState>(it) }
        val term = before.commands.map { it.value }.filterIsInstance<FillCommand.Settle>().single().terms.single()
        val tokens = left.of<SecurityToken>().filter { it.state.data.holder == fill.state.data.seller }
        val coins = left.of<Coin>().filter { it.state.data.holder == fill.state.data.buyer }
        return Deal(listOf(fill), listOf(term.copy(executionId = id)), tokens, coins)
    }
}

/** `id sessions`: many settlements of one fill at once. */
@StartableByRPC
class FloodAsSeller(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val buyer = party(Signer.BUYER)
        val flow = FloodBuyer(listOf(FillRef(id, serviceHub.fillOnRecord(id)!!.fill.ref)), words[1].toInt(), buyer)
        return subFlow(flow).map { Told.by(buyer, DeliveryAnswer(it.refusal, null)) }
    }
}

/** `id sessions`: many settlements of one fill, asked about and left. */
@StartableByRPC
class LeaveAsSeller(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val flow = LeaveBuyer(listOf(FillRef(id, serviceHub.fillOnRecord(id)!!.fill.ref)), words[1].toInt(), party(Signer.BUYER))
        return subFlow(flow)
    }
}

/** `id`: agrees, so that the buyer's side has reserved, and then says nothing more until that side ends it. */
@StartableByRPC
class StallAsSeller(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val buyer = party(Signer.BUYER)
        val flow = StallingSeller(listOf(id), buyer)
        return try {
            subFlow(flow)
            emptyList()
        } catch (e: FlowException) {
            listOf(Told.by(buyer, e))
        } catch (e: UnexpectedFlowEndException) {
            listOf(Told.by(buyer, e))
        }
    }
}

/** See [StallAsSeller]. */
class StallingSeller(ids: List<String>, private val buyer: Party) : SellerByHand<Unit>(ids, Lie.keep(Lie())) {
    @Suspendable
    override fun call() {
        val session = subFlow(BuyerSession(buyer))
        agree(session)
        session.receive<DeliveryAnswer>().unwrap { it }
    }
}

/** `id silence`: collects every signature and withholds finality ([Silence]); answers with the transaction's id. */
@StartableByRPC
class WithholdFinality(words: List<String>) : AsSeller<String>(words) {
    @Suspendable
    override fun call(): String {
        val flow = SilentSeller(listOf(id), Silence.valueOf(words[1]), party(Signer.BUYER), party(Signer.ASSET), party(Signer.COIN))
        val stx = subFlow(flow)
        withheld[stx.id.toString()] = stx
        return stx.id.toString()
    }

    companion object {
        internal val withheld = ConcurrentHashMap<String, SignedTransaction>()
    }
}

/** `transaction`: now asks the notary for what was withheld before it was notarised. */
@StartableByRPC
class NotariseWithheld(words: List<String>) : AsSeller<List<Told>>(words) {
    @Suspendable
    override fun call(): List<Told> {
        val flow = Notarise(WithholdFinality.withheld[words[0]]!!)
        return try {
            subFlow(flow)
            listOf(Told(NOTARY, null, null, null, true))
        } catch (e: NotaryException) {
            val refusal = notaryRefusal(e)
            listOf(Told(NOTARY, refusal.code.name, refusal.field, refusal.message, false))
        }
    }

    private companion object {
        const val NOTARY = "Notary"
    }
}
