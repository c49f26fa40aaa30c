"""The venue's agent: each good fill on the ledger once, each bad row refused by field and reason."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from ippon.agent import view
from ippon.agent.receipts import ReceiptRow
from ippon.errors import BridgeDown, Refusal
from unit.agent_world import Crash, World, fill_values, fills_csv

E = "Exchange"
ORDERS = "order_id,side,custodian,investor_id,security_code,quantity,unit_price,platform_code"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.add(E, "exchange", exchange={"platform_codes": ["IPPON"], "security_codes": ["ZA101"]})
    world.ledger.investors["Custodian A"]["INV-S"] = "INV-S"
    world.ledger.investors["Custodian B"]["INV-B"] = "INV-B"
    return world


def orders(*numbers: int, quantity: int = 10, price: str = "1000.00") -> str:
    lines = [ORDERS]
    for number in numbers:
        lines.append(f"S-{number},SELL,Custodian A,INV-S,ZA101,{quantity},{price},IPPON")
        lines.append(f"B-{number},BUY,Custodian B,INV-B,ZA101,{quantity},{price},IPPON")
    return "\n".join(lines) + "\n"


def send(world: World, *rows: dict[str, str], name: str = "fills-1.csv", steps: int = 3) -> tuple[ReceiptRow, ...]:
    world.file(E, name, fills_csv(*rows))
    world.run(E, steps=steps)
    return world.receipt(E, name).rows


def started(world: World, operation: str = "notify_fill") -> int:
    return [name for name, _ in world.nodes[E].started].count(operation)


def refusals(*rows: ReceiptRow) -> list[tuple[str, str | None, str | None]]:
    return [(row.status, row.code, row.field) for row in rows]


def test_a_good_fill_is_notified(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1))
    (row,) = send(world, fill_values(1))
    assert (row.line, row.id, row.status) == (2, "EX-1", "accepted")
    assert row.transaction_id == world.ledger.fills["EX-1"]["notify_tx"]
    (fill,) = view.venue_fills(world.stores[E])
    assert (fill.state, fill.transaction_id) == ("notified", row.transaction_id)
    assert world.receipt(E, "orders-1.csv").counts == {"pending": 0, "accepted": 2, "refused": 0, "duplicate": 0}


def test_the_same_file_twice_does_no_harm(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1, 2))
    first = send(world, fill_values(1), fill_values(2))
    again = send(world, fill_values(1), fill_values(2))
    assert again == first
    assert started(world) == 2
    other_name = send(world, fill_values(1), fill_values(2), name="fills-2.csv")
    assert [row.status for row in other_name] == ["duplicate", "duplicate"]
    assert other_name[0].transaction_id == first[0].transaction_id
    assert started(world) == 2


def test_a_row_sent_twice_in_one_file(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1))
    rows = send(world, fill_values(1), fill_values(1))
    assert [row.status for row in rows] == ["accepted", "duplicate"]
    assert started(world) == 1


def test_the_same_id_with_other_content_is_refused(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1, quantity=100))
    changed = fill_values(1, quantity=30, amount=30_000)
    rows = send(world, fill_values(1), changed)
    assert refusals(*rows) == [("accepted", None, None), ("refused", "EXECUTION_ID_REUSED", "quantity")]
    assert "quantity 10, now with 30" in str(rows[1].reason)
    assert world.ledger.fills["EX-1"]["quantity"] == 10


BAD_ROWS: list[tuple[dict[str, object], str, str]] = [
    ({"amount": 10_001}, "AMOUNT_MISMATCH", "amount"),
    ({"quantity": 2, "unit_price": "1000.33", "amount": 2001}, "NOT_WHOLE_YEN", "unit_price"),
    ({"platform_code": "NOSUCH"}, "UNKNOWN_PLATFORM", "platform_code"),
    ({"security_code": "ZZZZ9"}, "UNKNOWN_SECURITY", "security_code"),
    ({"quantity": "ten"}, "BAD_REQUEST", "quantity"),
    ({"quantity": ""}, "BAD_REQUEST", "quantity"),
    ({"unit_price": "1000"}, "BAD_REQUEST", "unit_price"),
    ({"executed_at": "2026-07-01T09:00:00"}, "BAD_REQUEST", "executed_at"),
    ({"settle_date": "2026-13-01"}, "BAD_REQUEST", "settle_date"),
    ({"execution_id": "EX 1"}, "BAD_REQUEST", "execution_id"),
    ({"sell_order_id": "S-99"}, "UNKNOWN_ORDER", "sell_order_id"),
    ({"buy_order_id": "B-99"}, "UNKNOWN_ORDER", "buy_order_id"),
    ({"buy_order_id": "S-1"}, "ORDER_MISMATCH", "buy_order_id"),
    ({"seller_investor_id": "INV-X"}, "ORDER_MISMATCH", "seller_investor_id"),
    ({"buyer_custodian": "Custodian C"}, "ORDER_MISMATCH", "buyer_custodian"),
    ({"quantity": 11, "amount": 11_000}, "ORDER_MISMATCH", "quantity"),
    ({"unit_price": "999.00", "amount": 9990}, "ORDER_MISMATCH", "unit_price"),
    ({"unit_price": "1001.00", "amount": 10_010}, "ORDER_MISMATCH", "unit_price"),
]


def test_bad_rows_are_refused_and_the_good_one_among_them_goes_on(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1))
    bad = [fill_values(1, **changes) for changes, _, _ in BAD_ROWS]
    rows = send(world, *bad[:9], fill_values(1), *bad[9:])
    assert rows[9].status == "accepted"
    others = [row for row in rows if row.line != 11]
    # After the good row its id is taken, and what differs is told first.
    for row, (_, code, field) in zip(others[:9], BAD_ROWS[:9], strict=True):
        assert (row.status, row.code, row.field) == ("refused", code, field)
    assert started(world) == 1


@pytest.mark.parametrize(("changes", "code", "field"), BAD_ROWS)
def test_each_bad_row_alone(world: World, changes: dict[str, object], code: str, field: str) -> None:
    world.file(E, "orders-1.csv", orders(1))
    (row,) = send(world, fill_values(1, **changes), steps=1)
    assert (row.line, row.status, row.code, row.field) == (2, "refused", code, field)
    assert row.reason
    assert started(world) == 0


def test_fills_use_up_their_orders(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1, quantity=15))
    second = fill_values(2, sell_order_id="S-1", buy_order_id="B-1")
    rows = send(world, fill_values(1), second, {**second, "quantity": "5", "amount": "5000"})
    assert refusals(*rows)[1] == ("refused", "ORDER_MISMATCH", "quantity")
    assert "the 5 units left of B-1" in str(rows[1].reason)
    assert rows[2].status == "accepted"


def test_without_orders_when_they_are_not_required(world: World) -> None:
    rules = world.settings[E].exchange.model_copy(update={"orders_required": False})
    world.restart(E, world.settings[E].model_copy(update={"exchange": rules}))
    (row,) = send(world, fill_values(1))
    assert row.status == "accepted"


def test_a_refusal_of_a_custodians_node_ends_in_the_receipt(world: World) -> None:
    del world.ledger.investors["Custodian B"]["INV-B"]
    world.file(E, "orders-1.csv", orders(1))
    (row,) = send(world, fill_values(1))
    assert refusals(row) == [("refused", "UNKNOWN_INVESTOR", "buyer_investor_id")]
    # Once the investor is there, the venue sends it again.
    world.ledger.investors["Custodian B"]["INV-B"] = "INV-B"
    (row,) = send(world, fill_values(1), name="fills-2.csv")
    assert row.status == "accepted"
    assert started(world) == 2


def test_a_notice_that_failed_after_it_was_recorded_is_found_on_the_ledger(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1))
    node, run = world.nodes[E], world.ledger.run

    def fail_after(me: str, operation: str, arguments: dict[str, object]) -> dict[str, object]:
        run(me, operation, arguments)
        raise Refusal("custodian died", code="COUNTERPARTY_FAILED")

    world.ledger.run = fail_after  # type: ignore[method-assign, assignment]
    (row,) = send(world, fill_values(1))
    assert row.status == "accepted"
    assert [client_id for _, client_id in node.started] == ["notify:EX-1:1"]


def test_an_id_that_the_ledger_has_with_other_content(world: World) -> None:
    """The agent's store is new, the ledger is not."""
    world.file(E, "orders-1.csv", orders(1))
    world.ledger.run("Exchange", "notify_fill", {**fill_values(1), "quantity": 5, "amount": 5000})
    world.nodes[E].fail["notify_fill"] = Refusal("other", code="EXECUTION_ID_REUSED", field="execution_id")
    (row,) = send(world, fill_values(1))
    assert refusals(row) == [("refused", "EXECUTION_ID_REUSED", "execution_id")]


def test_trouble_on_the_way_makes_a_new_generation(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1))
    world.nodes[E].fail["notify_fill"] = Refusal("gone", code="COUNTERPARTY_FAILED")
    (row,) = send(world, fill_values(1), steps=2)
    assert row.status == "pending"
    world.nodes[E].fail.clear()
    world.run(E, steps=6, seconds=30)
    assert world.receipt(E, "fills-1.csv").rows[0].status == "accepted"
    generations = [client_id for _, client_id in world.nodes[E].started]
    assert generations == [f"notify:EX-1:{number}" for number in range(1, len(generations) + 1)]


def test_what_was_received_is_journaled_while_the_node_is_away(world: World) -> None:
    world.nodes[E].down = True
    world.file(E, "orders-1.csv", orders(1))
    (row,) = send(world, fill_values(1), steps=1)
    assert row.status == "pending"
    world.nodes[E].down = False
    world.restart(E)
    world.run(E, steps=3)
    assert world.receipt(E, "fills-1.csv").rows[0].status == "accepted"


@pytest.mark.parametrize("point", ["before start", "after start", "before result", "before forget"])
def test_death_on_the_way(world: World, point: str) -> None:
    world.file(E, "orders-1.csv", orders(1))
    world.nodes[E].crash_at = point
    with pytest.raises(Crash):
        send(world, fill_values(1))
    world.restart(E)
    world.run(E, steps=3)
    assert world.receipt(E, "fills-1.csv").rows[0].status == "accepted"
    assert started(world) == 1


def test_several_are_in_flight_and_no_more_than_allowed(world: World) -> None:
    world.nodes[E].hold.add("notify_fill")
    world.file(E, "orders-1.csv", orders(*range(1, 21)))
    send(world, *(fill_values(number) for number in range(1, 21)))
    assert started(world) == 8
    world.nodes[E].release()
    world.run(E, steps=6)
    assert world.receipt(E, "fills-1.csv").counts["accepted"] == 20


def test_a_custodian_that_hangs_holds_up_its_own_fills_only(world: World) -> None:
    world.nodes[E].hold.add("notify_fill")
    world.file(E, "orders-1.csv", orders(*range(1, 11)))
    send(world, *(fill_values(number) for number in range(1, 11)))
    world.nodes[E].hold.clear()
    world.ledger.investors["Custodian C"]["INV-B"] = "INV-B"
    world.file(E, "orders-2.csv", orders(50).replace("Custodian B", "Custodian C"))
    (row,) = send(world, fill_values(50, buyer_custodian="Custodian C"), name="fills-2.csv")
    assert row.status == "accepted"


def test_busts(world: World) -> None:
    world.file(E, "orders-1.csv", orders(1, 2))
    send(world, fill_values(1), fill_values(2))
    world.ledger.fills["EX-2"]["status"] = "SETTLED"
    world.file(E, "busts-1.csv", "execution_id,reason\nEX-1,wrong account\nEX-2,too late\nEX-9,never was\n")
    world.run(E, steps=3)
    rows = world.receipt(E, "busts-1.csv").rows
    assert refusals(*rows) == [
        ("accepted", None, None),
        ("refused", "ALREADY_SETTLED", "execution_id"),
        ("refused", "UNKNOWN_FILL", "execution_id"),
    ]
    assert [fill.state for fill in view.venue_fills(world.stores[E])] == ["busted", "notified"]


def test_a_bust_waits_for_its_fills_notice(world: World) -> None:
    world.nodes[E].hold.add("notify_fill")
    world.file(E, "orders-1.csv", orders(1))
    world.file(E, "busts-1.csv", "execution_id,reason\nEX-1,wrong account\n")
    send(world, fill_values(1))
    assert started(world, "bust_fill") == 0
    world.nodes[E].release()
    world.run(E, steps=4)
    assert world.receipt(E, "busts-1.csv").rows[0].status == "accepted"
    assert world.ledger.fills["EX-1"]["status"] == "BUSTED"


BUST = "execution_id,reason\nEX-1,wrong account\n"


def bust_file_first(world: World) -> None:
    """The bust's flow is promised before the fill's; on the node the notice runs first, and both ends wait."""
    node = world.nodes[E]
    node.hold |= {"notify_fill", "bust_fill"}
    world.file(E, "busts-1.csv", BUST)
    world.run(E, steps=2)
    world.file(E, "orders-1.csv", orders(1))
    send(world, fill_values(1))
    node.held = dict(reversed(node.held.items()))
    node.release()


def busted(world: World) -> None:
    (fill,) = view.venue_fills(world.stores[E])
    assert (fill.state, fill.transaction_id) == ("busted", world.ledger.fills["EX-1"]["notify_tx"])
    answers = [world.receipt(E, name).rows[0].status for name in ("busts-1.csv", "fills-1.csv")]
    assert answers == ["accepted", "accepted"]
    # What it had taken of its orders is free again, once.
    again = fill_values(2, sell_order_id="S-1", buy_order_id="B-1")
    more = fill_values(3, sell_order_id="S-1", buy_order_id="B-1")
    rows = send(world, again, more, name="fills-2.csv")
    assert refusals(*rows) == [("accepted", None, None), ("refused", "ORDER_MISMATCH", "quantity")]


def test_a_fill_stays_busted_when_its_notice_is_answered_after_the_bust(world: World) -> None:
    bust_file_first(world)
    world.run(E, steps=2)
    busted(world)


def fail_after_notice(world: World) -> None:
    run = world.ledger.run

    def fail_after(me: str, operation: str, arguments: dict[str, object]) -> dict[str, object]:
        result = run(me, operation, arguments)
        if operation == "notify_fill" and arguments["execution_id"] == "EX-1":
            raise Refusal("custodian died", code="COUNTERPARTY_FAILED")
        return result

    world.ledger.run = fail_after  # type: ignore[method-assign, assignment]


def test_a_fill_stays_busted_when_its_notice_is_in_doubt_after_the_bust(world: World) -> None:
    fail_after_notice(world)
    bust_file_first(world)
    world.run(E, steps=3)
    busted(world)


def test_a_bust_that_is_through_while_the_notice_is_in_doubt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_after_notice(world)
    node = world.nodes[E]
    node.hold.add("bust_fill")
    world.file(E, "busts-1.csv", BUST)
    world.run(E, steps=2)
    world.file(E, "orders-1.csv", orders(1))
    with monkeypatch.context() as away:
        away.setattr(node, "query", Mock(side_effect=BridgeDown("no answer")))
        send(world, fill_values(1))
        assert [fill.state for fill in view.venue_fills(world.stores[E])] == ["unknown"]
        node.release()
        world.run(E, steps=3, seconds=60)
    world.run(E, steps=3, seconds=60)
    busted(world)


def test_a_reversing_fill_needs_no_order_but_its_reason(world: World) -> None:
    whole = fill_values(1, reverses="EX-0", reversal_reason="wrong account")
    half = fill_values(2, reverses="EX-0", reversal_reason="")
    rows = send(world, whole, half)
    assert refusals(*rows) == [("accepted", None, None), ("refused", "BAD_REQUEST", "reason")]
    assert world.ledger.fills["EX-1"]["reverses"] == {"execution_id": "EX-0", "reason": "wrong account"}
