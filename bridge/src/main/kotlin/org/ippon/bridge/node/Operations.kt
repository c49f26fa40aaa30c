package org.ippon.bridge.node

import com.fasterxml.jackson.databind.node.ObjectNode
import net.corda.core.flows.FlowLogic
import org.ippon.asset.IssueSecurity
import org.ippon.bridge.schema.Day
import org.ippon.bridge.schema.Fields
import org.ippon.bridge.schema.Id
import org.ippon.bridge.schema.ListOf
import org.ippon.bridge.schema.Moment
import org.ippon.bridge.schema.Network
import org.ippon.bridge.schema.ObjectOf
import org.ippon.bridge.schema.PartyName
import org.ippon.bridge.schema.PartyOf
import org.ippon.bridge.schema.Price
import org.ippon.bridge.schema.Text
import org.ippon.bridge.schema.TransactionId
import org.ippon.bridge.schema.TransactionIdText
import org.ippon.bridge.schema.Whole
import org.ippon.bridge.schema.Word
import org.ippon.bridge.schema.of
import org.ippon.bridge.schema.optional
import org.ippon.coin.ExpireInstruction
import org.ippon.coin.IssueCoins
import org.ippon.coin.MAX_STATEMENT_LINES
import org.ippon.coin.RecordStatement
import org.ippon.coin.RejectInstruction
import org.ippon.coin.StatementEntry
import org.ippon.contracts.MAX_FILLS_PER_TRANSACTION
import org.ippon.contracts.MAX_REASON_LENGTH
import org.ippon.contracts.fill.Reversal
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.core.AskOutcome
import org.ippon.custodian.InvestorEntry
import org.ippon.custodian.MAX_INVESTORS_PER_REQUEST
import org.ippon.custodian.RegisterInvestors
import org.ippon.custodian.fill.AcceptReversal
import org.ippon.custodian.funds.AnnounceFunds
import org.ippon.custodian.funds.CancelInstruction
import org.ippon.custodian.funds.InstructTrust
import org.ippon.custodian.funds.MAX_ROUTES_PER_REQUEST
import org.ippon.custodian.funds.PullFundsRoutes
import org.ippon.custodian.funds.ReclaimCoins
import org.ippon.custodian.funds.RedeemCoins
import org.ippon.custodian.funds.RegisterFundsRoute
import org.ippon.custodian.funds.ShareFundsRoutes
import org.ippon.custodian.funds.WithdrawFundsRoute
import org.ippon.custodian.security.TransferSecurity
import org.ippon.custodian.settlement.SettleFills
import org.ippon.exchange.BustFill
import org.ippon.exchange.FillNotice
import org.ippon.exchange.NotifyFill
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate

/**
 * Something that a node can be asked to do under a client id: a flow and the arguments that start it.
 *
 * @property role whose node has the flow; on others the node's own RPC permissions refuse it.
 * @property fields in the order of the flow's constructor, unless [arguments] says otherwise.
 */
class Operation(
        val name: String, val role: String, val summary: String, val flow: Class<out FlowLogic<*>>, val fields: Fields,
        private val arguments: (List<Any?>) -> List<Any?> = { it }
) {
    /** The flow's constructor arguments out of [json]. @throws org.ippon.bridge.BridgeError naming the field at fault. */
    fun read(json: ObjectNode, network: Network): Array<Any?> = arguments(fields.read(json, network)).toTypedArray()
}

private val positive = Whole(1..Long.MAX_VALUE)
private val reason = "reason" of Text(MAX_REASON_LENGTH)
private val custodian = "custodian" of PartyOf
private val fillIds = "execution_ids" of ListOf(Id, 1..MAX_FILLS_PER_TRANSACTION)
private val routedIds = "investor_ids" of ListOf(Id, 1..MAX_ROUTES_PER_REQUEST)

private val fill = Fields(
        "execution_id" of Id, "platform_code" of Id, "security_code" of Id, "quantity" of positive, "unit_price" of Price, "amount" of positive,
        "seller_custodian" of PartyName, "seller_investor_id" of Id, "buyer_custodian" of PartyName, "buyer_investor_id" of Id,
        "trade_date" of Day, "executed_at" of Moment, "settle_date" of Day,
        "trade_id" of Id, "sell_order_id" of Id, "buy_order_id" of Id, "token_transaction_id" optional TransactionIdText,
        "reverses" optional ObjectOf(Fields("execution_id" of Id, reason)) { (id, why) -> Reversal(id as String, why as String) }
)

private fun fillNotice(v: List<Any?>) = FillNotice(
        v[0] as String, v[1] as String, v[2] as String, v[3] as Long, v[4] as BigDecimal, v[5] as Long,
        v[6] as String, v[7] as String, v[8] as String, v[9] as String,
        v[10] as LocalDate, v[11] as Instant, v[12] as LocalDate,
        v[13] as String, v[14] as String, v[15] as String, v[16] as String?, v[17] as Reversal?
)

private val investor = ObjectOf(Fields("investor_id" of Id, "coin_investor_id" optional Id)) { (id, coinId) -> InvestorEntry(id as String, coinId as String?) }

private val statementLine = ObjectOf(Fields("line_id" of Id, "value_date" of Day, "amount" of Whole(), "reference" of Id, "custodian" of PartyName)) { (id, day, amount, reference, custodian) ->
    StatementEntry(id as String, day as LocalDate, amount as Long, reference as String, custodian as String)
}

/** Every operation, by name: the second table of docs/node-operations.md. */
val OPERATIONS: Map<String, Operation> = listOf(
        Operation("notify_fill", "exchange", "The venue signs a fill onto the ledger.", NotifyFill::class.java, fill) { listOf(fillNotice(it)) },
        Operation("bust_fill", "exchange", "The venue withdraws a fill that has not settled.", BustFill::class.java, Fields("execution_id" of Id, reason)),

        Operation("register_investors", "custodian", "Tells the node which investor ids are its own.", RegisterInvestors::class.java, Fields("investors" of ListOf(investor, 1..MAX_INVESTORS_PER_REQUEST))),
        Operation(
                "register_funds_route", "custodian", "Registers an investor's funds route, or replaces the one in force.", RegisterFundsRoute::class.java,
                Fields("investor_id" of Id, "institution_code" of Id, "method" of Word(*PaymentMethod.values().map { it.name }.toTypedArray()))
        ) { (investor, institution, method) -> listOf(investor, institution, PaymentMethod.valueOf(method as String)) },
        Operation("withdraw_funds_route", "custodian", "Ends an investor's funds route.", WithdrawFundsRoute::class.java, Fields("investor_id" of Id)),
        Operation("share_funds_routes", "custodian", "Sends funds routes to another custodian.", ShareFundsRoutes::class.java, Fields(custodian, routedIds)),
        Operation("pull_funds_routes", "custodian", "Asks another custodian for its funds routes.", PullFundsRoutes::class.java, Fields(custodian, routedIds)),
        Operation(
                "instruct_trust", "custodian", "Orders coins for an investor against cash paid into the trust account.", InstructTrust::class.java,
                Fields("instruction_id" of Id, "investor_id" of Id, "amount" of positive, "expires_at" of Moment)
        ),
        Operation("cancel_instruction", "custodian", "Takes a trust instruction back before it is executed.", CancelInstruction::class.java, Fields("instruction_id" of Id)),
        Operation(
                "transfer_security", "custodian", "Moves units free of payment to another investor.", TransferSecurity::class.java,
                Fields("transfer_id" of Id, "security_code" of Id, "units" of positive, "from_investor_id" of Id, "to_custodian" of PartyOf, "to_investor_id" of Id)
        ),
        Operation("redeem_coins", "custodian", "Gives an investor's coins back to the issuer for yen.", RedeemCoins::class.java, Fields("redemption_id" of Id, "investor_id" of Id, "amount" of positive)),
        Operation("settle_fills", "custodian", "Settles fills of one buyer's custodian: one try, a result per fill.", SettleFills::class.java, Fields(fillIds)),
        Operation("announce_funds", "custodian", "Tells the seller's custodian that these fills may now settle.", AnnounceFunds::class.java, Fields(custodian, fillIds)),
        Operation("ask_outcome", "custodian", "Asks what became of a transaction that was signed and never came back.", AskOutcome::class.java, Fields("transaction_id" of TransactionId)),
        Operation("reclaim_coins", "custodian", "Takes back coins signed away in a transaction that never came back.", ReclaimCoins::class.java, Fields("transaction_id" of TransactionId)),
        Operation("accept_reversal", "custodian", "Accepts beforehand that a fill will reverse a settled one.", AcceptReversal::class.java, Fields("execution_id" of Id, "reverses" of Id)),

        Operation(
                "issue_security", "asset", "The registrar issues units to an investor.", IssueSecurity::class.java,
                Fields("issue_id" of Id, "security_code" of Id, custodian, "investor_id" of Id, "units" of positive)
        ),

        Operation("record_statement", "coin", "Records lines of the trust account's statement.", RecordStatement::class.java, Fields("lines" of ListOf(statementLine, 1..MAX_STATEMENT_LINES))),
        Operation("issue_coins", "coin", "Issues the coins of one instruction against one line of the statement.", IssueCoins::class.java, Fields(custodian, "instruction_id" of Id, "line_id" of Id)),
        Operation("reject_instruction", "coin", "Declines a trust instruction.", RejectInstruction::class.java, Fields(custodian, "instruction_id" of Id, reason)),
        Operation("expire_instruction", "coin", "Lets a trust instruction lapse after its time.", ExpireInstruction::class.java, Fields(custodian, "instruction_id" of Id))
).associateBy { it.name }
