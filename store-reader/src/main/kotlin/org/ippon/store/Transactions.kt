package org.ippon.store

import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.toStringShort
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.WireTransaction
import java.security.PublicKey

private const val TABLE = "NODE_TRANSACTIONS"

/**
 * Every transaction that the node has stored, with all that can be read in it.
 *
 * @param names parties by their key's short hash; a key that the node cannot name stands as its hash.
 */
class Transactions(private val store: Store, private val names: Map<String, String>, private val search: Search) {
    private val tree = Tree { name(it) }

    /** As the document has it. What cannot be decoded is there with its error: it must not be taken for nothing. */
    fun toJson(): ArrayNode = JsonNodeFactory.instance.arrayNode().also { list ->
        if (!store.has(TABLE)) return@also
        val recorded = if (store.has("IPPON_RECORDED")) store.select("SELECT transaction_id FROM ippon_recorded") { it.getString(1) }.toSet() else emptySet()
        store.select("SELECT tx_id, transaction_value FROM node_transactions ORDER BY tx_id") {
            list.add(transaction(it.getString(1), it.getBytes(2)).put("recorded", it.getString(1) in recorded))
        }
    }

    private fun transaction(id: String, bytes: ByteArray): ObjectNode {
        val json = JsonNodeFactory.instance.objectNode().put("id", id)
        try {
            describe(json, Serialisation.transaction(bytes))
            search.look(Place(TABLE, "DECODED"), json.toString().toByteArray(Charsets.UTF_8))
        } catch (e: Exception) {
            json.removeAll().put("id", id).put("undecoded", e.toString())
        }
        return json
    }

    private fun describe(json: ObjectNode, signed: SignedTransaction) {
        val wire = signed.coreTransaction as? WireTransaction
                ?: throw IllegalArgumentException("A ${signed.coreTransaction.javaClass.simpleName} cannot be described: only ordinary transactions are.")
        json.putArray("signatures").also { list -> signed.sigs.forEach { list.add(name(it.by)) } }
        json.putArray("commands").also { list ->
            wire.commands.forEach { command ->
                val one = list.addObject().put("type", typeName(command.value))
                one.set<ObjectNode>("data", tree.of(command.value))
                one.putArray("signers").also { signers -> command.signers.forEach { signers.add(name(it)) } }
            }
        }
        refs(json, "inputs", wire.inputs)
        refs(json, "references", wire.references)
        json.putArray("outputs").also { list ->
            wire.outputs.forEach { output ->
                list.addObject().put("type", typeName(output.data)).put("contract", output.contract).set<ObjectNode>("data", tree.of(output.data))
            }
        }
        json.put("notary", wire.notary?.name?.toString())
        json.putObject("time_window").put("from", wire.timeWindow?.fromTime?.toString()).put("until", wire.timeWindow?.untilTime?.toString())
        json.putArray("attachments").also { list -> wire.attachments.forEach { list.add(it.toString()) } }
    }

    private fun refs(json: ObjectNode, name: String, refs: List<StateRef>) {
        json.putArray(name).also { list -> refs.forEach { list.add("${it.txhash}:${it.index}") } }
    }

    private fun name(key: PublicKey): String = key.toStringShort().let { names[it] ?: it }

    // FillCommand.Settle and Fill: a command is known by its family too.
    private fun typeName(value: Any): String = value.javaClass.name.substringAfterLast('.').replace('$', '.')
}
