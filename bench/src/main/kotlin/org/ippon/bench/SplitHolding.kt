package org.ippon.bench

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.Command
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.transactions.TransactionBuilder
import org.ippon.contracts.Holder
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.CoinSession
import org.ippon.core.DeliverTransaction
import org.ippon.core.TransferAssetSession
import org.ippon.core.UNCONSUMED
import org.ippon.core.ref
import org.ippon.core.select
import org.ippon.core.statesAt
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
        val coin = largest<Coin>("ippon_coin", "amount")
        val builder = TransactionBuilder(serviceHub.trust.notary).addInputState(coin)
        repeat(pieces) { builder.addOutputState(Coin(1, holder, issuer)) }
        builder.addOutputState(Coin(coin.state.data.amount - pieces, holder, issuer))
        return builder.addCommand(Command(CoinCommand.Transfer(id), listOf(ourIdentity.owningKey, issuer.owningKey)))
    }

    private fun units(security: Security): TransactionBuilder {
        val holder = Holder(ourIdentity, investorId)
        val token = largest<SecurityToken>("ippon_security_token", "units")
        val builder = TransactionBuilder(serviceHub.trust.notary).addInputState(token)
        repeat(pieces) { builder.addOutputState(SecurityToken(security, 1, holder)) }
        builder.addOutputState(SecurityToken(security, token.state.data.units - pieces, holder))
        return builder.addCommand(Command(SecurityTokenCommand.Transfer(id), listOf(ourIdentity.owningKey, security.registrar.owningKey)))
    }

    /** Not the flows' own selection, which would merge the pieces made before. */
    private fun <T : ContractState> largest(table: String, size: String): StateAndRef<T> = serviceHub.statesAt<T>(serviceHub.select(
            "SELECT v.transaction_id, v.output_index FROM vault_states v JOIN $table t ON t.transaction_id = v.transaction_id AND t.output_index = v.output_index " +
                    "WHERE t.investor_id = ? AND v.state_status = $UNCONSUMED ORDER BY t.$size DESC LIMIT 1", investorId
    ) { it.ref() }).single()

    private companion object {
        const val PLATFORM = "IPPON"
    }
}
