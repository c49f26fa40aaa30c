package org.ippon.contracts.funds

import net.corda.core.contracts.BelongsToContract
import net.corda.core.contracts.CommandData
import net.corda.core.contracts.CommandWithParties
import net.corda.core.contracts.Contract
import net.corda.core.contracts.requireSingleCommand
import net.corda.core.identity.AbstractParty
import net.corda.core.identity.Party
import net.corda.core.schemas.MappedSchema
import net.corda.core.schemas.PersistentState
import net.corda.core.schemas.QueryableState
import net.corda.core.transactions.LedgerTransaction
import org.ippon.contracts.Holder
import org.ippon.contracts.NamesParties
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.coin.CoinCommand
import org.ippon.contracts.kinds
import org.ippon.contracts.requireCommands
import org.ippon.contracts.requireId
import org.ippon.contracts.requireMoment
import org.ippon.contracts.requireOnlyStates
import org.ippon.contracts.requireReason
import org.ippon.contracts.requireSigners
import java.time.Instant

/**
 * Trust instruction (SC追加信託指図): the custodian orders new coins against cash paid into the trust account.
 *
 * Lifecycle: `Instruct` creates it; `Execute` consumes it together with the issue of exactly its coins, so one
 * instruction makes one issue; `Reject` (issuer), `Cancel` (custodian) and `Expire` (issuer, after [expiresAt]) consume
 * it without. Participants: custodian and issuer.
 *
 * @property amountInstructed yen, more than zero.
 * @property holder who gets the coins.
 * @property expiresAt from this moment, UTC, the issuer may let it lapse.
 */
@BelongsToContract(TrustInstructionContract::class)
data class TrustInstruction(
        val instructionId: String,
        val holder: Holder,
        val amountInstructed: Long,
        val issuer: Party,
        val expiresAt: Instant
) : QueryableState, NamesParties {
    override val participants: List<AbstractParty> get() = listOf(holder.custodian, issuer).distinct()

    override val parties: List<Party> get() = listOf(holder.custodian, issuer)

    override fun supportedSchemas(): Iterable<MappedSchema> = listOf(FundsSchemaV1)

    override fun generateMappedObject(schema: MappedSchema): PersistentState = when (schema) {
        is FundsSchemaV1 -> PersistentTrustInstruction(this)
        else -> throw IllegalArgumentException("TrustInstruction has the schema FundsSchemaV1, not ${schema.name}.")
    }
}

/** What may be done with a [TrustInstruction]. */
sealed class TrustInstructionCommand : CommandData {
    /** The custodian orders coins. Signed by the custodian. */
    class Instruct : TrustInstructionCommand() {
        override fun equals(other: Any?) = other is Instruct
        override fun hashCode() = javaClass.hashCode()
    }

    /** The issuer issues the coins, beside one [CoinCommand.Issue]. Signed by the issuer. */
    class Execute : TrustInstructionCommand() {
        override fun equals(other: Any?) = other is Execute
        override fun hashCode() = javaClass.hashCode()
    }

    /** The issuer declines. Signed by the issuer. */
    data class Reject(val reason: String) : TrustInstructionCommand()

    /** The custodian takes it back. Signed by the custodian. */
    class Cancel : TrustInstructionCommand() {
        override fun equals(other: Any?) = other is Cancel
        override fun hashCode() = javaClass.hashCode()
    }

    /** The issuer lets it lapse after its time. Signed by the issuer. */
    class Expire : TrustInstructionCommand() {
        override fun equals(other: Any?) = other is Expire
        override fun hashCode() = javaClass.hashCode()
    }
}

/** The law of trust instructions. A function of the transaction alone. */
class TrustInstructionContract : Contract {
    override fun verify(tx: LedgerTransaction) {
        val command = tx.commands.requireSingleCommand<TrustInstructionCommand>()
        val value = command.value
        when (value) {
            is TrustInstructionCommand.Instruct -> verifyInstruct(tx, command)
            is TrustInstructionCommand.Execute -> verifyExecute(tx, command)
            is TrustInstructionCommand.Reject -> verifyReject(tx, command, value)
            is TrustInstructionCommand.Cancel -> verifyCancel(tx, command)
            is TrustInstructionCommand.Expire -> verifyExpire(tx, command)
        }
    }

    private fun verifyInstruct(tx: LedgerTransaction, command: CommandWithParties<*>) {
        requireOnlyStates("An instruction", tx, TrustInstruction::class.java)
        requireCommands("An instruction", tx, TrustInstructionCommand.Instruct::class.java)
        require(tx.inputs.isEmpty() && tx.outputs.size == 1) {
            "An instruction must turn nothing into one trust instruction, but turns ${tx.inputs.size} states into ${tx.outputs.size}."
        }
        val instruction = tx.outputsOfType<TrustInstruction>().single()
        requireId("The instruction id", instruction.instructionId)
        requireId("The investor id", instruction.holder.investorId)
        require(instruction.amountInstructed > 0) { "An instruction must be for more than zero yen, but is for ${instruction.amountInstructed}." }
        requireMoment("The expiry time", instruction.expiresAt)
        requireSigners("An instruction", command, listOf(instruction.holder.custodian))
    }

    /** The coin contract says what is issued; here that it is asked, which only a coin among the outputs makes certain. */
    private fun verifyExecute(tx: LedgerTransaction, command: CommandWithParties<*>) {
        requireOnlyStates("An execution", tx, TrustInstruction::class.java, Coin::class.java)
        requireCommands("An execution", tx, TrustInstructionCommand.Execute::class.java, CoinCommand.Issue::class.java)
        val instruction = tx.inputStates.singleOrNull() as? TrustInstruction
        require(instruction != null && tx.outputStates.singleOrNull() is Coin) {
            "An execution must turn one trust instruction into one coin state, but turns ${kinds(tx.inputStates)} into ${kinds(tx.outputStates)}."
        }
        requireSigners("An execution", command, listOf(instruction!!.issuer))
    }

    private fun verifyReject(tx: LedgerTransaction, command: CommandWithParties<*>, reject: TrustInstructionCommand.Reject) {
        requireReason("A rejection", reject.reason)
        val instruction = ended("A rejection", tx, reject.javaClass)
        requireSigners("A rejection", command, listOf(instruction.issuer))
    }

    private fun verifyCancel(tx: LedgerTransaction, command: CommandWithParties<*>) {
        val instruction = ended("A cancellation", tx, TrustInstructionCommand.Cancel::class.java)
        requireSigners("A cancellation", command, listOf(instruction.holder.custodian))
    }

    private fun verifyExpire(tx: LedgerTransaction, command: CommandWithParties<*>) {
        val instruction = ended("An expiry", tx, TrustInstructionCommand.Expire::class.java)
        val from = tx.timeWindow?.fromTime
        require(from != null && !from.isBefore(instruction.expiresAt)) {
            "An expiry must have a time-window that begins at ${instruction.expiresAt} or later, but it begins at $from."
        }
        requireSigners("An expiry", command, listOf(instruction.issuer))
    }

    private fun ended(what: String, tx: LedgerTransaction, command: Class<out TrustInstructionCommand>): TrustInstruction {
        requireOnlyStates(what, tx, TrustInstruction::class.java)
        requireCommands(what, tx, command)
        require(tx.inputs.size == 1 && tx.outputs.isEmpty()) {
            "$what must end one trust instruction, but turns ${tx.inputs.size} states into ${tx.outputs.size}."
        }
        return tx.inputsOfType<TrustInstruction>().single()
    }

    companion object {
        /** Contract name, for transaction builders. */
        val ID: String = TrustInstructionContract::class.java.name
    }
}
