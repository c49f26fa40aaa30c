"""The auction's price: worked examples, one a rule, and brute force over every price for the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippon.venue.auction import auction_price

TICK = 100
LIMITS = st.integers(1, 12).map(lambda number: number * TICK)
SIDES = st.dictionaries(LIMITS, st.integers(1, 9), min_size=1, max_size=6)


def brute_force(bids: dict[int, int], asks: dict[int, int], tick: int, reference: int) -> int | None:
    """Every price from far below to far above, each rule applied to all that the former left."""

    def volume(price: int) -> int:
        return min(wanted(price), offered(price))

    def wanted(price: int) -> int:
        return sum(units for limit, units in bids.items() if limit >= price)

    def offered(price: int) -> int:
        return sum(units for limit, units in asks.items() if limit <= price)

    prices = list(range(tick, max([*bids, *asks]) + 2 * tick, tick))
    most = max(map(volume, prices))
    if not most:
        return None
    prices = [price for price in prices if volume(price) == most]
    least = min(abs(wanted(price) - offered(price)) for price in prices)
    prices = [price for price in prices if abs(wanted(price) - offered(price)) == least]
    pressed_up = [price for price in prices if wanted(price) > offered(price)]
    pressed_down = [price for price in prices if wanted(price) < offered(price)]
    if pressed_up or pressed_down:
        prices = [max(pressed_up)] if pressed_up else []
        prices += [min(pressed_down)] if pressed_down else []
    return min(prices, key=lambda price: (abs(price - reference), price))


@given(bids=SIDES, asks=SIDES, reference=st.integers(1, 14 * TICK))
def test_the_price_is_that_of_brute_force_over_every_price(
    bids: dict[int, int], asks: dict[int, int], reference: int
) -> None:
    found = auction_price(bids=bids, asks=asks, tick=TICK, reference=reference)
    assert found == brute_force(bids, asks, TICK, reference)


@pytest.mark.parametrize(
    ("rule", "bids", "asks", "reference", "price"),
    [
        ("most units", {300: 5, 200: 5}, {100: 4, 200: 6}, 100, 200),
        ("least imbalance", {500: 10, 300: 2}, {100: 10}, 100, 400),
        ("pressure of buyers", {500: 10}, {100: 4}, 200, 500),
        ("pressure of sellers", {500: 4}, {100: 10}, 400, 100),
        ("the reference price inside", {500: 7}, {100: 7}, 300, 300),
        ("the reference price above", {500: 7}, {100: 7}, 900, 500),
        ("the reference price below", {500: 7}, {200: 7}, 100, 200),
        ("the nearest tick, the lower of two", {500: 7}, {100: 7}, 350, 300),
        ("pressure both ways: one of each, the reference decides", {200: 5, 300: 2}, {100: 3, 300: 3}, 250, 200),
    ],
)
def test_the_price_when_rules_tie_then_the_next_one_decides(
    rule: str, bids: dict[int, int], asks: dict[int, int], reference: int, price: int
) -> None:
    assert auction_price(bids=bids, asks=asks, tick=TICK, reference=reference) == price, rule
    assert brute_force(bids, asks, TICK, reference) == price, rule


@pytest.mark.parametrize(("bids", "asks"), [({}, {100: 1}), ({100: 1}, {}), ({100: 1}, {200: 1})])
def test_there_is_no_price_when_nobody_would_meet(bids: dict[int, int], asks: dict[int, int]) -> None:
    assert auction_price(bids=bids, asks=asks, tick=TICK, reference=100) is None
