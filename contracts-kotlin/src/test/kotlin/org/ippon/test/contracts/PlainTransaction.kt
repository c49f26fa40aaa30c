package org.ippon.test.contracts

import net.corda.core.contracts.CommandData
import net.corda.core.contracts.CommandWithParties
import net.corda.core.contracts.Contract
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.PrivacySalt
import net.corda.core.contracts.SignatureAttachmentConstraint
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TransactionState
import net.corda.core.crypto.DigestService
import net.corda.core.crypto.SecureHash
import net.corda.core.identity.Party
import net.corda.core.internal.requiredContractClassName
import net.corda.core.transactions.LedgerTransaction
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand

/**
 * A transaction that is put before the contracts as Corda's verifier would, without jars and serialisation: a thousand
 * times faster than the ledger DSL, for tests of many transactions or many states.
 */
open class PlainTransaction(
        private val spent: List<ContractState>,
        private val left: List<ContractState>,
        private val commands: List<CommandData>,
        private val signers: List<Party>
) {
    /** Runs every contract that the states belong to; throws what the first refusing one throws. */
    fun verify() = (spent + left).map { it.requiredContractClassName!! }.distinct()
            .forEach { verify(Class.forName(it).newInstance() as Contract) }

    /** Runs [contract] alone. */
    fun verify(contract: Contract) {
        val origin = SecureHash.randomSHA256()
        contract.verify(LedgerTransaction.createForContractVerify(
                inputs = spent.mapIndexed { index, state -> StateAndRef(onLedger(state), StateRef(origin, index)) },
                outputs = left.map { onLedger(it) },
                commands = commands.map { CommandWithParties(signers.map { it.owningKey }, emptyList(), it) },
                attachments = emptyList(),
                id = SecureHash.randomSHA256(),
                notary = NOTARY,
                timeWindow = WINDOW,
                privacySalt = PrivacySalt(),
                networkParameters = NETWORK,
                references = emptyList(),
                digestService = DigestService.sha2_256
        ))
    }

    private fun onLedger(state: ContractState) =
            TransactionState(state, state.requiredContractClassName!!, NOTARY, constraint = SignatureAttachmentConstraint(NOTARY.owningKey))
}

/** A settlement of [fills] that turns [spent] into [left], with the commands that these ask for. */
data class PlainSettlement(
        val fills: List<Fill>,
        val terms: List<SettleTerm>,
        val spent: List<ContractState>,
        val left: List<ContractState>,
        val signers: List<Party>
) : PlainTransaction(fills + spent, left, settlementCommands(terms, spent + left), signers)

/** What a settlement under [terms] must ask for when it touches [holdings]. */
fun settlementCommands(terms: List<SettleTerm>, holdings: List<ContractState>): List<CommandData> {
    val commands = mutableListOf<CommandData>(FillCommand.Settle(terms))
    if (holdings.any { it is SecurityToken }) commands += SecurityTokenCommand.Transfer("")
    if (holdings.any { it is Coin }) commands += CoinCommand.Transfer("")
    return commands
}
