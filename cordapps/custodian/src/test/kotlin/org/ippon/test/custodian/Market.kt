package org.ippon.test.custodian

import net.corda.core.contracts.StateAndRef
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.DeliveryAnswer
import org.ippon.core.ErrorCode
import org.ippon.core.fillOnRecord
import org.ippon.core.settlement.Outcome
import org.ippon.exchange.FillNotice
import org.ippon.liars.custodian.Lie
import org.ippon.liars.custodian.LyingSeller
import org.ippon.liars.custodian.Signer

/** A seller at custodian A and a buyer at custodian B with plenty of everything, who have traded before. */
object Market {
    private val network = TestNetwork
    val seller = network.investor(network.custodianA)
    val buyer = network.investor(network.custodianB)
    val security = network.id("S")

    /** Has coins at the buyer's custodian too, and no part in any fill here. */
    val otherBuyer: String by lazy { network.investor(network.custodianB).also { network.giveCoins(network.custodianB, it, 10_000) } }

    init {
        network.giveUnits(network.custodianA, seller, security, 1_000_000)
        repeat(2) { network.giveCoins(network.custodianB, buyer, 1_000_000) }
        // Twice, so that each side's change is known to the other.
        repeat(2) { settles(fill()) }
    }

    /** A fill of 5 units for 500 yen, on record at both custodians. */
    fun fill(quantity: Long = 5): String {
        val notice = notice(quantity)
        network.notify(notice)
        eventually { listOf(network.custodianA, network.custodianB).all { node -> node.transaction { node.services.fillOnRecord(notice.executionId) != null } } }
        return notice.executionId
    }

    fun notice(quantity: Long = 5): FillNotice = network.notice(network.custodianA to seller, network.custodianB to buyer, security, quantity, "100.00")

    /** The honest settlement goes through, and everybody has it before this returns. */
    fun settles(vararg ids: String): String {
        val results = network.settle(network.custodianA, *ids)
        results.forEach { assertThat(it.outcome).`as`(it.message).isEqualTo(Outcome.SETTLED) }
        val transaction = net.corda.core.crypto.SecureHash.parse(results.first().transactionId!!)
        val stx = network.custodianA.services.validatedTransactions.getTransaction(transaction)!!
        eventually { listOf(network.custodianB, network.asset, network.coin).filter { it.party.owningKey in stx.requiredSigningKeys }.all { it.has(stx) } }
        return transaction.toString()
    }

    /** The fill [id] of the seller's custodian, which may come a moment after the venue has recorded it. */
    fun onRecord(id: String): StateAndRef<Fill> {
        val node = network.custodianA
        eventually { node.transaction { node.services.fillOnRecord(id) != null } }
        return node.transaction { node.services.fillOnRecord(id)!!.fill }
    }

    /** The term by which the fill [id] of this market settles. */
    fun term(id: String): SettleTerm = term(onRecord(id).state.data)

    fun term(fill: Fill) = SettleTerm(fill.executionId, seller, buyer, seller, buyer, "R-$buyer", 1)

    /** The buyer's coins whose chain the seller's custodian has: two states or more, so that a settlement leaves one beside it. */
    fun coinsKnownToSeller(): List<StateAndRef<Coin>> {
        repeat(MERGES) {
            val known = known()
            if (known.size > 1) return known
            // Other tests may have merged them; a settlement makes the other side know the change.
            network.giveCoins(network.custodianB, buyer, 1_000_000)
            repeat(2) { settles(fill()) }
        }
        throw IllegalStateException("The buyer's coins known to the seller must be two states or more, but are ${known().size}.")
    }

    private const val MERGES = 5

    private fun known() = network.custodianB.states<Coin> { it.holder.investorId == buyer }
            .filter { network.custodianA.services.validatedTransactions.getTransaction(it.ref.txhash) != null }

    /** What seller and buyer hold, in units and yen. */
    fun holdings(): List<Long> = listOf(network.custodianA to seller, network.custodianB to buyer).flatMap { (node, investor) -> listOf(network.units(node, investor).first, network.coins(node, investor).first) }

    /** The seller's units. */
    fun units(): List<StateAndRef<SecurityToken>> = network.custodianA.states { it.holder.investorId == seller }

    /** What [signers] say to the settlement of [ids] that [lie] makes. */
    fun lie(ids: List<String>, lie: Lie, vararg signers: Signer): List<DeliveryAnswer> =
            network.custodianA.run(LyingSeller(ids, Lie.keep(lie), signers.toList(), network.custodianB.party, network.asset.party, network.coin.party))

    /** [answers] are refusals with [codes]. */
    fun assertRefused(answers: List<DeliveryAnswer>, vararg codes: ErrorCode) {
        assertThat(answers.map { it.refusal?.code }).`as`(answers.map { it.refusal?.message }.toString()).isEqualTo(codes.toList())
        assertThat(answers).allMatch { it.signature == null }
    }
}
