package org.ippon.liars.custodian

import net.corda.core.contracts.Command
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.TimeWindow
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.me
import org.ippon.liars.Scrawl
import java.math.BigDecimal
import java.time.Instant

/** Where a lie is told, a [stranger] who has nothing to do with it, and a notary that is not the network's. */
class Scene(private val services: ServiceHub, val stranger: Party, val otherNotary: Party = stranger) {
    val me: Party get() = services.me
    fun window(from: Long, until: Long): TimeWindow = Instant.now().let { TimeWindow.between(it.plusSeconds(from), it.plusSeconds(until)) }
}

/** The lies of a seller's custodian that need no preparation: one transaction, wrong in one thing. */
enum class SellerLie(private val make: (Scene) -> Lie) {
    /** No lie, to show that each refusal is about its lie. */
    TRUTH({ Lie() }),
    PRICE({ Lie(deal = { deal -> deal.saying { it.copy(unitPrice = it.unitPrice + BigDecimal.ONE, amount = it.amount + it.quantity) } }) }),
    QUANTITY({ Lie(deal = { deal -> deal.saying { it.copy(quantity = it.quantity - 1) } }) }),
    AMOUNT({ Lie(deal = { deal -> deal.saying { it.copy(amount = it.amount + 1) } }) }),
    /** The units go to an account that the buyer's side never named. */
    INVESTOR({ Lie(deal = { deal -> deal.naming { it.copy(buyerTokenId = "SOMEBODY") } }) }),
    /** The units stay with the seller's custodian. */
    HOLDER({ scene -> outputs { states -> states.map { if (it is SecurityToken && it.holder.custodian != scene.me) it.copy(holder = it.holder.copy(custodian = scene.me)) else it } } }),
    COIN_ISSUER({ scene -> outputs { states -> states.map { if (it is Coin && it.holder.custodian == scene.me) it.copy(issuer = scene.stranger) else it } } }),
    NOTARY({ scene -> Lie(paper = { paper -> paper.copy(notary = scene.otherNotary, outputs = paper.outputs.map { it.copy(notary = scene.otherNotary) }) }) }),
    NO_WINDOW({ Lie(paper = { it.copy(window = null) }) }),
    OPEN_WINDOW({ Lie(paper = { it.copy(window = TimeWindow.fromOnly(Instant.now().minusSeconds(5))) }) }),
    LONG_WINDOW({ scene -> Lie(paper = { it.copy(window = scene.window(-5, 3600)) }) }),
    PAST_WINDOW({ scene -> Lie(paper = { it.copy(window = scene.window(-100, -50)) }) }),
    FUTURE_WINDOW({ scene -> Lie(paper = { it.copy(window = scene.window(60, 120)) }) }),
    EXTRA_STATE({ scene -> outputs { states -> states + (states.first { it is Coin && it.holder.custodian == scene.me } as Coin).copy(amount = 1) } }),
    /** Change in two pieces: nobody loses by it, and it is another transaction than the fills make. */
    SPLIT_CHANGE({ outputs { states -> states.flatMap { if (it is Coin && it.amount > 1) listOf(it.copy(amount = 1), it.copy(amount = it.amount - 1)) else listOf(it) } } }),
    EXTRA_COMMAND({ Lie(paper = { it.copy(commands = it.commands + it.commands.first()) }) }),
    EXTRA_SIGNER({ scene -> Lie(paper = { paper -> paper.copy(commands = paper.commands.map { Command(it.value, it.signers + scene.stranger.owningKey) }) }) }),
    /** Signed, but by a key that is nobody's. */
    UNSIGNED({ Lie(signature = { id, services -> Scrawl.OTHER_KEY.on(id, services) }) }),
    /** The seller's own signature, of something else. */
    OTHER_SIGNATURE({ Lie(signature = { id, services -> Scrawl.OTHER_TRANSACTION.on(id, services) }) }),
    /** Another version of the buyer's route than the one in force. */
    OLD_ROUTE({ Lie(deal = { deal -> deal.naming { it.copy(routeVersion = if (it.routeVersion > 1) it.routeVersion - 1 else it.routeVersion + 1) } }) });

    /** It, told by the node of [scene]. */
    fun of(scene: Scene): Lie = make(scene)
}

private fun outputs(change: (List<ContractState>) -> List<ContractState>) = Lie(paper = { it.withOutputs(change) })
