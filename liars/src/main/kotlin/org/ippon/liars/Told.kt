package org.ippon.liars

import net.corda.core.flows.FlowLogic
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import org.ippon.core.DeliveryAnswer
import org.ippon.core.Refusal
import org.ippon.core.isSessionEnd

/**
 * What one node said to a lie.
 *
 * @property code of its refusal; null when it was taken in.
 * @property signed whether it gave a signature.
 */
@CordaSerializable
data class Told(val who: String, val code: String?, val field: String?, val message: String?, val signed: Boolean) {
    companion object {
        /** [answer] of [party]. */
        fun by(party: Party, answer: DeliveryAnswer) = Told(party.name.organisation, answer.refusal?.code?.name, answer.refusal?.field, answer.refusal?.message, answer.signature != null)

        /** [problem], by which [party] ended the session. */
        fun by(party: Party, problem: Exception): Told {
            if (!isSessionEnd(problem)) throw problem
            val refusal = problem as? Refusal
            return Told(party.name.organisation, refusal?.code?.name ?: ENDED, refusal?.field, problem.message, false)
        }

        /** In place of a code: the session was ended without a reason. */
        const val ENDED = "ENDED"
    }
}

/**
 * Corda takes, of all responders to a session, the one with the most steps to [FlowLogic]. Four are more than any of
 * ours has, so a liar's responder stands in for the production one beside it: no configuration, no seam.
 */
abstract class FirstStep : FlowLogic<Unit>()

/** See [FirstStep]. */
abstract class SecondStep : FirstStep()

/** See [FirstStep]. */
abstract class LyingResponder : SecondStep()
