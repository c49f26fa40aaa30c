package org.ippon.core.settlement

import net.corda.core.contracts.ContractAttachment
import net.corda.core.contracts.StateAndRef
import net.corda.core.identity.Party
import net.corda.core.node.ServiceHub
import net.corda.core.transactions.SignedTransaction
import net.corda.core.transactions.WireTransaction
import org.ippon.contracts.MAX_FILLS_PER_TRANSACTION
import org.ippon.contracts.coin.Coin
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.FillContract
import org.ippon.contracts.fill.SettleTerm
import org.ippon.contracts.security.SecurityToken
import org.ippon.core.ErrorCode
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.trust
import org.ippon.core.unconsumed

/** A settlement transaction taken apart. */
class ReviewedSettlement(val fills: List<StateAndRef<Fill>>, val terms: List<SettleTerm>, val tokens: List<StateAndRef<SecurityToken>>, val coins: List<StateAndRef<Coin>>)

/**
 * What every signer of a settlement checks before it signs, from its own records; each role adds its own.
 *
 * Parties, all accepted here in their roles; the proposer is the seller's custodian of every fill and has signed, as has
 * everybody in [signedBy]; notary and time-window; no attachment but ippon's own contracts; and the transaction is
 * exactly what its fills, terms and inputs make it ([SettlementPlan]): price, quantity, amount, holders, change.
 * Whatever of its inputs this node answers for as registrar, issuer or custodian is unconsumed in its own vault.
 */
class SettlementReview(private val services: ServiceHub) {
    private val trust = services.trust

    /** Throws a refusal unless [stx], proposed by [proposer], may be signed. */
    fun review(stx: SignedTransaction, proposer: Party, signedBy: (ReviewedSettlement) -> List<Party>): ReviewedSettlement {
        val tx = stx.tx
        val settlement = takeApart(tx)
        settlement.fills.forEach { trust.checkParties(it.state.data) }
        checkProposer(settlement, proposer)
        checkNotary(tx)
        checkWindow(tx)
        checkAttachments(tx)
        SettlementPlan(settlement.fills, settlement.terms, settlement.tokens, settlement.coins).check(tx)
        checkOwnRegister(settlement)
        checkSignatures(stx, signedBy(settlement))
        return settlement
    }

    private fun takeApart(tx: WireTransaction): ReviewedSettlement {
        val settle = tx.commands.map { it.value }.filterIsInstance<FillCommand.Settle>().singleOrNull()
        refuseUnless(settle != null, ErrorCode.UNEXPECTED_COMMAND, "commands") { "The transaction must have one Settle command, but has ${tx.commands.map { it.value.javaClass.simpleName }}." }
        refuseUnless(tx.inputs.isNotEmpty(), ErrorCode.UNEXPECTED_STATE, "inputs") { "The settlement must consume a fill, but consumes nothing." }
        val inputs = services.loadStates(tx.inputs.toSet())
        val fills = inputs.of<Fill>().associateBy { it.state.data.executionId }
        val terms = settle!!.terms
        refuseUnless(terms.size <= MAX_FILLS_PER_TRANSACTION, ErrorCode.TOO_MANY, "terms") { "The settlement must be of at most $MAX_FILLS_PER_TRANSACTION fills, but is of ${terms.size}." }
        refuseUnless(terms.map { it.executionId }.sorted() == fills.keys.sorted() && fills.isNotEmpty(), ErrorCode.UNEXPECTED_STATE, "terms") {
            "The settlement must name the fills that it consumes, ${fills.keys.sorted()}, but names ${terms.map { it.executionId }.sorted()}."
        }
        return ReviewedSettlement(terms.map { fills[it.executionId]!! }, terms, inputs.of(), inputs.of())
    }

    private fun checkProposer(settlement: ReviewedSettlement, proposer: Party) {
        val sellers = settlement.fills.map { it.state.data.seller.custodian }.distinct()
        refuseUnless(sellers == listOf(proposer), ErrorCode.MIXED_COUNTERPARTIES, "seller_custodian") {
            "The settlement must be proposed by the seller's custodian ${sellers.map { it.name.organisation }}, but is by ${proposer.name.organisation}."
        }
        val buyers = settlement.fills.map { it.state.data.buyer.custodian }.distinct()
        refuseUnless(buyers.size == 1, ErrorCode.MIXED_COUNTERPARTIES, "buyer_custodian") { "The settlement must have one buyer's custodian, but has ${buyers.map { it.name.organisation }}." }
    }

    private fun checkNotary(tx: WireTransaction) = refuseUnless(tx.notary == trust.notary, ErrorCode.WRONG_NOTARY, "notary") {
        "The notary must be ${trust.notary.name}, but is ${tx.notary?.name}."
    }

    private fun checkWindow(tx: WireTransaction) {
        val now = services.clock.instant()
        val from = tx.timeWindow?.fromTime
        val until = tx.timeWindow?.untilTime
        refuseUnless(from != null && until != null, ErrorCode.WRONG_TIME_WINDOW, "time_window") { "The settlement must have a time-window with both ends, but has ${tx.timeWindow}." }
        val latest = now.plusSeconds(trust.settlementWindowSeconds + trust.clockSkewSeconds)
        refuseUnless(!now.isBefore(from!!.minusSeconds(trust.clockSkewSeconds)) && now.isBefore(until!!) && !until.isAfter(latest), ErrorCode.WRONG_TIME_WINDOW, "time_window") {
            "The time-window must hold $now and end by $latest, but is $from to $until."
        }
    }

    private fun checkAttachments(tx: WireTransaction) {
        val ours = services.attachments.openAttachment(services.cordappProvider.getContractAttachmentID(FillContract.ID)!!)!!
        tx.attachments.forEach { id ->
            val attachment = services.attachments.openAttachment(id)
            refuseUnless(attachment is ContractAttachment && attachment.signerKeys.toSet() == ours.signerKeys.toSet() && FillContract.ID in attachment.allContracts, ErrorCode.UNEXPECTED_ATTACHMENT, "attachments") {
                "The settlement must attach nothing but ippon's contracts, but attaches $id."
            }
        }
    }

    private fun checkOwnRegister(settlement: ReviewedSettlement) {
        val me = services.me
        val mine = settlement.tokens.filter { it.state.data.security.registrar == me || it.state.data.holder.custodian == me }.map { it.ref } +
                settlement.coins.filter { it.state.data.issuer == me || it.state.data.holder.custodian == me }.map { it.ref } +
                settlement.fills.filter { me in it.state.data.custodians }.map { it.ref }
        val missing = mine.toSet() - services.unconsumed(mine)
        refuseUnless(missing.isEmpty(), ErrorCode.NOT_ON_REGISTER, "inputs") { "$missing must be unconsumed in the records of ${me.name.organisation}, but are not." }
    }

    /** That the signatures fit is Corda's to check, before anything here is asked. */
    private fun checkSignatures(stx: SignedTransaction, signers: List<Party>) {
        val missing = signers.filter { party -> stx.sigs.none { it.by == party.owningKey } }
        refuseUnless(missing.isEmpty(), ErrorCode.MISSING_SIGNATURE, "signatures") { "The settlement must be signed by ${missing.map { it.name.organisation }} first, but is not." }
    }

    private inline fun <reified T : net.corda.core.contracts.ContractState> Collection<StateAndRef<*>>.of(): List<StateAndRef<T>> {
        @Suppress("UNCHECKED_CAST")
        return filter { it.state.data is T } as List<StateAndRef<T>>
    }
}
