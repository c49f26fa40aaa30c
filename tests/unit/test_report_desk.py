"""What a desk must say beside its node: an honest day passes, and each lie is found."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from ippon.agent.again import note_restored
from ippon.agent.tables import Attempt, Event, Notice, Settlement
from ippon.model import DeskState
from ippon.report.desk import desk_faults
from unit.agent_world import NOON, World, fill_values, notify, two_custodians

A, B = "Custodian A", "Custodian B"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One fill has settled, another waits for a short buyer."""
    world = two_custodians(World(tmp_path))
    world.ledger.coins[B, "COIN-B"] = 14_000
    notify(world.ledger, fill_values(1), fill_values(2))
    world.run(steps=8)
    return world


def faults(world: World, name: str) -> list[str]:
    return desk_faults(world.stores[name], world.nodes[name], organisation=name)


def test_a_desk_that_tells_the_truth_has_no_faults(world: World) -> None:
    assert [fill["status"] for fill in world.ledger.fills.values()] == ["SETTLED", "OPEN"]
    assert faults(world, A) == []
    assert faults(world, B) == []


def _state(session: Session) -> None:
    session.execute(update(Settlement).where(Settlement.execution_id == "EX-1").values(state=DeskState.WAITING))


def _settled(session: Session) -> None:
    session.execute(update(Settlement).where(Settlement.execution_id == "EX-2").values(state=DeskState.SETTLED))


def _unknown(session: Session) -> None:
    session.execute(update(Settlement).where(Settlement.execution_id == "EX-2").values(state=DeskState.UNKNOWN))


def _transaction(session: Session) -> None:
    session.execute(update(Settlement).where(Settlement.execution_id == "EX-1").values(transaction_id="0" * 64))


def _row(session: Session) -> None:
    session.execute(delete(Settlement).where(Settlement.execution_id == "EX-1"))


def _endless(session: Session) -> None:
    session.execute(update(Attempt).values(ended_at=None))


def _try(session: Session) -> None:
    session.execute(delete(Attempt).where(Attempt.execution_id == "EX-1"))


def _unsettled(session: Session) -> None:
    session.execute(update(Attempt).where(Attempt.execution_id == "EX-1").values(outcome="WAITING"))


def _event(session: Session) -> None:
    session.execute(delete(Event).where(Event.number == 2))


def _ending(session: Session) -> None:
    session.execute(update(Event).where(Event.kind == "settled").values(kind="told"))


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (_state, "I7 EX-1 is SETTLED on the ledger, waiting on the desk"),
        (_settled, "I7 EX-2 is OPEN on the ledger, settled on the desk"),
        (_unknown, "I7 EX-2 is still unknown"),
        (_transaction, "I7 EX-1 ended by"),
        (_row, "I7 EX-1 is on the ledger only"),
        (_endless, "has no end"),
        (_try, "I7 EX-1 has 1 tries on the desk, [] in the log"),
        (_unsettled, "I7 EX-1 is settled, but of its 1 tries none say so"),
        (_event, "I11 the event log has a gap"),
        (_ending, "I11 EX-1 is settled, but the event log does not tell of it"),
    ],
)
def test_a_sellers_desk_that_differs_is_found(world: World, lie: Callable[[Session], None], found: str) -> None:
    with world.stores[A].write() as session:
        lie(session)
    assert any(found in one for one in faults(world, A)), faults(world, A)


@pytest.mark.parametrize("changes", [{"missing": 1}, {"kind": "ROUTE_NEEDED"}])
def test_a_short_fill_without_its_notice_is_found(world: World, changes: dict[str, object]) -> None:
    with world.stores[B].write() as session:
        session.execute(update(Notice).where(Notice.execution_id == "EX-2").values(**changes))
    assert faults(world, B) == [f"{B}: I8 EX-2 waits for 6000 (MONY) without a notice of that amount"]


def test_what_is_reserved_without_a_settlement_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = world.ledger.query_balances
    monkeypatch.setattr(
        world.ledger,
        "query_balances",
        lambda me, arguments: [{**row, "reserved": 5} for row in honest(me, arguments)],
    )
    assert any("I10 5 COINS of COIN-B are reserved" in one for one in faults(world, B))
    now = world.clock.now()
    world.ledger.pending[B] = [
        {"run_id": "r", "kind": "SESSION", "execution_ids": ["EX-2"], "since": now, "deadline": now}
    ]
    assert faults(world, B) == []


def _lost(world: World, *, settled_after: bool) -> None:
    """The tries of a settled fill are gone, and the store says that it was put back to a backup."""
    with world.stores[A].write() as session:
        session.execute(delete(Attempt).where(Attempt.execution_id == "EX-1"))
        session.execute(update(Settlement).where(Settlement.execution_id == "EX-1").values(tries=0))
    if settled_after:
        with world.stores[A].write() as session:
            session.execute(update(Event).where(Event.kind == "settled").values(kind="told"))
    note_restored(world.stores[A], taken_at=NOON, now=world.clock.now())
    if settled_after:
        with world.stores[A].write() as session:
            session.add(Event(at=world.clock.now(), kind="settled", subject="EX-1", detail={}))


def test_what_the_ledger_told_after_a_restore_needs_no_try(world: World) -> None:
    _lost(world, settled_after=True)
    assert faults(world, A) == []


def test_what_had_ended_before_a_restore_still_needs_its_try(world: World) -> None:
    _lost(world, settled_after=False)
    assert any("none say so" in one for one in faults(world, A))
