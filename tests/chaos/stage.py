"""What the faults strike: the usual network with a debugger's door at each node, its agents, and a small market on it.

Windows and sessions are shorter than the default, so that what a fault leaves over is over soon.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from chaos.breakpoint import Debugger
from ippon.demo.agents import Agents, Market
from ippon.demo.floor import FillStand
from ippon.demo.local_floor import LocalFloor
from ippon.demo.run import TOKYO, base36
from ippon.local import LocalNetwork
from ippon.model import DeskState, Role
from ippon_network import Network
from ippon_network.settings import REPOSITORY, NetworkSettings

SELLER, BUYER = "custodian-a", "custodian-b"
SELLER_NAME, BUYER_NAME = "Custodian A", "Custodian B"
SECURITY, PLATFORM = "ZA101", "IPPON"
UNIT_PRICE, QUANTITY = 100, 10
AMOUNT = UNIT_PRICE * QUANTITY
MOST_FILLS = 1_000
DEBUG_PORT_OFFSET = 7
SHORT_TIMES = {"settlementWindowSeconds": 60, "clockSkewSeconds": 5, "sessionSeconds": 40}
TIMERS = {
    **{"retry_base_seconds": 5, "retry_cap_seconds": 20, "transient_base_seconds": 1, "transient_cap_seconds": 5},
    **{"reconcile_seconds": 10, "pending_poll_seconds": 5, "pending_grace_seconds": 5},
}
OPENING_TIMEOUT_SECONDS = 180.0
_POLL_SECONDS = 0.2


ORDER_COLUMNS = "order_id,side,custodian,investor_id,security_code,quantity,unit_price,platform_code"


def line_of(fill: Mapping[str, object]) -> str:
    """A fill as a line of a file."""
    return ",".join(str(value) for value in fill.values())


def debuggable(topology: Path, into: Path) -> Path:
    """The topology with a debugger's door, on loopback, at each node; not for a network that holds anything."""
    content = yaml.safe_load(topology.read_text(encoding="utf-8"))
    for node in content["nodes"].values():
        port = node["ports"]["p2p"] + DEBUG_PORT_OFFSET
        door = f"-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:{port}"
        node["jvm"] = [*(node.get("jvm") or content["jvm"]["node"]), door]
    content["settings"] |= SHORT_TIMES
    into.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return into


def jdk() -> Path:
    """The JDK 8 that the project has found or prepared."""
    found = subprocess.run([REPOSITORY / "toolchain" / "jdk8.sh"], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip())


@dataclass
class Stage:
    """The network, its agents, and a seller and a buyer with plenty."""

    local: LocalNetwork
    agents: Agents
    floor: LocalFloor
    prefix: str
    jdk: Path
    opened_at: str = field(default_factory=lambda: _utc())
    sent: list[str] = field(default_factory=list)
    _debuggers: dict[str, Debugger] = field(default_factory=dict)

    def debugger(self, node: str) -> Debugger:
        """The debugger of a node; a new one when the node has died since."""
        known = self._debuggers.get(node)
        if known is None or not known.alive:
            if known:
                known.close()
            port = self.local.network.topology.node(node).ports.p2p + DEBUG_PORT_OFFSET
            known = self._debuggers[node] = Debugger(port=port, jdk=self.jdk)
        return known

    def close(self) -> None:
        """Let the debuggers go."""
        for one in self._debuggers.values():
            one.close()

    def reopen(self) -> None:
        """Read the agents' stores anew: one may be another file now."""
        for key in custodians(self):
            self.floor.store(key).close()

    def trade(self) -> str:
        """Send one fill to the exchange agent, orders included; its execution id."""
        number = len(self.sent) + 1
        fill = self.fill(number)
        self.drop("exchange", f"orders-{self.prefix}{number}.csv", [ORDER_COLUMNS, *self.orders(number)])
        self.drop("exchange", f"fills-{self.prefix}{number}.csv", [",".join(fill), line_of(fill)])
        self.sent.append(str(fill["execution_id"]))
        return self.sent[-1]

    def orders(self, number: int) -> list[str]:
        """The two orders of a fill, as lines."""
        what = f"{SECURITY},{QUANTITY},{UNIT_PRICE}.00,{PLATFORM}"
        return [
            f"{self.prefix}OS-{number},SELL,{SELLER_NAME},{self.prefix}S,{what}",
            f"{self.prefix}OB-{number},BUY,{BUYER_NAME},{self.prefix}B,{what}",
        ]

    def fill(self, number: int) -> dict[str, str | int]:
        """A fill, as columns of a file or arguments of a flow."""
        today = datetime.now(TOKYO).date().isoformat()
        return {
            **{"execution_id": f"{self.prefix}EX-{number}", "trade_id": f"{self.prefix}TR-{number}"},
            **{"sell_order_id": f"{self.prefix}OS-{number}", "buy_order_id": f"{self.prefix}OB-{number}"},
            **{"platform_code": PLATFORM, "security_code": SECURITY, "quantity": QUANTITY},
            **{"unit_price": f"{UNIT_PRICE}.00", "amount": AMOUNT},
            **{"seller_custodian": SELLER_NAME, "seller_investor_id": f"{self.prefix}S"},
            **{"buyer_custodian": BUYER_NAME, "buyer_investor_id": f"{self.prefix}B"},
            **{"trade_date": today, "executed_at": self.opened_at, "settle_date": today},
        }

    def stand(self, execution_id: str) -> FillStand | None:
        """The fill on its seller's desk."""
        return self.floor.fills().get(execution_id)

    def settle(self, execution_id: str, *, timeout_seconds: float) -> float:
        """Wait until a fill has settled; in seconds. Raises: AssertionError with how it stands."""
        begun = time.monotonic()
        while True:
            stand = self.stand(execution_id)
            if stand is not None and stand.state is DeskState.SETTLED:
                return time.monotonic() - begun
            if time.monotonic() - begun >= timeout_seconds:
                raise AssertionError(f"{execution_id} has not settled in {timeout_seconds} s: {stand}")
            time.sleep(_POLL_SECONDS)

    def open_market(self) -> None:
        """Two investors, their routes, units for one and coins for the other."""
        units, yen = QUANTITY * MOST_FILLS, AMOUNT * MOST_FILLS
        for member, investor in ((SELLER, "S"), (BUYER, "B")):
            one = f"{self.prefix}{investor}"
            self.drop(member, f"investors-{self.prefix}1.csv", ["investor_id,coin_investor_id", f"{one},"])
            self.drop(member, f"routes-{self.prefix}1.csv", ["investor_id,institution_code,method", f"{one},SC,COIN"])
            self._await_rows(member, f"routes-{self.prefix}1.csv")
        position = f"{self.prefix}IS,{SECURITY},{SELLER_NAME},{self.prefix}S,{units}"
        self.drop(
            "asset", f"positions-{self.prefix}1.csv", ["issue_id,security_code,custodian,investor_id,units", position]
        )
        instruction = f"{self.prefix}TI,{self.prefix}B,{yen}"
        self.drop(BUYER, f"instructions-{self.prefix}1.csv", ["instruction_id,investor_id,amount", instruction])
        line = {
            **{"line_id": f"{self.prefix}ST", "value_date": datetime.now(TOKYO).date().isoformat()},
            **{"amount": yen, "reference": f"{self.prefix}TI", "custodian": BUYER_NAME},
        }
        statement = json.dumps({"account": "TRUST-0001", "lines": [line]})
        self.floor.drop("coin", f"statement-{self.prefix}1.json", statement.encode())
        self._await_rows("asset", f"positions-{self.prefix}1.csv")
        self._await_rows(BUYER, f"instructions-{self.prefix}1.csv")

    def drop(self, member: str, name: str, lines: list[str]) -> None:
        """Lines, with their header, into a member's inbox."""
        self.floor.drop(member, name, ("\n".join(lines) + "\n").encode())

    def _await_rows(self, member: str, name: str) -> None:
        deadline = time.monotonic() + OPENING_TIMEOUT_SECONDS
        while not ((receipt := self.floor.receipt(member, name)) and not receipt.pending):
            assert time.monotonic() < deadline, f"{member} has not read {name}: {receipt}"
            time.sleep(_POLL_SECONDS)
        assert all(row.status == "accepted" for row in receipt.rows), receipt


@contextmanager
def staged(folder: Path, network_dir: Path | None = None) -> Iterator[Stage]:
    """The stage, ready to play on; then agents and nodes are stopped: a debugger's door must not stay open."""
    settings = NetworkSettings()
    topology = debuggable(settings.topology, folder / "topology.yaml")
    settings = settings.model_copy(update={"topology": topology})
    local = LocalNetwork(Network(network_dir, settings=settings))
    local.network.up()
    agents = Agents(local)
    prefix = f"c{base36(int(time.time()))}-"
    try:
        agents.start(Market((PLATFORM,), (SECURITY,)), timers=TIMERS)
        with LocalFloor(local, agents, prefix=prefix) as floor:
            stage = Stage(local, agents, floor, prefix, jdk())
            stage.open_market()
            try:
                yield stage
            finally:
                stage.close()
    finally:
        agents.stop()
        local.network.down()


def custodians(stage: Stage) -> list[str]:
    """Keys of the members that keep a desk."""
    return [member.key for member in stage.local.with_role(Role.CUSTODIAN)]


def _utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
