package org.ippon.liars.exchange

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.internal.createComponentGroups
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.TransactionBuilder
import net.corda.core.transactions.WireTransaction
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.OrderDetails
import org.ippon.core.DeliveryNote
import org.ippon.core.trust
import org.ippon.exchange.NotifiedFill
import org.ippon.liars.Door
import org.ippon.liars.Scrawl
import org.ippon.liars.ShowAt
import org.ippon.liars.Told
import org.ippon.liars.signatureOf
import java.math.BigDecimal
import java.util.concurrent.ConcurrentHashMap

/** How an exchange node lies: a notice like an earlier one, wrong in one thing. */
enum class VenueLie(private val change: (Fill) -> Fill) {
    /** No lie; shown to be dropped, so that each refusal is about its lie. */
    TRUTH({ it }),
    AMOUNT({ it.copy(amount = it.amount + 1) }),
    PRICE({ it.copy(unitPrice = it.unitPrice + BigDecimal.ONE) }),
    QUANTITY({ it.copy(quantity = it.quantity + 1) }),
    SELLER({ it.copy(seller = it.seller.copy(investorId = "NOBODY")) }),
    BUYER({ it.copy(buyer = it.buyer.copy(investorId = "NOBODY")) }),
    /** A custodian that nobody accepts as one. */
    CUSTODIAN({ it.copy(buyer = it.buyer.copy(custodian = it.venue)) }),
    REGISTRAR({ it.copy(security = it.security.copy(registrar = it.coinIssuer)) }),
    COIN_ISSUER({ it.copy(coinIssuer = it.security.registrar) }),
    PLATFORM({ it.copy(platformCode = "NOWHERE") }),
    /** The hashes are of other order ids. */
    ORDERS({ it }),
    /** A notary that is none. */
    NOTARY({ it }),
    /** Not signed by the venue, and said to be complete. */
    UNSIGNED({ it }),
    /** The same execution id once more, of other content. */
    SAME_ID({ it.copy(quantity = it.quantity * 2, amount = it.amount * 2) });

    /** [fill] under the id [id], as this lie has it. */
    fun of(fill: Fill, id: String, details: OrderDetails): Fill = change(fill.copy(executionId = if (this == SAME_ID) fill.executionId else id, orderProof = details.proof()))
}

/** What this venue has notified under an execution id. */
private fun FlowLogic<*>.notified(executionId: String): Fill {
    val row = serviceHub.withEntityManager { find(NotifiedFill::class.java, executionId) }
    return serviceHub.toStateAndRef<Fill>(StateRef(SecureHash.parse(row.transactionId), row.outputIndex)).state.data
}

/** `like new-id lie`: shows both custodians a notice made after an earlier one. Nothing is recorded here. */
@StartableByRPC
class LieAsVenue(private val words: List<String>) : FlowLogic<List<Told>>() {
    @Suspendable
    override fun call(): List<Told> {
        val lie = VenueLie.valueOf(words[2])
        val stx = notice(lie)
        val note = DeliveryNote(listOf(if (lie == VenueLie.ORDERS) DETAILS.copy(tradeId = "T-2") else DETAILS))
        val told = mutableListOf<Told>()
        for (custodian in notified(words[0]).custodians) {
            val flow = ShowAt(stx, Door.FILL, custodian, note, complete = lie == VenueLie.UNSIGNED)
            val answer = subFlow(flow)
            told += Told.by(custodian, answer)
        }
        return told
    }

    private fun notice(lie: VenueLie): SignedTransaction {
        val fill = lie.of(notified(words[0]), words[1], DETAILS)
        val builder = TransactionBuilder(serviceHub.trust.notary).addOutputState(fill).addCommand(Command(FillCommand.Notify(), ourIdentity.owningKey))
        val honest = builder.toWireTransaction(serviceHub)
        val tx = if (lie == VenueLie.NOTARY) notarisedBy(ourIdentity, honest) else honest
        return SignedTransaction(tx, listOf(if (lie == VenueLie.UNSIGNED) Scrawl.OTHER_KEY.on(tx.id, serviceHub) else signatureOf(serviceHub, tx.id)))
    }

    private fun notarisedBy(notary: Party, tx: WireTransaction) = WireTransaction(
            createComponentGroups(tx.inputs, tx.outputs.map { it.copy(notary = notary) }, tx.commands, tx.attachments, notary, tx.timeWindow, tx.references, tx.networkParametersHash),
            tx.privacySalt, tx.digestService
    )

    internal companion object {
        val DETAILS = OrderDetails("T-1", "SO-1", "BO-1", "00112233445566778899aabbccddeeff")
    }
}

/** `settled`: shows both custodians the bust of a fill that has settled. */
@StartableByRPC
class BustSettled(private val words: List<String>) : FlowLogic<List<Told>>() {
    @Suspendable
    override fun call(): List<Told> {
        val stx = bust()
        val told = mutableListOf<Told>()
        for (custodian in notified(words[0]).custodians) {
            val flow = ShowAt(stx, Door.BUST, custodian)
            val answer = subFlow(flow)
            told += Told.by(custodian, answer)
        }
        return told
    }

    private fun bust(): SignedTransaction {
        val row = serviceHub.withEntityManager { find(NotifiedFill::class.java, words[0]) }
        val fill = serviceHub.toStateAndRef<Fill>(StateRef(SecureHash.parse(row.transactionId), row.outputIndex))
        return serviceHub.signInitialTransaction(
                TransactionBuilder(serviceHub.trust.notary).addInputState(fill).addCommand(Command(FillCommand.Bust(listOf(words[0]), "too late"), ourIdentity.owningKey)))
    }
}

/** `like new-id side`: tells one side (`SELLER` or `BUYER`) of a fill; the same again for the other side tells it the same. */
@StartableByRPC
class TellOneSide(private val words: List<String>) : FlowLogic<List<Told>>() {
    @Suspendable
    override fun call(): List<Told> {
        val stx = notice()
        val fill = stx.tx.outputsOfType<Fill>().single()
        val custodian = if (words[2] == "SELLER") fill.seller.custodian else fill.buyer.custodian
        val flow = ShowAt(stx, Door.FILL, custodian, DeliveryNote(listOf(LieAsVenue.DETAILS)), complete = true)
        val answer = subFlow(flow)
        return listOf(Told.by(custodian, answer))
    }

    private fun notice(): SignedTransaction = notices.getOrPut(words[1]) {
        val fill = VenueLie.TRUTH.of(notified(words[0]), words[1], LieAsVenue.DETAILS)
        serviceHub.signInitialTransaction(TransactionBuilder(serviceHub.trust.notary).addOutputState(fill).addCommand(Command(FillCommand.Notify(), ourIdentity.owningKey)))
    }

    private companion object {
        val notices = ConcurrentHashMap<String, SignedTransaction>()
    }
}
