package org.ippon.custodian

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.StartableByRPC
import net.corda.core.serialization.CordaSerializable
import org.ippon.contracts.isLedgerId
import org.ippon.core.ErrorCode
import org.ippon.core.refuseUnless

/** Most investors that one request registers. */
const val MAX_INVESTORS_PER_REQUEST = 1000

/** @property coinInvestorId the account that pays; null for the same id. */
@CordaSerializable
data class InvestorEntry(val investorId: String, val coinInvestorId: String?)

/** @property known how many had been registered before, in the same words. */
@CordaSerializable
data class RegisteredReport(val registered: Int, val known: Int)

/** Tells this custodian's node which investor ids are its own. All or none: one bad entry refuses the request. */
@StartableByRPC
class RegisterInvestors(private val investors: List<InvestorEntry>) : FlowLogic<RegisteredReport>() {
    @Suspendable
    override fun call(): RegisteredReport {
        refuseUnless(investors.size in 1..MAX_INVESTORS_PER_REQUEST, ErrorCode.TOO_MANY, "investors") { "investors must be 1 to $MAX_INVESTORS_PER_REQUEST, but are ${investors.size}." }
        val (known, fresh) = investors.partition { entry -> check(entry) }
        fresh.forEach { entry -> serviceHub.withEntityManager { persist(Investor(entry.investorId, entry.coinInvestorId ?: entry.investorId, serviceHub.clock.instant())) } }
        return RegisteredReport(fresh.size, known.size)
    }

    /** Whether the entry is known already. */
    private fun check(entry: InvestorEntry): Boolean {
        val coinId = entry.coinInvestorId ?: entry.investorId
        refuseUnless(isLedgerId(entry.investorId), ErrorCode.BAD_REQUEST, "investor_id") { "The investor id '${entry.investorId}' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        refuseUnless(isLedgerId(coinId), ErrorCode.BAD_REQUEST, "coin_investor_id") { "The coin investor id '$coinId' must be 1 to 64 letters, digits, '.', '_', ':' or '-'." }
        val known = serviceHub.investor(entry.investorId) ?: return false
        refuseUnless(known.coinInvestorId == coinId, ErrorCode.WRONG_ACCOUNT, "coin_investor_id") {
            "${entry.investorId} is registered with the coin investor id ${known.coinInvestorId}, not $coinId."
        }
        return true
    }
}
