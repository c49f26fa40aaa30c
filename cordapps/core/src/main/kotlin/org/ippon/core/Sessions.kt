package org.ippon.core

import co.paralleluniverse.fibers.Suspendable
import net.corda.core.flows.FlowLogic
import net.corda.core.flows.FlowSession
import net.corda.core.flows.InitiatingFlow
import net.corda.core.identity.Party

/**
 * Opens a session with [party]. There is one class per subject and counterparty role, so that one node may run several
 * roles: Corda finds the responder by the class that opened the session. The session lives on in the flow that called.
 * Open it in a statement of its own: quasar cannot suspend while a constructor's arguments are being made.
 */
abstract class OpenSession(private val party: Party) : FlowLogic<FlowSession>() {
    @Suspendable
    override fun call(): FlowSession = initiateFlow(party)
}

/** Exchange node → custodian: a fill. */
@InitiatingFlow class FillSession(party: Party) : OpenSession(party)

/** Exchange node → custodian: a bust. */
@InitiatingFlow class BustSession(party: Party) : OpenSession(party)

/** Seller's custodian → buyer's custodian: a settlement. */
@InitiatingFlow class BuyerSession(party: Party) : OpenSession(party)

/** Seller's custodian → asset node: a settlement's signature. */
@InitiatingFlow class SettlementAssetSession(party: Party) : OpenSession(party)

/** Seller's custodian → coin node: a settlement's signature. */
@InitiatingFlow class SettlementCoinSession(party: Party) : OpenSession(party)

/** Buyer's custodian → seller's custodian: money has come. */
@InitiatingFlow class AnnounceSession(party: Party) : OpenSession(party)

/** Asset node → custodian: units issued. */
@InitiatingFlow class SecurityIssueSession(party: Party) : OpenSession(party)

/** Custodian → receiving custodian: a free transfer of units. */
@InitiatingFlow class TransferReceiverSession(party: Party) : OpenSession(party)

/** Custodian → asset node: a free transfer of units. */
@InitiatingFlow class TransferAssetSession(party: Party) : OpenSession(party)

/** Custodian → custodian: funds routes. */
@InitiatingFlow class RouteShareSession(party: Party) : OpenSession(party)

/** Custodian → custodian: asks for funds routes. */
@InitiatingFlow class RoutePullSession(party: Party) : OpenSession(party)

/** Custodian → coin node: a trust instruction, or its cancellation. */
@InitiatingFlow class InstructionSession(party: Party) : OpenSession(party)

/** Coin node → custodian: coins issued, or an instruction rejected or expired. */
@InitiatingFlow class InstructionEndSession(party: Party) : OpenSession(party)

/** Custodian → coin node: a redemption, or coins moved to their own holder. */
@InitiatingFlow class CoinSession(party: Party) : OpenSession(party)

/** Anybody who signed → anybody else who had to sign: what became of a transaction? */
@InitiatingFlow class OutcomeSession(party: Party) : OpenSession(party)

/** Anybody who signed → anybody else who had to sign, after the window: which signatures of it have you? */
@InitiatingFlow class SignaturesSession(party: Party) : OpenSession(party)

/** Restored node → coin node: what concerns me? */
@InitiatingFlow class RecoveryCoinSession(party: Party) : OpenSession(party)

/** Restored node → asset node: what concerns me? */
@InitiatingFlow class RecoveryAssetSession(party: Party) : OpenSession(party)

/** Restored node → custodian: what concerns me? */
@InitiatingFlow class RecoveryCustodianSession(party: Party) : OpenSession(party)

/** Restored node → exchange node: what concerns me? */
@InitiatingFlow class RecoveryVenueSession(party: Party) : OpenSession(party)
