package org.ippon.core

import net.corda.core.contracts.ContractState
import net.corda.core.contracts.StateAndRef
import net.corda.core.contracts.StateRef
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
 * restart still counts as mine. One indexed sum, no state loaded, nothing locked.
 */
fun ServiceHub.available(position: Position, lockId: UUID): Long = when (position.asset) {
    is Asset.Units -> count("SELECT COALESCE(SUM(t.units), 0) $FREE_UNITS", *unitArguments(position, lockId))
    is Asset.Coins -> count("SELECT COALESCE(SUM(t.amount), 0) $FREE_COINS", *coinArguments(position, lockId))
}

/** What [position] holds, reserved or not, in units or yen. */
fun ServiceHub.held(position: Position): Long = when (position.asset) {
    is Asset.Units -> count("SELECT COALESCE(SUM(t.units), 0) ${FREE_UNITS.substringBefore(LOCKED)}", *unitArguments(position, ANY).dropLast(1).toTypedArray())
    is Asset.Coins -> count("SELECT COALESCE(SUM(t.amount), 0) ${FREE_COINS.substringBefore(LOCKED)}", *coinArguments(position, ANY).dropLast(1).toTypedArray())
}

/**
 * Reserves states of [position] worth [needed] or a little more, oldest first, under [lockId]. Another flow may win a
 * state between look and lock; then others are taken at once.
 *
 * @throws Refusal if there are not enough.
 */
fun <T : ContractState> ServiceHub.reserve(position: Position, needed: Long, lockId: UUID): List<StateAndRef<T>> {
    repeat(SELECTION_TRIES) {
        val chosen = choose(position, needed, lockId)
        try {
            if (chosen.isNotEmpty()) vaultService.softLockReserve(lockId, NonEmptySet.copyOf(chosen))
            @Suppress("UNCHECKED_CAST")
            return chosen.map { ref -> toStateAndRef<ContractState>(ref) as StateAndRef<T> }
        } catch (e: StatesNotAvailableException) {
            // Lost to another flow: look again.
        }
    }
    throw Refusal(shortCode(position), "The $position were reserved by others in $SELECTION_TRIES tries; try again.")
}

private fun ServiceHub.choose(position: Position, needed: Long, lockId: UUID): List<StateRef> {
    val order = "ORDER BY v.recorded_timestamp, v.transaction_id, v.output_index LIMIT $MAX_SELECTED_STATES"
    val free = when (position.asset) {
        is Asset.Units -> select("SELECT v.transaction_id, v.output_index, t.units $FREE_UNITS $order", *unitArguments(position, lockId)) { it.ref() to it.getLong(3) }
        is Asset.Coins -> select("SELECT v.transaction_id, v.output_index, t.amount $FREE_COINS $order", *coinArguments(position, lockId)) { it.ref() to it.getLong(3) }
    }
    var sum = 0L
    val chosen = free.takeWhile { (_, size) -> (sum < needed).also { sum += size } }.map { it.first }
    refuseUnless(sum >= needed, shortCode(position)) { "The $position must be $needed, but only $sum are free." }
    return chosen
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
private const val FREE = "v.state_status = $UNCONSUMED$LOCKED"
private val ANY = UUID(0, 0)
private const val FREE_UNITS = "FROM vault_states v JOIN ippon_security_token t ON t.transaction_id = v.transaction_id AND t.output_index = v.output_index " +
        "WHERE t.investor_id = ? AND t.security_code = ? AND t.custodian = ? AND t.registrar = ? AND $FREE"
private const val FREE_COINS = "FROM vault_states v JOIN ippon_coin t ON t.transaction_id = v.transaction_id AND t.output_index = v.output_index " +
        "WHERE t.investor_id = ? AND t.custodian = ? AND t.issuer = ? AND $FREE"

private fun unitArguments(position: Position, lockId: UUID): Array<Any?> {
    val security = (position.asset as Asset.Units).security
    return arrayOf(position.holder.investorId, security.code, position.holder.custodian.name.toString(), security.registrar.name.toString(), lockId.toString())
}

private fun coinArguments(position: Position, lockId: UUID): Array<Any?> =
        arrayOf(position.holder.investorId, position.holder.custodian.name.toString(), (position.asset as Asset.Coins).issuer.name.toString(), lockId.toString())
