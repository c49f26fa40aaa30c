package org.ippon.contracts.coin

import net.corda.core.contracts.CommandData
import net.corda.core.contracts.CommandWithParties
import net.corda.core.contracts.Contract
import net.corda.core.contracts.requireSingleCommand
import net.corda.core.contracts.select
import net.corda.core.identity.Party
import net.corda.core.transactions.LedgerTransaction
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.ExchangeRule
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.kinds
import org.ippon.contracts.requireCommands
import org.ippon.contracts.requireId
import org.ippon.contracts.requireOnlyStates
import org.ippon.contracts.requireSigners

/** What may be done with [Coin]s. */
sealed class CoinCommand : CommandData {
    /** The issuer executes one trust instruction. Signed by the issuer. [amountIssued], yen, must be what was instructed. */
    data class Issue(val amountIssued: Long) : CoinCommand()

    /**
     * Coins change hands: in a settlement, where the fills decide (see [FillContract][org.ippon.contracts.fill.FillContract]),
     * or free of payment, signed by the giving custodian and the issuer. [transferId] names a free transfer at the
     * giving custodian and is empty in a settlement.
     */
    data class Transfer(val transferId: String) : CoinCommand()

    /** Coins are given back for [amountRedeemed] yen. Signed by the holder's custodian and the issuer. */
    data class Redeem(val redemptionId: String, val amountRedeemed: Long) : CoinCommand()
}

/** The law of coins. A function of the transaction alone. */
class CoinContract : Contract {
    override fun verify(tx: LedgerTransaction) {
        val command = tx.commands.requireSingleCommand<CoinCommand>()
        when (command.value) {
            is CoinCommand.Issue -> verifyIssue(tx, command, command.value as CoinCommand.Issue)
            is CoinCommand.Transfer -> verifyTransfer(tx, command, command.value as CoinCommand.Transfer)
            is CoinCommand.Redeem -> verifyRedeem(tx, command, command.value as CoinCommand.Redeem)
        }
    }

    private fun verifyIssue(tx: LedgerTransaction, command: CommandWithParties<*>, issue: CoinCommand.Issue) {
        requireOnlyStates("An issue of coins", tx, TrustInstruction::class.java, Coin::class.java)
        requireCommands("An issue of coins", tx, CoinCommand.Issue::class.java, TrustInstructionCommand.Execute::class.java)
        val instruction = tx.inputStates.singleOrNull() as? TrustInstruction
        val coin = tx.outputStates.singleOrNull() as? Coin
        require(instruction != null && coin != null) {
            "An issue of coins must turn one trust instruction into one coin state, but turns ${kinds(tx.inputStates)} into ${kinds(tx.outputStates)}."
        }
        require(issue.amountIssued == instruction!!.amountInstructed && coin!!.amount == issue.amountIssued) {
            "An issue must be of the ${instruction.amountInstructed} yen instructed, but issues ${issue.amountIssued} and creates ${coin!!.amount}."
        }
        require(coin!!.holder == instruction.holder && coin.issuer == instruction.issuer) {
            "An issue must give ${instruction.holder} coins of ${instruction.issuer.name.organisation}, but gives ${coin.holder} coins of ${coin.issuer.name.organisation}."
        }
        ExchangeRule.positionOf(coin)
        requireSigners("An issue of coins", command, listOf(coin.issuer))
    }

    private fun verifyTransfer(tx: LedgerTransaction, command: CommandWithParties<*>, transfer: CoinCommand.Transfer) {
        if (tx.inputsOfType<Fill>().isEmpty()) verifyFreeTransfer(tx, command, transfer) else requireSettlement(tx, transfer)
    }

    /** The fill contract, which runs because a fill is consumed, decides what moves; here only that it is asked. */
    private fun requireSettlement(tx: LedgerTransaction, transfer: CoinCommand.Transfer) {
        val settles = tx.commands.select<FillCommand.Settle>().size
        require(settles == 1) { "Coins may move beside a fill only under one Settle command, but there are $settles." }
        require(transfer.transferId.isEmpty()) { "Coins in a settlement must have no transfer id, but have '${transfer.transferId}'." }
    }

    private fun verifyFreeTransfer(tx: LedgerTransaction, command: CommandWithParties<*>, transfer: CoinCommand.Transfer) {
        requireOnlyStates("A free transfer of coins", tx, Coin::class.java)
        requireCommands("A free transfer of coins", tx, CoinCommand.Transfer::class.java)
        requireId("The transfer id", transfer.transferId)
        val inputs = tx.inputsOfType<Coin>()
        require(inputs.isNotEmpty()) { "A free transfer of coins must consume coins, but consumes none." }
        tx.outputsOfType<Coin>().forEach { requireId("The investor id", it.holder.investorId) }
        val before = yenByIssuer(inputs)
        val after = yenByIssuer(tx.outputsOfType())
        require(before == after) { "A free transfer of coins must keep the yen of each issuer, but turns $before into $after." }
        requireSigners("A free transfer of coins", command, inputs.flatMap { listOf(it.holder.custodian, it.issuer) })
    }

    private fun verifyRedeem(tx: LedgerTransaction, command: CommandWithParties<*>, redeem: CoinCommand.Redeem) {
        requireOnlyStates("A redemption", tx, Coin::class.java)
        requireCommands("A redemption", tx, CoinCommand.Redeem::class.java)
        requireId("The redemption id", redeem.redemptionId)
        val before = ExchangeRule.sum(tx.inputsOfType<Coin>().map { ExchangeRule.positionOf(it)!! })
        val after = ExchangeRule.sum(tx.outputsOfType<Coin>().map { ExchangeRule.positionOf(it)!! })
        require(before.size == 1 && (after.keys - before.keys).isEmpty()) {
            "A redemption must be of one holder's coins of one issuer, but is of ${(before.keys + after.keys).size}."
        }
        val (position, held) = before.entries.single().toPair()
        val redeemed = Math.subtractExact(held, after[position] ?: 0L)
        require(redeem.amountRedeemed > 0 && redeemed == redeem.amountRedeemed) {
            "A redemption must take away exactly the ${redeem.amountRedeemed} yen it names, more than zero, but takes away $redeemed."
        }
        requireSigners("A redemption", command, listOf(position.holder.custodian, (position.asset as Asset.Coins).issuer))
    }

    private fun yenByIssuer(coins: List<Coin>): Map<Party, Long> =
            ExchangeRule.sum(coins.map { ExchangeRule.positionOf(it)!! }).entries
                    .groupBy({ (it.key.asset as Asset.Coins).issuer }, { it.value })
                    .mapValues { (_, yen) -> yen.reduce { a, b -> Math.addExact(a, b) } }

    companion object {
        /** Contract name, for transaction builders. */
        val ID: String = CoinContract::class.java.name
    }
}
