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
import net.corda.core.serialization.CordaSerializable
import net.corda.core.transactions.LedgerTransaction
import org.ippon.contracts.Holder
import org.ippon.contracts.NamesParties
import org.ippon.contracts.requireCommands
import org.ippon.contracts.requireId
import org.ippon.contracts.requireOnlyStates
import org.ippon.contracts.requireSigners

/** How an investor pays. */
@CordaSerializable
enum class PaymentMethod { COIN, BANK }

/**
 * Funds route (資金決済情報): how one investor pays. A settlement uses the buyer's route in force.
 *
 * Lifecycle: `Register` creates version 1; `Replace` consumes it for the next version; `Withdraw` ends it.
 * Participants: the investor's custodian alone, so that registering waits for nobody; it is then shared with the other
 * custodians, who record what they see. Signer: the investor's custodian.
 *
 * @property institutionCode 資金決済機関コード: the coin issuer's or the bank's code.
 * @property version 1 and up, by one with each replacement.
 */
@BelongsToContract(FundsRouteContract::class)
data class FundsRoute(
        val routeId: String,
        val version: Int,
        val holder: Holder,
        val institutionCode: String,
        val method: PaymentMethod
) : QueryableState, NamesParties {
    override val participants: List<AbstractParty> get() = listOf(holder.custodian)

    override val parties: List<Party> get() = listOf(holder.custodian)

    override fun supportedSchemas(): Iterable<MappedSchema> = listOf(FundsSchemaV1)

    override fun generateMappedObject(schema: MappedSchema): PersistentState = when (schema) {
        is FundsSchemaV1 -> PersistentFundsRoute(this)
        else -> throw IllegalArgumentException("FundsRoute has the schema FundsSchemaV1, not ${schema.name}.")
    }
}

/** What may be done with a [FundsRoute]; each signed by its custodian. */
sealed class FundsRouteCommand : CommandData {
    /** The first version. */
    class Register : FundsRouteCommand() {
        override fun equals(other: Any?) = other is Register
        override fun hashCode() = javaClass.hashCode()
    }

    /** The next version, for the same investor. */
    class Replace : FundsRouteCommand() {
        override fun equals(other: Any?) = other is Replace
        override fun hashCode() = javaClass.hashCode()
    }

    /** The end. */
    class Withdraw : FundsRouteCommand() {
        override fun equals(other: Any?) = other is Withdraw
        override fun hashCode() = javaClass.hashCode()
    }
}

/** The law of funds routes. A function of the transaction alone. */
class FundsRouteContract : Contract {
    override fun verify(tx: LedgerTransaction) {
        val command = tx.commands.requireSingleCommand<FundsRouteCommand>()
        requireOnlyStates("A funds route", tx, FundsRoute::class.java)
        requireCommands("A funds route", tx, command.value.javaClass)
        when (command.value) {
            is FundsRouteCommand.Register -> verifyRegister(tx, command)
            is FundsRouteCommand.Replace -> verifyReplace(tx, command)
            is FundsRouteCommand.Withdraw -> verifyWithdraw(tx, command)
        }
    }

    private fun verifyRegister(tx: LedgerTransaction, command: CommandWithParties<*>) {
        requireCounts("A registration", tx, 0, 1)
        val route = tx.outputsOfType<FundsRoute>().single()
        requireWellFormed(route)
        require(route.version == 1) { "A registration must be version 1, but is version ${route.version}." }
        requireSigners("A registration", command, listOf(route.holder.custodian))
    }

    private fun verifyReplace(tx: LedgerTransaction, command: CommandWithParties<*>) {
        requireCounts("A replacement", tx, 1, 1)
        val old = tx.inputsOfType<FundsRoute>().single()
        val new = tx.outputsOfType<FundsRoute>().single()
        requireWellFormed(new)
        require(new.routeId == old.routeId && new.holder == old.holder) {
            "A replacement must keep the route ${old.routeId} of ${old.holder}, but makes ${new.routeId} of ${new.holder}."
        }
        require(new.version == Math.addExact(old.version, 1)) {
            "A replacement must be version ${old.version + 1}, but is version ${new.version}."
        }
        requireSigners("A replacement", command, listOf(old.holder.custodian))
    }

    private fun verifyWithdraw(tx: LedgerTransaction, command: CommandWithParties<*>) {
        requireCounts("A withdrawal", tx, 1, 0)
        requireSigners("A withdrawal", command, listOf(tx.inputsOfType<FundsRoute>().single().holder.custodian))
    }

    private fun requireCounts(what: String, tx: LedgerTransaction, inputs: Int, outputs: Int) =
            require(tx.inputs.size == inputs && tx.outputs.size == outputs) {
                "$what must turn $inputs routes into $outputs, but turns ${tx.inputs.size} into ${tx.outputs.size}."
            }

    private fun requireWellFormed(route: FundsRoute) {
        requireId("The route id", route.routeId)
        requireId("The investor id", route.holder.investorId)
        requireId("The institution code", route.institutionCode)
    }

    companion object {
        /** Contract name, for transaction builders. */
        val ID: String = FundsRouteContract::class.java.name
    }
}
