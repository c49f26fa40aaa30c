package org.ippon.test.custodian

import net.corda.core.concurrent.CordaFuture
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowLogic
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import net.corda.core.utilities.getOrThrow
import net.corda.testing.common.internal.testNetworkParameters
import net.corda.testing.node.MockNetwork
import net.corda.testing.node.MockNetworkNotarySpec
import net.corda.testing.node.MockNetworkParameters
import net.corda.testing.node.MockNodeParameters
import net.corda.testing.node.StartedMockNode
import net.corda.testing.node.TestCordapp
import org.ippon.asset.IssueSecurity
import org.ippon.coin.IssueCoins
import org.ippon.coin.RecordStatement
import org.ippon.coin.StatementEntry
import org.ippon.contracts.funds.PaymentMethod
import org.ippon.core.isRecorded
import org.ippon.core.query.PageRequest
import org.ippon.core.query.QueryBalances
import org.ippon.core.query.QueryPending
import org.ippon.core.query.Row
import org.ippon.core.settlement.FillResult
import org.ippon.custodian.InvestorEntry
import org.ippon.custodian.RegisterInvestors
import org.ippon.custodian.funds.InstructTrust
import org.ippon.custodian.funds.RegisterFundsRoute
import org.ippon.custodian.funds.ShareFundsRoutes
import org.ippon.custodian.settlement.SettleFills
import org.ippon.exchange.FillNotice
import org.ippon.exchange.NotifiedReport
import org.ippon.exchange.NotifyFill
import java.math.BigDecimal
import java.time.Duration
import java.time.Instant
import java.time.LocalDate
import java.util.concurrent.atomic.AtomicInteger

/** One network for all tests of this module: starting it takes longer than most of them. Ids keep the tests apart. */
object TestNetwork {
    val custodianAName = CordaX500Name("Custodian A", "Tokyo", "JP")
    val custodianBName = CordaX500Name("Custodian B", "Tokyo", "JP")
    private val exchangeName = CordaX500Name("Exchange", "Tokyo", "JP")
    private val assetName = CordaX500Name("Asset Registrar", "Tokyo", "JP")
    private val coinName = CordaX500Name("Coin Issuer", "Tokyo", "JP")
    private val notaryName = CordaX500Name("Notary", "Tokyo", "JP")
    private val otherNotaryName = CordaX500Name("Other Notary", "Tokyo", "JP")
    private val outsiderName = CordaX500Name("Outsider", "Tokyo", "JP")
    private val ids = AtomicInteger()

    private val config: Map<String, Any> = mapOf(
            "venues" to listOf(exchangeName.toString()), "custodians" to listOf(custodianAName.toString(), custodianBName.toString()),
            "shareBalanceWith" to listOf(custodianBName.toString()),
            // The first issuer is the network's; that the coin node is accepted as a registrar too, and the asset node as an issuer, makes neither IPPON's.
            "registrars" to listOf(assetName, coinName).map { it.toString() }, "coinIssuers" to listOf(coinName, assetName).map { it.toString() },
            "notary" to notaryName.toString(),
            "platforms" to listOf(platform("IPPON", assetName, coinName), platform("ODD-REGISTRAR", outsiderName, coinName), platform("ODD-ISSUER", assetName, outsiderName))
    )

    private fun platform(code: String, registrar: CordaX500Name, coinIssuer: CordaX500Name) =
            mapOf("code" to code, "registrar" to registrar.toString(), "coinIssuer" to coinIssuer.toString())

    private val network = MockNetwork(MockNetworkParameters(
            networkParameters = testNetworkParameters(minimumPlatformVersion = 12),
            notarySpecs = listOf(MockNetworkNotarySpec(notaryName, validating = false), MockNetworkNotarySpec(otherNotaryName, validating = false)),
            threadPerNode = true,
            cordappsForAllNodes = listOf(TestCordapp.findCordapp("org.ippon.contracts"), TestCordapp.findCordapp("org.ippon.core").withConfig(config)) +
                    listOf("exchange", "custodian", "asset", "coin").map { TestCordapp.findCordapp("org.ippon.$it") }
    ))

    val exchange: StartedMockNode = network.createNode(MockNodeParameters(legalName = exchangeName))
    val asset: StartedMockNode = network.createNode(MockNodeParameters(legalName = assetName))
    val coin: StartedMockNode = network.createNode(MockNodeParameters(legalName = coinName))
    val custodianA: StartedMockNode = network.createNode(MockNodeParameters(legalName = custodianAName))
    val custodianB: StartedMockNode = network.createNode(MockNodeParameters(legalName = custodianBName))


    /** A node with every CorDapp that nobody accepts in any role. */
    val outsider: StartedMockNode = network.createNode(MockNodeParameters(legalName = outsiderName))

    /** A notary of the network that is not the one of ippon's states. */
    val otherNotary: Party = network.notaryNodes.map { it.party }.single { it.name == otherNotaryName }
    val notaryNode: StartedMockNode = network.notaryNodes.single { it.party.name == notaryName }
    val notary: Party = notaryNode.party

    /** Those that may hold something for somebody. */
    val nodes: List<StartedMockNode> = listOf(exchange, asset, coin, custodianA, custodianB, outsider)

    /** An id that no other test has. */
    fun id(prefix: String) = "$prefix-${ids.incrementAndGet()}"

    /** Registers a new investor at [custodian] with a coin route shared with the other one. */
    fun investor(custodian: StartedMockNode, coinId: String? = null, method: PaymentMethod? = PaymentMethod.COIN): String {
        val id = id("INV")
        custodian.run(RegisterInvestors(listOf(InvestorEntry(id, coinId))))
        if (method != null) {
            custodian.run(RegisterFundsRoute(id, "9001", method))
            custodian.run(ShareFundsRoutes(other(custodian).party, listOf(id)))
        }
        return id
    }

    private fun other(custodian: StartedMockNode) = if (custodian == custodianA) custodianB else custodianA

    /** Gives [investorId] units of [security]. */
    fun giveUnits(custodian: StartedMockNode, investorId: String, security: String, units: Long) {
        val issue = asset.run(IssueSecurity(id("ISS"), security, custodian.party, investorId, units))
        custodian.awaits(issue.transactionId)
    }

    /** Gives [investorId] coins, by instruction and statement line. */
    fun giveCoins(custodian: StartedMockNode, investorId: String, amount: Long): String {
        val instruction = id("TI")
        coin.awaits(custodian.run(InstructTrust(instruction, investorId, amount, Instant.now().plusSeconds(3600))).transactionId)
        val line = id("LINE")
        coin.run(RecordStatement(listOf(StatementEntry(line, LocalDate.now(), amount, instruction, custodian.party.name.toString()))))
        custodian.awaits(coin.run(IssueCoins(custodian.party, instruction, line)).transactionId)
        return instruction
    }

    /** A fill that its parties accept, of 10 units at 1,000 yen unless told otherwise. */
    fun notice(seller: Pair<StartedMockNode, String>, buyer: Pair<StartedMockNode, String>, security: String, quantity: Long = 10, price: String = "1000.00") = FillNotice(
            executionId = id("EX"), platformCode = "IPPON", securityCode = security, quantity = quantity, unitPrice = BigDecimal(price),
            amount = BigDecimal(price).multiply(BigDecimal(quantity)).toLong(),
            sellerCustodian = seller.first.party.name.toString(), sellerInvestorId = seller.second,
            buyerCustodian = buyer.first.party.name.toString(), buyerInvestorId = buyer.second,
            tradeDate = LocalDate.of(2026, 7, 1), executedAt = Instant.parse("2026-07-01T00:15:00Z"), settleDate = LocalDate.of(2026, 7, 1),
            tradeId = "T-1", sellOrderId = "SO-1", buyOrderId = "BO-1", tokenTransactionId = null, reverses = null
    )

    /** Puts [notice] on the ledger, and waits for its custodians, who record it a moment after the venue. */
    fun notify(notice: FillNotice): NotifiedReport {
        val report = exchange.run(NotifyFill(notice))
        listOf(custodianA, custodianB).filter { it.party.name.toString() in setOf(notice.sellerCustodian, notice.buyerCustodian) }.forEach { it.awaits(report.transactionId) }
        return report
    }

    /** Settles fills on their seller's custodian. */
    fun settle(seller: StartedMockNode, vararg executionIds: String): List<FillResult> = seller.run(SettleFills(executionIds.toList())).results

    /** Total and reserved of one investor, in units of [security] or yen. */
    fun units(node: StartedMockNode, investorId: String): Pair<Long, Long> = balance(node, "UNITS", investorId)

    fun coins(node: StartedMockNode, investorId: String): Pair<Long, Long> = balance(node, "COINS", investorId)

    private fun balance(node: StartedMockNode, asset: String, investorId: String): Pair<Long, Long> {
        val rows = node.run(QueryBalances(asset, investorId, PageRequest())).rows
        return rows.singleOrNull()?.let { Pair(it.number("total"), it.number("reserved")) } ?: Pair(0L, 0L)
    }

    /** What [node] holds for counterparties. */
    fun pending(node: StartedMockNode): List<Row> = node.run(QueryPending()).rows
}

val StartedMockNode.party: Party get() = info.legalIdentities.first()

/** Waits until the transaction is recorded here. */
fun StartedMockNode.awaits(transactionId: String) = eventually { transaction { services.isRecorded(SecureHash.parse(transactionId)) } }

/** Runs [flow] and waits, with a limit. */
fun <T> StartedMockNode.run(flow: FlowLogic<T>): T = startFlow(flow).waitFor()

fun <T> CordaFuture<T>.waitFor(): T = getOrThrow(Duration.ofSeconds(60))

fun Row.number(name: String): Long = fields.single { it.name == name }.number!!

fun Row.text(name: String): String? = fields.single { it.name == name }.text

/** Waits until [condition] holds; other nodes record a moment after the flow that told them has ended. */
fun eventually(condition: () -> Boolean) {
    val until = System.nanoTime() + Duration.ofSeconds(30).toNanos()
    while (!condition()) {
        check(System.nanoTime() < until) { "The condition did not come true in 30 s." }
        Thread.sleep(20)
    }
}
