package org.ippon.liars.custodian

import net.corda.core.contracts.Command
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TimeWindow
import net.corda.core.contracts.TransactionState
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.SecurityToken
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger

/** What a settlement is made from. */
data class Deal(val fills: List<StateAndRef<Fill>>, val terms: List<SettleTerm>, val tokens: List<StateAndRef<SecurityToken>>, val coins: List<StateAndRef<Coin>>) {
    /** One more fill of the same two sides, on the seller's and buyer's accounts of the first. */
    fun plus(fill: StateAndRef<Fill>) = copy(fills = fills + fill, terms = terms + terms.first().copy(executionId = fill.state.data.executionId))

    /** The same states, read as if the fills said something else. */
    fun saying(change: (Fill) -> Fill) = copy(fills = fills.map { fill -> fill.copy(state = fill.state.copy(data = change(fill.state.data))) })

    /** Other accounts or routes than were agreed. */
    fun naming(change: (SettleTerm) -> SettleTerm) = copy(terms = terms.map(change))
}

/** A transaction's parts. */
data class Paper(
        val inputs: List<StateRef>, val outputs: List<TransactionState<ContractState>>, val commands: List<Command<*>>, val attachments: List<SecureHash>,
        val notary: Party, val window: TimeWindow?, val references: List<StateRef>
) {
    fun withOutputs(change: (List<ContractState>) -> List<ContractState>): Paper {
        val templates = outputs.associateBy { it.data.javaClass }
        return copy(outputs = change(outputs.map { it.data }).map { data -> templates[data.javaClass]!!.copy(data = data) })
    }
}

/**
 * How a seller's custodian lies. [deal] changes what the transaction is made from, [paper] the transaction itself,
 * [signature] stands in for its own. Kept here and not in the flow: checkpoints hold no functions.
 */
class Lie(val deal: (Deal) -> Deal = { it }, val paper: (Paper) -> Paper = { it }, val signature: ((SecureHash, ServiceHub) -> TransactionSignature)? = null) {
    companion object {
        private val lies = ConcurrentHashMap<Int, Lie>()
        private val count = AtomicInteger()
        fun keep(lie: Lie): Int = count.incrementAndGet().also { lies[it] = lie }
        fun get(key: Int): Lie = lies[key]!!
    }
}
