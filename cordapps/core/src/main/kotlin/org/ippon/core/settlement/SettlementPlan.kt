package org.ippon.core.settlement

import net.corda.core.contracts.Command
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TimeWindow
import net.corda.core.identity.Party
import net.corda.core.transactions.TransactionBuilder
import net.corda.core.transactions.WireTransaction
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.ExchangeRule
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.Position
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.ErrorCode
import org.ippon.core.refuseUnless

/**
 * The one settlement transaction that follows from fills, terms and inputs; the seller's custodian builds it from this
 * and every signer compares what it is asked to sign with it. Each position touched ends in one output or none, so
 * change and small holdings are merged.
 */
class SettlementPlan(
        private val fills: List<StateAndRef<Fill>>,
        private val terms: List<SettleTerm>,
        private val tokens: List<StateAndRef<SecurityToken>>,
        private val coins: List<StateAndRef<Coin>>
) {
    private val changes: Map<Position, Long> = ExchangeRule(fills.map { it.state.data }, terms).changes()

    /** Everything consumed. */
    val inputs: List<StateRef> = (fills.map { it.ref } + tokens.map { it.ref } + coins.map { it.ref })

    /** Everything created, in a fixed order. */
    val outputs: List<ContractState> = outputs()

    /** Commands with their signers: the union over the fills, so netting to zero drops nobody. */
    val commands: List<Command<*>> = commands()

    /** The builder of the transaction. */
    fun build(notary: Party, window: TimeWindow): TransactionBuilder {
        val builder = TransactionBuilder(notary).setTimeWindow(window)
        (fills + tokens + coins).forEach { builder.addInputState(it) }
        outputs.forEach { builder.addOutputState(it) }
        commands.forEach { builder.addCommand(it) }
        return builder
    }

    /** Refuses [tx] unless it is this plan's transaction, state by state and command by command. */
    fun check(tx: WireTransaction) {
        refuseUnless(tx.inputs.toSet() == inputs.toSet() && tx.inputs.size == inputs.size, ErrorCode.UNEXPECTED_STATE, "inputs") {
            "The settlement must consume ${inputs.size} states ($inputs), but consumes ${tx.inputs.size} (${tx.inputs})."
        }
        refuseUnless(tx.references.isEmpty(), ErrorCode.UNEXPECTED_STATE, "references") { "The settlement must refer to no state, but refers to ${tx.references.size}." }
        refuseUnless(tx.outputs.map { it.data } == outputs, ErrorCode.UNEXPECTED_STATE, "outputs") {
            "The settlement must create $outputs, but creates ${tx.outputs.map { it.data }}."
        }
        refuseUnless(tx.outputs.all { it.encumbrance == null }, ErrorCode.UNEXPECTED_STATE, "encumbrance") { "The settlement must leave no state encumbered." }
        refuseUnless(tx.commands.map { it.value to it.signers.toSet() } == commands.map { it.value to it.signers.toSet() }, ErrorCode.UNEXPECTED_COMMAND, "commands") {
            "The settlement must have the commands ${commands.map { it.value }}, each signed by both custodians, registrar and coin issuer, but has ${tx.commands.map { it.value }}."
        }
    }

    private fun outputs(): List<ContractState> {
        val before = ExchangeRule.sum(tokens.mapNotNull { ExchangeRule.positionOf(it.state.data) } + coins.mapNotNull { ExchangeRule.positionOf(it.state.data) })
        return (before.keys + changes.keys).sortedBy { sortKey(it) }.mapNotNull { position ->
            val after = Math.addExact(before[position] ?: 0L, changes[position] ?: 0L)
            refuseUnless(after >= 0, ErrorCode.UNEXPECTED_STATE, "inputs") { "The $position would fall to $after." }
            if (after == 0L) null else holding(position, after)
        }
    }

    private fun holding(position: Position, size: Long): ContractState {
        val asset = position.asset
        return when (asset) {
            is Asset.Units -> SecurityToken(asset.security, size, position.holder)
            is Asset.Coins -> Coin(size, position.holder, asset.issuer)
        }
    }

    private fun sortKey(position: Position): String {
        val asset = position.asset
        val kind = when (asset) {
            is Asset.Units -> "1|${asset.security.code}|${asset.security.registrar.name}"
            is Asset.Coins -> "2|${asset.issuer.name}"
        }
        return "$kind|${position.holder.custodian.name}|${position.holder.investorId}"
    }

    private fun commands(): List<Command<*>> {
        val signers = fills.flatMap { it.state.data.settlementSigners }.distinct().sortedBy { it.name.toString() }.map { it.owningKey }
        val commands = mutableListOf<Command<*>>(Command(FillCommand.Settle(terms), signers))
        if (tokens.isNotEmpty() || outputs.any { it is SecurityToken }) commands += Command(SecurityTokenCommand.Transfer(""), signers)
        if (coins.isNotEmpty() || outputs.any { it is Coin }) commands += Command(CoinCommand.Transfer(""), signers)
        return commands
    }
}
