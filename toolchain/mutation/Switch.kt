package org.ippon.contracts

// Goes into the mutated copy of the contracts only. System properties, because contract code may be loaded by a class
// loader of its own, whose statics are not the test's.

/** Whether the check [id] is switched off now. Called only when the check fails, so that the call itself says that a test got there. */
fun mutantOff(id: String): Boolean {
    System.setProperty("ippon.mutant.hit.$id", "")
    return System.getProperty("ippon.mutant") == id
}

/** Throws [cause], by which the check [id] refuses, unless that check is switched off. */
fun mutantThrow(id: String, cause: Throwable) {
    if (!mutantOff(id)) throw cause
}
