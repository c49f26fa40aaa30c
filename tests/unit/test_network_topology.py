"""The topology file: the default one, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ippon_network.errors import TopologyInvalid, UnknownNode
from ippon_network.settings import REPOSITORY
from ippon_network.topology import USER_NAMES, Topology, load_topology

DEFAULT = REPOSITORY / "network-bootstrap" / "topology.yaml"


def default() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    return content


def saved(tmp_path: Path, content: dict[str, Any]) -> Path:
    path = tmp_path / "topology.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def test_default_network_is_the_six_nodes() -> None:
    topology = load_topology(DEFAULT)

    assert list(topology.nodes) == ["notary", "exchange", "asset", "coin", "custodian-a", "custodian-b"]
    assert [key for key, node in topology.nodes.items() if not node.has_bridge] == ["notary"]


def test_a_node_gets_its_roles_cordapps_only() -> None:
    topology = load_topology(DEFAULT)

    assert topology.cordapps_of("custodian-a") == ("contracts", "core", "custodian")
    assert topology.cordapps_of("exchange") == ("contracts", "core", "exchange")
    assert topology.cordapps_of("notary") == ()


def test_an_organisation_may_run_two_roles(tmp_path: Path) -> None:
    content = default()
    content["nodes"]["coin"]["roles"] = ["coin", "custodian"]

    topology = load_topology(saved(tmp_path, content))

    assert topology.cordapps_of("coin") == ("contracts", "core", "coin", "custodian")
    assert topology.anchors()["custodians"] == [
        "O=Coin Issuer, L=Tokyo, C=JP",
        "O=Custodian A, L=Tokyo, C=JP",
        "O=Custodian B, L=Tokyo, C=JP",
    ]


def test_every_node_pins_the_same_anchors() -> None:
    topology = load_topology(DEFAULT)
    anchors = {
        "venues": ["O=Exchange, L=Tokyo, C=JP"],
        "registrars": ["O=Asset Registrar, L=Tokyo, C=JP"],
        "coinIssuers": ["O=Coin Issuer, L=Tokyo, C=JP"],
        "custodians": ["O=Custodian A, L=Tokyo, C=JP", "O=Custodian B, L=Tokyo, C=JP"],
        "notary": "O=Notary, L=Tokyo, C=JP",
    }

    assert topology.anchors() == anchors
    for key in topology.nodes:
        assert anchors.items() <= topology.core_settings(key).items()


def test_settings_of_the_node_win_over_its_roles(tmp_path: Path) -> None:
    content = default()
    content["roles"]["custodian"]["settings"] = {"windowSeconds": 120, "other": 1}
    content["nodes"]["custodian-b"]["settings"] = {"windowSeconds": 60}
    topology = load_topology(saved(tmp_path, content))

    assert topology.core_settings("custodian-a")["windowSeconds"] == 120
    assert topology.core_settings("custodian-b")["windowSeconds"] == 60
    assert topology.core_settings("custodian-b")["other"] == 1
    assert "windowSeconds" not in topology.core_settings("exchange")


def test_permissions_name_the_roles_flows_and_nothing_else(tmp_path: Path) -> None:
    content = default()
    content["roles"]["coin"]["flows"] = {"bridge": ["org.ippon.coin.IssueCoins"], "reader": ["org.ippon.core.Balance"]}
    topology = load_topology(saved(tmp_path, content))

    assert "StartFlow.org.ippon.coin.IssueCoins" in topology.permissions("coin", "bridge")
    assert "StartFlow.org.ippon.core.Balance" in topology.permissions("coin", "reader")
    assert "StartFlow.org.ippon.coin.IssueCoins" not in topology.permissions("coin", "reader")
    assert not any("coin" in permission for permission in topology.permissions("exchange", "bridge"))


def test_only_the_operator_kills() -> None:
    topology = load_topology(DEFAULT)

    for key in topology.nodes:
        assert "InvokeRpc.killFlow" in topology.permissions(key, "operator")
        for user in ("bridge", "reader"):
            assert "InvokeRpc.killFlow" not in topology.permissions(key, user)


def test_reader_and_operator_start_queries_only() -> None:
    topology = load_topology(DEFAULT)

    for key in topology.nodes:
        for user in ("reader", "operator"):
            flows = [text for text in topology.permissions(key, user) if text.startswith("StartFlow.")]
            assert all(flow.rpartition(".")[2].startswith("Query") for flow in flows), flows


def test_every_flow_in_the_topology_is_a_class_of_a_cordapp_its_node_has() -> None:
    topology = load_topology(DEFAULT)
    classes = {module: _classes_of(module) for module in ("core", "exchange", "custodian", "asset", "coin")}

    for role in topology.roles.values():
        known = set().union(*(classes[cordapp] for cordapp in role.cordapps if cordapp != "contracts"))
        for user in USER_NAMES:
            assert set(getattr(role.flows, user)) <= known


def _classes_of(module: str) -> set[str]:
    found: set[str] = set()
    for path in (REPOSITORY / "cordapps" / module / "src" / "main" / "kotlin").rglob("*.kt"):
        text = path.read_text(encoding="utf-8")
        if package := re.search(r"^package ([\w.]+)", text, re.MULTILINE):
            found |= {f"{package[1]}.{name}" for name in re.findall(r"^class (\w+)", text, re.MULTILINE)}
    return found


def test_no_user_may_do_everything() -> None:
    topology = load_topology(DEFAULT)

    for key in topology.nodes:
        for user in ("bridge", "reader", "operator"):
            permissions = topology.permissions(key, user)
            assert all(permission.startswith(("InvokeRpc.", "StartFlow.")) for permission in permissions)
            assert not {"InvokeRpc.startFlow", "InvokeRpc.startFlowDynamic", "InvokeRpc.shutdown"} & set(permissions)


@pytest.mark.parametrize("change", ["name", "roles", "p2p", "node"])
def test_identity_changes_with_what_nodes_carry_signed(tmp_path: Path, change: str) -> None:
    content = default()
    match change:
        case "name":
            content["nodes"]["coin"]["name"] = "O=Other Issuer,L=Tokyo,C=JP"
        case "roles":
            content["nodes"]["coin"]["roles"] = ["coin", "custodian"]
        case "p2p":
            content["nodes"]["coin"]["ports"]["p2p"] = 10999
        case "node":
            del content["nodes"]["custodian-b"]

    assert load_topology(saved(tmp_path, content)).identity() != load_topology(DEFAULT).identity()


@pytest.mark.parametrize("change", ["flows", "settings", "rpc", "jvm"])
def test_identity_stays_when_a_restart_takes_the_change_up(tmp_path: Path, change: str) -> None:
    content = default()
    match change:
        case "flows":
            content["roles"]["coin"]["flows"] = {"bridge": ["org.ippon.coin.IssueCoins"]}
        case "settings":
            content["roles"]["coin"]["settings"] = {"a": 1}
        case "rpc":
            content["nodes"]["coin"]["ports"]["rpc"] = 10999
        case "jvm":
            content["jvm"]["node"] = ["-Xmx1g"]

    assert load_topology(saved(tmp_path, content)).identity() == load_topology(DEFAULT).identity()


def test_names_are_written_one_way_however_they_are_spaced(tmp_path: Path) -> None:
    content = default()
    content["nodes"]["coin"]["name"] = "C=JP, L=Tokyo,O=Coin Issuer"

    assert load_topology(saved(tmp_path, content)).identity() == load_topology(DEFAULT).identity()


def _rename(content: dict[str, Any]) -> None:
    content["nodes"]["coin"]["name"] = "O=Coin Issuer,C=JP"


def _same_port(content: dict[str, Any]) -> None:
    content["nodes"]["coin"]["ports"]["http"] = 10200


def _same_name(content: dict[str, Any]) -> None:
    content["nodes"]["coin"]["name"] = "O=Notary,L=Tokyo,C=JP"


def _unknown_role(content: dict[str, Any]) -> None:
    content["nodes"]["coin"]["roles"] = ["bank"]


def _two_notaries(content: dict[str, Any]) -> None:
    content["nodes"]["coin"]["roles"] = ["coin", "notary"]


def _half_a_bridge(content: dict[str, Any]) -> None:
    del content["nodes"]["coin"]["ports"]["py4j"]


def _flow_without_package(content: dict[str, Any]) -> None:
    content["roles"]["coin"]["flows"] = {"bridge": ["IssueCoins"]}


def _misspelt(content: dict[str, Any]) -> None:
    content["nodes"]["coin"]["prots"] = {}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_rename, "nodes.coin.name: .*lacks L"),
        (_same_port, "port 10200 is given to both notary and coin"),
        (_same_name, "X.500 name O=Notary, L=Tokyo, C=JP is given to both notary and coin"),
        (_unknown_role, "node coin has the unknown role 'bank'; roles are notary, exchange, asset, coin, custodian"),
        (_two_notaries, "a network has one notary, this one has 2"),
        (_half_a_bridge, "node coin needs both an http and a py4j port, or neither"),
        (_flow_without_package, "'IssueCoins' is no full class name"),
        (_misspelt, "nodes.coin.prots: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_topology_is_refused_with_the_place(tmp_path: Path, spoil: Any, told: str) -> None:
    content = default()
    spoil(content)

    with pytest.raises(TopologyInvalid, match=told):
        load_topology(saved(tmp_path, content))


def test_no_file_and_no_yaml_are_told(tmp_path: Path) -> None:
    with pytest.raises(TopologyInvalid, match="there is no topology file"):
        load_topology(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("nodes: [", encoding="utf-8")
    with pytest.raises(TopologyInvalid, match="is no YAML"):
        load_topology(broken)


def test_an_unknown_node_is_told_with_those_there_are() -> None:
    topology: Topology = load_topology(DEFAULT)

    with pytest.raises(UnknownNode, match="no node is called 'bank'; nodes are notary, exchange"):
        topology.node("bank")
