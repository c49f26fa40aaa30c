"""Orders by FIX from four brokers while the venue is killed again and again: each fill is told once, to both."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fixcore.application import Application
from fixcore.message import Message as FixMessage
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.store.factory import MemoryStoreFactory
from fixcore.transport.initiator import SocketInitiator

from ippon.venue.fix.line import Silent
from unit.venue_fix_world import PASSWORD, fix_settings, order_fields

BROKERS = ("BR-A1", "BR-A2", "BR-B1", "BR-B2")
ORDERS_EACH = 30
KILLS = 4
TESTS = Path(__file__).parents[1]


class Broker(Application):
    """Keeps every report that it was sent, by ExecID."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reports: dict[str, FixMessage] = {}
        self.heard: Counter[str] = Counter()
        """Reports that came anew, not marked as sent before."""

    def to_admin(self, message: FixMessage, session_id: SessionID) -> None:  # noqa: ARG002
        if message.msg_type == "A":
            message.set_field(554, PASSWORD)

    def from_app(self, message: FixMessage, session_id: SessionID) -> None:  # noqa: ARG002
        assert message.msg_type == "8", message
        before = self.reports.setdefault(message.get(17), message)
        assert before.body == message.body, "one ExecID with two contents"
        if message.get(150) != "I":
            self.heard[message.get(17)] += 1

    def executions(self) -> list[str]:
        return [one.get(527) for one in self.reports.values() if one.get(150) == "F"]

    def answered(self) -> set[str]:
        return {one.get(11) for one in self.reports.values() if one.get(150) in ("0", "8", "I")}


def initiator_of(broker: Broker, port: int) -> SocketInitiator:
    engine = SessionSettings()
    session_id = SessionID("FIX.4.4", broker.name, "VENUE")
    engine.set_session(session_id, {"SocketConnectHost": "127.0.0.1", "SocketConnectPort": str(port)})
    engine.set_default("ReconnectInterval", "1")
    return SocketInitiator(engine, broker, MemoryStoreFactory(), Silent())


async def trade(session: Session, broker: Broker) -> None:
    """Orders one by one; one that cannot be given to the engine just now is given to it later."""
    for number in range(ORDERS_EACH):
        side = "1" if (number + BROKERS.index(broker.name)) % 2 else "2"
        fields = order_fields(f"{broker.name}-{number}", side, t1=f"INV-{broker.name}")
        while True:
            order = FixMessage()
            order.header.set(35, "D")
            for tag, text in fields:
                order.set_field(tag, text)
            try:
                await session.send_app(order)
                break
            except RuntimeError:
                await asyncio.sleep(0.05)
            except OSError:
                break  # it is in the engine's store, and is sent when the venue asks for it
        await asyncio.sleep(0.01)


async def start(folder: Path) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "unit.venue_fix_child", str(folder))
    process = await asyncio.create_subprocess_exec(*command, cwd=TESTS, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()


def told_all(folder: Path, brokers: list[Broker]) -> bool:
    """Whether every order has its answer and every fill its two reports."""
    both = Counter(execution for broker in brokers for execution in broker.executions())
    return (
        all(len(broker.answered()) == ORDERS_EACH for broker in brokers)
        and sorted(both) == sorted(row["execution_id"] for row in fills(folder))
        and set(both.values()) == {2}
    )


def fills(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((folder / "inbox").glob("fills-*.csv")):
        rows += csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return rows


@pytest.mark.parametrize("moments", [(0.15, 0.4, 0.1, 0.3)])
def test_the_venue_killed_while_four_brokers_trade_then_each_fill_is_told_once_to_both(
    tmp_path: Path, moments: tuple[float, ...]
) -> None:
    async def scene() -> None:
        peers = [{"comp_id": name, "password_file": "password"} for name in BROKERS]
        settings = fix_settings(tmp_path, peers=peers)
        (tmp_path / "brokers.csv").write_text(
            "broker,custodian\n" + "".join(f"{name},Custodian {name[3]}\n" for name in BROKERS)
        )
        assert settings.fix is not None
        brokers = [Broker(name) for name in BROKERS]
        initiators = [initiator_of(broker, settings.fix.port) for broker in brokers]
        process = await start(tmp_path)
        try:
            for initiator in initiators:
                await initiator.start()
            sessions = [next(iter(initiator.sessions.values())) for initiator in initiators]
            work = [
                asyncio.create_task(trade(session, broker)) for session, broker in zip(sessions, brokers, strict=True)
            ]
            for seconds in moments[:KILLS]:
                while not any(session.is_logged_on for session in sessions):
                    await asyncio.sleep(0.02)
                await asyncio.sleep(seconds)
                await stop(process)
                process = await start(tmp_path)
            await asyncio.gather(*work)
            while not told_all(tmp_path, brokers):
                await asyncio.sleep(0.1)
            for initiator in initiators:
                await initiator.stop()
        finally:
            await stop(process)
        for broker in brokers:
            assert set(broker.heard.values()) <= {1}, "a report came twice as if it were new"

    asyncio.run(asyncio.wait_for(scene(), 60))
    ids = [row["execution_id"] for row in fills(tmp_path)]
    assert len(ids) == len(set(ids)) > 20
