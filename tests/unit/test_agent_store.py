"""The store: its revisions, its transactions, and two workers on it."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select

from ippon.agent import view
from ippon.agent.settle import Settle
from ippon.agent.starts import Starts
from ippon.agent.store import Store
from ippon.agent.tables import Attempt, Base, Cursor, Event, Settlement, Start, VenueFill, VenueOrder
from ippon.errors import StoreError
from ippon.model import DeskState
from unit.agent_world import NOON, World, fill_values, notify, two_custodians


def test_the_revisions_make_the_tables(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    store.migrate()
    store.close()


def test_a_store_of_the_first_revision_keeps_what_it_knows(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'a.sqlite'}", migrate=False)
    store.migrate("0001")
    order = "'S-1', 'SELL', 'A', 'I', 'ZA101', 'IPPON', 100, '1.00'"
    fill = "'S-1', 'B-1', 30, '{}', 'notified', 1, '2026-07-01 00:00:00'"
    columns = "execution_id, sell_order_id, buy_order_id, quantity, content, state, row_id, changed_at"
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO venue_order VALUES ({order})")
        for number in (1, 2):
            connection.exec_driver_sql(f"INSERT INTO venue_fill ({columns}) VALUES ('EX-{number}', {fill})")
    store.migrate()
    with store.read() as session:
        assert session.scalars(select(VenueOrder.filled)).one() == 60
        assert len(session.scalars(select(VenueFill)).all()) == 2
    store.close()


def test_a_store_that_cannot_be_opened() -> None:
    with pytest.raises(StoreError):
        Store.open("sqlite:////nowhere/at/all/a.sqlite")


def test_what_raises_leaves_nothing(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'a.sqlite'}")

    def fail() -> None:
        with store.write() as session:
            session.add(Cursor(name="a", value="1"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as session:
        assert session.get(Cursor, "a") is None
    store.close()


def test_times_have_their_zone(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with store.write() as session:
        session.add(Event(at=NOON, kind="k", subject="s", detail={}))
    with store.read() as session:
        assert session.scalars(select(Event.at)).one() == NOON
    with pytest.raises(Exception, match="without a zone"), store.write() as session:
        session.add(Event(at=NOON.replace(tzinfo=None), kind="k", subject="s", detail={}))
    store.close()


@pytest.fixture
def ready(tmp_path: Path) -> World:
    """Forty fills that are ready at custodian A, none of them tried."""
    world = two_custodians(World(tmp_path))
    notify(world.ledger, *(fill_values(number) for number in range(1, 41)))
    world.nodes["Custodian A"].hold.add("settle_fills")
    world.agents["Custodian A"]._role.ask(everything=True)
    return world


def test_two_workers_never_take_one_fill(ready: World) -> None:
    """Both gather at the same moment, again and again; every fill is in one attempt only."""
    ready.settings["Custodian A"] = ready.settings["Custodian A"].model_copy(
        update={"limits": ready.settings["Custodian A"].limits.model_copy(update={"max_fills_per_settlement": 3})}
    )
    gate = threading.Barrier(2)
    failures: list[BaseException] = []

    def work(name: str) -> None:
        tools = ready.tools("Custodian A", worker=name)
        settle = Settle(tools)
        starts = Starts(tools, handlers={"settle": settle})
        try:
            for _ in range(12):
                gate.wait(timeout=20)
                settle.gather(starts)
                with tools.store.write() as session:  # the pair is free again
                    session.query(Start).update({Start.state: "ended"})
        except BaseException as problem:
            failures.append(problem)
            gate.abort()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = ready.stores["Custodian A"]
    with store.read() as session:
        tried = Counter(session.scalars(select(Attempt.execution_id)))
        sending = session.scalar(select(func.count()).where(Settlement.state == DeskState.SENDING))
        owners = set(session.scalars(select(Settlement.lease_owner)))
    assert len(tried) == sending == 40
    assert set(tried.values()) == {1}
    assert owners <= {"one", "two"}


def test_a_lease_keeps_a_start_with_its_worker(ready: World) -> None:
    node = ready.nodes["Custodian A"]
    first = ready.agents["Custodian A"]
    first.step()
    assert len(node.started) == 1
    second = ready.restart("Custodian A", worker="two")
    node.release()
    second.step(changed=True)
    with ready.stores["Custodian A"].read() as session:
        assert session.scalars(select(Start.state)).one() == "started"
    ready.clock.forward(ready.settings["Custodian A"].timers.lease_seconds + 1)
    second.step(changed=True)
    assert {fill.state for fill in view.settlements(ready.stores["Custodian A"])} == {DeskState.WAITING}
    assert len(node.started) == 1


def test_both_workers_end_a_flow_once(ready: World) -> None:
    """Two agents by mistake on one store, without a thought for leases."""
    node = ready.nodes["Custodian A"]
    agents = [ready.restart("Custodian A", worker=name) for name in ("one", "two")]
    agents[0].step()
    node.release()
    ready.clock.forward(1000)
    for agent in agents:
        agent.step(changed=True)
    store = ready.stores["Custodian A"]
    attempts = [attempt for number in range(1, 41) for attempt in view.attempts(store, execution_id=f"EX-{number}")]
    assert len(attempts) == 40
    assert all(attempt.ended_at for attempt in attempts)
