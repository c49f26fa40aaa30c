"""The market: every refusal by code and field, ids, priority after changes, phases, nothing lost over a whole day."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippon.venue.calendar import Hours
from ippon.venue.day import TradingDay
from ippon.venue.generate import Generator, Shape
from ippon.venue.market import Market
from ippon.venue.orders import Accepted, Cancelled, Event, Message, Refused, Replaced, Traded
from ippon.venue.words import Cancels, Ended, Phase, SelfTrade
from unit.venue_world import BROKERS, DAY, INVESTORS, MORNING, PHASES, ZA101, ZB202, cancel, market, new, replace


def refusal(made: Market, message: Message) -> tuple[str, str | None]:
    (event,) = made.submit(message, MORNING)
    assert isinstance(event, Refused), event
    assert event.reason
    return event.code, event.field


def traded(events: list[Event]) -> list[tuple[str, str, int, int]]:
    """(sell, buy, units, sen) by client order id."""
    fills = [event for event in events if isinstance(event, Traded)]
    return [(fill.sell.client_order_id, fill.buy.client_order_id, fill.quantity, fill.price) for fill in fills]


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        (new("C1", "BUY", broker="BR-X"), "UNKNOWN_BROKER", "broker"),
        (new("C1", "BUY", security="ZZZ"), "UNKNOWN_SECURITY", "security_code"),
        (new("C1", "BUY", platform_code="OTHER"), "UNKNOWN_PLATFORM", "platform_code"),
        (new("C1", "BUY", quantity=10), "NOT_A_LOT", "quantity"),
        (new("C1", "BUY", quantity=0), "NOT_A_LOT", "quantity"),
        (new("C1", "BUY", quantity=-4), "NOT_A_LOT", "quantity"),
        (new("C1", "BUY", quantity=4, price=1_000_10), "NOT_A_TICK", "unit_price"),
        (new("C1", "BUY", quantity=4, price=849_75), "PRICE_LIMIT", "unit_price"),
        (new("C1", "BUY", quantity=4, price=1_150_25), "PRICE_LIMIT", "unit_price"),
        (new("C1", "BUY", quantity=4_000_000_000), "TOO_LARGE_ORDER", "quantity"),
        (cancel("C1", "NONE"), "UNKNOWN_ORDER", "original_client_order_id"),
        (replace("C1", "NONE", 4), "UNKNOWN_ORDER", "original_client_order_id"),
    ],
)
def test_a_request_that_breaks_a_rule_then_is_refused_by_code_and_field(
    message: Message, code: str, field: str
) -> None:
    assert refusal(market(), message) == (code, field)


def test_an_order_at_the_price_limits_then_is_taken() -> None:
    made = market()
    for number, price in enumerate((850_00, 1_150_00)):
        (event,) = made.submit(new(f"C{number}", "BUY" if number == 0 else "SELL", 4, price), MORNING)
        assert isinstance(event, Accepted)


def test_a_client_order_id_that_comes_twice_then_the_first_stands() -> None:
    made = market()
    made.submit(new("C1", "BUY", 4), MORNING)
    assert refusal(made, new("C1", "BUY", 8)) == ("CLIENT_ORDER_ID_REUSED", "client_order_id")
    assert [order.left for order in made.book("ZB202").bids()] == [4]
    (event,) = made.submit(new("C1", "BUY", 8, broker="BR-A2"), MORNING)
    assert isinstance(event, Accepted), "another broker may use the same id"


def test_a_broker_cannot_touch_the_order_of_another() -> None:
    made = market()
    made.submit(new("C1", "BUY", 4), MORNING)
    assert refusal(made, cancel("C2", "C1", broker="BR-A2")) == ("UNKNOWN_ORDER", "original_client_order_id")


def test_a_security_named_by_its_name_then_it_is_found() -> None:
    made = market()
    (event,) = made.submit(new("C1", "BUY", 1, 100_000_00, security="架空倉庫"), MORNING)
    assert isinstance(event, Accepted)
    assert event.order.security.code == "ZA101"


def test_a_fill_has_ids_that_name_day_match_and_order() -> None:
    made = market()
    made.submit(new("S1", "SELL", 8), MORNING)
    _, fill = made.submit(new("B1", "BUY", 4), MORNING)
    assert isinstance(fill, Traded)
    assert fill.execution_id == "ODST-20260701-M00000001-O00000002"
    assert fill.trade_id == "ODST-20260701-T00000001"
    assert (fill.sell.order_id, fill.buy.order_id) == ("ODST-20260701-O00000001", "ODST-20260701-O00000002")


def test_a_replacement_with_less_quantity_then_it_keeps_place_and_id() -> None:
    made = market()
    made.submit(new("B1", "BUY", 12), MORNING)
    made.submit(new("B2", "BUY", 12, broker="BR-A2", investor_id="INV-3"), MORNING)
    (event,) = made.submit(replace("B3", "B1", 8), MORNING)
    assert isinstance(event, Replaced)
    assert event.order is event.former
    assert traded(made.submit(new("S1", "SELL", 12), MORNING)) == [("S1", "B3", 8, 1_000_00), ("S1", "B2", 4, 1_000_00)]


@pytest.mark.parametrize(("quantity", "price"), [(16, 1_000_00), (8, 1_000_25), (12, 999_75)])
def test_a_replacement_with_more_quantity_or_another_price_then_it_takes_a_new_place_and_id(
    quantity: int, price: int
) -> None:
    made = market()
    made.submit(new("B1", "BUY", 12), MORNING)
    made.submit(new("B2", "BUY", 12, price, broker="BR-A2", investor_id="INV-3"), MORNING)
    event = made.submit(replace("B3", "B1", quantity, price), MORNING)[0]
    assert isinstance(event, Replaced)
    assert (event.former.order_id, event.order.order_id) == ("ODST-20260701-O00000001", "ODST-20260701-O00000003")
    assert traded(made.submit(new("S1", "SELL", 12, price), MORNING)) == [("S1", "B2", 12, price)]


def test_a_replacement_counts_what_is_filled() -> None:
    made = market()
    made.submit(new("B1", "BUY", 12), MORNING)
    made.submit(new("S1", "SELL", 4), MORNING)
    assert refusal(made, replace("B2", "B1", 4)) == ("ALREADY_FILLED", "quantity")
    (event,) = made.submit(replace("B3", "B1", 20, 999_75), MORNING)
    assert isinstance(event, Replaced)
    assert (event.order.total, event.order.filled, event.order.left, event.order.opened) == (20, 4, 16, 16)


def test_a_replacement_that_crosses_then_it_is_filled_at_once() -> None:
    made = market()
    made.submit(new("S1", "SELL", 4, 1_001_00), MORNING)
    made.submit(new("B1", "BUY", 4, 999_00), MORNING)
    assert traded(made.submit(replace("B2", "B1", 4, 1_002_00), MORNING)) == [("S1", "B2", 4, 1_001_00)]


def test_an_order_under_a_former_name_then_the_refusal_tells_the_present_one() -> None:
    made = market()
    made.submit(new("B1", "BUY", 12), MORNING)
    made.submit(replace("B2", "B1", 16), MORNING)
    (event,) = made.submit(cancel("B3", "B1"), MORNING)
    assert isinstance(event, Refused)
    assert "'B2'" in event.reason
    assert isinstance(made.submit(cancel("B4", "B2"), MORNING)[0], Cancelled)
    assert refusal(made, cancel("B5", "B4")) == ("UNKNOWN_ORDER", "original_client_order_id")
    assert refusal(made, cancel("B6", "B2")) == ("ORDER_ENDED", "original_client_order_id")


@pytest.mark.parametrize(
    ("kind", "seller", "meets"),
    [
        (SelfTrade.OFF, {"broker": "BR-A1", "investor_id": "INV-1"}, True),
        (SelfTrade.INVESTOR, {"broker": "BR-A1", "investor_id": "INV-1"}, False),
        (SelfTrade.INVESTOR, {"broker": "BR-A2", "investor_id": "INV-1"}, False),
        (SelfTrade.INVESTOR, {"broker": "BR-A1", "investor_id": "INV-2"}, True),
        (SelfTrade.INVESTOR, {"broker": "BR-B1", "investor_id": "INV-1"}, True),
        (SelfTrade.BROKER, {"broker": "BR-A1", "investor_id": "INV-2"}, False),
        (SelfTrade.BROKER, {"broker": "BR-A2", "investor_id": "INV-1"}, True),
    ],
)
@pytest.mark.parametrize("phase", [Phase.CONTINUOUS, Phase.CALL])
def test_self_trade_prevention_by_the_setting(
    kind: SelfTrade, seller: dict[str, Any], meets: bool, phase: Phase
) -> None:
    made = market(phase, self_trade=kind)
    events = made.submit(new("S1", "SELL", 4, **seller), MORNING)
    events += made.submit(new("B1", "BUY", 4), MORNING)
    events += made.enter(Phase.PAUSE, MORNING)
    assert bool(traded(events)) is meets
    gone = [(event.order.client_order_id, event.why) for event in events if isinstance(event, Cancelled)]
    assert gone == ([] if meets else [("B1", Ended.SELF_TRADE)])


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.PAUSE])
def test_an_order_outside_trading_then_it_is_refused(phase: Phase) -> None:
    assert refusal(market(phase), new("C1", "BUY", 4)) == ("MARKET_CLOSED", None)


def test_an_order_in_a_pause_then_it_may_be_cancelled() -> None:
    made = market()
    made.submit(new("B1", "BUY", 4), MORNING)
    made.enter(Phase.PAUSE, MORNING)
    assert isinstance(made.submit(cancel("B2", "B1"), MORNING)[0], Cancelled)


def test_a_call_that_ends_then_all_trade_at_one_price() -> None:
    made = market(Phase.CALL)
    for number, (side, units, price) in enumerate(
        [("SELL", 8, 999_00), ("SELL", 8, 1_001_00), ("BUY", 12, 1_002_00), ("BUY", 8, 998_00)]
    ):
        assert len(made.submit(new(f"C{number}", side, units, price), MORNING)) == 1, "nothing is matched in a call"
    events = made.enter(Phase.CONTINUOUS, MORNING)
    assert traded(events) == [("C0", "C2", 8, 1_001_00), ("C1", "C2", 4, 1_001_00)]


def test_a_day_that_ends_then_what_is_open_expires() -> None:
    made = market()
    made.submit(new("B1", "BUY", 4), MORNING)
    (event,) = made.enter(Phase.CLOSED, MORNING)
    assert isinstance(event, Cancelled)
    assert event.why is Ended.DAY_OVER
    assert made.book("ZB202").best_bid is None


def test_a_day_with_too_many_orders_then_the_next_is_refused() -> None:
    made = market(max_orders_per_day=1)
    made.submit(new("B1", "BUY", 4), MORNING)
    assert refusal(made, new("B2", "BUY", 4)) == ("TOO_MANY_ORDERS", None)


def play(seed: int, **rules: Any) -> tuple[Market, list[Event]]:
    generator = Generator(
        seed=seed, securities=(ZA101, ZB202), investors=INVESTORS, shape=Shape(cancel_percent=20, replace_percent=25)
    )
    made = market(Phase.CLOSED, **rules)
    trading = TradingDay(made, PHASES)
    events: list[Event] = []
    for at_millis, message in generator.flow(requests=300, day=DAY, hours=Hours()):
        events += trading.submit(message, at_millis)
        for code in ("ZA101", "ZB202"):
            bid, ask = made.book(code).best_bid, made.book(code).best_ask
            assert made.phase is Phase.CALL or bid is None or ask is None or bid < ask, "a crossed book"
    return made, events + trading.finish()


RULES = st.fixed_dictionaries(
    {"self_trade": st.sampled_from(SelfTrade), "self_trade_cancels": st.sampled_from(Cancels)}
)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), rules=RULES)
def test_a_whole_day_then_every_unit_is_accounted_for(seed: int, rules: dict[str, Any]) -> None:
    _, events = play(seed, **rules)
    orders = {event.order.order_id: event.order for event in events if isinstance(event, Accepted | Replaced)}
    filled = dict.fromkeys(orders, 0)
    for event in events:
        if isinstance(event, Traded):
            assert event.quantity > 0
            assert event.quantity * event.price % 100 == 0, "law 12"
            assert event.buy.price >= event.price >= event.sell.price
            for order in (event.sell, event.buy):
                filled[order.order_id] += event.quantity
    for order_id, order in orders.items():
        assert filled[order_id] <= order.opened
        open_now = order.ended is None and order.left > 0
        assert not open_now, "the day is over"
        if order.ended is None:
            assert order.filled == order.total
    ids = [event.execution_id for event in events if isinstance(event, Traded)]
    assert len(set(ids)) == len(ids)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_same_orders_give_the_same_events(seed: int) -> None:
    first, second = ([str(_plain(event)) for event in play(seed)[1]] for _ in range(2))
    assert first == second


def _plain(event: Event) -> list[Any]:
    return [getattr(value, "order_id", value) for value in event]


def test_brokers_of_the_test_world_have_investors() -> None:
    assert set(INVESTORS) == set(BROKERS)
