package org.ippon.contracts.security

import net.corda.core.contracts.CommandData
import net.corda.core.contracts.CommandWithParties
import net.corda.core.contracts.Contract
import net.corda.core.contracts.requireSingleCommand
import net.corda.core.contracts.select
import net.corda.core.transactions.LedgerTransaction
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.ExchangeRule
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.requireCommands
import org.ippon.contracts.requireId
import org.ippon.contracts.requireOnlyStates
import org.ippon.contracts.requireSigners

/** What may be done with [SecurityToken]s. */
sealed class SecurityTokenCommand : CommandData {
    /** The registrar issues units. Signed by the registrar. [issueId] names the issue at the registrar. */
    data class Issue(val issueId: String) : SecurityTokenCommand()

    /**
     * Units change hands: in a settlement, where the fills decide (see [FillContract][org.ippon.contracts.fill.FillContract]),
     * or free of payment, signed by the giving custodian and the registrar. [transferId] names a free transfer at the
     * giving custodian and is empty in a settlement.
     */
    data class Transfer(val transferId: String) : SecurityTokenCommand()
}

/** The law of security tokens. A function of the transaction alone. */
class SecurityTokenContract : Contract {
    override fun verify(tx: LedgerTransaction) {
        val command = tx.commands.requireSingleCommand<SecurityTokenCommand>()
        when (command.value) {
            is SecurityTokenCommand.Issue -> verifyIssue(tx, command, command.value as SecurityTokenCommand.Issue)
            is SecurityTokenCommand.Transfer -> verifyTransfer(tx, command, command.value as SecurityTokenCommand.Transfer)
        }
    }

    private fun verifyIssue(tx: LedgerTransaction, command: CommandWithParties<*>, issue: SecurityTokenCommand.Issue) {
        requireOnlyStates("An issue", tx, SecurityToken::class.java)
        requireCommands("An issue", tx, SecurityTokenCommand.Issue::class.java)
        requireId("The issue id", issue.issueId)
        require(tx.inputs.isEmpty()) { "An issue must consume nothing, but consumes ${tx.inputs.size} states." }
        val tokens = tx.outputsOfType<SecurityToken>()
        tokens.forEach {
            requireId("The security code", it.security.code)
            requireId("The investor id", it.holder.investorId)
            ExchangeRule.positionOf(it)
        }
        requireSigners("An issue", command, tokens.map { it.security.registrar })
    }

    private fun verifyTransfer(tx: LedgerTransaction, command: CommandWithParties<*>, transfer: SecurityTokenCommand.Transfer) {
        if (tx.inputsOfType<Fill>().isEmpty()) verifyFreeTransfer(tx, command, transfer) else requireSettlement(tx, transfer)
    }

    /** The fill contract, which runs because a fill is consumed, decides what moves; here only that it is asked. */
    private fun requireSettlement(tx: LedgerTransaction, transfer: SecurityTokenCommand.Transfer) {
        val settles = tx.commands.select<FillCommand.Settle>().size
        require(settles == 1) { "Units may move beside a fill only under one Settle command, but there are $settles." }
        require(transfer.transferId.isEmpty()) { "Units in a settlement must have no transfer id, but have '${transfer.transferId}'." }
    }

    private fun verifyFreeTransfer(tx: LedgerTransaction, command: CommandWithParties<*>, transfer: SecurityTokenCommand.Transfer) {
        requireOnlyStates("A free transfer", tx, SecurityToken::class.java)
        requireCommands("A free transfer", tx, SecurityTokenCommand.Transfer::class.java)
        requireId("The transfer id", transfer.transferId)
        val inputs = tx.inputsOfType<SecurityToken>()
        val outputs = tx.outputsOfType<SecurityToken>()
        require(inputs.isNotEmpty()) { "A free transfer must consume units, but consumes none." }
        outputs.forEach { requireId("The investor id", it.holder.investorId) }
        val before = unitsBySecurity(inputs)
        val after = unitsBySecurity(outputs)
        require(before == after) { "A free transfer must keep the units of each security, but turns $before into $after." }
        requireSigners("A free transfer", command, inputs.flatMap { listOf(it.holder.custodian, it.security.registrar) })
    }

    private fun unitsBySecurity(tokens: List<SecurityToken>): Map<Security, Long> =
            ExchangeRule.sum(tokens.map { ExchangeRule.positionOf(it)!! }).entries
                    .groupBy({ (it.key.asset as Asset.Units).security }, { it.value })
                    .mapValues { (_, units) -> units.reduce { a, b -> Math.addExact(a, b) } }

    companion object {
        /** Contract name, for transaction builders. */
        val ID: String = SecurityTokenContract::class.java.name
    }
}
