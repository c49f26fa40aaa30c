package org.ippon.bridge.door

import org.ippon.bridge.Role
import java.security.MessageDigest

/** The secrets that open a door; shows them to nobody. */
class Tokens(tokens: Map<Role, String>) {
    private val digests = tokens.mapValues { digest(it.value) }

    /** Whose token [presented] is, or null. Takes the same time whichever byte differs, and whether any fits. */
    fun role(presented: String): Role? {
        val digest = digest(presented)
        var found: Role? = null
        for ((role, known) in digests) if (MessageDigest.isEqual(known, digest)) found = role
        return found
    }

    // Of equal length whatever was presented, so that not even the length of a token can be measured.
    private fun digest(token: String): ByteArray = MessageDigest.getInstance("SHA-256").digest(token.toByteArray())
}
