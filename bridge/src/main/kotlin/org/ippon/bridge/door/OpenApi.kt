package org.ippon.bridge.door

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.flows.FlowLogic
import org.ippon.bridge.DoorCode
import org.ippon.bridge.Json
import org.ippon.bridge.Role
import org.ippon.bridge.node.OPERATIONS
import org.ippon.bridge.node.Operation
import org.ippon.bridge.node.QUERIES
import org.ippon.bridge.node.Query
import org.ippon.bridge.schema.Field
import org.ippon.core.ErrorCode
import org.ippon.core.query.MAX_PAGE_SIZE
import java.lang.reflect.Modifier
import java.lang.reflect.ParameterizedType
import java.lang.reflect.Type

/** The OpenAPI document of the HTTP door, made of the very tables that it reads requests by: a path for each operation and query. */
fun openApi(): ObjectNode {
    val document = Json.obj().put("openapi", "3.1.0")
    document.putObject("info").put("title", "ippon bridge").put("version", "1").put("description", "What one organisation's node can be asked: docs/node-operations.md.")
    document.putArray("security").addObject().putArray(SCHEME)
    val paths = document.putObject("paths")
    METHODS.values.forEach { method ->
        when (method.name) {
            "start" -> OPERATIONS.values.forEach { paths.path(method, it.name).start(method, it) }
            "query" -> QUERIES.values.forEach { paths.path(method, it.name).query(method, it) }
            else -> paths.path(method, null).plain(method)
        }
    }
    val components = document.putObject("components")
    components.putObject("securitySchemes").putObject(SCHEME).put("type", "http").put("scheme", "bearer")
            .put("description", "A token for each kind of caller: " + Role.values().joinToString("; ") { "${it.name.toLowerCase()} may call ${it.methods.sorted().joinToString()}" } + " (operator: the query pending only).")
    val schemas = components.putObject("schemas")
    schemas.set<JsonNode>("Error", errorSchema())
    schemas.set<JsonNode>("Page", pageSchema())
    components.putObject("responses").putObject("Error").put("description", "What went wrong.").also { it.content().put("\$ref", "#/components/schemas/Error") }
    return document
}

private const val SCHEME = "token"
private const val ERROR = "#/components/responses/Error"

private fun ObjectNode.path(method: Method, last: String?): ObjectNode {
    val path = if (last == null) method.path else method.path.substringBeforeLast('/') + "/" + last
    return with(path).putObject(method.verb.toLowerCase())
}

private fun ObjectNode.start(method: Method, operation: Operation) {
    put("operationId", operation.name).put("summary", operation.summary).put("description", "On nodes of the role ${operation.role}.").tag("operations")
    val body = Json.obj().put("type", "object").put("additionalProperties", false)
    body.set<JsonNode>("required", Json.texts(listOf("client_id", "arguments")))
    val properties = body.putObject("properties")
    properties.set<JsonNode>("client_id", method.fields.first { it.name == "client_id" }.kind.schema())
    properties.set<JsonNode>("arguments", operation.fields.schema())
    requestBody(body)
    answers(objectSchema("client_id" to text(), "run_id" to text()), "It runs, or ran before. `GET /v1/flows/{client_id}` tells its `result`, which has the shape of `x-result`.")
    // What the flow itself answers, where a reader of the document looks for it.
    set<JsonNode>("x-result", reportSchema(reportOf(operation.flow)))
}

private fun ObjectNode.query(method: Method, query: Query) {
    put("operationId", "${method.name}_${query.name}").put("summary", query.summary).put("description", "On nodes of the role ${query.role}.").tag("queries")
    requestBody(query.fields.schema())
    answers(Json.obj().put("\$ref", "#/components/schemas/Page"), "One page of rows.")
}

private fun ObjectNode.plain(method: Method) {
    put("operationId", method.name).put("summary", method.summary).tag("node")
    val parameters = putArray("parameters")
    method.fields.filter { it.name in method.inPath }.forEach { parameters.add(parameter(it, "path")) }
    if (method.carried == Carried.QUERY_STRING) method.besidePath.forEach { parameters.add(parameter(it, "query")) }
    if (method.carried == Carried.BODY) requestBody(method.fields.schema())
    answers(ANSWERS.getValue(method.name)(), "The answer.")
    if (method.name == Calls.PUBLIC) {
        putArray("security")
        with("responses").putObject(DoorCode.NODE_DOWN.status.toString()).put("description", "The bridge has no node.").content().setAll<JsonNode>(ANSWERS.getValue(method.name)())
    }
}

private fun ObjectNode.tag(name: String) = putArray("tags").add(name)

private fun ObjectNode.requestBody(schema: ObjectNode) {
    putObject("requestBody").put("required", true).content().setAll<JsonNode>(schema)
}

private fun ObjectNode.answers(schema: ObjectNode, description: String) {
    val responses = putObject("responses")
    responses.putObject("200").put("description", description).content().setAll<JsonNode>(schema)
    responses.putObject("default").put("\$ref", ERROR)
}

private fun ObjectNode.content(): ObjectNode = putObject("content").putObject("application/json").putObject("schema")

private fun parameter(field: Field, where: String): ObjectNode =
        Json.obj().put("name", field.name).put("in", where).put("required", field.required).also { it.set<JsonNode>("schema", field.kind.schema()) }

private fun errorSchema(): ObjectNode {
    val codes = (DoorCode.values().map { it.name } + ErrorCode.values().map { it.name }).distinct()
    val code = text().put("description", "One of: ${codes.joinToString()}.")
    val error = objectSchema("code" to code, "message" to text()).also { schema ->
        listOf("field", "where", "detail").forEach { schema.with("properties").set<JsonNode>(it, text()) }
    }
    return objectSchema("error" to error)
}

private fun pageSchema(): ObjectNode = objectSchema(
        "rows" to Json.obj().put("type", "array").put("maxItems", MAX_PAGE_SIZE).also { it.putObject("items").put("type", "object") },
        "page" to integer(), "size" to integer(), "total" to integer()
)

private val ANSWERS: Map<String, () -> ObjectNode> = mapOf(
        "health" to { objectSchema("status" to words("up", "connecting"), "organisation" to text(), "since" to text()) },
        "node" to { objectSchema("name" to text(), "platform_version" to integer(), "notary" to text(), "network" to listSchema(text()), "node_time" to text()) },
        "result" to {
            objectSchema("client_id" to text(), "status" to words("running", "done", "failed", "unknown")).also {
                it.with("properties").putObject("result").put("type", "object")
                it.with("properties").set<JsonNode>("error", errorSchema().path("properties").path("error"))
            }
        },
        "forget" to { objectSchema("removed" to flag()) },
        "finished" to { objectSchema("flows" to listSchema(objectSchema("client_id" to text(), "succeeded" to flag()))) },
        "wait" to { objectSchema("sequence" to integer()) },
        "kill" to { objectSchema("killed" to flag()) }
)

private fun objectSchema(vararg properties: Pair<String, ObjectNode>): ObjectNode {
    val schema = Json.obj().put("type", "object")
    val all = schema.putObject("properties")
    properties.forEach { (name, property) -> all.set<JsonNode>(name, property) }
    schema.set<JsonNode>("required", Json.texts(properties.map { it.first }))
    return schema
}

private fun text() = Json.obj().put("type", "string")
private fun integer() = Json.obj().put("type", "integer")
private fun flag() = Json.obj().put("type", "boolean")
private fun words(vararg words: String) = text().also { it.set<JsonNode>("enum", Json.texts(words.toList())) }
private fun listSchema(item: ObjectNode): ObjectNode = Json.obj().put("type", "array").also { it.set<JsonNode>("items", item) }

/** What a flow returns: the argument of its superclass. */
private fun reportOf(flow: Class<out FlowLogic<*>>): Class<*> = (flow.genericSuperclass as ParameterizedType).actualTypeArguments.single() as Class<*>

private fun reportSchema(type: Type): ObjectNode = when {
    type is ParameterizedType -> listSchema(reportSchema(type.actualTypeArguments.single()))
    type == String::class.java -> text()
    type == Boolean::class.javaPrimitiveType || type == Boolean::class.javaObjectType -> flag()
    type == Int::class.javaPrimitiveType || type == Long::class.javaPrimitiveType || type == Int::class.javaObjectType || type == Long::class.javaObjectType -> integer()
    (type as Class<*>).isEnum -> words(*type.enumConstants.map { (it as Enum<*>).name }.toTypedArray())
    else -> type.declaredFields.filter { !Modifier.isStatic(it.modifiers) }.let { fields ->
        Json.obj().put("type", "object").also { schema -> fields.forEach { schema.with("properties").set<JsonNode>(snake(it.name), reportSchema(it.genericType)) } }
    }
}

private fun snake(name: String) = name.replace(Regex("[A-Z]")) { "_" + it.value.toLowerCase() }
