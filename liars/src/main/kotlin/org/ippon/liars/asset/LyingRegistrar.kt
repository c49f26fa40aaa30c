package org.ippon.liars.asset

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.utilities.unwrap
import org.ippon.asset.SignSettlementAsAsset
import org.ippon.core.DeliveryAnswer
import org.ippon.core.DeliveryVerdict
import org.ippon.core.SettlementAssetSession
import org.ippon.core.TransactionDelivery
import org.ippon.liars.LyingResponder
import org.ippon.liars.Scrawl
import org.ippon.liars.signatureOf
import java.util.concurrent.ConcurrentLinkedQueue

/** How an asset node lies. */
enum class RegistrarLie {
    /** Signs something else. */
    OTHER_BYTES,
    /** Signs by a key that is not its own. */
    OTHER_KEY,
    /** Gives three bytes for a signature. */
    NONSENSE,
    /** Accepts and gives no signature. */
    NO_SIGNATURE,
    /** Hangs up instead of an answer. */
    HANGS_UP,
    /** Answers with something that is no answer. */
    BABBLES,
    /** Signs as it should, and does not record what was signed. */
    NEVER_RECORDS
}

/** `lie`: the next settlement is lied to. */
@StartableByRPC
class PlanRegistrarLie(private val words: List<String>) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        LyingRegistrar.plans.add(RegistrarLie.valueOf(words[0]))
    }
}

/** Stands in for [SignSettlementAsAsset]: lies when a lie is planned, and is that very flow else. */
@InitiatedBy(SettlementAssetSession::class)
class LyingRegistrar(private val session: FlowSession) : LyingResponder() {
    @Suspendable
    override fun call() {
        val lie = plans.poll()
        if (lie == null) {
            subFlow(SignSettlementAsAsset(session))
            return
        }
        val stx = session.receive<TransactionDelivery>().unwrap { it }.stx
        if (lie == RegistrarLie.HANGS_UP) return
        if (lie == RegistrarLie.BABBLES) session.send("Certainly.") else session.send(DeliveryAnswer(null, signature(lie, stx.id)))
        session.receive<DeliveryVerdict>().unwrap { it }
    }

    private fun signature(lie: RegistrarLie, id: SecureHash): TransactionSignature? = when (lie) {
        RegistrarLie.OTHER_BYTES -> Scrawl.OTHER_TRANSACTION.on(id, serviceHub)
        RegistrarLie.OTHER_KEY -> Scrawl.OTHER_KEY.on(id, serviceHub)
        RegistrarLie.NONSENSE -> Scrawl.NONSENSE.on(id, serviceHub)
        RegistrarLie.NO_SIGNATURE -> null
        else -> signatureOf(serviceHub, id)
    }

    companion object {
        internal val plans = ConcurrentLinkedQueue<RegistrarLie>()
    }
}
