package org.ippon.liars.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.NotaryFlow
import net.corda.core.flows.SendStateAndRefFlow
import net.corda.core.flows.StartableByRPC
import net.corda.core.node.StatesToRecord
import net.corda.core.transactions.TransactionBuilder
import net.corda.core.utilities.unwrap
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.BuyerSession
import org.ippon.core.DeliveryAnswer
import org.ippon.core.DeliveryMessage
import org.ippon.core.DeliveryVerdict
import org.ippon.core.NamedWanted
import org.ippon.core.TransactionDelivery
import org.ippon.core.fillOnRecord
import org.ippon.core.lockId
import org.ippon.core.me
import org.ippon.core.nearChain
import org.ippon.core.ref
import org.ippon.core.reserve
import org.ippon.core.select
import org.ippon.core.settlement.BuyerLine
import org.ippon.core.settlement.FillRef
import org.ippon.core.settlement.ReserveAnswer
import org.ippon.core.settlement.SettlementAnswer
import org.ippon.core.trust
import org.ippon.custodian.settlement.BuyerSide
import org.ippon.custodian.settlement.SettleAsBuyer
import org.ippon.custodian.settlement.SettlementRequest
import org.ippon.liars.LyingResponder
import org.ippon.liars.Scrawl
import org.ippon.liars.signatureOf
import java.time.Instant
import java.util.UUID
import java.util.concurrent.ConcurrentLinkedQueue

/** How a buyer's custodian lies. */
enum class BuyerLie {
    /** Speaks of another fill than it was asked about. */
    OTHER_FILL,
    /** Is ready and names no account. */
    NO_ACCOUNT,
    /** Names a version of its route that it never registered. */
    OTHER_ROUTE,
    /** Says that it has reserved, and sends no coins. */
    NO_COINS,
    /** Sends another of its holders' coins. */
    OTHER_HOLDERS_COINS,
    /** Slips another of its holders' coins in beside the right ones. */
    COINS_BESIDE,
    /** Sends coins that are spent. */
    SPENT_COINS,
    /** Sends coins that it has issued itself, against an instruction to itself. */
    OWN_COINS,
    /** Hangs up when it has been told the decision. */
    HANGS_UP,
    /** Takes the transaction and signs it by a key that is not its own. */
    OTHER_KEY,
    /** Takes the transaction and signs something else. */
    OTHER_BYTES,
    /** Takes the transaction and gives no signature. */
    NO_SIGNATURE
}

/** `lie [other]`: the next settlement is lied to; `other` is another holder here, for the lies that want one. */
@StartableByRPC
class PlanBuyerLie(private val words: List<String>) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        LyingBuyer.plans.add(Pair(BuyerLie.valueOf(words[0]), words.getOrElse(1) { "" }))
    }
}

/** The transactions that have reached this node while it lied, and been signed by those who sent them. */
@StartableByRPC
class HeardAsBuyer(@Suppress("UNUSED_PARAMETER") words: List<String>) : FlowLogic<List<String>>() {
    @Suspendable
    override fun call(): List<String> = LyingBuyer.heard.toList()
}

/** Stands in for [SettleAsBuyer]: lies when a lie is planned, and is that very flow else. */
@InitiatedBy(BuyerSession::class)
class LyingBuyer(private val session: FlowSession) : LyingResponder() {
    @Suspendable
    override fun call() {
        val plan = plans.poll()
        if (plan == null) subFlow(SettleAsBuyer(session)) else lie(plan.first, plan.second)
    }

    @Suspendable
    private fun lie(lie: BuyerLie, other: String) {
        val asked = session.receive<SettlementRequest>().unwrap { it }.query!!.fills
        session.send(SettlementAnswer(lines(lie, asked)))
        val decided = session.receive<SettlementRequest>().unwrap { it }.decision!!
        if (lie == BuyerLie.HANGS_UP || decided.settle.isEmpty()) return
        val coins = if (lie == BuyerLie.OWN_COINS) issue(asked) else coins(lie, asked, other)
        val delivery = name(coins)
        heard.add(delivery.stx.id.toString())
        session.send(DeliveryAnswer(null, signature(lie, delivery.stx.id)))
        session.receive<DeliveryVerdict>().unwrap { it }
    }

    @Suspendable
    private fun name(coins: List<StateAndRef<Coin>>): TransactionDelivery {
        val refs = coins.map { it.ref }
        session.send(ReserveAnswer(null, refs, serviceHub.nearChain(refs, session.counterparty)))
        var message = session.receive<DeliveryMessage>().unwrap { it }
        if (message is NamedWanted) {
            subFlow(SendStateAndRefFlow(session, coins))
            message = session.receive<DeliveryMessage>().unwrap { it }
        }
        return message as TransactionDelivery
    }

    private fun lines(lie: BuyerLie, asked: List<FillRef>): List<BuyerLine> {
        val honest = BuyerSide(serviceHub, session.counterparty, lockId).assess(asked).map { it.line }
        return when (lie) {
            BuyerLie.OTHER_FILL -> honest.map { it.copy(executionId = "${it.executionId}-X") }
            BuyerLie.NO_ACCOUNT -> honest.map { it.copy(account = null) }
            BuyerLie.OTHER_ROUTE -> honest.map { it.copy(account = it.account!!.copy(routeVersion = it.account!!.routeVersion + 1)) }
            else -> honest
        }
    }

    private fun coins(lie: BuyerLie, asked: List<FillRef>, other: String): List<StateAndRef<Coin>> {
        val fill = serviceHub.fillOnRecord(asked.single().executionId)!!.fill.state.data
        val coins = Asset.Coins(fill.coinIssuer)
        val others = Position(Holder(serviceHub.me, other), coins)
        return when (lie) {
            BuyerLie.NO_COINS -> emptyList()
            BuyerLie.OTHER_HOLDERS_COINS -> serviceHub.reserve(others, fill.amount, lockId)
            BuyerLie.COINS_BESIDE -> serviceHub.reserve<Coin>(Position(fill.buyer, coins), fill.amount, lockId) + serviceHub.reserve<Coin>(others, 1, lockId)
            BuyerLie.SPENT_COINS -> spent(fill.buyer, fill.amount)
            else -> serviceHub.reserve(Position(fill.buyer, coins), fill.amount, lockId)
        }
    }

    private fun spent(holder: Holder, amount: Long): List<StateAndRef<Coin>> = serviceHub.select(
            "SELECT v.transaction_id, v.output_index FROM vault_states v JOIN ippon_coin c ON c.transaction_id = v.transaction_id AND c.output_index = v.output_index " +
                    "WHERE v.state_status = 1 AND c.investor_id = ? AND c.custodian = ? AND c.amount >= ? ORDER BY v.consumed_timestamp LIMIT 1",
            holder.investorId, holder.custodian.name.toString(), amount
    ) { it.ref() }.map { ref -> @Suppress("UNCHECKED_CAST") (serviceHub.toStateAndRef<ContractState>(ref) as StateAndRef<Coin>) }

    /** Coins out of nothing. Kept out of the vault, which is proved with all the others in the end. */
    @Suspendable
    private fun issue(asked: List<FillRef>): List<StateAndRef<Coin>> {
        val fill = serviceHub.fillOnRecord(asked.single().executionId)!!.fill.state.data
        val notary = serviceHub.trust.notary
        val instruction = TrustInstruction("TI-${UUID.randomUUID()}", fill.buyer, fill.amount, ourIdentity, Instant.parse("2099-01-01T00:00:00Z"))
        val instructed = serviceHub.signInitialTransaction(
                TransactionBuilder(notary).addOutputState(instruction).addCommand(Command(TrustInstructionCommand.Instruct(), ourIdentity.owningKey)))
        serviceHub.recordTransactions(StatesToRecord.NONE, listOf(instructed))
        val issued = serviceHub.signInitialTransaction(
                TransactionBuilder(notary).addInputState(instructed.tx.outRef<TrustInstruction>(0)).addOutputState(Coin(fill.amount, fill.buyer, ourIdentity))
                        .addCommand(Command(CoinCommand.Issue(fill.amount), ourIdentity.owningKey))
                        .addCommand(Command(TrustInstructionCommand.Execute(), ourIdentity.owningKey)))
        val full = issued + subFlow(NotaryFlow.Client(issued))
        serviceHub.recordTransactions(StatesToRecord.NONE, listOf(full))
        return listOf(full.tx.outRef(0))
    }

    private fun signature(lie: BuyerLie, id: SecureHash): TransactionSignature? = when (lie) {
        BuyerLie.OTHER_KEY -> Scrawl.OTHER_KEY.on(id, serviceHub)
        BuyerLie.OTHER_BYTES -> Scrawl.OTHER_TRANSACTION.on(id, serviceHub)
        BuyerLie.NO_SIGNATURE -> null
        else -> signatureOf(serviceHub, id)
    }

    companion object {
        internal val plans = ConcurrentLinkedQueue<Pair<BuyerLie, String>>()
        internal val heard = ConcurrentLinkedQueue<String>()
    }
}
