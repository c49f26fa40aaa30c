package org.ippon.contracts

import net.corda.core.contracts.CommandData
import net.corda.core.contracts.CommandWithParties
import net.corda.core.contracts.ContractState
import net.corda.core.contracts.SignatureAttachmentConstraint
import net.corda.core.identity.Party
import net.corda.core.transactions.LedgerTransaction
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneOffset

/** Longest identifier the ledger takes, in characters; the columns of the schemas are as wide. */
const val MAX_ID_LENGTH = 64

/** Longest reason text the ledger takes, in characters. */
const val MAX_REASON_LENGTH = 255

/** Most fills one transaction may notify, bust or settle, so that no transaction outgrows a node's memory. */
const val MAX_FILLS_PER_TRANSACTION = 200

private val FIRST_DAY = LocalDate.of(2000, 1, 1)

private val LAST_DAY = LocalDate.of(9999, 12, 31)

private val ID_PATTERN = Regex("[A-Za-z0-9][A-Za-z0-9._:-]{0,${MAX_ID_LENGTH - 1}}")

/** Whether [id] may stand on the ledger as an identifier: 1 to 64 of `A-Z a-z 0-9 . _ : -`, starting with a letter or digit. */
fun isLedgerId(id: String): Boolean = ID_PATTERN.matches(id)

internal fun requireId(what: String, id: String) = require(isLedgerId(id)) {
    "$what must be 1 to $MAX_ID_LENGTH letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but is '$id'."
}

internal fun requireReason(what: String, reason: String) = require(reason.isNotBlank() && reason.length <= MAX_REASON_LENGTH) {
    "$what must give a reason of 1 to $MAX_REASON_LENGTH characters, but gives ${reason.length}."
}

internal fun requireSigners(what: String, command: CommandWithParties<*>, required: Collection<Party>) {
    val missing = required.toSet().filter { it.owningKey !in command.signers }
    require(missing.isEmpty()) {
        "$what must be signed by ${names(required)}, but ${names(missing)} is not among its signers."
    }
}

/** A day that no database can store would send every node that records it to the hospital. */
internal fun requireDay(what: String, day: LocalDate) = require(day in FIRST_DAY..LAST_DAY) {
    "$what must lie between $FIRST_DAY and $LAST_DAY, but is $day."
}

/** [requireDay] for a moment, in UTC. */
internal fun requireMoment(what: String, moment: Instant) {
    val first = FIRST_DAY.atStartOfDay(ZoneOffset.UTC).toInstant()
    val last = LAST_DAY.atStartOfDay(ZoneOffset.UTC).toInstant()
    require(moment in first..last) { "$what must lie between $first and $last, but is $moment." }
}

/**
 * The transaction's states are all of [allowed]; anything beside them could carry a second, unchecked deal. What it
 * leaves can be found and spent later: named as before, tied to no other state and to no single jar.
 */
internal fun requireOnlyStates(what: String, tx: LedgerTransaction, vararg allowed: Class<out ContractState>) {
    val strangers = (tx.inputStates + tx.outputStates).filter { state -> allowed.none { it.isInstance(state) } }
    require(strangers.isEmpty()) {
        "$what may touch only ${allowed.joinToString { it.simpleName }}, but also touches ${strangers.map { it.javaClass.simpleName }.distinct()}."
    }
    require(tx.references.isEmpty()) { "$what must have no reference state, but has ${tx.references.size}." }
    val encumbered = tx.outputs.count { it.encumbrance != null }
    require(encumbered == 0) { "$what must leave no state encumbered, but encumbers $encumbered." }
    requireSignatureConstraints(what, tx)
    requireOneNamePerKey(what, tx)
}

/** Corda lets any constraint be narrowed to one jar's hash; such a holding could not be spent after an upgrade. */
private fun requireSignatureConstraints(what: String, tx: LedgerTransaction) {
    val others = tx.outputs.map { it.constraint }.filter { it !is SignatureAttachmentConstraint }
    require(others.isEmpty()) {
        "$what must leave states under signature constraints, but leaves ${others.size} under ${others.map { it.javaClass.simpleName }.distinct()}."
    }
}

/** Parties are equal by key alone, but vaults are asked by name: under a second name a holding would be out of sight. */
private fun requireOneNamePerKey(what: String, tx: LedgerTransaction) {
    val names = (tx.inputStates + tx.outputStates).filterIsInstance<NamesParties>().flatMap { it.parties }
            .groupBy({ it.owningKey }, { it.name })
    val twice = names.values.map { it.toSet() }.filter { it.size > 1 }
    require(twice.isEmpty()) { "$what must call the holder of a key by one name, but calls it ${twice.first().joinToString(" and ")}." }
}

/** The transaction's commands are exactly one of each class in [expected]. */
internal fun requireCommands(what: String, tx: LedgerTransaction, vararg expected: Class<out CommandData>) {
    val found = tx.commands.map { it.value.javaClass.simpleName }.sorted()
    val wanted = expected.map { it.simpleName }.sorted()
    require(found == wanted) { "$what must have the commands $wanted and no other, but has $found." }
}

internal fun kinds(states: List<ContractState>) = states.map { it.javaClass.simpleName }.sorted()

internal fun names(parties: Collection<Party>) = parties.map { it.name.organisation }.distinct().sorted().joinToString()
