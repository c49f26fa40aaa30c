package org.ippon.bridge.node

import net.corda.core.identity.Party
import net.corda.core.messaging.CordaRPCOps
import org.ippon.bridge.schema.Network
import org.ippon.bridge.schema.PartyName
import java.util.concurrent.TimeUnit

/** Who is in the network, as one answer of the node told. */
class NetworkSnapshot(val me: Party, val notaries: List<Party>, val parties: List<Party>)

/**
 * The node's network map, asked for when first needed and kept for [keepMillis]; a name that is not in what is kept is
 * looked for in a fresh one.
 *
 * @param ask runs a call at the node.
 */
class NetworkMap(private val keepMillis: Long, private val ask: ((CordaRPCOps) -> NetworkSnapshot) -> NetworkSnapshot) : Network {
    @Volatile private var kept: Pair<NetworkSnapshot, Long>? = null

    override fun party(name: String): Party? = find(current(), name) ?: find(fresh(), name)

    /** What is known, at most [keepMillis] old. */
    fun current(): NetworkSnapshot = kept?.takeIf { TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - it.second) < keepMillis }?.first ?: fresh()

    private fun fresh(): NetworkSnapshot = ask { ops ->
        NetworkSnapshot(ops.nodeInfo().legalIdentities.first(), ops.notaryIdentities(), ops.networkMapSnapshot().flatMap { it.legalIdentities }.distinct())
    }.also { kept = Pair(it, System.nanoTime()) }

    private fun find(snapshot: NetworkSnapshot, name: String): Party? {
        val spelled = PartyName.spelled(name)
        return snapshot.parties.firstOrNull { it.name.toString() == spelled }
                // An organisation names a party only while no other bears the same name.
                ?: snapshot.parties.filter { it.name.organisation == name }.singleOrNull()
    }
}
