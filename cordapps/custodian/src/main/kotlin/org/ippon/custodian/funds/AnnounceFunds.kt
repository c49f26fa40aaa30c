package org.ippon.custodian.funds

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatedBy
import net.corda.core.flows.StartableByRPC
import net.corda.core.identity.Party
import net.corda.core.serialization.CordaSerializable
import net.corda.core.utilities.unwrap
import org.ippon.contracts.MAX_FILLS_PER_TRANSACTION
import org.ippon.core.AnnounceSession
import org.ippon.core.ErrorCode
import org.ippon.core.FillStatus
import org.ippon.core.fillOnRecord
import org.ippon.core.me
import org.ippon.core.refuseUnless
import org.ippon.core.settlement.Reason
import org.ippon.core.trust
import org.ippon.custodian.NoticeKind
import org.ippon.custodian.note

/** @property announced of how many fills the seller's custodian took note. */
@CordaSerializable
data class AnnouncementReport(val announced: Int)

/** The buyer's custodian tells the seller's that money has come for these fills. It moves nothing and promises nothing. */
@StartableByRPC
class AnnounceFunds(private val custodian: Party, private val executionIds: List<String>) : FlowLogic<AnnouncementReport>() {
    @Suspendable
    override fun call(): AnnouncementReport {
        refuseUnless(executionIds.size in 1..MAX_FILLS_PER_TRANSACTION, ErrorCode.TOO_MANY, "execution_ids") { "execution_ids must be 1 to $MAX_FILLS_PER_TRANSACTION, but are ${executionIds.size}." }
        refuseUnless(serviceHub.trust.isCustodian(custodian) && custodian != ourIdentity, ErrorCode.NOT_ACCEPTED_PARTY, "custodian") { "${custodian.name} is not another custodian accepted here." }
        return subFlow(AnnounceSession(custodian)).sendAndReceive<AnnouncementReport>(Announcement(executionIds)).unwrap { it }
    }
}

/** What [AnnounceFunds] sends. */
@CordaSerializable
data class Announcement(val executionIds: List<String>)

/** Takes note, for open fills between the two only; anything else is passed over. */
@InitiatedBy(AnnounceSession::class)
class HearFunds(private val session: FlowSession) : FlowLogic<Unit>() {
    @Suspendable
    override fun call() {
        val ids = session.receive<Announcement>().unwrap { it.executionIds }
        refuseUnless(ids.size <= MAX_FILLS_PER_TRANSACTION, ErrorCode.TOO_MANY, "execution_ids") { "execution_ids must be at most $MAX_FILLS_PER_TRANSACTION, but are ${ids.size}." }
        val between = ids.distinct().filter { id ->
            val record = serviceHub.fillOnRecord(id)
            val fill = record?.fill?.state?.data
            record?.status == FillStatus.OPEN && fill?.seller?.custodian == serviceHub.me && fill.buyer.custodian == session.counterparty
        }
        between.forEach { serviceHub.note(NoticeKind.FUNDS_ANNOUNCED, it, Reason.CMON, session.counterparty) }
        session.send(AnnouncementReport(between.size))
    }
}
