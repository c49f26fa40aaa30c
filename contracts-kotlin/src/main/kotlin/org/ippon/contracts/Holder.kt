package org.ippon.contracts

import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable

/** A state that names parties: participants and others. */
internal interface NamesParties {
    /** Every party that the state names, a party in two roles twice. */
    val parties: List<Party>
}

/**
 * One holding account: an investor as one custodian knows it.
 *
 * @property custodian the custodian node that keeps the investor's tokens and coins and signs for them.
 * @property investorId opaque id, never a name; unique within the custodian.
 */
@CordaSerializable
data class Holder(val custodian: Party, val investorId: String) {
    override fun toString() = "$investorId at ${custodian.name.organisation}"
}
