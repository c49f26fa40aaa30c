package org.ippon.core

import net.corda.core.flows.FlowException
import net.corda.core.serialization.CordaSerializable

/** One code per cause; the same words in Kotlin, over HTTP and py4j, and in Python. */
@CordaSerializable
enum class ErrorCode {
    BAD_REQUEST, TOO_MANY, UNKNOWN_PARTY, NOT_ACCEPTED_PARTY, UNKNOWN_PLATFORM, UNKNOWN_SECURITY, UNKNOWN_INVESTOR,
    UNKNOWN_FILL, DUPLICATE_FILL, EXECUTION_ID_REUSED, ORDER_PROOF_MISMATCH, REVERSAL_NOT_ACCEPTED, ALREADY_SETTLED, ALREADY_BUSTED,
    ROUTE_MISSING, ROUTE_BANK, ROUTE_CHANGED, ROUTE_CONFLICT, NOT_YET, MIXED_COUNTERPARTIES, SESSION_BUSY,
    SHORT_OF_COINS, SHORT_OF_UNITS, WRONG_NOTARY, WRONG_TIME_WINDOW, UNEXPECTED_STATE, UNEXPECTED_COMMAND, UNEXPECTED_ATTACHMENT,
    WRONG_ACCOUNT, MISSING_SIGNATURE, CONTRACT_REFUSED, NOT_ON_REGISTER, NOTARY_CONFLICT, COUNTERPARTY_FAILED,
    UNKNOWN_INSTRUCTION, INSTRUCTION_ID_REUSED, INSTRUCTION_ENDED, UNKNOWN_STATEMENT_LINE, STATEMENT_LINE_USED, STATEMENT_LINE_DIFFERS,
    ISSUE_ID_REUSED, REDEMPTION_ID_REUSED, TRANSFER_ID_REUSED, UNKNOWN_TRANSACTION, INTERNAL
}

/**
 * A node declines, and says why.
 *
 * @property code the cause.
 * @property field the argument or field at fault, in the words of docs/node-operations.md.
 * @property where whose check it was, when it was another node's.
 */
class Refusal(val code: ErrorCode, message: String, val field: String? = null, val where: String? = null) : FlowException(message) {
    /** The same as data, for the wire. */
    fun toWire() = WireRefusal(code, message ?: code.name, field)
}

/** A [Refusal] on its way between nodes. */
@CordaSerializable
data class WireRefusal(val code: ErrorCode, val message: String, val field: String?) {
    /** As an exception that names the node that refused. */
    fun toRefusal(where: String) = Refusal(code, "$where refuses: ${message.take(MAX_MESSAGE_LENGTH)}", field, where)
}

/** Longest text that is taken over from another node, in characters. */
const val MAX_MESSAGE_LENGTH = 1000

/** Refuses with [code] unless [condition]; [message] says what was expected and what was found. */
inline fun refuseUnless(condition: Boolean, code: ErrorCode, field: String? = null, message: () -> String) {
    if (!condition) throw Refusal(code, message(), field)
}
