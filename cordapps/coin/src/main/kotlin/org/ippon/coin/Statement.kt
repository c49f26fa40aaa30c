package org.ippon.coin

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.node.ServiceHub
import net.corda.core.serialization.CordaSerializable
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.contracts.isLedgerId
import org.ippon.core.ErrorCode
import org.ippon.core.PersistentSpent
import org.ippon.core.RefKey
import org.ippon.core.count
import org.ippon.core.instructionRefs
import org.ippon.core.query.PageRequest
import org.ippon.core.query.Row
import org.ippon.core.query.Rows
import org.ippon.core.query.paged
import org.ippon.core.refuseUnless
import org.ippon.core.select
import org.ippon.core.trust
import java.time.LocalDate

/** Most statement lines in one request. */
const val MAX_STATEMENT_LINES = 1000

/** A line as the bank sent it; [amount] in yen, negative for yen paid out. */
@CordaSerializable
data class StatementEntry(val lineId: String, val valueDate: LocalDate, val amount: Long, val reference: String, val custodian: String)

/** @property known how many had been recorded before, in the same words. */
@CordaSerializable
data class StatementReport(val recorded: Int, val known: Int)

/** Records lines of the trust account's statement. All or none; a line id stands for one line for ever. */
@StartableByRPC
class RecordStatement(private val lines: List<StatementEntry>) : FlowLogic<StatementReport>() {
    @Suspendable
    override fun call(): StatementReport {
        refuseUnless(lines.size in 1..MAX_STATEMENT_LINES, ErrorCode.TOO_MANY, "lines") { "lines must be 1 to $MAX_STATEMENT_LINES, but are ${lines.size}." }
        refuseUnless(lines.map { it.lineId }.toSet().size == lines.size, ErrorCode.BAD_REQUEST, "line_id") { "Each line id must come once in a request." }
        val (known, fresh) = lines.map { row(it) }.partition { isKnown(it) }
        serviceHub.withEntityManager {
            fresh.forEach { persist(it) }
            flush()
        }
        fresh.forEach { useIfExecuted(it) }
        return StatementReport(fresh.size, known.size)
    }

    /** A node restored from its backup has lost lines against which it has issued; recorded again, they are not to be used again. */
    private fun useIfExecuted(line: StatementLine) {
        val custodian = serviceHub.trust.custodian(line.custodian, "custodian")
        val ref = serviceHub.instructionRefs(custodian, line.reference).firstOrNull { !it.second }?.first ?: return
        val spent = serviceHub.withEntityManager { find(PersistentSpent::class.java, RefKey(ref.txhash.toString(), ref.index)) } ?: return
        val executed = spent.commands.split(',').contains(TrustInstructionCommand.Execute::class.java.simpleName)
        if (executed) serviceHub.useLineOf(serviceHub.toStateAndRef<TrustInstruction>(ref).state.data, SecureHash.parse(spent.spentBy))
    }

    private fun row(entry: StatementEntry): StatementLine {
        refuseUnless(isLedgerId(entry.lineId), ErrorCode.BAD_REQUEST, "line_id") { "The line id '${entry.lineId}' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        refuseUnless(isLedgerId(entry.reference), ErrorCode.BAD_REQUEST, "reference") { "The reference '${entry.reference}' of line ${entry.lineId} must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        val custodian = serviceHub.trust.custodian(entry.custodian, "custodian")
        return StatementLine(entry.lineId, entry.valueDate, entry.amount, entry.reference, custodian.name.toString(), null, null, serviceHub.clock.instant())
    }

    private fun isKnown(line: StatementLine): Boolean {
        val known = serviceHub.withEntityManager { find(StatementLine::class.java, line.lineId) } ?: return false
        refuseUnless(known.amount == line.amount && known.reference == line.reference && known.custodian == line.custodian && known.valueDate == line.valueDate, ErrorCode.STATEMENT_LINE_DIFFERS, "line_id") {
            "The line ${line.lineId} is recorded with ${known.amount} yen, reference ${known.reference}; the same id now says ${line.amount} yen, reference ${line.reference}."
        }
        return true
    }
}

/** What a statement line says of its use: the instruction that was executed against it. */
internal fun lineUser(instruction: TrustInstruction) = "${instruction.holder.custodian.name}/${instruction.instructionId}"

/** Marks a line of [instruction], executed by [transactionId], as used, unless one is marked. Which of several alike it was, the ledger does not say. */
internal fun ServiceHub.useLineOf(instruction: TrustInstruction, transactionId: SecureHash) {
    if (count("SELECT COUNT(*) FROM coin_statement_line WHERE used_by = ?", lineUser(instruction)) > 0) return
    val line = select(
            "SELECT line_id FROM coin_statement_line WHERE custodian = ? AND reference = ? AND amount = ? AND used_by IS NULL ORDER BY line_id LIMIT 1",
            instruction.holder.custodian.name.toString(), instruction.instructionId, instruction.amountInstructed
    ) { it.getString(1) }.singleOrNull() ?: return
    withEntityManager {
        find(StatementLine::class.java, line).also {
            it.usedBy = lineUser(instruction)
            it.usedTransaction = transactionId.toString()
        }
        flush()
    }
}

/** The trust account's statement as this node has recorded it. */
@StartableByRPC
class QueryStatement(private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows = serviceHub.paged(page, "line_id, value_date, amount, reference, custodian, used_by, used_tx", "FROM coin_statement_line", "recorded_at, line_id", emptyList()) {
        Row(
                "line_id" to it.getString(1), "value_date" to it.getDate(2).toLocalDate(), "amount" to it.getLong(3), "reference" to it.getString(4),
                "custodian" to it.getString(5), "used_by" to it.getString(6), "used_tx" to it.getString(7)
        )
    }
}
