package org.ippon.core.query

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateRef
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.node.ServiceHub
import net.corda.core.transactions.SignedTransaction
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.funds.FundsRoute
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.core.LOCKED
import org.ippon.core.RELEVANT
import org.ippon.core.SIGNED_AWAY
import org.ippon.core.UNCONSUMED
import org.ippon.core.abandoned
import org.ippon.core.count
import org.ippon.core.pending
import org.ippon.core.ref
import org.ippon.core.refuseUnless
import org.ippon.core.select

/** Most transactions that one query reads. */
const val MAX_TRANSACTIONS = 100

private val STATE_TYPES: Map<String, Class<out ContractState>> =
        listOf<Class<out ContractState>>(Fill::class.java, SecurityToken::class.java, Coin::class.java, FundsRoute::class.java, TrustInstruction::class.java).associateBy { it.simpleName }

/** The vault as it is: states of [type] that are UNCONSUMED, CONSUMED or ALL, oldest first. */
@StartableByRPC
class QueryStates(private val type: String, private val status: String, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        val stateClass = STATE_TYPES[type] ?: throw Refusal(ErrorCode.BAD_REQUEST, "The type must be one of ${STATE_TYPES.keys.sorted()}, but is '$type'.", "type")
        val filter = when (status) {
            "UNCONSUMED" -> " AND v.state_status = $UNCONSUMED"
            "CONSUMED" -> " AND v.state_status <> $UNCONSUMED"
            "ALL" -> ""
            else -> throw Refusal(ErrorCode.BAD_REQUEST, "The status must be UNCONSUMED, CONSUMED or ALL, but is '$status'.", "status")
        }
        // A transaction first seen in a chain brings states of others into the vault, marked as not this node's; routes are others' on purpose.
        val own = if (stateClass == FundsRoute::class.java) "" else " AND v.relevancy_status = $RELEVANT"
        return serviceHub.paged(
                page, "v.transaction_id, v.output_index, v.state_status, v.recorded_timestamp, v.consumed_timestamp, v.lock_id, s.spent_by",
                "FROM vault_states v LEFT JOIN ippon_spent s ON s.transaction_id = v.transaction_id AND s.output_index = v.output_index WHERE v.contract_state_class_name = ?$filter$own",
                "v.recorded_timestamp, v.transaction_id, v.output_index", listOf(stateClass.name)
        ) {
            val ref = it.ref()
            Row(
                    "ref" to name(ref), "type" to type, "status" to if (it.getInt(3) == UNCONSUMED) "UNCONSUMED" else "CONSUMED",
                    "recorded_at" to it.getTimestamp(4).toInstant(), "consumed_at" to it.getTimestamp(5)?.toInstant(),
                    "locked" to (it.getString(6) != null), "consumed_by" to it.getString(7),
                    "data" to describe(serviceHub.toStateAndRef<ContractState>(ref).state.data)
            )
        }
    }
}

/** Transactions that this node has recorded in its vault, by id; ids it does not have are left out. */
@StartableByRPC
class QueryTransactions(private val ids: List<String>) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        refuseUnless(ids.size <= MAX_TRANSACTIONS, ErrorCode.TOO_MANY, "transaction_ids") { "transaction_ids must be at most $MAX_TRANSACTIONS, but are ${ids.size}." }
        val rows = read()
        return Rows(rows, 1, MAX_TRANSACTIONS, rows.size.toLong())
    }

    // Outside of call(): quasar's instrumentation of a suspendable method does not survive this much inlining.
    private fun read(): List<Row> = ids.distinct().mapNotNull { serviceHub.validatedTransactions.getTransaction(SecureHash.parse(it)) }.map { row(it) }

    private fun row(stx: SignedTransaction): Row {
        val tx = stx.tx
        return Row(
                "transaction_id" to stx.id, "inputs" to stx.inputs.map { name(it) },
                "outputs" to tx.outputs.mapIndexed { index, output -> Row("ref" to "${stx.id}:$index", "type" to output.data.javaClass.simpleName, "data" to describe(output.data)) },
                "commands" to tx.commands.map { command -> Row("name" to command.value.javaClass.simpleName, "data" to command.value.toString(), "signers" to command.signers.map { partyName(serviceHub, it) }) },
                "time_window" to tx.timeWindow?.let { Row("from" to it.fromTime, "until" to it.untilTime) },
                "notary" to stx.notary?.name, "signers" to stx.sigs.map { partyName(serviceHub, it.by) }
        )
    }
}

/** What this node has reserved or signed and not yet seen recorded or dropped, and sessions that were opened here and left. */
@StartableByRPC
class QueryPending : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        val held = serviceHub.pending(MAX_PAGE_SIZE)
        val rows = (held + serviceHub.abandoned(MAX_PAGE_SIZE - held.size)).map {
            Row("run_id" to it.runId, "kind" to it.kind, "transaction_id" to it.transactionId, "counterparty" to it.counterparty, "deadline" to it.deadline, "since" to it.since, "execution_ids" to it.executionIds)
        }
        return Rows(rows, 1, MAX_PAGE_SIZE, rows.size.toLong())
    }
}

/** Sums per investor and security (UNITS) or per investor and issuer (COINS), of all holders whose states are in this vault. */
@StartableByRPC
class QueryBalances(private val asset: String, private val investorId: String?, private val page: PageRequest) : FlowLogic<Rows>() {
    @Suspendable
    override fun call(): Rows {
        refuseUnless(asset in setOf("UNITS", "COINS"), ErrorCode.BAD_REQUEST, "asset") { "The asset must be UNITS or COINS, but is '$asset'." }
        page.checked()
        val (key, column) = if (asset == "UNITS") Pair("security_code", "code") else Pair("issuer", "keeper")
        // A condition that is always there, as COALESCE(?, …), would keep the index on the investor from being used.
        val from = "FROM ippon_total t LEFT JOIN ($RESERVED) l ON l.position_key = t.position_key WHERE t.asset = ? AND t.states > 0" + if (investorId == null) "" else " AND t.investor_id = ?"
        val arguments = listOfNotNull(serviceHub.clock.instant(), asset, investorId).toTypedArray()
        val rows = serviceHub.select(
                "SELECT t.custodian, t.investor_id, t.$column, t.total, COALESCE(l.reserved, 0) $from ORDER BY t.custodian, t.investor_id, t.$column, t.keeper ${page.sql}", *arguments
        ) {
            Row("custodian" to it.getString(1), "investor_id" to it.getString(2), key to it.getString(3), "total" to it.getLong(4), "reserved" to it.getLong(5))
        }
        val total = serviceHub.count("SELECT COUNT(*) $from", *arguments)
        return Rows(rows, page.page, page.size, total)
    }

    private companion object {
        /** What is not free, at a given time: see [org.ippon.core.available]. */
        const val RESERVED = "SELECT h.position_key, SUM(h.size) AS reserved FROM ($LOCKED UNION $SIGNED_AWAY) taken " +
                "JOIN ippon_holding h ON h.transaction_id = taken.transaction_id AND h.output_index = taken.output_index GROUP BY h.position_key"
    }
}

internal fun name(ref: StateRef) = "${ref.txhash}:${ref.index}"

private fun partyName(services: ServiceHub, key: java.security.PublicKey) = services.identityService.partyFromKey(key)?.name?.toString() ?: "unknown key"

/** A state's fields in the words of docs/node-operations.md. */
fun describe(state: ContractState): Row = when (state) {
    is Fill -> Row(
            "execution_id" to state.executionId, "venue" to state.venue.name, "platform_code" to state.platformCode,
            "security_code" to state.security.code, "registrar" to state.security.registrar.name, "quantity" to state.quantity,
            "unit_price" to state.unitPrice.toPlainString(), "amount" to state.amount,
            "seller_custodian" to state.seller.custodian.name, "seller_investor_id" to state.seller.investorId,
            "buyer_custodian" to state.buyer.custodian.name, "buyer_investor_id" to state.buyer.investorId, "coin_issuer" to state.coinIssuer.name,
            "trade_date" to state.tradeDate, "executed_at" to state.executedAt, "settle_date" to state.settleDate,
            "token_transaction_id" to state.tokenTransactionId, "reverses" to state.reverses?.executionId, "reversal_reason" to state.reverses?.reason
    )
    is SecurityToken -> Row("security_code" to state.security.code, "registrar" to state.security.registrar.name, "units" to state.units, "custodian" to state.holder.custodian.name, "investor_id" to state.holder.investorId)
    is Coin -> Row("amount" to state.amount, "custodian" to state.holder.custodian.name, "investor_id" to state.holder.investorId, "issuer" to state.issuer.name)
    is FundsRoute -> Row("route_id" to state.routeId, "version" to state.version, "custodian" to state.holder.custodian.name, "investor_id" to state.holder.investorId, "institution_code" to state.institutionCode, "method" to state.method)
    is TrustInstruction -> Row("instruction_id" to state.instructionId, "custodian" to state.holder.custodian.name, "investor_id" to state.holder.investorId, "amount" to state.amountInstructed, "issuer" to state.issuer.name, "expires_at" to state.expiresAt)
    else -> Row("class" to state.javaClass.name)
}
