package org.ippon.test.custodian

import net.corda.core.identity.Party
import net.corda.testing.node.StartedMockNode
import org.assertj.core.api.Assertions.assertThat
import org.ippon.contracts.Holder
import org.ippon.contracts.fill.Fill
import org.ippon.contracts.fill.FillCommand
import org.ippon.contracts.fill.OrderDetails
import org.ippon.contracts.funds.TrustInstruction
import org.ippon.contracts.funds.TrustInstructionCommand
import org.ippon.core.DeliveryNote
import org.ippon.core.ErrorCode
import org.ippon.core.fillOnRecord
import org.ippon.liars.Deliver
import org.ippon.liars.Door
import org.junit.Rule
import org.junit.Test
import java.time.Instant

/** A fill that is wrong in one thing only, so that no other check refuses it too. */
class FillDoorTest {
    @get:Rule
    val nothingLeft = NothingLeft()
    private val network = TestNetwork
    private val market = Market
    private val a = network.custodianA
    private val b = network.custodianB
    private val details = OrderDetails("T-1", "SO-1", "BO-1", "00112233445566778899aabbccddeeff")
    private val known: Fill = market.onRecord(market.fill().also { market.settles(it) }).state.data

    private fun refusedAt(to: StartedMockNode, code: ErrorCode, field: String, change: (Fill) -> Fill) {
        val fill = change(known.copy(executionId = network.id("EX"), orderProof = details.proof()))
        val stx = network.exchange.sign { addOutputState(fill).addCommand(FillCommand.Notify(), fill.venue.owningKey) }
        refused(code, field) { network.exchange.run(Deliver(stx, Door.FILL, to.party, DeliveryNote(listOf(details)))) }
        assertThat(to.transaction { to.services.fillOnRecord(fill.executionId) }).isNull()
    }

    @Test
    fun `the other custodian's name with another key is refused`() {
        fun impostor(party: Party) = Party(party.name, network.outsider.party.owningKey)
        refusedAt(b, ErrorCode.NOT_ACCEPTED_PARTY, "seller_custodian") { it.copy(seller = it.seller.copy(custodian = impostor(a.party))) }
        refusedAt(a, ErrorCode.NOT_ACCEPTED_PARTY, "buyer_custodian") { it.copy(buyer = it.buyer.copy(custodian = impostor(b.party))) }
    }

    @Test
    fun `a registrar is the platform's and accepted`() {
        refusedAt(a, ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { it.copy(security = it.security.copy(registrar = network.coin.party)) }
        refusedAt(a, ErrorCode.NOT_ACCEPTED_PARTY, "registrar") { it.copy(platformCode = "ODD-REGISTRAR", security = it.security.copy(registrar = network.outsider.party)) }
    }

    @Test
    fun `a coin issuer is the platform's and accepted`() {
        refusedAt(a, ErrorCode.NOT_ACCEPTED_PARTY, "coin_issuer") { it.copy(coinIssuer = network.asset.party) }
        refusedAt(a, ErrorCode.NOT_ACCEPTED_PARTY, "coin_issuer") { it.copy(platformCode = "ODD-ISSUER", coinIssuer = network.outsider.party) }
    }

    @Test
    fun `what consumes nothing either and is no notice is refused`() {
        val instruction = TrustInstruction(network.id("TI"), Holder(b.party, market.buyer), 1, network.coin.party, Instant.parse("2030-01-01T00:00:00Z"))
        val stx = b.sign { addOutputState(instruction).addCommand(TrustInstructionCommand.Instruct(), b.party.owningKey) }
        refused(ErrorCode.UNEXPECTED_COMMAND, "commands") { b.run(Deliver(stx, Door.FILL, a.party)) }
    }

    @Test
    fun `a custodian takes no bust of a fill that has settled`() {
        val fill = market.onRecord(known.executionId)
        val bust = network.exchange.sign { addInputState(fill).addCommand(FillCommand.Bust(listOf(known.executionId), "too late"), network.exchange.party.owningKey) }
        listOf(a, b).forEach { refused(ErrorCode.ALREADY_SETTLED, "execution_id") { network.exchange.run(Deliver(bust, Door.BUST, it.party)) } }
    }
}
