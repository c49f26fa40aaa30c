"""A network folder without processes for tests of the command line: secrets, stores, agents that are threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ippon.agent.store import Store
from ippon.agent.tables import Settlement
from ippon.cli import main
from ippon.demo.agents import AgentFolder
from ippon.model import DeskState
from ippon_network.credentials import Credentials, write_private
from ippon_network.process import Supervised

NOW = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
NODES = ("notary", "exchange", "asset", "coin", "custodian-a", "custodian-b")


@dataclass
class Place:
    """A folder that the command line takes for a network."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    alive: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def agent(self, member: str) -> AgentFolder:
        return AgentFolder(self.root / "agents" / member)

    def store(self, member: str) -> Store:
        self.agent(member).root.mkdir(parents=True, exist_ok=True)
        return Store.open(self.agent(member).store_url)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of a command line."""
        code = 0
        try:
            main(arguments)
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        told = self.capsys.readouterr()
        return code, told.out, told.err

    def json(self, *arguments: str) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    def answer_files(self, member: str, answer: Callable[[str, str], dict[str, Any]]) -> None:
        """An agent that writes a receipt for each file: `answer(name, content)` gives the receipt's parts."""
        self.alive.add(member)
        folder = self.agent(member)
        folder.inbox.mkdir(parents=True)
        folder.receipts.mkdir(parents=True)

        def look() -> None:
            while not self.stop.wait(0.02):
                for path in folder.inbox.glob("[!.]*"):
                    content = path.read_text(encoding="utf-8")
                    path.unlink()
                    receipt = {"file": path.name, "kind": "x", "sha256": "0" * 64, "read_at": NOW.isoformat()}
                    receipt |= {"status": "read", "counts": {"pending": 0}, "rows": []} | answer(path.name, content)
                    (folder.receipts / f"{path.name}.receipt.json").write_text(json.dumps(receipt), encoding="utf-8")

        self._thread(look)

    def try_fills(self, member: str, state: DeskState) -> None:
        """An agent that tries what it is asked to, and ends in `state`."""
        self.alive.add(member)
        store = self.store(member)

        def look() -> None:
            while not self.stop.wait(0.02):
                with suppress(Exception), store.write() as session:
                    for row in session.query(Settlement).filter(Settlement.next_cause == "asked"):
                        row.state, row.next_cause, row.tries = state.value, None, row.tries + 1
            store.close()

        self._thread(look)

    def _thread(self, look: Callable[[], None]) -> None:
        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        self.threads.append(thread)

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(5)


def add_fill(place: Place, member: str, execution_id: str, **changes: Any) -> None:
    """A fill on a custodian's desk; waiting for coins unless changed."""
    values: dict[str, Any] = {
        "execution_id": execution_id,
        "side": "SELL",
        "platform_code": "IPPON",
        "security_code": "ZA101",
        "quantity": 10,
        "unit_price": "1000.00",
        "amount": 10_000,
        "seller_custodian": "O=Custodian A, L=Tokyo, C=JP",
        "seller_investor_id": "A01",
        "buyer_custodian": "O=Custodian B, L=Tokyo, C=JP",
        "buyer_investor_id": "B01",
        "trade_date": date(2026, 7, 1),
        "executed_at": NOW,
        "settle_date": date(2026, 7, 1),
        "state": "waiting",
        "reason": "CMON",
        "tries": 1,
        "received_at": NOW,
        "changed_at": NOW,
    }
    store = place.store(member)
    with store.write() as session:
        session.add(Settlement(**(values | changes)))
    store.close()


def make_place(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Place:
    """A bootstrapped network's folder; agents live when the test says so."""
    network = root / "network"
    for node in NODES:
        Credentials.kept_in(network / node / "secrets.json")
    stamp = {"identity": "x", "corda_hash": "x", "nodes": NODES, "bootstrapped_at": NOW.isoformat()}
    write_private(network / "bootstrapped.json", json.dumps(stamp))
    monkeypatch.setenv("IPPON_NETWORK_DIR", str(network))
    monkeypatch.setenv("IPPON_BUILD_DIR", str(root / "build"))
    monkeypatch.setenv("COLUMNS", "200")
    place = Place(network, capsys)
    monkeypatch.setattr(Supervised, "alive", property(lambda self: self.name.removeprefix("agent of ") in place.alive))
    return place
