package org.ippon.bridge.schema

import net.corda.core.identity.Party

/** Who is in the network, as the node knows it: to read arguments that name parties. */
interface Network {
    /** The party called [name] by X.500 name or organisation, or null. */
    fun party(name: String): Party?

    /** For what names no party. */
    object Nobody : Network {
        override fun party(name: String): Party? = null
    }
}
