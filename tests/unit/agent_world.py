"""Agents on a model ledger, with a clock that stands still, and faults to switch on."""

# ruff: noqa: ARG002 (a model is called as the real one, and needs less)

import atexit
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.event import listen

from ippon.agent.agent import Agent
from ippon.agent.inbox import Receipt, drop, read_receipt
from ippon.agent.settings import AgentSettings
from ippon.agent.store import Store
from ippon.agent.tables import Base
from ippon.agent.tools import Tools
from ippon.errors import BridgeDown, IpponError
from ippon.node import Finished, FlowState, Health, Json, NodeInfo, Page, Started
from unit.agent_ledger import Ledger, error_of, party

NOON = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
EASY_SECONDS = 3.0
commits: Counter[str] = Counter()
"""Transactions committed, by member; stores outlive their tests."""
FILL_COLUMNS = (
    "execution_id,trade_id,sell_order_id,buy_order_id,platform_code,security_code,quantity,unit_price,amount,"
    "seller_custodian,seller_investor_id,buyer_custodian,buyer_investor_id,trade_date,executed_at,settle_date"
)


class Crash(BaseException):
    """The agent's process dies here."""


class StillClock:
    """A clock that the test moves."""

    def __init__(self, now: datetime = NOON) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class QuietLog:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **values: Any) -> None:
        self.lines.append((event, values))

    warning = info
    error = info


@dataclass
class ModelNode:
    """A `Node` of one member; `crash_at` and `lose_reply` name calls, `hold` and `fail` operations."""

    ledger: Ledger
    me: str
    down: bool = False
    crash_at: str | None = None
    lose_reply: str | None = None
    hold: set[str] = field(default_factory=set)
    fail: dict[str, IpponError] = field(default_factory=dict)
    flows: dict[str, FlowState] = field(default_factory=dict)
    held: dict[str, tuple[str, Json]] = field(default_factory=dict)
    started: list[tuple[str, str]] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)

    def health(self) -> Health:
        return Health(status="up")

    def node(self) -> NodeInfo:
        self._gate("node")
        return NodeInfo(name=party(self.me), platform_version=12, node_time=self.ledger.now())

    def start(self, operation: str, client_id: str, arguments: Json) -> Started:
        self._gate("before start")
        if client_id not in self.flows:
            self.started.append((operation, client_id))
            if operation in self.hold:
                self.held[client_id] = (operation, arguments)
                self.flows[client_id] = FlowState(client_id=client_id, status="running")
            else:
                self.flows[client_id] = self._run(operation, client_id, arguments)
        self._gate("after start")
        return Started(client_id=client_id, run_id=f"run-{client_id}"[:36])

    def release(self) -> None:
        """Let the flows that were held run."""
        self.hold.clear()
        for client_id, (operation, arguments) in self.held.items():
            self.flows[client_id] = self._run(operation, client_id, arguments)
        self.held.clear()

    def _run(self, operation: str, client_id: str, arguments: Json) -> FlowState:
        try:
            if operation in self.fail:
                raise self.fail[operation]
            result = self.ledger.run(self.me, operation, arguments)
        except IpponError as problem:
            return FlowState(client_id=client_id, status="failed", error=error_of(problem))
        return FlowState(client_id=client_id, status="done", result=result)

    def result(self, client_id: str, wait_millis: int = 0) -> FlowState:
        self._gate("before result")
        flow = self.flows.get(client_id) or FlowState(client_id=client_id, status="unknown")
        self._gate("after result")
        return flow

    def forget(self, client_id: str) -> bool:
        self._gate("before forget")
        removed = self.flows.pop(client_id, None) is not None
        self._gate("after forget")
        return removed

    def finished(self) -> list[Finished]:
        return [Finished(client_id=one, succeeded=flow.status == "done") for one, flow in self.flows.items()]

    def query(self, name: str, arguments: Json) -> Page:
        self._gate("query")
        size, number = arguments.get("size", 100), arguments.get("page", 1)
        rows = self.ledger.rows(self.me, name, arguments)
        return Page(rows=rows[(number - 1) * size : number * size], page=number, size=size, total=len(rows))

    def wait(self, after: int, wait_millis: int) -> int:
        return self.ledger.sequence

    def kill(self, run_id: str) -> bool:
        self.killed.append(run_id)
        return True

    def _gate(self, call: str) -> None:
        if self.down:
            raise BridgeDown("The model bridge is down.")
        if self.crash_at == call:
            self.crash_at = None
            raise Crash(call)
        if self.lose_reply == call:
            self.lose_reply = None
            raise BridgeDown("The reply was lost.")


@dataclass
class World:
    """One ledger and the agents of its members; `store_url` is a template with {name}."""

    folder: Path
    clock: StillClock = field(default_factory=StillClock)
    nodes: dict[str, ModelNode] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    logs: dict[str, QuietLog] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.clock)

    def add(self, name: str, role: str, **changes: Any) -> Agent:
        """A member with its node and agent."""
        settings = {
            "organisation": name,
            "role": role,
            "bridge": {"kind": "http", "url": "http://127.0.0.1:1", "agent_token_file": "none"},
            "store_url": f"sqlite:///{self.folder / name.replace(' ', '-')}.sqlite",
            "inbox_dir": self.folder / name / "inbox",
            "receipts_dir": self.folder / name / "receipts",
            **changes,
        }
        self.nodes[name] = ModelNode(self.ledger, name)
        return self.restart(name, AgentSettings(**settings))

    def restart(self, name: str, settings: AgentSettings | None = None, *, worker: str = "one") -> Agent:
        """The agent's process anew, on the same store and node."""
        settings = settings or self.settings[name]
        self.settings[name] = settings
        store = self.stores.get(name) or empty_store(name)
        self.stores[name] = store
        log = self.logs.setdefault(name, QuietLog())
        agent = Agent(self.tools(name, worker=worker, log=log))
        self.agents[name] = agent
        return agent

    def tools(self, name: str, *, worker: str = "one", log: QuietLog | None = None) -> Tools:
        """What an agent is handed."""
        return Tools(
            settings=self.settings[name],
            store=self.stores[name],
            node=self.nodes[name],
            operator=self.nodes[name],
            clock=self.clock,
            random=Random(7),
            worker=worker,
            log=log or QuietLog(),
        )

    settings: dict[str, AgentSettings] = field(default_factory=dict)

    def run(self, *names: str, steps: int = 6, seconds: float = EASY_SECONDS) -> None:
        """Let agents step by turns, woken as by their wakers; the clock goes on, so that their pauses end.

        At the easy pace nothing comes of time alone: once all are quiet, the rest is only waited for.
        """
        # What a test changes on the ledger by hand wakes everybody once.
        seen = dict.fromkeys(names or self.agents, -1)
        for done in range(1, steps + 1):
            before = self._busy()
            for name in seen:
                woken, seen[name] = seen[name] != self.ledger.sequence, self.ledger.sequence
                self.agents[name].step(changed=woken)
            self.clock.forward(seconds)
            if seconds == EASY_SECONDS and self._busy() == before:
                self.clock.forward(seconds * (steps - done))
                return

    def _busy(self) -> tuple[int, int]:
        return self.ledger.sequence, sum(commits[name] for name in self.stores)

    def file(self, name: str, file_name: str, content: str) -> None:
        """Drop a file into a member's inbox."""
        drop(inbox_dir=self.settings[name].inbox_dir, name=file_name, content=content.encode())

    def receipt(self, name: str, file_name: str) -> Receipt:
        """The receipt that lies there."""
        receipt = read_receipt(receipts_dir=self.settings[name].receipts_dir, name=file_name)
        assert receipt is not None
        return receipt


def fill_values(number: int = 1, **changes: object) -> dict[str, str]:
    """A fill row of ten units at 1,000.00 yen from A's investor INV-S to B's investor INV-B."""
    values: dict[str, object] = {
        **{"execution_id": f"EX-{number}", "trade_id": f"T-{number}"},
        **{"sell_order_id": f"S-{number}", "buy_order_id": f"B-{number}"},
        **{"platform_code": "IPPON", "security_code": "ZA101"},
        **{"quantity": 10, "unit_price": "1000.00", "amount": 10_000},
        **{"seller_custodian": "Custodian A", "seller_investor_id": "INV-S"},
        **{"buyer_custodian": "Custodian B", "buyer_investor_id": "INV-B"},
        **{"trade_date": "2026-07-01", "executed_at": f"2026-07-01T00:00:{number % 60:02}Z"},
        **{"settle_date": "2026-07-01", **changes},
    }
    return {name: str(value) for name, value in values.items()}


def fills_csv(*rows: Mapping[str, str]) -> str:
    """A fills file."""
    names = FILL_COLUMNS.split(",")
    extra = sorted({name for row in rows for name in row} - set(names))
    lines = [",".join(row.get(name, "") for name in [*names, *extra]) for row in rows]
    return "\n".join([",".join([*names, *extra]), *lines]) + "\n"


def notify(ledger: Ledger, *rows: Mapping[str, str]) -> None:
    """Put fills on the ledger as the exchange node would."""
    for row in rows:
        fill: dict[str, Any] = {**row, "quantity": int(row["quantity"]), "amount": int(row["amount"])}
        ledger.run("Exchange", "notify_fill", fill)


@cache
def _store(name: str) -> Store:
    """One database a member for all tests: tables are made, and statements compiled, once."""
    folder = TemporaryDirectory(prefix="ippon-agents-")
    atexit.register(folder.cleanup)
    store = Store.open(f"sqlite:///{folder.name}/agent.sqlite")
    listen(store.engine, "commit", lambda _: commits.update([name]))
    return store


def empty_store(name: str) -> Store:
    """A member's store with nothing in it."""
    store = _store(name)
    with store.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    return store


def two_custodians(world: World) -> World:
    """Custodians A (seller INV-S, 100 units) and B (buyer INV-B, coin route, no coins), timer at an hour."""
    hour = {"retry_base_seconds": 3600, "retry_cap_seconds": 3600}
    for name, other in (("Custodian A", "Custodian B"), ("Custodian B", "Custodian A")):
        world.add(name, "custodian", timers=hour, other_custodians=[other])
    ledger = world.ledger
    ledger.investors["Custodian A"]["INV-S"] = "INV-S"
    ledger.investors["Custodian B"]["INV-B"] = "COIN-B"
    ledger.units["Custodian A", "INV-S", "ZA101"] = 100
    ledger.run(
        "Custodian B", "register_funds_route", {"investor_id": "INV-B", "institution_code": "SC", "method": "COIN"}
    )
    return world
