package org.ippon.bench

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.CoinSession
import org.ippon.core.DeliverTransaction
import org.ippon.core.TransferAssetSession
import org.ippon.core.lockId
import org.ippon.core.reserve
import org.ippon.core.trust

/**
 * Makes a holding crumble into [pieces] states of one unit or one yen each, and the rest, so that a node can be measured
 * that holds many. Only in the bench's network; registrar and coin issuer check it like any free transfer to its holder.
 */
@StartableByRPC
class SplitHolding(private val id: String, private val securityCode: String?, private val investorId: String, private val pieces: Int) : FlowLogic<String>() {
    @Suspendable
    override fun call(): String {
        val platform = serviceHub.trust.platform(PLATFORM)
        val other = if (securityCode == null) platform.coinIssuer else platform.registrar
        val stx = serviceHub.signInitialTransaction(if (securityCode == null) coins(other) else units(Security(securityCode, other)))
        val session = if (securityCode == null) subFlow(CoinSession(other)) else subFlow(TransferAssetSession(other))
        val full = subFlow(DeliverTransaction(stx, listOf(listOf(session))))
        return full.id.toString()
    }

    private fun coins(issuer: Party): TransactionBuilder {
        val holder = Holder(ourIdentity, investorId)
        val builder = TransactionBuilder(serviceHub.trust.notary)
        var total = 0L
        serviceHub.reserve<Coin>(Position(holder, Asset.Coins(issuer)), pieces + 1L, lockId).forEach { builder.addInputState(it); total += it.state.data.amount }
        repeat(pieces) { builder.addOutputState(Coin(1, holder, issuer)) }
        if (total > pieces) builder.addOutputState(Coin(total - pieces, holder, issuer))
        return builder.addCommand(Command(CoinCommand.Transfer(id), listOf(ourIdentity.owningKey, issuer.owningKey)))
    }

    private fun units(security: Security): TransactionBuilder {
        val holder = Holder(ourIdentity, investorId)
        val builder = TransactionBuilder(serviceHub.trust.notary)
        var total = 0L
        serviceHub.reserve<SecurityToken>(Position(holder, Asset.Units(security)), pieces + 1L, lockId).forEach { builder.addInputState(it); total += it.state.data.units }
        repeat(pieces) { builder.addOutputState(SecurityToken(security, 1, holder)) }
        if (total > pieces) builder.addOutputState(SecurityToken(security, total - pieces, holder))
        return builder.addCommand(Command(SecurityTokenCommand.Transfer(id), listOf(ourIdentity.owningKey, security.registrar.owningKey)))
    }

    private companion object {
        const val PLATFORM = "IPPON"
    }
}
