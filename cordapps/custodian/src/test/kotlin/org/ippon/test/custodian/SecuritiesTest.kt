package org.ippon.test.custodian

import net.corda.core.transactions.SignedTransaction
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.asset.IssueSecurity
import org.ippon.contracts.Holder
import org.ippon.contracts.security.Security
import org.ippon.contracts.security.SecurityToken
import org.ippon.contracts.security.SecurityTokenCommand
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.ippon.custodian.security.TransferSecurity
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.ippon.liars.ShowAt
import org.junit.Rule
import org.junit.Test

class SecuritiesTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val a = network.custodianA
    private val b = network.custodianB
    private val asset = network.asset
    private val key = asset.party.owningKey

    private fun holderWith(units: Long): Pair<String, String> {
        val investor = network.investor(a, method = null)
        val security = network.id("S")
        network.giveUnits(a, investor, security, units)
        return Pair(investor, security)
    }

    @Test
    fun `an issue id issues once`() {
        val investor = network.investor(a, method = null)
        val (id, security) = Pair(network.id("ISS"), network.id("S"))
        val first = asset.run(IssueSecurity(id, security, a.party, investor, 10))
        val again = asset.run(IssueSecurity(id, security, a.party, investor, 10))
        assertThat(again.alreadyIssued).isTrue()
        assertThat(again.transactionId).isEqualTo(first.transactionId)
        refused(ErrorCode.ISSUE_ID_REUSED, "issue_id") { asset.run(IssueSecurity(id, security, a.party, investor, 11)) }
        eventually { network.units(a, investor) == Pair(10L, 0L) }
        assertThat(network.units(asset, investor)).isEqualTo(Pair(10L, 0L))
    }

    @Test
    fun `two requests with one issue id make one issue`() {
        val investor = network.investor(a, method = null)
        val (id, security) = Pair(network.id("ISS"), network.id("S"))
        val outcomes = listOf(1, 2).map { asset.startFlow(IssueSecurity(id, security, a.party, investor, 10)) }.map {
            try {
                it.waitFor().transactionId
            } catch (e: Refusal) {
                e.code.name
            }
        }
        assertThat(outcomes.toSet() - "ISSUE_ID_REUSED").hasSize(1)
        eventually { network.units(a, investor) == Pair(10L, 0L) }
        assertThat(network.units(asset, investor)).isEqualTo(Pair(10L, 0L))
    }

    @Test
    fun `the registrar signs for accepted custodians only, whoever holds the units`() {
        val outsider = network.outsider
        val held = issue(SecurityToken(Security("S", asset.party), 1, Holder(outsider.party, "X")), asset)
        listOf(asset, outsider).forEach { it.force(held) }
        val stx = outsider.sign {
            addInputState(outsider.state<SecurityToken>(net.corda.core.contracts.StateRef(held.id, 0)))
            addOutputState(SecurityToken(Security("S", asset.party), 1, Holder(b.party, network.investor(b, method = null))))
            addCommand(SecurityTokenCommand.Transfer(network.id("TR")), outsider.party.owningKey, key)
        }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "from_custodian") { outsider.run(Deliver(stx, Door.TRANSFER_ASSET, asset.party)) }
    }

    @Test
    fun `an issue to nobody, to no custodian or of nothing is refused`() {
        val investor = network.investor(a, method = null)
        refused(ErrorCode.UNKNOWN_INVESTOR, "investor_id") { asset.run(IssueSecurity(network.id("ISS"), "S", a.party, "NOBODY", 10)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { asset.run(IssueSecurity(network.id("ISS"), "S", network.outsider.party, investor, 10)) }
        refused(ErrorCode.BAD_REQUEST, "units") { asset.run(IssueSecurity(network.id("ISS"), "S", a.party, investor, 0)) }
        refused(ErrorCode.BAD_REQUEST, "issue_id") { asset.run(IssueSecurity("", "S", a.party, investor, 1)) }
        assertThat(network.units(asset, investor).first).isEqualTo(0L)
    }

    private fun issue(token: SecurityToken, by: StartedMockNode): SignedTransaction = by.sign { addOutputState(token).addCommand(SecurityTokenCommand.Issue(network.id("ISS")), token.security.registrar.owningKey) }

    @Test
    fun `a custodian takes an issue from the security's own accepted registrar only`() {
        val holder = Holder(a.party, network.investor(a, method = null))
        val foreign = SecurityToken(Security("S", network.outsider.party), 1, holder)
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { network.outsider.run(Deliver(issue(foreign, network.outsider), Door.ISSUE, a.party)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { asset.run(Deliver(issue(foreign, network.outsider), Door.ISSUE, a.party)) }
        val ours = SecurityToken(Security("S", asset.party), 1, holder)
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { network.outsider.run(Deliver(issue(ours, asset), Door.ISSUE, a.party)) }
        refused(ErrorCode.UNEXPECTED_STATE, "outputs") { asset.run(Deliver(issue(ours, asset), Door.ISSUE, b.party)) }
        val (from, security) = holderWith(1)
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { asset.run(Deliver(move(from, security, holder), Door.ISSUE, a.party)) }
        assertThat(network.units(a, holder.investorId).first).isEqualTo(0L)
    }

    @Test
    fun `units move free of payment within a custodian and to another, once for each transfer id`() {
        val (from, security) = holderWith(10)
        val neighbour = network.investor(a, method = null)
        val far = network.investor(b, method = null)
        a.run(TransferSecurity(network.id("TR"), security, 3, from, a.party, neighbour))
        val id = network.id("TR")
        val first = a.run(TransferSecurity(id, security, 4, from, b.party, far))
        assertThat(a.run(TransferSecurity(id, security, 4, from, b.party, far)).transactionId).isEqualTo(first.transactionId)
        refused(ErrorCode.TRANSFER_ID_REUSED, "transfer_id") { a.run(TransferSecurity(id, security, 3, from, b.party, far)) }
        assertThat(network.units(a, from)).isEqualTo(Pair(3L, 0L))
        assertThat(network.units(a, neighbour)).isEqualTo(Pair(3L, 0L))
        eventually { network.units(b, far) == Pair(4L, 0L) && network.units(asset, far) == Pair(4L, 0L) && network.units(asset, from).first == 3L }
    }

    @Test
    fun `a transfer to nobody, to no custodian or of more than there is moves nothing`() {
        val (from, security) = holderWith(10)
        val far = network.investor(b, method = null)
        fun transfer(units: Long, to: StartedMockNode, investor: String, code: String = security) = a.run(TransferSecurity(network.id("TR"), code, units, from, to.party, investor))
        refused(ErrorCode.UNKNOWN_INVESTOR, "investor_id") { transfer(1, b, "NOBODY") }
        refused(ErrorCode.UNKNOWN_INVESTOR, "to_investor_id") { transfer(1, a, "NOBODY") }
        refused(ErrorCode.UNKNOWN_INVESTOR, "from_investor_id") { a.run(TransferSecurity(network.id("TR"), security, 1, "NOBODY", b.party, far)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "to_custodian") { transfer(1, network.outsider, far) }
        refused(ErrorCode.SHORT_OF_UNITS) { transfer(11, b, far) }
        refused(ErrorCode.SHORT_OF_UNITS, "security_code") { transfer(1, b, far, "NEVER") }
        refused(ErrorCode.BAD_REQUEST, "units") { transfer(0, b, far) }
        assertThat(network.units(a, from)).isEqualTo(Pair(10L, 0L))
        assertThat(network.units(b, far).first).isEqualTo(0L)
    }

    private fun move(from: String, security: String, to: Holder, by: StartedMockNode = a, signer: StartedMockNode = a, code: Security = Security(security, asset.party)): SignedTransaction {
        val units = a.states<SecurityToken> { it.holder.investorId == from && it.security.code == security }
        return by.sign {
            units.forEach { addInputState(it) }
            addOutputState(SecurityToken(code, units.map { it.state.data.units }.sum(), to))
            addCommand(SecurityTokenCommand.Transfer(network.id("TR")), signer.party.owningKey, key)
        }
    }

    @Test
    fun `the registrar signs only for the holder's custodian, signed by it, to an accepted one, of units on the register`() {
        val (from, security) = holderWith(10)
        val to = Holder(b.party, network.investor(b, method = null))
        val stx = move(from, security, to)
        b.force(a.services.validatedTransactions.getTransaction(stx.inputs.first().txhash)!!)
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "from_custodian") { b.run(Deliver(stx, Door.TRANSFER_ASSET, asset.party)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "to_custodian") { a.run(Deliver(move(from, security, Holder(network.outsider.party, "X")), Door.TRANSFER_ASSET, asset.party)) }
        refused(ErrorCode.MISSING_SIGNATURE, "signatures") { a.run(Deliver(move(from, security, to, by = b), Door.TRANSFER_ASSET, asset.party)) }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { a.run(Deliver(stx, Door.TRANSFER_ASSET, network.coin.party)) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { a.run(Deliver(issue(SecurityToken(Security("S", asset.party), 1, to), asset), Door.TRANSFER_ASSET, asset.party)) }
        a.run(TransferSecurity(network.id("TR"), security, 10, from, b.party, to.investorId))
        eventually { network.units(asset, to.investorId).first == 10L }
        refused(ErrorCode.NOT_ON_REGISTER, "inputs") { a.run(Deliver(stx, Door.TRANSFER_ASSET, asset.party)) }
        eventually { network.units(b, to.investorId) == Pair(10L, 0L) }
    }

    @Test
    fun `a receiving custodian takes units from a custodian, under one transfer, of an accepted registrar`() {
        val (from, security) = holderWith(10)
        val to = Holder(b.party, network.investor(b, method = null))
        val stx = move(from, security, to)
        network.outsider.force(a.services.validatedTransactions.getTransaction(stx.inputs.first().txhash)!!)
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "from_custodian") { network.outsider.run(Deliver(stx, Door.TRANSFER_RECEIVER, b.party)) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { a.run(Deliver(issue(SecurityToken(Security("S", asset.party), 1, to), asset), Door.TRANSFER_RECEIVER, b.party)) }
        refused(ErrorCode.UNEXPECTED_STATE, "outputs") { a.run(Deliver(move(from, security, Holder(a.party, from)), Door.TRANSFER_RECEIVER, b.party)) }
        val foreign = Security("S", network.outsider.party)
        val made = issue(SecurityToken(foreign, 1, Holder(a.party, from)), network.outsider)
        a.force(made)
        val gift = a.sign {
            addInputState(a.state<SecurityToken>(net.corda.core.contracts.StateRef(made.id, 0))).addOutputState(SecurityToken(foreign, 1, to))
            addCommand(SecurityTokenCommand.Transfer(network.id("TR")), a.party.owningKey, network.outsider.party.owningKey)
        }
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { a.run(Deliver(gift, Door.TRANSFER_RECEIVER, b.party)) }
        assertThat(network.units(b, to.investorId).first).isEqualTo(0L)
    }

    @Test
    fun `a transaction that is said to be complete and is not is recorded by nobody`() {
        val (from, security) = holderWith(10)
        val to = Holder(b.party, network.investor(b, method = null))
        val stx = move(from, security, to)
        assertThat(a.run(ShowAt(stx, Door.TRANSFER_RECEIVER, b.party, complete = true)).refusal).isNull()
        eventually { network.pending(b).none { it.text("transaction_id") == stx.id.toString() } }
        assertThat(b.has(stx)).isFalse()
        assertThat(network.units(b, to.investorId).first).isEqualTo(0L)
    }
}
