package org.ippon.bridge.node

import net.corda.core.contracts.TransactionVerificationException
import net.corda.core.flows.FlowException
import net.corda.core.flows.KilledFlowException
import net.corda.core.flows.NotaryException
import net.corda.core.flows.UnexpectedFlowEndException
import org.ippon.bridge.BridgeError
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.notaryRefusal

/** Why a flow failed, with the codes of [ErrorCode]; never a stack trace. */
object FlowProblem {
    /** [problem] as it travels. */
    fun of(problem: Throwable): BridgeError = when (problem) {
        is Refusal -> BridgeError.of(problem)
        is NotaryException -> BridgeError.of(notaryRefusal(problem))
        is TransactionVerificationException -> error(ErrorCode.CONTRACT_REFUSED, problem.cause?.message ?: problem.message, problem)
        is KilledFlowException -> error(ErrorCode.INTERNAL, "The flow was killed.", problem)
        is UnexpectedFlowEndException -> error(ErrorCode.COUNTERPARTY_FAILED, "Another node ended its part without an answer: ${problem.message}", problem)
        is FlowException -> error(ErrorCode.COUNTERPARTY_FAILED, problem.message, problem)
        else -> error(ErrorCode.INTERNAL, "The node failed: ${problem.message}", problem)
    }

    private fun error(code: ErrorCode, message: String?, problem: Throwable) =
            BridgeError(code.name, message ?: code.name, detail = problem.javaClass.simpleName, cause = problem)
}
