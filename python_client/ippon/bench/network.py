"""The bench's network: the usual one with corda-finance and a CorDapp that crumbles holdings, in its own folder."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from ippon.local import LocalNetwork
from ippon_network import Network
from ippon_network.parts import java_home
from ippon_network.settings import REPOSITORY, NetworkSettings

PARTS = REPOSITORY / "build" / "bench"
DIRECTORY = REPOSITORY / "build" / "bench-network"
CORDAPPS = ("finance-contracts", "finance-workflows", "bench")
FLOWS = (
    "net.corda.finance.flows.CashIssueFlow",
    "net.corda.finance.flows.CashPaymentFlow",
    "org.ippon.bench.SplitHolding",
)
PARTY_BY_NAME = "partiesFromName"


@dataclass(frozen=True)
class Bench:
    """The bench's network, fresh and up; `ready_seconds` from nothing to every node and bridge answering."""

    local: LocalNetwork
    ready_seconds: float


def with_finance(topology: dict[str, Any]) -> dict[str, Any]:
    """A topology whose custodians also hold cash, and may be asked to pay it."""
    custodian = topology["roles"]["custodian"]
    custodian["cordapps"] = [*custodian["cordapps"], *CORDAPPS]
    custodian["flows"]["bridge"] = [*custodian["flows"]["bridge"], *FLOWS]
    topology["users"]["bridge"] = [*topology["users"]["bridge"], PARTY_BY_NAME]
    return topology


@contextmanager
def bench_network(progress: Callable[[str], None]) -> Iterator[Bench]:
    """Make the network anew, start it, and stop it in the end. Other networks on its ports must be down."""
    settings = NetworkSettings()
    content = with_finance(yaml.safe_load(settings.topology.read_text(encoding="utf-8")))
    DIRECTORY.parent.mkdir(parents=True, exist_ok=True)
    topology = PARTS / "topology.yaml"
    topology.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    changed = {"topology": topology, "build_dir": PARTS, "network_dir": DIRECTORY}
    network = Network(settings=settings.model_copy(update=changed), progress=progress)
    network.down(wipe=True)
    begun = time.monotonic()
    network.up()
    try:
        yield Bench(LocalNetwork(network), time.monotonic() - begun)
    finally:
        network.down()


def at_node(bench: Bench, member: str, *commands: str, recipient: str = "Custodian B") -> list[str]:
    """Run the bench's RPC client at a member's node; its lines of JSON. The password goes by standard input."""
    network = bench.local.network
    node = network.topology.node(member)
    address = f"{network.topology.host}:{node.ports.rpc}"
    java = java_home() / "bin" / "java"
    classes = PARTS / "client"
    finished = subprocess.run(
        [java, "-Xmx256m", "-cp", f"{classes}/*", "org.ippon.bench.MainKt", address, "bridge", recipient, *commands],
        input=_password(network, member) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise RuntimeError(f"the bench's client failed: {finished.stderr.strip()[-2000:]}")
    return [line for line in finished.stdout.splitlines() if line.startswith("{")]


def _password(network: Network, member: str) -> str:
    """Of the RPC user that starts flows, out of the file that the member's bridge is started with."""
    config = network.directory / member / "bridge" / "config.json"
    users = json.loads(config.read_text(encoding="utf-8"))["users"]
    return str(users["bridge"]["password"])
