package org.ippon.test.custodian

import org.assertj.core.api.Assertions.assertThat
import org.ippon.coin.RecordStatement
import org.ippon.coin.StatementEntry
import org.ippon.core.ErrorCode
import org.junit.Test
import java.time.LocalDate

/** What the coin node takes for a line of the trust account's statement. */
class StatementTest {
    private val network = TestNetwork
    private fun entry() = StatementEntry(network.id("LINE"), LocalDate.of(2026, 7, 1), 10, "TI-X", network.custodianB.party.name.toString())

    private fun record(vararg lines: StatementEntry) = network.coin.run(RecordStatement(lines.toList()))

    @Test
    fun `no lines and too many are refused`() {
        listOf(0, 1001).forEach { count -> refused(ErrorCode.TOO_MANY, "lines") { network.coin.run(RecordStatement((1..count).map { entry() })) } }
    }

    @Test
    fun `ids that are none, and custodians that are none, are refused`() {
        refused(ErrorCode.BAD_REQUEST, "line_id") { record(entry().copy(lineId = "")) }
        refused(ErrorCode.BAD_REQUEST, "reference") { record(entry().copy(reference = "two words")) }
        refused(ErrorCode.UNKNOWN_PARTY, "custodian") { record(entry().copy(custodian = "Nobody")) }
    }

    @Test
    fun `a line recorded once is the same in every word or refused`() {
        val line = entry()
        assertThat(record(line).recorded).isEqualTo(1)
        val others = listOf(
                line.copy(valueDate = line.valueDate.plusDays(1)), line.copy(amount = 11), line.copy(reference = "TI-Y"),
                line.copy(custodian = network.custodianA.party.name.toString())
        )
        others.forEach { refused(ErrorCode.STATEMENT_LINE_DIFFERS, "line_id") { record(it) } }
        assertThat(record(line).known).isEqualTo(1)
    }
}
