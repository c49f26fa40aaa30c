"""The buyer's custodian: shortages shown, cash turned into coins once, the seller told; and the coin issuer's part."""

from datetime import timedelta
from pathlib import Path

import pytest

from ippon.agent import view
from ippon.agent.tables import Outbox
from ippon.errors import Refusal
from ippon.model import DeskState, Reason, TryCause
from unit.agent_world import Crash, World, fill_values, notify, two_custodians

A, B, I = "Custodian A", "Custodian B", "Issuer"  # noqa: E741
CASH = "line_id,received_at,investor_id,amount\n"
BY_HAND = "instruction_id,investor_id,amount\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = two_custodians(World(tmp_path))
    world.add(I, "coin")
    return world


def statement(*lines: tuple[str, int, str], custodian: str = B) -> str:
    rows = [
        f'{{"line_id": "{line_id}", "value_date": "2026-07-01", "amount": {amount}, '
        f'"reference": "{reference}", "custodian": "{custodian}"}}'
        for line_id, amount, reference in lines
    ]
    return f'{{"account": "trust", "lines": [{", ".join(rows)}]}}'


def shortage(world: World, name: str = B) -> view.ShortageView:
    (found,) = view.shortages(world.stores[name])
    return found


def started(world: World, name: str, operation: str) -> list[str]:
    return [client_id for known, client_id in world.nodes[name].started if known == operation]


def short(world: World) -> None:
    """A fill of 10,000 yen finds its buyer with 4,000."""
    world.ledger.coins[B, "COIN-B"] = 4000
    notify(world.ledger, fill_values(1))
    world.run(steps=2)


def test_the_main_line_of_a_top_up(world: World) -> None:
    short(world)
    assert (shortage(world).missing, shortage(world).investor_id, shortage(world).state) == (6000, "INV-B", "open")
    (bought,) = view.settlements(world.stores[B])
    assert (bought.state, bought.reason, bought.missing) == (DeskState.WAITING, Reason.MONY, 6000)

    world.file(B, "cash-1.csv", CASH + "L1,2026-07-01T03:00:00Z,INV-B,6000\n")
    world.run(steps=2)
    assert world.receipt(B, "cash-1.csv").rows[0].status == "accepted"
    assert started(world, B, "instruct_trust") == ["instruct:TI-L1:1"]
    assert shortage(world).state == "open"

    world.file(I, "statement-1.json", statement(("S1", 6000, "TI-L1")))
    world.run(steps=4)
    assert len(started(world, I, "issue_coins")) == 1
    assert len(started(world, B, "announce_funds")) == 1
    tries = view.attempts(world.stores[A], execution_id="EX-1")
    assert [attempt.cause for attempt in tries] == [TryCause.RECEIVED, TryCause.ANNOUNCEMENT]
    assert world.ledger.settled == ["EX-1"]
    world.run(steps=1)
    assert shortage(world).state == "covered"
    (order,) = view.instructions(world.stores[B])
    assert (order.status, order.source, order.line_id) == ("EXECUTED", "cash", "L1")


def test_what_was_told_before_the_fill_came_is_shown_all_the_same(world: World) -> None:
    # The node's clock jumped back before the fill, which only a whole comparison finds; its notice has a number.
    world.ledger.note(B, "SHORTAGE", "EX-1", "MONY", missing=6000, investor_id="COIN-B")
    world.run(B, steps=2)
    notify(world.ledger, fill_values(1))
    world.run(B, steps=2)
    (bought,) = view.settlements(world.stores[B])
    assert (bought.state, bought.reason, bought.missing) == (DeskState.WAITING, Reason.MONY, 6000)
    assert (shortage(world).missing, shortage(world).investor_id, shortage(world).state) == (6000, "INV-B", "open")


def test_a_cash_line_orders_coins_once(world: World) -> None:
    line = "L1,2026-07-01T03:00:00Z,INV-B,6000\n"
    world.file(B, "cash-1.csv", CASH + line + line)
    world.file(B, "cash-2.csv", CASH + line + "L1,2026-07-01T03:00:00Z,INV-B,7000\n")
    world.run(B, steps=2)
    assert [row.status for row in world.receipt(B, "cash-1.csv").rows] == ["accepted", "duplicate"]
    rows = world.receipt(B, "cash-2.csv").rows
    assert [(row.status, row.code, row.field) for row in rows] == [
        ("duplicate", None, None),
        ("refused", "STATEMENT_LINE_DIFFERS", "amount"),
    ]
    assert len(started(world, B, "instruct_trust")) == 1
    assert len(world.ledger.instructions) == 1


def test_an_instruction_by_hand_with_a_lines_id(world: World) -> None:
    world.file(B, "cash-1.csv", CASH + "L1,2026-07-01T03:00:00Z,INV-B,6000\n")
    world.run(B, steps=1)
    world.file(B, "instructions-1.csv", BY_HAND + "TI-L1,INV-B,6000\n")
    world.run(B, steps=1)
    row = world.receipt(B, "instructions-1.csv").rows[0]
    assert (row.status, row.code, row.field) == ("refused", "INSTRUCTION_ID_REUSED", "instruction_id")


def test_coins_that_do_not_suffice_are_not_announced(world: World) -> None:
    short(world)
    world.ledger.coins[B, "COIN-B"] += 5999
    world.run(steps=3)
    assert shortage(world).state == "open"
    world.ledger.coins[B, "COIN-B"] += 1
    world.run(steps=3)
    assert world.ledger.settled == ["EX-1"]


def test_coins_are_announced_in_the_order_of_settlement(world: World) -> None:
    notify(world.ledger, fill_values(1), fill_values(2))
    world.run(steps=2)
    world.ledger.coins[B, "COIN-B"] = 10_000
    world.run(steps=4)
    assert world.ledger.settled == ["EX-1"]
    assert len(view.attempts(world.stores[A], execution_id="EX-2")) == 1
    states = {one.execution_id: one.state for one in view.shortages(world.stores[B])}
    assert states == {"EX-1": "covered", "EX-2": "open"}


def test_money_that_went_elsewhere_opens_the_shortage_again(world: World) -> None:
    short(world)
    world.ledger.coins[B, "COIN-B"] = 10_000
    world.run(B, steps=2)
    assert shortage(world).state == "announced"
    world.ledger.coins[B, "COIN-B"] = 0
    world.run(B, steps=1)
    assert shortage(world).state == "open"
    world.ledger.coins[B, "COIN-B"] = 10_000
    world.run(steps=5)
    assert world.ledger.settled == ["EX-1"]


def test_an_announcement_unheard_is_repeated(world: World) -> None:
    short(world)
    announce = world.ledger.flow_announce_funds
    world.ledger.flow_announce_funds = lambda *_, **__: {"announced": 0}  # type: ignore[method-assign]
    world.ledger.coins[B, "COIN-B"] = 10_000
    world.run(steps=3)
    world.ledger.flow_announce_funds = announce  # type: ignore[method-assign]
    world.run(steps=3, seconds=61)
    assert world.ledger.settled == ["EX-1"]
    assert shortage(world).announcements == 2


def test_a_seller_that_is_down_is_told_later(world: World) -> None:
    short(world)
    world.nodes[B].fail["announce_funds"] = Refusal("down", code="COUNTERPARTY_FAILED")
    world.ledger.coins[B, "COIN-B"] = 10_000
    world.run(steps=4)
    assert world.ledger.settled == []
    assert view.unfinished(world.stores[B]).messages == 1
    world.nodes[B].fail.clear()
    world.run(steps=5, seconds=30)
    assert world.ledger.settled == ["EX-1"]
    assert view.unfinished(world.stores[B]).messages == 0


@pytest.mark.parametrize("point", ["before start", "after start", "before result", "before forget", "query"])
def test_death_of_the_buyers_agent_on_the_way(world: World, point: str) -> None:
    short(world)
    world.file(B, "cash-1.csv", CASH + "L1,2026-07-01T03:00:00Z,INV-B,6000\n")
    world.file(I, "statement-1.json", statement(("S1", 6000, "TI-L1")))
    world.nodes[B].crash_at = point
    with pytest.raises(Crash):
        world.run(steps=4)
    world.restart(B)
    world.run(steps=8)
    assert world.ledger.settled == ["EX-1"]
    assert len(started(world, B, "instruct_trust")) == 1
    assert len(started(world, B, "announce_funds")) == 1


def test_both_sides_in_one_house(world: World) -> None:
    ledger = world.ledger
    ledger.investors[B]["INV-S"] = "INV-S"
    ledger.units[B, "INV-S", "ZA101"] = 100
    notify(ledger, fill_values(1, seller_custodian=B))
    world.run(B, steps=2)
    assert (shortage(world).missing, shortage(world).investor_id) == (10_000, "INV-B")
    (row,) = view.settlements(world.stores[B])
    assert (row.reason, row.missing) == (Reason.MONY, 10_000)
    ledger.coins[B, "COIN-B"] = 10_000
    world.run(B, steps=3)
    assert ledger.settled == ["EX-1"]
    causes = [attempt.cause for attempt in view.attempts(world.stores[B], execution_id="EX-1")]
    assert causes == [TryCause.RECEIVED, TryCause.ANNOUNCEMENT]
    assert started(world, B, "announce_funds") == []


def test_an_instruction_over_more_than_the_cash_is_rejected_and_told(world: World) -> None:
    world.file(B, "instructions-1.csv", BY_HAND + "TI-9,INV-B,500000\n")
    world.file(I, "statement-1.json", statement(("S1", 450_000, "TI-9"), ("S2", 12_345, "TI-NONE")))
    world.run(steps=5)
    row = world.receipt(B, "instructions-1.csv").rows[0]
    assert (row.status, row.code, row.field) == ("refused", "INSTRUCTION_REJECTED", "amount")
    assert "450000" in str(row.reason)
    assert "500000" in str(row.reason)
    assert world.ledger.coins[B, "COIN-B"] == 0
    (order,) = view.instructions(world.stores[B])
    assert order.status == "REJECTED"
    assert started(world, I, "issue_coins") == []


def test_an_instruction_waits_for_its_line(world: World) -> None:
    world.file(B, "instructions-1.csv", BY_HAND + "TI-9,INV-B,5000\n")
    world.run(steps=3)
    assert world.ledger.instructions[B, "TI-9"]["status"] == "OPEN"
    # The same reference from another custodian is no money of this one.
    world.file(I, "statement-1.json", statement(("S1", 5000, "TI-9"), custodian=A))
    world.run(steps=3)
    assert world.ledger.instructions[B, "TI-9"]["status"] == "OPEN"
    world.file(I, "statement-2.json", statement(("S2", 5000, "TI-9"), ("S3", -700, "TI-9")))
    world.run(steps=3)
    assert world.ledger.instructions[B, "TI-9"]["status"] == "EXECUTED"
    assert world.ledger.statement["S2"]["used_by"] == "TI-9"


def test_a_line_that_was_there_first(world: World) -> None:
    world.file(I, "statement-1.json", statement(("S1", 5000, "TI-9")))
    world.run(steps=2)
    world.restart(I)
    world.file(B, "instructions-1.csv", BY_HAND + "TI-9,INV-B,5000\n")
    world.run(steps=4)
    assert world.ledger.coins[B, "COIN-B"] == 5000


def test_an_instruction_past_its_time_expires(world: World) -> None:
    world.file(B, "instructions-1.csv", BY_HAND + "TI-9,INV-B,5000\n")
    world.run(steps=2)
    world.clock.forward(timedelta(hours=72).total_seconds())
    world.run(steps=3)
    assert world.ledger.instructions[B, "TI-9"]["status"] == "EXPIRED"
    assert world.receipt(B, "instructions-1.csv").rows[0].code == "INSTRUCTION_EXPIRED"


def test_trouble_at_the_issue_is_tried_again(world: World) -> None:
    world.nodes[I].fail["issue_coins"] = Refusal("conflict", code="NOTARY_CONFLICT")
    world.file(B, "instructions-1.csv", BY_HAND + "TI-9,INV-B,5000\n")
    world.file(I, "statement-1.json", statement(("S1", 5000, "TI-9")))
    world.run(steps=4)
    world.nodes[I].fail.clear()
    world.run(steps=5, seconds=61)
    assert world.ledger.coins[B, "COIN-B"] == 5000
    generations = [client_id.rpartition(":")[2] for client_id in started(world, I, "issue_coins")]
    assert generations == [str(number) for number in range(1, len(generations) + 1)]


def test_investors_then_routes_then_everybody_hears(world: World) -> None:
    world.file(B, "routes-1.csv", "investor_id,institution_code,method\nINV-N,SC,COIN\n")
    world.file(B, "investors-1.csv", "investor_id,coin_investor_id\nINV-N,COIN-N\nINV-M,\n")
    world.run(B, steps=4)
    assert world.receipt(B, "routes-1.csv").rows[0].status == "accepted"
    assert world.ledger.investors[B]["INV-N"] == "COIN-N"
    assert (B, "INV-N") in world.ledger.known_routes[A]


def test_one_bad_investor_does_not_refuse_the_others(world: World) -> None:
    world.file(B, "investors-1.csv", "investor_id\nINV-1\nBAD-2\nINV-3\n")
    world.run(B, steps=4)
    rows = world.receipt(B, "investors-1.csv").rows
    assert [(row.status, row.code) for row in rows] == [
        ("accepted", None),
        ("refused", "WRONG_ACCOUNT"),
        ("accepted", None),
    ]


def test_routes_of_one_investor_are_registered_one_after_the_other(world: World) -> None:
    rows = "INV-B,SC,COIN\nINV-B,BANK1,BANK\nINV-B,BANK1,BANK\nINV-B,SC,COIN\n"
    world.file(B, "routes-1.csv", "investor_id,institution_code,method\n" + rows)
    world.run(B, steps=8)
    states = [row.status for row in world.receipt(B, "routes-1.csv").rows]
    assert states == ["accepted", "accepted", "duplicate", "accepted"]
    assert world.ledger.routes[B, "INV-B"]["method"] == "COIN"
    assert world.ledger.routes[B, "INV-B"]["version"] == 4


def test_a_custodian_that_is_down_keeps_nobody_else_from_hearing(world: World) -> None:
    world.add("Custodian C", "custodian")
    settings = world.settings[B].model_copy(update={"other_custodians": ("Custodian C", A)})
    world.restart(B, settings)
    share = world.ledger.flow_share_funds_routes

    def half_down(me: str, custodian: str, investor_ids: list[str]) -> dict[str, object]:
        if custodian == "Custodian C":
            raise Refusal("down", code="COUNTERPARTY_FAILED")
        return share(me, custodian, investor_ids)

    world.ledger.flow_share_funds_routes = half_down  # type: ignore[method-assign]
    world.file(B, "routes-1.csv", "investor_id,institution_code,method\nINV-B,BANK1,BANK\n")
    world.run(B, steps=4)
    assert (B, "INV-B") in world.ledger.known_routes[A]
    assert (B, "INV-B") not in world.ledger.known_routes["Custodian C"]
    world.ledger.flow_share_funds_routes = share  # type: ignore[method-assign]
    world.run(B, steps=4, seconds=61)
    assert (B, "INV-B") in world.ledger.known_routes["Custodian C"]
    with world.stores[B].read() as session:
        assert {row.state for row in session.query(Outbox)} == {"delivered"}


def test_transfers(world: World) -> None:
    header = "transfer_id,security_code,units,from_investor_id,to_custodian,to_investor_id\n"
    world.file(
        A, "transfers-1.csv", header + "T1,ZA101,60,INV-S,Custodian B,INV-B\nT2,ZA101,60,INV-S,Custodian B,INV-B\n"
    )
    world.run(A, steps=3)
    rows = world.receipt(A, "transfers-1.csv").rows
    assert [(row.status, row.code) for row in rows] == [("accepted", None), ("refused", "SHORT_OF_UNITS")]
    assert world.ledger.units[B, "INV-B", "ZA101"] == 60


def test_what_hangs_is_killed_and_what_was_signed_away_reclaimed(world: World) -> None:
    row = {
        "run_id": "run-1",
        "kind": "SIGNED",
        "transaction_id": "F" * 64,
        "counterparty": "x",
        "execution_ids": ["EX-1"],
    }
    now = world.clock.now()
    world.ledger.pending[B] = [{**row, "since": now, "deadline": now + timedelta(seconds=60)}]
    world.run(B, steps=2)
    assert world.nodes[B].killed == []
    world.clock.forward(100)
    world.run(B, steps=6, seconds=11)
    assert world.nodes[B].killed == ["run-1"]
    assert len(started(world, B, "ask_outcome")) == 1
    assert len(started(world, B, "reclaim_coins")) == 1
    assert world.ledger.pending[B] == []
    assert "killed" in [event.kind for event in view.events(world.stores[B])]


def test_a_session_that_was_opened_and_left_is_killed_and_nobody_asked(world: World) -> None:
    now = world.clock.now()
    row = {"run_id": "run-1", "kind": "IDLE", "counterparty": "x", "execution_ids": []}
    world.ledger.pending[B] = [{**row, "since": now, "deadline": now}]
    world.clock.forward(100)
    world.run(B, steps=6, seconds=11)
    assert world.nodes[B].killed == ["run-1"]
    assert started(world, B, "ask_outcome") == []


def test_a_settle_flow_that_runs_too_long_is_killed(world: World) -> None:
    world.nodes[A].hold.add("settle_fills")
    notify(world.ledger, fill_values(1))
    world.run(A, steps=2)
    world.clock.forward(world.settings[A].timers.settlement_limit_seconds)
    world.run(A, steps=2)
    assert len(world.nodes[A].killed) == 1


@pytest.mark.parametrize("role", ["asset", "coin"])
def test_who_has_signed_and_never_heard_asks_again_ever_more_seldom(tmp_path: Path, role: str) -> None:
    world = World(tmp_path)
    world.add(I, role)
    now = world.clock.now()
    signed = {"run_id": "run-1", "kind": "SIGNED", "transaction_id": "F" * 64, "counterparty": "x", "execution_ids": []}
    world.ledger.pending[I] = [{**signed, "since": now, "deadline": now}]
    world.run(I, steps=1, seconds=0)
    assert started(world, I, "ask_outcome") == []
    for minutes, asked in ((1, 1), (1, 2), (1, 2), (2, 3), (4, 4), (4, 4)):
        world.clock.forward(60 * minutes)
        world.run(I, steps=3, seconds=0)
        assert len(started(world, I, "ask_outcome")) == asked, world.clock.now()
    assert world.nodes[I].killed == ["run-1"]
    assert started(world, I, "reclaim_coins") == []
    world.ledger.pending[I] = []
    world.clock.forward(86_400)
    world.run(I, steps=3, seconds=0)
    assert len(started(world, I, "ask_outcome")) == 4
