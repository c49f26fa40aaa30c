package org.ippon.bridge

/**
 * Who is calling: each has a token of its own, and an RPC login of its own at the node.
 *
 * @property methods what it may call; `health` is everybody's.
 */
enum class Role(val methods: Set<String>) {
    /** The organisation's agent: everything but kill. */
    AGENT(setOf("node", "start", "result", "forget", "finished", "query", "wait")),
    /** Screens, and the program that proves the invariants. */
    READER(setOf("node", "query", "wait")),
    /** Ends flows that hang, and must see what hangs. */
    OPERATOR(setOf("kill", "query"));

    /** Whether it may make the query [name]. */
    fun mayQuery(name: String): Boolean = this != OPERATOR || name == "pending"
}
