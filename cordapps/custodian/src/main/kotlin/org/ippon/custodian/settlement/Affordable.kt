package org.ippon.custodian.settlement

import net.corda.core.node.ServiceHub
import org.ippon.contracts.fill.Asset
import org.ippon.contracts.fill.Position
import org.ippon.core.PendingKind
import org.ippon.core.UNCONSUMED
import org.ippon.core.available
import org.ippon.core.count
import org.ippon.core.held
import org.ippon.core.settlement.Movement
import org.ippon.core.settlement.Shortage
import org.ippon.core.settlement.chooseFills
import java.util.UUID

/** Who can settle now; who only waits for another settlement to end; and what the rest lacks. */
class Affordable(val inside: List<String>, val busy: List<String>, val short: List<Shortage>)

/**
 * Chooses out of what is free now. A settlement on its way reserves whole states and brings the change back: what fits
 * once it is over is not short, and what does not is short by what is missing then, so that nobody is told to bring
 * money that is there already.
 */
fun ServiceHub.afford(movements: List<Movement>, runId: UUID): Affordable {
    val positions = movements.flatMap { it.takes.keys }.distinct()
    val now = chooseFills(movements, positions.associate { it to available(it, runId) })
    val outside = movements.map { it.executionId } - now.inside
    if (outside.isEmpty()) return Affordable(now.inside, emptyList(), emptyList())
    val later = chooseFills(movements, positions.associate { it to maxOf(0L, held(it) - onTheWay(it, runId)) })
    val short = later.short.filter { it.executionId in outside }
    return Affordable(now.inside, outside - short.map { it.executionId }, short)
}

/** What the settlements on their way, other than [runId], will take from [position], in units or yen. */
private fun ServiceHub.onTheWay(position: Position, runId: UUID): Long {
    val asset = position.asset
    val investors = "(SELECT i.investor_id FROM custodian_investor i WHERE i.%s = ?)"
    val (sum, filter) = when (asset) {
        is Asset.Units -> Pair("quantity", "f.seller_custodian = ? AND f.seller_investor_id IN ${investors.format("investor_id")} AND f.security_code = ?")
        is Asset.Coins -> Pair("amount", "f.buyer_custodian = ? AND f.buyer_investor_id IN ${investors.format("coin_investor_id")}")
    }
    val security = listOfNotNull((asset as? Asset.Units)?.security?.code)
    return count(
            "SELECT COALESCE(SUM(f.$sum), 0) FROM ippon_fill f JOIN vault_states v ON v.transaction_id = f.transaction_id AND v.output_index = f.output_index " +
                    "WHERE v.state_status = $UNCONSUMED AND $filter AND f.execution_id IN (SELECT pf.execution_id FROM ippon_pending_fill pf JOIN ippon_pending p ON p.run_id = pf.run_id " +
                    "WHERE p.run_id <> ? AND p.kind <> '${PendingKind.DROPPED.name}' AND p.deadline > ?)",
            position.holder.custodian.name.toString(), position.holder.investorId, *security.toTypedArray(), runId.toString(), clock.instant()
    )
}
