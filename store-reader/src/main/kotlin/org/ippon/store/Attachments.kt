package org.ippon.store

import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.JsonNodeFactory
import java.sql.ResultSet

/** Every attachment that the node holds: what it is called and what its entries are called. */
class Attachments(private val store: Store) {
    /** As the document has it. */
    fun toJson(): ArrayNode = JsonNodeFactory.instance.arrayNode().also { list ->
        if (store.has("NODE_ATTACHMENTS")) {
            store.select("SELECT att_id, filename, uploader, content FROM node_attachments ORDER BY att_id") { add(list, it) }
        }
    }

    private fun add(list: ArrayNode, row: ResultSet) {
        val json = list.addObject().put("id", row.getString(1)).put("file_name", row.getString(2)).put("uploader", row.getString(3))
        val names = json.putArray("entries")
        entries(row.getBytes(4)).forEach { names.add(it.first) }
    }
}
