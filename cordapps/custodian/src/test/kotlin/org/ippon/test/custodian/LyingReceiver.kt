package org.ippon.test.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.InitiatingFlow
import net.corda.core.identity.Party
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryAnswer
import org.ippon.core.DeliveryVerdict
import org.ippon.core.OpenSession
import org.ippon.core.TransactionDelivery
import java.util.concurrent.ConcurrentHashMap

/** Opens a session with a [LyingReceiver]. */
@InitiatingFlow class LiarSession(party: Party) : OpenSession(party)

/** What a [LyingReceiver] gives for its signature: a good one by a key that is not its own, or its own of something else. */
enum class Scrawl { OTHER_KEY, OTHER_TRANSACTION }

/** Accepts whatever is delivered, with a signature that does not fit. */
@InitiatedBy(LiarSession::class)
class LyingReceiver(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        val stx = session.receive<TransactionDelivery>().unwrap { it }.stx
        val signature = scrawl(stx.id)
        session.send(DeliveryAnswer(null, signature))
        session.receive<DeliveryVerdict>().unwrap { it }
    }

    private fun scrawl(id: SecureHash): TransactionSignature = when (next) {
        Scrawl.OTHER_KEY -> signatureOf(serviceHub, id, serviceHub.keyManagementService.freshKey())
        Scrawl.OTHER_TRANSACTION -> signatureOf(serviceHub, SecureHash.randomSHA256())
    }

    companion object {
        @Volatile
        var next = Scrawl.OTHER_KEY
    }
}

/** Delivers to nobody, and notes whether the notary was about to be asked. */
class WatchedDelivery(stx: SignedTransaction) : DeliverTransaction(stx, emptyList()) {
    override fun beforeNotary(stx: SignedTransaction) {
        asked[stx.id] = true
    }

    companion object {
        val asked = ConcurrentHashMap<SecureHash, Boolean>()
    }
}
