package org.ippon.liars

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.crypto.Crypto
import net.corda.core.crypto.SecureHash
import net.corda.core.crypto.SignableData
import net.corda.core.crypto.SignatureMetadata
import net.corda.core.crypto.TransactionSignature
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.InitiatingFlow
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.unwrap
import org.ippon.core.DeliverTransaction
import org.ippon.core.DeliveryAnswer
import org.ippon.core.DeliveryVerdict
import org.ippon.core.OpenSession
import org.ippon.core.TransactionDelivery
import org.ippon.core.me
import java.security.PublicKey
import java.util.concurrent.ConcurrentHashMap

/** [key]'s signature of the transaction [id], made on [services]' node. */
fun signatureOf(services: ServiceHub, id: SecureHash, key: PublicKey = services.me.owningKey): TransactionSignature =
        services.keyManagementService.sign(SignableData(id, SignatureMetadata(PLATFORM_VERSION, Crypto.findSignatureScheme(key).schemeNumberID)), key)

private const val PLATFORM_VERSION = 12

/** What somebody gives for its signature: a good one by a key that is not its own, its own of something else, or no signature at all. */
enum class Scrawl {
    OTHER_KEY, OTHER_TRANSACTION, NONSENSE;

    /** It, on the transaction [id]. */
    fun on(id: SecureHash, services: ServiceHub): TransactionSignature = when (this) {
        OTHER_KEY -> signatureOf(services, id, services.keyManagementService.freshKey())
        OTHER_TRANSACTION -> signatureOf(services, SecureHash.randomSHA256())
        NONSENSE -> signatureOf(services, id).let { TransactionSignature(ByteArray(3), it.by, it.signatureMetadata) }
    }
}

/** Opens a session with a [LyingReceiver]. */
@InitiatingFlow class LiarSession(party: Party) : OpenSession(party)

/** Accepts whatever is delivered, with a signature that does not fit. */
@InitiatedBy(LiarSession::class)
class LyingReceiver(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        val stx = session.receive<TransactionDelivery>().unwrap { it }.stx
        val signature = next.on(stx.id, serviceHub)
        session.send(DeliveryAnswer(null, signature))
        session.receive<DeliveryVerdict>().unwrap { it }
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
