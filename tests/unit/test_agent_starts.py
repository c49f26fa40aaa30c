"""Law 3: an agent that dies at any point goes on as if it had not, and nothing is started or counted twice."""

from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ippon.agent import view
from ippon.agent.handler import Begun, Ending
from ippon.agent.settle import Settle
from ippon.agent.tables import Attempt, Settlement, Start
from ippon.errors import BadRequest, BridgeTimeout, NodeTimeout, Refusal
from ippon.model import DeskState, Outcome, TryCause
from unit.agent_world import Crash, World, fill_values, notify, two_custodians

A, B = "Custodian A", "Custodian B"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = two_custodians(World(tmp_path))
    world.ledger.coins[B, "COIN-B"] = 10_000
    notify(world.ledger, fill_values(1))
    return world


def starts(world: World, name: str = A) -> list[Start]:
    with world.stores[name].read() as session:
        return list(session.scalars(select(Start).order_by(Start.number)))


def settled_once(world: World) -> None:
    """The fill is settled, in one try, by one flow, and the node remembers nothing."""
    fill = view.settlements(world.stores[A])[0]
    assert (fill.state, fill.tries, fill.generation) == (DeskState.SETTLED, 1, 1)
    assert world.ledger.settled == ["EX-1"]
    assert [operation for operation, _ in world.nodes[A].started].count("settle_fills") == 1
    tries = view.attempts(world.stores[A], execution_id="EX-1")
    assert [attempt.outcome for attempt in tries] == [Outcome.SETTLED]
    assert [start.state for start in starts(world)] == ["forgotten"]
    assert not world.nodes[A].flows


def test_a_day_without_trouble(world: World) -> None:
    world.run(A)
    settled_once(world)


CALLS = ["before start", "after start", "before result", "after result", "before forget", "after forget"]


@pytest.mark.parametrize("point", CALLS)
def test_death_around_each_call(world: World, point: str) -> None:
    world.nodes[A].crash_at = point
    with pytest.raises(Crash):
        world.run(A)
    world.restart(A)
    world.run(A)
    settled_once(world)


@pytest.mark.parametrize("point", CALLS)
def test_a_reply_lost_around_each_call(world: World, point: str) -> None:
    world.nodes[A].lose_reply = point
    world.run(A, steps=8)
    settled_once(world)


def test_death_before_the_promise_is_committed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Settle, "_promise", die)
        with pytest.raises(Crash):
            world.run(A)
    with world.stores[A].read() as session:
        assert session.scalar(select(func.count()).select_from(Start)) == 0
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    world.restart(A)
    world.run(A)
    settled_once(world)


def test_death_while_the_result_is_written_down(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Settle.ended

    def die(self: Settle, *arguments: object) -> None:
        ended(self, *arguments)  # type: ignore[arg-type]
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Settle, "ended", die)
        with pytest.raises(Crash):
            world.run(A)
    with world.stores[A].read() as session:
        assert session.scalars(select(Start.state)).one() == "started"
    world.restart(A)
    world.run(A)
    settled_once(world)


def test_the_promise_is_there_before_the_start(world: World) -> None:
    world.nodes[A].crash_at = "before start"
    with pytest.raises(Crash):
        world.run(A)
    (promised,) = starts(world)
    assert (promised.state, promised.generation) == ("committed", 1)
    assert promised.client_id == f"{promised.business_id}:1"
    with world.stores[A].read() as session:
        assert session.scalars(select(Settlement.state)).one() == DeskState.SENDING


def test_the_end_of_a_flow_is_written_down_once(world: World) -> None:
    """Two workers have asked after one flow, and both heard that it is done."""
    node = world.nodes[A]
    node.hold.add("settle_fills")
    world.run(A, steps=1)
    (running,) = starts(world)
    node.release()
    ending = Ending(result=node.flows[running.client_id].result)
    begun = Begun(**{field.name: getattr(running, field.name) for field in fields(Begun)})
    ends = [world.agents[A]._starts._commit_ends([(begun, ending)]) for _ in range(3)]
    assert ends == [1, 0, 0]
    kinds = [event.kind for event in view.events(world.stores[A], subject="EX-1")]
    assert kinds.count("settled") == 1


def test_a_start_that_is_never_answered_lets_others_by(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node = world.nodes[A]
    original = node.start
    refusing = {"EX-1"}

    def start(operation: str, client_id: str, arguments: dict[str, object]) -> object:
        if refusing & set(arguments.get("execution_ids", [])):  # type: ignore[call-overload]
            raise BridgeTimeout("no answer")
        return original(operation, client_id, arguments)

    monkeypatch.setattr(node, "start", start)
    world.agents[A].step()
    world.ledger.coins[B, "COIN-B"] = 100_000
    notify(world.ledger, fill_values(2))
    world.clock.forward(15)
    world.run(A, steps=3)
    assert world.ledger.settled == ["EX-2"]
    refusing.clear()
    world.run(A, steps=3, seconds=61)
    assert world.ledger.settled == ["EX-2", "EX-1"]


def test_a_door_that_refuses_is_no_fault_of_the_fill(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node = world.nodes[A]
    original = node.start

    def start(*_: object) -> None:
        raise Refusal("The token may not do this.", code="FORBIDDEN")

    monkeypatch.setattr(node, "start", start)
    world.run(A, steps=8)
    assert view.settlements(world.stores[A])[0].state is not DeskState.REFUSED
    monkeypatch.setattr(node, "start", original)
    world.run(A, steps=8, seconds=20)
    assert world.ledger.settled == ["EX-1"]


def test_a_flow_that_the_node_has_lost_is_tried_anew(world: World) -> None:
    node = world.nodes[A]
    node.hold.add("settle_fills")
    world.run(A, steps=2)
    node.flows.clear()
    node.held.clear()
    node.hold.clear()
    world.restart(A)
    world.run(A)
    tries = view.attempts(world.stores[A], execution_id="EX-1")
    assert [(one.cause, one.outcome) for one in tries] == [
        (TryCause.RECEIVED, Outcome.FAILED),
        (TryCause.RESTART, Outcome.SETTLED),
    ]
    assert world.ledger.settled == ["EX-1"]


def test_a_result_that_cannot_be_read_is_asked_of_the_ledger(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def nonsense(me: str, execution_ids: list[str]) -> dict[str, object]:
        for execution_id in execution_ids:
            world.ledger._settle(me, execution_id)
        return {"results": [{"execution_id": 5}]}

    monkeypatch.setattr(world.ledger, "flow_settle_fills", nonsense)
    world.run(A)
    fill = view.settlements(world.stores[A])[0]
    assert (fill.state, fill.tries) == (DeskState.SETTLED, 1)
    assert view.attempts(world.stores[A], execution_id="EX-1")[0].outcome is Outcome.FAILED


@pytest.mark.parametrize("problem", [NodeTimeout("late"), BadRequest("bad", field="execution_ids")])
def test_a_node_that_fails_for_a_while(world: World, monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    with monkeypatch.context() as patch:
        patch.setattr(world.nodes[A], "query", fail)
        world.run(A, steps=3)
    world.run(A, steps=4, seconds=61)
    settled_once(world)


def test_no_start_while_the_node_is_away(world: World) -> None:
    world.nodes[A].down = True
    world.run(A, steps=3)
    assert world.nodes[A].started == []
    assert [event for event, _ in world.logs[A].lines].count("node_trouble") == 1
    world.nodes[A].down = False
    world.run(A, steps=6, seconds=61)
    settled_once(world)


def test_an_agent_does_not_touch_another_organisations_node(world: World) -> None:
    world.nodes[A].me = B
    world.run(A, steps=3)
    assert world.nodes[A].started == []
    assert ("BAD_SETTINGS" in str(world.logs[A].lines)) is True
