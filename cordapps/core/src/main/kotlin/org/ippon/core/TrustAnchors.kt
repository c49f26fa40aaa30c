package org.ippon.core

import net.corda.core.cordapp.CordappConfig
import net.corda.core.identity.CordaX500Name
import net.corda.core.identity.Party
import net.corda.core.node.AppServiceHub
import net.corda.core.node.services.CordaService
import net.corda.core.serialization.SingletonSerializeAsToken
import org.ippon.contracts.fill.Fill

/**
 * Which parties this node accepts in which role: `cordapps/config/ippon-core.conf`.
 *
 * ```
 * venues = ["O=Exchange, L=Tokyo, C=JP"]            custodians = [...]   registrars = [...]   coinIssuers = [...]
 * notary = "O=Notary, L=Tokyo, C=JP"
 * platforms = [{ code = "IPPON", registrar = "O=Asset Registrar, L=Tokyo, C=JP", coinIssuer = "O=Coin Issuer, L=Tokyo, C=JP" }]
 * shareBalanceWith = []    // custodians that hear what a short buyer holds, as the report has it; nobody by default
 * settlementWindowSeconds = 180    clockSkewSeconds = 30    sessionSeconds = 120    acceptedSeconds = 86400    maxFillsPerSettlement = 50
 * ```
 *
 * A party is accepted by name *and* key: the key must be the one that this node's network map gives for the name.
 */
@CordaService
class TrustAnchors(private val services: AppServiceHub) : SingletonSerializeAsToken() {
    private val config: CordappConfig = services.getAppContext().config
    private val venues = names("venues")
    private val custodians = names("custodians")
    private val registrars = names("registrars")
    private val coinIssuers = names("coinIssuers")
    private val balanceSharers = names("shareBalanceWith")
    private val notaryName = CordaX500Name.parse(config.getString("notary"))
    private val platforms = readPlatforms()

    /** Longest time-window of a settlement, in seconds. */
    val settlementWindowSeconds: Long = long("settlementWindowSeconds", 180)

    /** How far clocks may differ, in seconds. */
    val clockSkewSeconds: Long = long("clockSkewSeconds", 30)

    /** How long a counterparty may hold a session, or what is reserved for it, before it has signed, in seconds. */
    val sessionSeconds: Long = long("sessionSeconds", 120)

    /**
     * How long this node waits to record what it has accepted and need not sign, in seconds: as long as another receiver
     * may be out of reach, since the sender tells nobody before all have answered.
     */
    val acceptedSeconds: Long = long("acceptedSeconds", 86_400)

    /** Most fills that one settlement takes. */
    val maxFillsPerSettlement: Int = long("maxFillsPerSettlement", 50).toInt()

    /** The one notary of all ippon states. */
    val notary: Party get() = resolve(notaryName, "notary")

    /** Everybody who may have to sign a settlement, as far as the network map knows them. */
    val signers: List<Party> get() = (coinIssuers + registrars + custodians).mapNotNull { services.networkMapCache.getPeerByLegalName(it) }

    fun isVenue(party: Party) = accepted(party, venues)
    fun isCustodian(party: Party) = accepted(party, custodians)
    fun isRegistrar(party: Party) = accepted(party, registrars)
    fun isCoinIssuer(party: Party) = accepted(party, coinIssuers)

    /** Whether [party] is accepted in any of these roles. */
    fun isMember(party: Party) = isVenue(party) || isCustodian(party) || isRegistrar(party) || isCoinIssuer(party)

    /** Whether a short buyer's balance travels to the seller's custodian [party], as in the report (#06-2 steps 7 and 10). */
    fun sharesBalanceWith(party: Party) = accepted(party, balanceSharers)

    /** The coin issuer whose coins this network pays with: the first one named. */
    val coinIssuer: Party get() = resolve(coinIssuers.first(), "coin issuer")

    /** Registrar and coin issuer of the platform [code]. */
    fun platform(code: String): Platform {
        val (registrar, coinIssuer) = platforms[code]
                ?: throw Refusal(ErrorCode.UNKNOWN_PLATFORM, "The platform code must be one of ${platforms.keys.sorted()}, but is '$code'.", "platform_code")
        return Platform(resolve(registrar, "registrar"), resolve(coinIssuer, "coin issuer"))
    }

    /** The custodian called [name]: its X.500 name or its organisation. */
    fun custodian(name: String, field: String): Party = find(name, custodians, "custodian", field)

    /** Refuses a fill that names anybody whom this node does not accept in that role. */
    fun checkParties(fill: Fill) {
        checkParty(isVenue(fill.venue), "venue", fill.venue)
        checkParty(isCustodian(fill.seller.custodian), "seller_custodian", fill.seller.custodian)
        checkParty(isCustodian(fill.buyer.custodian), "buyer_custodian", fill.buyer.custodian)
        val platform = platform(fill.platformCode)
        checkParty(isRegistrar(fill.security.registrar) && fill.security.registrar == platform.registrar, "registrar", fill.security.registrar)
        checkParty(isCoinIssuer(fill.coinIssuer) && fill.coinIssuer == platform.coinIssuer, "coin_issuer", fill.coinIssuer)
    }

    /** Refuses [party] in the role [field] unless [accepted]. */
    fun checkParty(accepted: Boolean, field: String, party: Party) = refuseUnless(accepted, ErrorCode.NOT_ACCEPTED_PARTY, field) {
        "${party.name} is not accepted here as $field."
    }

    private fun accepted(party: Party, names: Set<CordaX500Name>) =
            party.name in names && services.networkMapCache.getPeerByLegalName(party.name) == party

    private fun find(name: String, names: Set<CordaX500Name>, role: String, field: String): Party {
        val match = names.singleOrNull { it.toString() == name || it.organisation == name }
                ?: throw Refusal(ErrorCode.UNKNOWN_PARTY, "The $role must be one of ${names.map { it.organisation }.sorted()}, but is '$name'.", field)
        return resolve(match, role)
    }

    private fun resolve(name: CordaX500Name, role: String): Party = services.networkMapCache.getPeerByLegalName(name)
            ?: throw Refusal(ErrorCode.UNKNOWN_PARTY, "The $role $name is not in the network map.", role)

    private fun names(path: String): Set<CordaX500Name> =
            if (config.exists(path)) (config.get(path) as List<*>).map { CordaX500Name.parse(it.toString()) }.toSet() else emptySet()

    private fun long(path: String, default: Long): Long = if (config.exists(path)) config.getLong(path) else default

    private fun readPlatforms(): Map<String, Pair<CordaX500Name, CordaX500Name>> =
            if (!config.exists("platforms")) emptyMap() else (config.get("platforms") as List<*>).map { it as Map<*, *> }.associate {
                it["code"].toString() to Pair(CordaX500Name.parse(it["registrar"].toString()), CordaX500Name.parse(it["coinIssuer"].toString()))
            }
}

/** Who keeps the register and who issues the coins on one platform. */
data class Platform(val registrar: Party, val coinIssuer: Party)
