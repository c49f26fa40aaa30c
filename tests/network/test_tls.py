"""The bridge's HTTP door behind TLS: a second bridge before a node, with keys as the topology's `tls` makes them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ippon.errors import BridgeDown, IpponError
from ippon.local import LocalNetwork
from ippon.node import HttpNode, Token, await_node
from ippon_network.credentials import write_private
from ippon_network.folder import BRIDGE_READY
from ippon_network.parts import java_home
from ippon_network.process import Supervised
from ippon_network.settings import NetworkSettings
from ippon_network.tls import DoorKeys

MEMBER = "custodian-a"
START_SECONDS = 90.0


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Door:
    """Where it is, and what opens it."""

    address: str
    token: Token
    certificate: Path


@pytest.fixture(scope="module")
def door(local: LocalNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A second bridge of the member's, with HTTPS and with ports of its own."""
    folder = tmp_path_factory.mktemp("bridge")
    folder.chmod(0o700)
    java = java_home() / "bin" / "java"
    keys = DoorKeys.beside(folder / "config.json")
    keys.make_if_absent(java=java, organisation=MEMBER, host="127.0.0.1")
    config = json.loads(local.network.folder(MEMBER).bridge_config.read_text(encoding="utf-8"))
    config["http"]["port"], config["py4j"]["port"] = free_port(), free_port()
    config["tls"] = {"keystore": str(keys.keystore), "password_file": str(keys.password_file)}
    write_private(folder / "config.json", json.dumps(config))
    bridge = Supervised("bridge", owner=MEMBER, run_dir=folder, marker=BRIDGE_READY)
    jar = NetworkSettings().bridge_dir / "ippon-bridge.jar"
    bridge.start([java, "-Xmx128m", "-jar", jar, "--config", folder / "config.json"], cwd=folder, environment={})
    deadline = time.monotonic() + START_SECONDS
    try:
        while not bridge.check_start(deadline=deadline):
            time.sleep(0.2)
        yield Door(f"127.0.0.1:{config['http']['port']}", Token(config["tokens"]["agent"]), keys.certificate)
    finally:
        bridge.ask_to_stop()
        bridge.await_end(deadline=time.monotonic() + START_SECONDS)


def test_a_client_that_trusts_the_certificate_is_answered(door: Door) -> None:
    with HttpNode(url=f"https://{door.address}", token=door.token, ca_file=door.certificate) as node:
        await_node(node, timeout_seconds=START_SECONDS)
        assert "Custodian A" in node.node().name


def test_a_client_that_trusts_others_only_says_so_and_sends_no_token(door: Door) -> None:
    with HttpNode(url=f"https://{door.address}", token=door.token) as node, pytest.raises(BridgeDown, match="ca_file"):
        node.node()


def test_a_client_that_speaks_plainly_is_not_answered(door: Door) -> None:
    with HttpNode(url=f"http://{door.address}", token=door.token) as node, pytest.raises(IpponError):
        node.node()


def test_keys_when_they_are_there_are_kept_and_their_owners_alone(door: Door) -> None:
    keys = DoorKeys.beside(door.certificate)
    before = keys.keystore.read_bytes()
    keys.make_if_absent(java=java_home() / "bin" / "java", organisation=MEMBER, host="127.0.0.1")
    assert keys.keystore.read_bytes() == before
    assert [path.stat().st_mode & 0o077 for path in (keys.keystore, keys.password_file)] == [0, 0]
