"""What each RPC user of each node may do with no bridge in between: what the topology gives it, nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ippon.local import LocalNetwork
from ippon_network.settings import NetworkSettings
from ippon_network.topology import USER_NAMES, UserName
from network.rpc import REFUSED, Jvm, Login, flows_in, jvm

MEMBERS = ("exchange", "asset", "coin", "custodian-a")
LIBRARIES = NetworkSettings().bridge_dir / "lib"


@pytest.fixture(scope="module")
def java() -> Iterator[Jvm]:
    """One JVM for all logins."""
    with jvm(LIBRARIES) as made:
        yield made


@pytest.fixture(params=[(member, user) for member in MEMBERS for user in USER_NAMES], ids="-".join)
def who(request: pytest.FixtureRequest) -> tuple[str, UserName]:
    """Each user of a node of each role."""
    found: tuple[str, UserName] = request.param
    return found


@pytest.fixture
def login(java: Jvm, local: LocalNetwork, who: tuple[str, UserName]) -> Iterator[Login]:
    """Logged in at the node itself."""
    with java.login(local.network, *who) as made:
        yield made


def permitted(local: LocalNetwork, who: tuple[str, UserName], kind: str) -> set[str]:
    """Methods (InvokeRpc) or flows (StartFlow) that the topology gives."""
    return {text.partition(".")[2] for text in local.network.topology.permissions(*who) if text.startswith(kind)}


def test_an_rpc_user_when_it_calls_what_is_not_its_own_is_refused(
    local: LocalNetwork, who: tuple[str, UserName], login: Login
) -> None:
    methods = login.methods()
    mine = permitted(local, who, "InvokeRpc")
    assert mine <= methods
    assert {"killFlow", "vaultQuery", "internalVerifiedTransactionsSnapshot", "uploadAttachment", "shutdown"} <= methods
    assert {name: login.outcomes(name) for name in methods - mine} == {name: {REFUSED} for name in methods - mine}


def test_an_rpc_user_when_it_starts_what_is_not_its_roles_is_refused(
    local: LocalNetwork, who: tuple[str, UserName], login: Login
) -> None:
    here = {f"ippon-{cordapp}.jar" for cordapp in local.network.topology.cordapps_of(who[0])}
    known = flows_in([*LIBRARIES.glob("corda-core-*.jar"), *(LIBRARIES / name for name in here)])
    flows = flows_in([*LIBRARIES.glob("corda-core-*.jar"), *LIBRARIES.glob("ippon-*.jar")])
    mine = permitted(local, who, "StartFlow")
    assert mine <= flows
    assert {"org.ippon.custodian.settlement.SettleFills", "org.ippon.coin.IssueCoins"} <= flows
    assert any(flow.startswith("net.corda.core.flows.ContractUpgradeFlow") for flow in flows)
    assert known < flows
    assert {flow: login.starting(flow) for flow in known - mine} == {flow: {REFUSED} for flow in known - mine}
    # A role's flows are not even on a node that does not hold it: there is nothing that could be permitted.
    strange = {flow: login.starting(flow) for flow in flows - known}
    assert {flow: told for flow, told in strange.items() if not all(flow in one for one in told)} == {}


def test_a_password_of_one_node_at_anothers_opens_nothing(java: Jvm, local: LocalNetwork) -> None:
    with (
        pytest.raises(Exception, match=r"ActiveMQSecurityException|not authenticate|validate user"),
        java.login(local.network, "custodian-a", "bridge", password_of="custodian-b"),
    ):
        pass
