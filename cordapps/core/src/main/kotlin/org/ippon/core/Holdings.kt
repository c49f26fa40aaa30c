package org.ippon.core

import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
import net.corda.core.contracts.TransactionState
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.node.services.StatesNotAvailableException
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.NonEmptySet
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.contracts.security.SecurityToken
import java.util.UUID

/** Most states that one selection reserves; more are merged by and by. The notary takes 2000 inputs. */
const val MAX_SELECTED_STATES = 500

private const val SELECTION_TRIES = 3

/** The one text by which a position is found in the tables of holdings; migrations make the same. */
val Position.key: String get() = listOf(asset.word, asset.code, asset.keeper.name.toString(), holder.custodian.name.toString(), holder.investorId).joinToString("|")

private val Asset.word: String get() = when (this) {
    is Asset.Units -> "UNITS"
    is Asset.Coins -> "COINS"
}

private val Asset.code: String get() = when (this) {
    is Asset.Units -> security.code
    is Asset.Coins -> ""
}

private val Asset.keeper: Party get() = when (this) {
    is Asset.Units -> security.registrar
    is Asset.Coins -> issuer
}

/**
 * What [position] holds free, in units or yen: unconsumed and locked by nobody, or by [lockId] itself, which after a
 * restart still counts as mine; and not signed away in a transaction of which nothing has been heard and whose window is
 * not over, since whoever proposed it may have spent it already. Nothing is loaded or locked, and it takes no longer for
 * a holding of many states.
 */
fun ServiceHub.available(position: Position, lockId: UUID): Long = held(position) - count(
        // UNION, so that what is locked and signed away is counted once.
        "SELECT COALESCE(SUM(h.size), 0) FROM ($LOCKED AND v.lock_id <> ? UNION $SIGNED_AWAY) taken " +
                "JOIN ippon_holding h ON h.transaction_id = taken.transaction_id AND h.output_index = taken.output_index WHERE h.position_key = ?",
        lockId.toString(), clock.instant(), position.key
)

/** What [position] holds, reserved or not, in units or yen. */
fun ServiceHub.held(position: Position): Long = select("SELECT total FROM ippon_total WHERE position_key = ?", position.key) { it.getLong(1) }.singleOrNull() ?: 0L

/** Books what [stx], recorded just now for the first time, takes from and brings to positions in which this node takes part. */
internal fun ServiceHub.book(stx: SignedTransaction) {
    stx.inputs.forEach { takeOut(it) }
    stx.tx.outputs.forEachIndexed { index, output ->
        val position = output.data.position
        // Spent by one that was recorded before it: then it is nobody's any more.
        if (position != null && output.data.participants.any { it.owningKey == me.owningKey } && !isSpent(StateRef(stx.id, index))) bring(StateRef(stx.id, index), position, output.data.size)
    }
}

private val ContractState.position: Position? get() = when (this) {
    is SecurityToken -> Position(holder, Asset.Units(security))
    is Coin -> Position(holder, Asset.Coins(issuer))
    else -> null
}

private val ContractState.size: Long get() = when (this) {
    is SecurityToken -> units
    is Coin -> amount
    else -> 0L
}

private fun ServiceHub.isSpent(ref: StateRef) = count("SELECT COUNT(*) FROM ippon_spent WHERE transaction_id = ? AND output_index = ?", ref.txhash.toString(), ref.index) > 0

private fun ServiceHub.takeOut(ref: StateRef) {
    val row = select("SELECT position_key, size FROM ippon_holding WHERE transaction_id = ? AND output_index = ?", ref.txhash.toString(), ref.index) { it.getString(1) to it.getLong(2) }.singleOrNull() ?: return
    update("DELETE FROM ippon_holding WHERE transaction_id = ? AND output_index = ?", ref.txhash.toString(), ref.index)
    update("UPDATE ippon_total SET total = total - ?, states = states - 1 WHERE position_key = ?", row.second, row.first)
}

private fun ServiceHub.bring(ref: StateRef, position: Position, size: Long) {
    update("INSERT INTO ippon_holding (transaction_id, output_index, position_key, size, since) VALUES (?, ?, ?, ?, ?)", ref.txhash.toString(), ref.index, position.key, size, clock.instant())
    if (update("UPDATE ippon_total SET total = total + ?, states = states + 1 WHERE position_key = ?", size, position.key) == 0) update(
            "INSERT INTO ippon_total (position_key, asset, code, keeper, custodian, investor_id, total, states) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
            position.key, position.asset.word, position.asset.code, position.asset.keeper.name.toString(), position.holder.custodian.name.toString(), position.holder.investorId, size
    )
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
    val (oldest, sum) = enough(free(position, lockId, "h.position_key, h.since, h.transaction_id, h.output_index", most), needed)
    if (sum >= needed) return oldest
    val (largest, sumOfLargest) = enough(free(position, lockId, "h.position_key DESC, h.size DESC", most), needed)
    refuseUnless(sumOfLargest >= needed, shortCode(position)) { "The $position must be $needed, but only $sumOfLargest are free in at most $most states." }
    return largest
}

private fun enough(free: List<Pair<StateRef, Long>>, needed: Long): Pair<List<StateRef>, Long> {
    var sum = 0L
    val chosen = free.takeWhile { (_, size) -> (sum < needed).also { if (it) sum += size } }.map { it.first }
    return Pair(chosen, sum)
}

private fun ServiceHub.free(position: Position, lockId: UUID, order: String, most: Int): List<Pair<StateRef, Long>> = select(
        "SELECT h.transaction_id, h.output_index, h.size FROM ippon_holding h JOIN vault_states v ON v.transaction_id = h.transaction_id AND v.output_index = h.output_index " +
                "WHERE h.position_key = ? AND v.state_status = $UNCONSUMED AND (v.lock_id IS NULL OR v.lock_id = ?) " +
                "AND (h.transaction_id, h.output_index) NOT IN ($SIGNED_AWAY) ORDER BY $order LIMIT $most",
        position.key, lockId.toString(), clock.instant()
) { it.ref() to it.getLong(3) }

private fun shortCode(position: Position) = if (position.asset is Asset.Coins) ErrorCode.SHORT_OF_COINS else ErrorCode.SHORT_OF_UNITS

/** Which of [refs] are unconsumed in this node's vault. */
fun ServiceHub.unconsumed(refs: Collection<StateRef>): Set<StateRef> = refs.filter { ref ->
    count("SELECT COUNT(*) FROM vault_states v WHERE v.transaction_id = ? AND v.output_index = ? AND v.state_status = $UNCONSUMED", ref.txhash.toString(), ref.index) == 1L
}.toSet()

/** `Vault.StateStatus.UNCONSUMED` as the vault stores it. */
const val UNCONSUMED = 0

/** `Vault.RelevancyStatus.RELEVANT` as the vault stores it: a state with this node among its participants. */
const val RELEVANT = 0

/** States that a flow has reserved. */
internal const val LOCKED = "SELECT v.transaction_id, v.output_index FROM vault_states v WHERE v.lock_id IS NOT NULL AND v.state_status = $UNCONSUMED"

/** States that this node has signed away, undecided, in windows that are not over at a given time. */
internal const val SIGNED_AWAY = "SELECT i.transaction_id, i.output_index FROM ippon_pending_input i JOIN ippon_pending p ON p.run_id = i.run_id " +
        "WHERE p.kind = 'SIGNED' AND p.deadline > ?"
