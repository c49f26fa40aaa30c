"""Making a network and changing it, with a java that only writes down how it was called."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path

import pytest
import yaml

from ippon_network import Network, NetworkSettings, NetworkStatus
from ippon_network.errors import (
    BootstrapFailed,
    DirectoryRefused,
    NetworkError,
    PartsMissing,
    PortTaken,
    TopologyChanged,
)
from ippon_network.settings import REPOSITORY

FAKE_JAVA = """#!/bin/sh
live() { sleep 60 & trap "kill $!; exit" TERM; wait; exit; }
echo "$PWD $*" >> "$CALLS"
case "$*" in *no-local-shell*) echo 'Node for "x" started up and registered in 1 sec'; live;; esac
case "$*" in *ippon-bridge*) echo 'Bridge ready'; live;; esac
[ ! -e "$CALLS.fail" ] || { echo 'outstanding database changes'; exit 1; }
"""


class World:
    """Parts, settings and a record of what was run."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.build = root / "build"
        self.calls_path = root / "calls"
        for name in ("contracts", "core", "exchange", "asset", "coin", "custodian"):
            self.jar(name, "1")
        for tool in ("corda.jar", "network-bootstrapper.jar"):
            self.write(self.build / "tools" / tool, tool)
        self.write(root / "bridge" / "ippon-bridge.jar", "bridge")
        self.write(root / "jdk" / "bin" / "java", FAKE_JAVA)
        (root / "jdk" / "bin" / "java").chmod(0o755)
        monkeypatch.setenv("JAVA8_HOME", str(root / "jdk"))
        monkeypatch.setenv("CALLS", str(self.calls_path))
        self.topology = root / "topology.yaml"
        shutil.copy(REPOSITORY / "network-bootstrap" / "topology.yaml", self.topology)
        self.move_ports()
        self.told: list[str] = []

    @staticmethod
    def write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def move_ports(self) -> None:
        """A running default network must not be in the way."""
        content = yaml.safe_load(self.topology.read_text(encoding="utf-8"))
        for node in content["nodes"].values():
            node["ports"] = {name: port + 2000 for name, port in node["ports"].items()}
        self.topology.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def jar(self, name: str, content: str) -> None:
        self.write(self.build / "cordapps" / f"ippon-{name}.jar", content)

    def edit_topology(self, old: str, new: str) -> None:
        text = self.topology.read_text(encoding="utf-8")
        assert old in text
        self.topology.write_text(text.replace(old, new), encoding="utf-8")

    def network(self) -> Network:
        settings = NetworkSettings(
            network_dir=self.root / "net",
            topology=self.topology,
            build_dir=self.build,
            bridge_dir=self.root / "bridge",
            stop_timeout_seconds=5,
        )
        return Network(settings=settings, progress=self.told.append)

    def calls(self) -> list[str]:
        """Calls of java since the last look."""
        if not self.calls_path.exists():
            return []
        lines = self.calls_path.read_text(encoding="utf-8").splitlines()
        self.calls_path.unlink()
        return lines


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_bootstraps_once_with_everything_in_place(world: World) -> None:
    world.network().bootstrap()

    (call,) = world.calls()
    assert call.endswith(f"network-bootstrapper.jar --dir {world.root / 'net'} --copy-cordapps No")
    node = world.root / "net" / "custodian-a"
    assert {path.name for path in (node / "cordapps").glob("*.jar")} == {
        "ippon-contracts.jar",
        "ippon-core.jar",
        "ippon-custodian.jar",
    }
    assert (node / "cordapps" / "config" / "ippon-core.conf").exists()
    assert (node / "corda.jar").samefile(world.root / "net" / "corda.jar")
    for private in ("node.conf", "secrets.json", "bridge/config.json"):
        assert stat.S_IMODE((node / private).stat().st_mode) == 0o600
    assert not (world.root / "net" / "notary" / "bridge").exists()

    world.network().bootstrap()
    assert world.calls() == []


def test_no_secret_is_on_a_command_line(world: World) -> None:
    network = world.network()
    network.up()
    try:
        calls = "\n".join(world.calls())
        for organisation in network.organisations:
            access = network.access(organisation)
            for secret in (access.tokens.agent, access.tokens.reader, access.py4j_token):
                assert secret.get_secret_value() not in calls
    finally:
        network.down()


def test_new_jars_are_taken_up_and_migrated_where_they_are_used(world: World) -> None:
    world.network().bootstrap()
    secrets = (world.root / "net" / "coin" / "secrets.json").read_text(encoding="utf-8")
    world.calls()

    world.jar("coin", "2")
    world.network().bootstrap()

    (call,) = world.calls()
    assert call.startswith(str(world.root / "net" / "coin"))
    assert call.endswith("run-migration-scripts --core-schemas --app-schemas")
    assert (world.root / "net" / "coin" / "cordapps" / "ippon-coin.jar").read_text(encoding="utf-8") == "2"
    assert (world.root / "net" / "coin" / "secrets.json").read_text(encoding="utf-8") == secrets


def test_a_migration_that_failed_is_tried_again(world: World) -> None:
    world.network().bootstrap()
    world.jar("coin", "2")
    failure = Path(os.environ["CALLS"] + ".fail")
    failure.touch()

    with pytest.raises(BootstrapFailed, match=r"(?s)migration of coin failed.*outstanding database changes"):
        world.network().bootstrap()
    failure.unlink()
    world.calls()

    world.network().bootstrap()
    assert len(world.calls()) == 1


def test_a_new_corda_is_taken_up_by_all(world: World) -> None:
    world.network().bootstrap()
    world.calls()

    world.write(world.build / "tools" / "corda.jar", "corda 2")
    world.network().bootstrap()

    assert len(world.calls()) == 6
    assert (world.root / "net" / "coin" / "corda.jar").read_text(encoding="utf-8") == "corda 2"
    world.network().bootstrap()
    assert world.calls() == []


def test_new_permissions_are_taken_up_without_migrating(world: World) -> None:
    world.network().bootstrap()
    world.calls()

    world.edit_topology("- killFlow", "- killFlow\n  - nodeDiagnosticInfo")
    world.network().bootstrap()

    assert world.calls() == []
    conf = (world.root / "net" / "coin" / "node.conf").read_text(encoding="utf-8")
    assert "InvokeRpc.nodeDiagnosticInfo" in conf


def test_another_network_in_the_topology_is_refused_with_the_way_out(world: World) -> None:
    world.network().bootstrap()
    world.edit_topology("O=Coin Issuer", "O=Other Issuer")

    with pytest.raises(
        TopologyChanged, match="'ippon network down --wipe' \\(or 'make clean'\\), which deletes the ledger"
    ):
        world.network().up()

    world.network().down(wipe=True)
    world.network().bootstrap()


def test_a_broken_bootstrap_is_told_and_begun_anew(world: World) -> None:
    failure = Path(os.environ["CALLS"] + ".fail")
    failure.touch()
    with pytest.raises(BootstrapFailed, match="the network bootstrapper failed"):
        world.network().bootstrap()
    assert not world.network().status().bootstrapped

    failure.unlink()
    world.network().bootstrap()
    assert world.network().status().bootstrapped


def test_a_folder_of_others_is_left_alone(world: World) -> None:
    world.write(world.root / "net" / "thesis.txt", "years of work")

    with pytest.raises(DirectoryRefused, match="is not empty and no network of ippon"):
        world.network().bootstrap()
    with pytest.raises(DirectoryRefused):
        world.network().down(wipe=True)
    assert (world.root / "net" / "thesis.txt").exists()


def test_missing_parts_are_told_with_what_to_run(world: World) -> None:
    (world.build / "cordapps" / "ippon-coin.jar").unlink()

    with pytest.raises(PartsMissing, match=r"ippon-coin\.jar is not there: run 'make build'"):
        world.network().bootstrap()


def test_up_status_kill_restart_down(world: World) -> None:
    network = world.network()
    status = network.up()
    try:
        assert status.ready
        assert [node.bridge is None for node in status.nodes] == [True, False, False, False, False, False]
        pids = {node.node: node.process.pid for node in status.nodes}

        assert world.network().up().nodes[0].process.pid == pids["notary"]

        network.kill("coin")
        network.kill("asset", bridge=True)
        while network.status().nodes[3].process.alive:
            pass
        assert not network.status().ready
        assert network.up().ready

        restarted = network.restart("exchange")
        assert restarted.ready
        assert restarted.process.pid != pids["exchange"]
    finally:
        network.down()
    assert not any(node.process.alive or (node.bridge and node.bridge.alive) for node in network.status().nodes)
    assert network.status().bootstrapped


def test_running_nodes_keep_their_jars_until_the_next_up(world: World) -> None:
    network = world.network()
    network.up()
    try:
        world.jar("coin", "2")
        network.bootstrap()
        installed = world.root / "net" / "coin" / "cordapps" / "ippon-coin.jar"
        assert installed.read_text(encoding="utf-8") == "1"
        assert "coin: running, so changes wait for the next 'up'" in world.told

        before = {node.node: node.process.pid for node in network.status().nodes}
        after = {node.node: node.process.pid for node in network.up().nodes}
        assert installed.read_text(encoding="utf-8") == "2"
        assert {key for key in before if before[key] != after[key]} == {"coin"}
    finally:
        network.down()


def test_a_new_bridge_is_taken_up_and_the_nodes_are_left_alone(world: World) -> None:
    network = world.network()
    before = network.up()
    try:
        same = network.up()
        assert [node.bridge for node in same.nodes if node.bridge and not node.bridge.ready] == []
        assert _bridge_pids(same) == _bridge_pids(before)

        world.write(world.root / "bridge" / "lib" / "ippon-core.jar", "2")
        after = network.up()

        assert after.ready
        assert not set(_bridge_pids(after)) & set(_bridge_pids(before))
        assert [node.process.pid for node in after.nodes] == [node.process.pid for node in before.nodes]
        assert len(list((world.root / "net" / ".bridges").iterdir())) == 1
    finally:
        network.down()


def _bridge_pids(status: NetworkStatus) -> list[int | None]:
    return [node.bridge.pid for node in status.nodes if node.bridge]


def test_a_taken_port_is_told(world: World) -> None:
    network = world.network()
    network.bootstrap()
    with socket.socket() as other:
        other.bind(("127.0.0.1", network.topology.node("coin").ports.rpc))
        other.listen()
        try:
            with pytest.raises(PortTaken, match="port 12231, which the topology gives to coin, is not free"):
                network.up()
        finally:
            network.down()


def test_logs_of_node_console_and_bridge(world: World) -> None:
    network = world.network()
    network.up()
    try:
        world.write(world.root / "net" / "coin" / "logs" / "node-host.log", "one\ntwo\n")
        assert network.logs("coin", lines=1) == "two"
        assert "started up and registered" in network.logs("coin", source="console")
        assert network.logs("coin", source="bridge") == "Bridge ready"
    finally:
        network.down()


def test_access_needs_a_network_and_a_bridge(world: World) -> None:
    network = world.network()
    with pytest.raises(NetworkError, match="run 'ippon network up' first"):
        network.access("coin")
    network.bootstrap()

    access = network.access("coin")

    assert access.http_url == "http://127.0.0.1:12235"
    assert access.py4j_port == 12236
    assert access.tokens.agent.get_secret_value() not in repr(access)
    with pytest.raises(NetworkError, match="notary has no bridge"):
        network.access("notary")


def test_down_where_there_is_nothing_does_nothing(world: World) -> None:
    world.network().down()

    assert not (world.root / "net").exists()
