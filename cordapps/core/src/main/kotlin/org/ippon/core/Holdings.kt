package org.ippon.core

import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TransactionState
import net.corda.core.node.ServiceHub
import net.corda.core.node.services.StatesNotAvailableException
import net.corda.core.utilities.NonEmptySet
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import java.util.UUID

/** Most states that one selection reserves; more are merged by and by. The notary takes 2000 inputs. */
const val MAX_SELECTED_STATES = 500

private const val SELECTION_TRIES = 3

/**
 * What [position] holds free, in units or yen: unconsumed and locked by nobody, or by [lockId] itself, which after a
 * restart still counts as mine; and not signed away in a transaction of which nothing has been heard and whose window is
 * not over, since whoever proposed it may have spent it already. One indexed sum, no state loaded, nothing locked.
 */
fun ServiceHub.available(position: Position, lockId: UUID): Long = when (position.asset) {
    is Asset.Units -> count("SELECT COALESCE(SUM(t.units), 0) $FREE_UNITS", *unitArguments(position), *freeArguments(lockId))
    is Asset.Coins -> count("SELECT COALESCE(SUM(t.amount), 0) $FREE_COINS", *coinArguments(position), *freeArguments(lockId))
}

/** What [position] holds, reserved or not, in units or yen. */
fun ServiceHub.held(position: Position): Long = when (position.asset) {
    is Asset.Units -> count("SELECT COALESCE(SUM(t.units), 0) ${FREE_UNITS.substringBefore(LOCKED)}", *unitArguments(position))
    is Asset.Coins -> count("SELECT COALESCE(SUM(t.amount), 0) ${FREE_COINS.substringBefore(LOCKED)}", *coinArguments(position))
}

/**
 * Reserves states of [position] worth [needed] or a little more, [most] of them, under [lockId]. Another flow may win a
 * state between look and lock; then others are taken at once.
 *
 * @throws Refusal if there are not enough.
 */
fun <T : ContractState> ServiceHub.reserve(position: Position, needed: Long, lockId: UUID, most: Int = MAX_SELECTED_STATES): List<StateAndRef<T>> {
    repeat(SELECTION_TRIES) {
        val chosen = choose(position, needed, lockId, most)
        try {
            if (chosen.isNotEmpty()) vaultService.softLockReserve(lockId, NonEmptySet.copyOf(chosen))
            return statesAt(chosen)
        } catch (e: StatesNotAvailableException) {
            // Lost to another flow: look again.
        }
    }
    throw Refusal(shortCode(position), "The $position were reserved by others in $SELECTION_TRIES tries; try again.")
}

/**
 * The states at [refs], of transactions that are here; each transaction is read once, however many of its states are asked for.
 *
 * @throws Refusal if a transaction has no such output.
 */
fun <T : ContractState> ServiceHub.statesAt(refs: Collection<StateRef>): List<StateAndRef<T>> {
    val transactions = refs.map { it.txhash }.distinct().associate { it to validatedTransactions.getTransaction(it)!!.tx }
    @Suppress("UNCHECKED_CAST")
    return refs.map { ref ->
        val state = transactions[ref.txhash]!!.outputs.getOrNull(ref.index)
        refuseUnless(state != null, ErrorCode.UNEXPECTED_STATE) { "$ref must be an output, but there is none of this number." }
        StateAndRef(state as TransactionState<T>, ref)
    }
}

/** Oldest first, which merges crumbs by and by; where the oldest that may be taken at once do not make it, the largest first. */
private fun ServiceHub.choose(position: Position, needed: Long, lockId: UUID, most: Int): List<StateRef> {
    val (oldest, sum) = enough(free(position, lockId, "v.recorded_timestamp, v.transaction_id, v.output_index", most), needed)
    if (sum >= needed) return oldest
    val (largest, sumOfLargest) = enough(free(position, lockId, "3 DESC, v.transaction_id, v.output_index", most), needed)
    refuseUnless(sumOfLargest >= needed, shortCode(position)) { "The $position must be $needed, but only $sumOfLargest are free in at most $most states." }
    return largest
}

private fun enough(free: List<Pair<StateRef, Long>>, needed: Long): Pair<List<StateRef>, Long> {
    var sum = 0L
    val chosen = free.takeWhile { (_, size) -> (sum < needed).also { if (it) sum += size } }.map { it.first }
    return Pair(chosen, sum)
}

private fun ServiceHub.free(position: Position, lockId: UUID, order: String, most: Int): List<Pair<StateRef, Long>> {
    val end = "ORDER BY $order LIMIT $most"
    return when (position.asset) {
        is Asset.Units -> select("SELECT v.transaction_id, v.output_index, t.units $FREE_UNITS $end", *unitArguments(position), *freeArguments(lockId)) { it.ref() to it.getLong(3) }
        is Asset.Coins -> select("SELECT v.transaction_id, v.output_index, t.amount $FREE_COINS $end", *coinArguments(position), *freeArguments(lockId)) { it.ref() to it.getLong(3) }
    }
}

private fun shortCode(position: Position) = if (position.asset is Asset.Coins) ErrorCode.SHORT_OF_COINS else ErrorCode.SHORT_OF_UNITS

/** Which of [refs] are unconsumed in this node's vault. */
fun ServiceHub.unconsumed(refs: Collection<StateRef>): Set<StateRef> = refs.filter { ref ->
    count("SELECT COUNT(*) FROM vault_states v WHERE v.transaction_id = ? AND v.output_index = ? AND v.state_status = $UNCONSUMED", ref.txhash.toString(), ref.index) == 1L
}.toSet()

/** `Vault.StateStatus.UNCONSUMED` as the vault stores it. */
const val UNCONSUMED = 0

/** `Vault.RelevancyStatus.RELEVANT` as the vault stores it: a state with this node among its participants. */
const val RELEVANT = 0

private const val LOCKED = " AND (v.lock_id IS NULL OR v.lock_id = ?)"
private const val SIGNED_AWAY = " AND (v.transaction_id, v.output_index) NOT IN (SELECT i.transaction_id, i.output_index FROM ippon_pending_input i " +
        "JOIN ippon_pending p ON p.run_id = i.run_id WHERE p.kind = 'SIGNED' AND p.deadline > ?)"
private const val FREE = "v.state_status = $UNCONSUMED$LOCKED$SIGNED_AWAY"
private const val FREE_UNITS = "FROM vault_states v JOIN ippon_security_token t ON t.transaction_id = v.transaction_id AND t.output_index = v.output_index " +
        "WHERE t.investor_id = ? AND t.security_code = ? AND t.custodian = ? AND t.registrar = ? AND $FREE"
private const val FREE_COINS = "FROM vault_states v JOIN ippon_coin t ON t.transaction_id = v.transaction_id AND t.output_index = v.output_index " +
        "WHERE t.investor_id = ? AND t.custodian = ? AND t.issuer = ? AND $FREE"

private fun unitArguments(position: Position): Array<Any?> {
    val security = (position.asset as Asset.Units).security
    return arrayOf(position.holder.investorId, security.code, position.holder.custodian.name.toString(), security.registrar.name.toString())
}

private fun coinArguments(position: Position): Array<Any?> =
        arrayOf(position.holder.investorId, position.holder.custodian.name.toString(), (position.asset as Asset.Coins).issuer.name.toString())

private fun ServiceHub.freeArguments(lockId: UUID): Array<Any?> = arrayOf(lockId.toString(), clock.instant())
