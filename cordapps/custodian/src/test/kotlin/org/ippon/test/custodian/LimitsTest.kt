package org.ippon.test.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.identity.Party
import net.corda.core.utilities.unwrap
import org.assertj.core.api.Assertions.assertThat
import org.ippon.core.AnnounceSession
import org.ippon.core.ErrorCode
import org.ippon.custodian.InvestorEntry
import org.ippon.custodian.RegisterInvestors
import org.ippon.custodian.funds.AnnounceFunds
import org.ippon.custodian.funds.Announcement
import org.ippon.custodian.funds.AnnouncementReport
import org.ippon.custodian.funds.RedeemCoins
import org.ippon.custodian.query.QueryInvestors
import org.ippon.custodian.security.TransferSecurity
import org.ippon.core.query.PageRequest
import org.junit.Test

/** Requests that are too large, name nobody or say something else than before. */
class LimitsTest {
    private val network = TestNetwork
    private val a = network.custodianA
    private val b = network.custodianB

    private fun register(vararg entries: InvestorEntry) = a.run(RegisterInvestors(entries.toList()))

    @Test
    fun `no investors, too many, and ids that are none are refused`() {
        listOf(0, 1001).forEach { count -> refused(ErrorCode.TOO_MANY, "investors") { a.run(RegisterInvestors((1..count).map { InvestorEntry("I-$it", null) })) } }
        refused(ErrorCode.BAD_REQUEST, "investor_id") { register(InvestorEntry("", "ACC")) }
        refused(ErrorCode.BAD_REQUEST, "coin_investor_id") { register(InvestorEntry(network.id("INV"), "two words")) }
    }

    @Test
    fun `an investor keeps its coin account, and one bad entry refuses the request`() {
        val (id, fresh) = Pair(network.id("INV"), network.id("INV"))
        register(InvestorEntry(id, null))
        refused(ErrorCode.WRONG_ACCOUNT, "coin_investor_id") { register(InvestorEntry(fresh, null), InvestorEntry(id, "ACC")) }
        assertThat(register(InvestorEntry(id, id)).known).isEqualTo(1)
        assertThat(a.run(QueryInvestors(listOf(fresh), PageRequest())).rows).isEmpty()
    }

    @Test
    fun `ids that are none are refused`() {
        val investor = network.investor(a, method = null)
        refused(ErrorCode.BAD_REQUEST, "redemption_id") { a.run(RedeemCoins("", investor, 1)) }
        refused(ErrorCode.BAD_REQUEST, "transfer_id") { a.run(TransferSecurity("", "S", 1, investor, b.party, investor)) }
    }

    @Test
    fun `money is announced to another custodian, of so many fills at most`() {
        refused(ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { b.run(AnnounceFunds(b.party, listOf("EX-NEVER"))) }
        refused(ErrorCode.TOO_MANY, "execution_ids") { b.run(Shout((0..200).map { "EX-NEVER-$it" }, a.party)) }
    }
}

/** Announces money without a look at what it sends. */
class Shout(private val ids: List<String>, private val to: Party) : FlowLogic<AnnouncementReport>() {
    @Suspendable
    override fun call(): AnnouncementReport {
        val session = subFlow(AnnounceSession(to))
        return session.sendAndReceive<AnnouncementReport>(Announcement(ids)).unwrap { it }
    }
}
