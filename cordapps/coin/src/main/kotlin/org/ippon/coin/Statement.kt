package org.ippon.coin

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.serialization.CordaSerializable
import org.ippon.contracts.isLedgerId
import org.ippon.core.ErrorCode
import org.ippon.core.query.PageRequest
import org.ippon.core.query.Row
import org.ippon.core.query.Rows
import org.ippon.core.query.paged
import org.ippon.core.refuseUnless
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
        serviceHub.withEntityManager { fresh.forEach { persist(it) } }
        return StatementReport(fresh.size, known.size)
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
