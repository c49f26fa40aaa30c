"""The seller's custodian: what makes it try again, together or apart, and what it shows meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest

from ippon.agent import view
from ippon.errors import Refusal
from ippon.model import DeskState, Outcome, Reason, Side, TryCause, utc_text
from unit.agent_world import NOON, World, fill_values, notify, two_custodians

A, B = "Custodian A", "Custodian B"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return two_custodians(World(tmp_path))


def fill(world: World, execution_id: str = "EX-1", name: str = A) -> view.SettlementView:
    (found,) = view.settlements(world.stores[name], execution_ids=[execution_id])
    return found


def causes(world: World, execution_id: str = "EX-1") -> list[TryCause]:
    return [attempt.cause for attempt in view.attempts(world.stores[A], execution_id=execution_id)]


def flows(world: World) -> list[str]:
    return [client_id for operation, client_id in world.nodes[A].started if operation == "settle_fills"]


def rich(world: World, yen: int = 10**9) -> None:
    world.ledger.coins[B, "COIN-B"] = yen


def test_the_life_of_a_fill(world: World) -> None:
    rich(world)
    notify(world.ledger, fill_values(1))
    world.run()
    kinds = [event.kind for event in view.events(world.stores[A], subject="EX-1")]
    assert kinds == ["received", "checked", "sending", "settled"]
    row = fill(world)
    assert (row.state, row.side, row.transaction_id) == (
        DeskState.SETTLED,
        Side.SELL,
        world.ledger.fills["EX-1"]["ended_by"],
    )
    bought = fill(world, name=B)
    assert (bought.state, bought.side, bought.tries) == (DeskState.SETTLED, Side.BUY, 0)
    assert bought.transaction_id == row.transaction_id


def test_a_short_buyer_waits_for_the_announcement_and_not_for_the_timer(world: World) -> None:
    notify(world.ledger, fill_values(1))
    world.run(A)
    row = fill(world)
    assert (row.state, row.reason, row.missing) == (DeskState.WAITING, Reason.CMON, None)
    assert row.next_try_at is not None
    assert row.next_try_at - NOON >= timedelta(minutes=30)
    rich(world)
    world.run(A)
    assert causes(world) == [TryCause.RECEIVED]
    world.ledger.run(B, "announce_funds", {"custodian": A, "execution_ids": ["EX-1"]})
    world.run(A)
    assert causes(world) == [TryCause.RECEIVED, TryCause.ANNOUNCEMENT]
    assert fill(world).state is DeskState.SETTLED


def test_the_timer_is_the_backstop(world: World) -> None:
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    rich(world)
    world.clock.forward(3600)
    world.run(A, steps=2)
    assert causes(world) == [TryCause.RECEIVED, TryCause.TIMER]


def test_an_announcement_while_a_try_is_running(world: World) -> None:
    notify(world.ledger, fill_values(1))
    node = world.nodes[A]
    node.hold.add("settle_fills")
    world.run(A, steps=2)
    world.ledger.run(B, "announce_funds", {"custodian": A, "execution_ids": ["EX-1"]})
    world.run(A, steps=2)
    assert fill(world).state is DeskState.SENDING
    node.release()
    rich(world)
    world.run(A, steps=3)
    assert causes(world) == [TryCause.RECEIVED, TryCause.ANNOUNCEMENT]
    assert fill(world).state is DeskState.SETTLED


def test_units_that_arrive_wake_what_they_cover(world: World) -> None:
    rich(world)
    world.ledger.units[A, "INV-S", "ZA101"] = 0
    notify(world.ledger, fill_values(1), fill_values(2))
    world.run(A, steps=3)
    row = fill(world)
    assert (row.reason, row.missing) == (Reason.LACK, 10)
    (shortage, _) = view.shortages(world.stores[A])
    assert (shortage.asset, shortage.investor_id, shortage.missing) == ("UNITS", "INV-S", 10)
    world.ledger.units[A, "INV-S", "ZA101"] = 10
    world.run(A, steps=3)
    assert causes(world, "EX-1") == [TryCause.RECEIVED, TryCause.UNITS]
    assert causes(world, "EX-2") == [TryCause.RECEIVED]
    assert [one.state for one in view.shortages(world.stores[A])] == ["covered", "open"]


def test_units_that_something_else_holds_wake_only_once(world: World) -> None:
    rich(world)
    world.ledger.units[A, "INV-S", "ZA101"] = 0
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    query = world.ledger.query_balances

    def as_if_free(me: str, arguments: dict[str, object]) -> list[dict[str, object]]:
        return [{**row, "total": 10} for row in query(me, arguments)]

    world.ledger.query_balances = as_if_free  # type: ignore[method-assign, assignment]
    world.run(A, steps=6)
    assert causes(world) == [TryCause.RECEIVED, TryCause.UNITS]


def test_a_route_that_comes_wakes_its_sales(world: World) -> None:
    rich(world)
    route = world.ledger.routes.pop((B, "INV-B"))
    notify(world.ledger, fill_values(1))
    world.run(A, steps=3)
    row = fill(world)
    assert (row.reason, row.cause) == (Reason.CONF, "ROUTE_MISSING")
    world.ledger.routes[B, "INV-B"] = route
    world.ledger.run(B, "share_funds_routes", {"custodian": A, "investor_ids": ["INV-B"]})
    world.run(A, steps=3)
    assert causes(world) == [TryCause.RECEIVED, TryCause.ROUTE]
    assert fill(world).state is DeskState.SETTLED


def test_a_bank_route_does_not_wake(world: World) -> None:
    world.ledger.routes[B, "INV-B"]["method"] = "BANK"
    world.ledger.run(B, "share_funds_routes", {"custodian": A, "investor_ids": ["INV-B"]})
    notify(world.ledger, fill_values(1))
    world.run(A, steps=5)
    assert (fill(world).cause, causes(world)) == ("ROUTE_BANK", [TryCause.RECEIVED])


def test_asked_at_any_time(world: World) -> None:
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    rich(world)
    asked = view.ask_retry(world.stores[A], clock=world.clock, execution_ids=["EX-1", "EX-9"])
    assert (asked.asked, asked.unknown) == (("EX-1",), ("EX-9",))
    world.agents[A].step()
    world.agents[A].step()
    assert causes(world) == [TryCause.RECEIVED, TryCause.ASKED]
    assert fill(world).state is DeskState.SETTLED
    again = view.ask_retry(world.stores[A], clock=world.clock, execution_ids=["EX-1"])
    assert again.not_waiting == {"EX-1": DeskState.SETTLED}


def test_before_its_day_a_fill_is_not_tried(world: World) -> None:
    rich(world)
    notify(world.ledger, fill_values(1, settle_date="2026-07-02"))
    world.run(A, steps=2)
    row = fill(world)
    assert (row.state, row.reason, row.tries) == (DeskState.WAITING, Reason.FUTU, 0)
    assert row.next_try_at == NOON + timedelta(hours=12)
    world.clock.forward(12 * 3600)
    world.run(A, steps=2)
    assert fill(world).state is DeskState.SETTLED


def test_past_its_day_a_fill_is_failing(world: World) -> None:
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    assert not fill(world).failing
    world.clock.forward(24 * 3600)
    world.run(A, steps=1)
    assert fill(world).failing
    rich(world)
    world.run(A, steps=3, seconds=7200)
    assert (fill(world).state, fill(world).failing) == (DeskState.SETTLED, False)


def test_fills_that_are_ready_go_together_and_a_lone_one_at_once(world: World) -> None:
    rich(world)
    notify(world.ledger, *(fill_values(number) for number in range(1, 6)))
    world.run(A, steps=2)
    assert len(flows(world)) == 1
    notify(world.ledger, fill_values(6))
    world.run(A, steps=2)
    assert len(flows(world)) == 2
    assert len(world.ledger.settled) == 6


def test_no_more_than_allowed_go_together(world: World) -> None:
    rich(world)
    limits = world.settings[A].limits.model_copy(update={"max_fills_per_settlement": 2})
    world.restart(A, world.settings[A].model_copy(update={"limits": limits}))
    notify(world.ledger, *(fill_values(number) for number in range(1, 6)))
    world.run(A, steps=5)
    assert len(flows(world)) == 3


def test_a_settlement_that_hangs_holds_back_no_other(world: World) -> None:
    rich(world)
    world.nodes[A].hold.add("settle_fills")
    notify(world.ledger, fill_values(1))
    world.run(A, steps=1)
    world.nodes[A].hold.clear()
    notify(world.ledger, fill_values(2))
    world.run(A, steps=1)
    assert world.ledger.settled == []
    world.clock.forward(world.settings[A].timers.slow_settlement_seconds)
    world.run(A, steps=2)
    assert world.ledger.settled == ["EX-2"]


def test_a_refused_batch_is_split_down_to_the_culprit(world: World) -> None:
    rich(world)
    settle = world.ledger.flow_settle_fills

    def picky(me: str, execution_ids: list[str]) -> dict[str, object]:
        if "EX-3" in execution_ids:
            raise Refusal("The contract refuses.", code="CONTRACT_REFUSED")
        return settle(me, execution_ids)

    world.ledger.flow_settle_fills = picky  # type: ignore[method-assign]
    notify(world.ledger, *(fill_values(number) for number in range(1, 9)))
    world.run(A, steps=16)
    assert sorted(world.ledger.settled) == [f"EX-{number}" for number in (1, 2, 4, 5, 6, 7, 8)]
    culprit = fill(world, "EX-3")
    assert (culprit.state, culprit.cause) == (DeskState.REFUSED, "CONTRACT_REFUSED")
    assert causes(world, "EX-3") == [TryCause.RECEIVED, *[TryCause.SPLIT] * 3]
    again = view.ask_retry(world.stores[A], clock=world.clock, execution_ids=["EX-3"])
    assert again.asked == ("EX-3",)


def test_a_flow_that_failed_after_it_settled(world: World) -> None:
    rich(world)
    settle = world.ledger.flow_settle_fills

    def late(me: str, execution_ids: list[str]) -> dict[str, object]:
        settle(me, execution_ids)
        raise Refusal("killed", code="INTERNAL")

    world.ledger.flow_settle_fills = late  # type: ignore[method-assign]
    notify(world.ledger, fill_values(1))
    world.run(A, steps=3)
    row = fill(world)
    assert (row.state, row.tries) == (DeskState.SETTLED, 1)
    (attempt,) = view.attempts(world.stores[A], execution_id="EX-1")
    assert attempt.outcome is Outcome.FAILED
    assert "killed" in str(attempt.error)


@pytest.mark.parametrize("cause", ["COUNTERPARTY_FAILED", "ALREADY_SETTLED", "NOTARY_CONFLICT", "INTERNAL"])
def test_a_refusal_that_leaves_a_doubt_is_asked_of_the_ledger(world: World, cause: str) -> None:
    rich(world)
    settle = world.ledger.flow_settle_fills

    def vague(me: str, execution_ids: list[str]) -> dict[str, object]:
        settle(me, execution_ids)
        line = {"outcome": "REFUSED", "cause": cause, "message": "gone"}
        return {"results": [{**line, "execution_id": execution_id} for execution_id in execution_ids]}

    world.ledger.flow_settle_fills = vague  # type: ignore[method-assign]
    notify(world.ledger, fill_values(1))
    world.run(A, steps=3)
    assert (fill(world).state, fill(world).tries) == (DeskState.SETTLED, 1)


def test_a_refusal_that_leaves_a_doubt_makes_no_new_try_before_the_ledger_has_spoken(world: World) -> None:
    line = {"execution_id": "EX-1", "outcome": "REFUSED", "cause": "COUNTERPARTY_FAILED", "message": "gone"}
    world.ledger.flow_settle_fills = lambda *_, **__: {"results": [line]}  # type: ignore[method-assign]
    pending = {"run_id": "r", "kind": "SIGNED", "counterparty": "x", "since": NOON, "execution_ids": ["EX-1"]}
    world.ledger.pending[A] = [{**pending, "deadline": NOON + timedelta(hours=1)}]
    notify(world.ledger, fill_values(1))
    world.run(A, steps=6, seconds=30)
    assert (fill(world).state, fill(world).cause, fill(world).tries) == (DeskState.UNKNOWN, "COUNTERPARTY_FAILED", 1)


def test_what_the_ledger_has_ended_no_late_result_reopens(world: World) -> None:
    node = world.nodes[A]
    node.hold.add("settle_fills")
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    world.ledger.run("Exchange", "bust_fill", {"execution_id": "EX-1", "reason": "wrong"})
    world.run(A, steps=2)
    assert fill(world).state is DeskState.BUSTED
    line = {"execution_id": "EX-1", "outcome": "WAITING", "reason": "CMON", "message": "late"}
    world.ledger.flow_settle_fills = lambda *_, **__: {"results": [line]}  # type: ignore[method-assign]
    node.release()
    world.run(A, steps=2)
    assert fill(world).state is DeskState.BUSTED
    (attempt,) = view.attempts(world.stores[A], execution_id="EX-1")
    assert attempt.outcome is Outcome.WAITING


def test_a_refusal_of_one_fill_touches_no_other(world: World) -> None:
    rich(world)
    settle = world.ledger.flow_settle_fills

    def picky(me: str, execution_ids: list[str]) -> dict[str, object]:
        results = settle(me, [one for one in execution_ids if one != "EX-2"])["results"]
        line = {"execution_id": "EX-2", "outcome": "REFUSED", "cause": "DUPLICATE_FILL", "message": "no"}
        return {"results": [*results, line]}

    world.ledger.flow_settle_fills = picky  # type: ignore[method-assign]
    notify(world.ledger, fill_values(1), fill_values(2), fill_values(3))
    world.run(A, steps=3)
    assert [fill(world, f"EX-{number}").state.value for number in (1, 2, 3)] == ["settled", "refused", "settled"]


def test_an_unknown_fill_is_not_tried_while_something_may_settle_it(world: World) -> None:
    rich(world)
    deadline = NOON + timedelta(minutes=3)
    pending = {"run_id": "r", "kind": "SIGNED", "counterparty": "x", "since": NOON, "execution_ids": ["EX-1"]}
    world.ledger.pending[A] = [{**pending, "deadline": deadline}]
    world.nodes[A].fail["settle_fills"] = Refusal("gone", code="COUNTERPARTY_FAILED")
    notify(world.ledger, fill_values(1))
    world.run(A, steps=4)
    assert (fill(world).state, fill(world).generation) == (DeskState.UNKNOWN, 1)
    world.nodes[A].fail.clear()
    world.ledger.pending[A] = []
    world.run(A, steps=4, seconds=11)
    assert (fill(world).state, fill(world).generation) == (DeskState.SETTLED, 2)


def test_our_own_settlement_past_its_deadline_is_decided_by_the_next(world: World) -> None:
    rich(world)
    row = {"run_id": "r", "kind": "SETTLING", "counterparty": "x", "since": NOON, "execution_ids": ["EX-1"]}
    world.ledger.pending[A] = [{**row, "deadline": NOON + timedelta(seconds=20)}]
    world.nodes[A].fail["settle_fills"] = Refusal("gone", code="COUNTERPARTY_FAILED")
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    world.nodes[A].fail.clear()
    assert fill(world).state is DeskState.UNKNOWN
    world.run(A, steps=6, seconds=11)
    assert fill(world).state is DeskState.SETTLED


def test_a_busted_fill_ends(world: World) -> None:
    notify(world.ledger, fill_values(1))
    world.run(steps=2)
    world.ledger.run("Exchange", "bust_fill", {"execution_id": "EX-1", "reason": "wrong"})
    world.run(steps=2)
    for name in (A, B):
        row = fill(world, name=name)
        assert (row.state, row.next_try_at) == (DeskState.BUSTED, None)
    assert view.shortages(world.stores[B])[0].state == "covered"


def test_many_fills_over_many_pages(world: World) -> None:
    rich(world)
    world.ledger.units[A, "INV-S", "ZA101"] = 10**6
    notify(world.ledger, *(fill_values(number) for number in range(1, 451)))
    world.agents[A].step()
    assert len(view.settlements(world.stores[A])) == 450


def test_a_fill_that_cannot_be_read_holds_up_no_other(world: World) -> None:
    rich(world)
    notify(world.ledger, fill_values(1), fill_values(2))
    world.ledger.fills["EX-1"]["quantity"] = 11
    world.run(A, steps=2)
    assert world.ledger.settled == ["EX-2"]
    assert "row_unreadable" in [event for event, _ in world.logs[A].lines]


def test_an_old_store_and_a_node_that_went_on(world: World) -> None:
    """The agent was away while others settled: the ledger tells."""
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    rich(world)
    world.ledger.flow_settle_fills(A, ["EX-1"])
    world.clock.forward(10_000)
    world.restart(A)
    world.agents[A].step()
    assert (fill(world).state, fill(world).tries) == (DeskState.SETTLED, 1)


def test_a_fill_that_the_node_dates_back_after_its_clock_was_set_back_then_it_is_found_all_the_same(
    world: World,
) -> None:
    rich(world)
    notify(world.ledger, fill_values(1))
    world.run(A)
    # The node's clock was five minutes ahead, and is right again.
    world.ledger.fills["EX-1"]["changed_at"] = utc_text(world.clock.now() + timedelta(minutes=5))
    world.run(A, B)
    notify(world.ledger, fill_values(2))
    world.run(A, B, steps=2)
    assert not view.settlements(world.stores[A], execution_ids=["EX-2"])
    world.clock.forward(60)
    world.run(A, B)
    assert fill(world, "EX-2").state is DeskState.SETTLED
