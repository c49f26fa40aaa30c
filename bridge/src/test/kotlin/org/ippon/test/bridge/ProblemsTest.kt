package org.ippon.test.bridge

import net.corda.client.rpc.ConnectionFailureException
import net.corda.client.rpc.PermissionException
import net.corda.client.rpc.RPCException
import net.corda.core.crypto.SecureHash
import net.corda.core.flows.FlowException
import net.corda.core.flows.NotaryError
import net.corda.core.flows.NotaryException
import net.corda.core.flows.UnexpectedFlowEndException
import org.assertj.core.api.Assertions.assertThat
import org.ippon.bridge.BridgeError
import org.ippon.bridge.Json
import org.ippon.bridge.node.FlowProblem
import org.ippon.bridge.node.RpcLogin
import org.ippon.core.ErrorCode
import org.ippon.core.Refusal
import org.junit.Test

class ProblemsTest {
    @Test
    fun `a refusal keeps its code, field, message and where`() {
        val json = FlowProblem.of(Refusal(ErrorCode.UNKNOWN_INVESTOR, "not registered", "buyer_investor_id", "Custodian B")).toJson()
        assertThat(Json.text(json)).isEqualTo("""{"code":"UNKNOWN_INVESTOR","message":"not registered","field":"buyer_investor_id","where":"Custodian B"}""")
    }

    @Test
    fun `other failures of flows get a code of their own and no stack trace`() {
        assertThat(FlowProblem.of(UnexpectedFlowEndException("ended")).code).isEqualTo("COUNTERPARTY_FAILED")
        assertThat(FlowProblem.of(FlowException("no")).code).isEqualTo("COUNTERPARTY_FAILED")
        assertThat(FlowProblem.of(NotaryException(NotaryError.Conflict(SecureHash.zeroHash, emptyMap()))).code).isEqualTo("NOTARY_CONFLICT")
        val fault = FlowProblem.of(IllegalStateException("broken"))
        assertThat(Json.text(fault.toJson())).isEqualTo("""{"code":"INTERNAL","message":"The node failed: broken","detail":"IllegalStateException"}""")
        assertThat(fault.status).isEqualTo(500)
    }

    @Test
    fun `trouble on the way to the node is told from the node's answers`() {
        fun code(problem: Throwable) = (RpcLogin.translate(problem) as? BridgeError)?.code
        assertThat(code(ConnectionFailureException())).isEqualTo("NODE_DOWN")
        assertThat(code(RPCException("RPC server is not available."))).isEqualTo("NODE_DOWN")
        assertThat(code(IllegalArgumentException("Predicate failed on state FINISHED"))).isEqualTo("NODE_DOWN")
        assertThat(code(PermissionException("User not authorized"))).isEqualTo("FORBIDDEN")
        assertThat(code(IllegalArgumentException("something else"))).isNull()
    }

    @Test
    fun `a long message is cut`() {
        assertThat(FlowProblem.of(FlowException("x".repeat(100_000))).toJson().get("message").asText()).hasSize(2000)
    }
}
