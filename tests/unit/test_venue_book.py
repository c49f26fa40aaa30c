"""The book: never crossed, priority kept, nothing lost, beside a slow book that sorts a list for every fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippon.venue.book import Book, BookOrder
from ippon.venue.words import Cancels

TICK = 100
PRICES = st.integers(1, 8).map(lambda number: number * TICK)
NEW = st.tuples(st.just("new"), st.booleans(), PRICES, st.integers(1, 20), st.sampled_from([None, "a", "b"]))
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 30))
STEPS = st.lists(st.one_of(NEW, NEW, CANCEL), max_size=40)
Fill = tuple[int, int, int, int]


@dataclass
class SlowBook:
    """What the book must do, written down as plainly as can be."""

    cancels: Cancels
    orders: list[BookOrder] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)

    def opposite(self, order: BookOrder) -> list[BookOrder]:
        others = [one for one in self.orders if one.buy != order.buy]
        meets = [one for one in others if (one.price <= order.price if order.buy else one.price >= order.price)]
        return sorted(meets, key=lambda one: (one.price if order.buy else -one.price, one.number))

    def add(self, order: BookOrder) -> None:
        while order.left and (others := self.opposite(order)):
            first = others[0]
            if order.owner is not None and order.owner == first.owner:
                if self.cancels is Cancels.NEWEST:
                    self.gone.append(order.number)
                    return
                self.gone.append(first.number)
                self.orders.remove(first)
                continue
            quantity = min(first.left, order.left)
            first.left -= quantity
            order.left -= quantity
            sell, buy = (first, order) if order.buy else (order, first)
            self.fills.append((sell.number, buy.number, quantity, first.price))
            if not first.left:
                self.orders.remove(first)
        if order.left:
            self.orders.append(order)


def make(number: int, step: tuple[Any, ...]) -> BookOrder:
    _, buy, price, quantity, owner = step
    return BookOrder(number=number, buy=buy, price=price, quantity=quantity, owner=owner)


def plain(matches: list[Any]) -> list[Fill]:
    return [(match.sell.number, match.buy.number, match.quantity, match.price) for match in matches]


def resting(book: Book[BookOrder]) -> list[tuple[int, int, int]]:
    return [(order.number, order.price, order.left) for half in (book.bids(), book.asks()) for order in half]


@given(steps=STEPS, cancels=st.sampled_from(Cancels))
def test_continuous_trading_is_that_of_a_slow_book(steps: list[tuple[Any, ...]], cancels: Cancels) -> None:
    book: Book[BookOrder] = Book(cancels=cancels)
    slow, fills, gone = SlowBook(cancels), [], []
    for number, step in enumerate(steps):
        if step[0] == "cancel":
            open_orders = [order for half in (book.bids(), book.asks()) for order in half]
            if open_orders:
                chosen = open_orders[step[1] % len(open_orders)]
                book.remove(chosen)
                slow.orders = [order for order in slow.orders if order.number != chosen.number]
            continue
        out: list[BookOrder] = []
        fills += plain(book.add(make(number, step), out))
        gone += [order.number for order in out]
        slow.add(make(number, step))
        assert book.best_bid is None or book.best_ask is None or book.best_bid < book.best_ask
    assert fills == slow.fills
    assert gone == slow.gone
    by_price = sorted(slow.orders, key=lambda one: (not one.buy, -one.price if one.buy else one.price, one.number))
    assert resting(book) == [(order.number, order.price, order.left) for order in by_price]


@given(steps=st.lists(NEW, max_size=40), cancels=st.sampled_from(Cancels), reference=st.integers(1, 900))
def test_a_call_ends_uncrossed_at_one_price_by_priority_with_nothing_lost(
    steps: list[tuple[Any, ...]], cancels: Cancels, reference: int
) -> None:
    book: Book[BookOrder] = Book(cancels=cancels)
    orders = {number: make(number, step) for number, step in enumerate(steps)}
    given_units = {number: order.left for number, order in orders.items()}
    for order in orders.values():
        book.rest(order)
    gone: list[BookOrder] = []
    matches = book.uncross(tick=TICK, reference=reference, cancelled=gone)
    assert book.best_bid is None or book.best_ask is None or book.best_bid < book.best_ask
    assert len({match.price for match in matches}) <= 1
    filled = dict.fromkeys(orders, 0)
    for match in matches:
        assert match.buy.price >= match.price >= match.sell.price
        assert match.sell.owner is None or match.sell.owner != match.buy.owner
        filled[match.sell.number] += match.quantity
        filled[match.buy.number] += match.quantity
    for number, order in orders.items():
        assert filled[number] + order.left == given_units[number]
    for side in (True, False):
        ranked = sorted(
            (order for order in orders.values() if order.buy is side and order not in gone),
            key=lambda one: (-one.price if side else one.price, one.number),
        )
        touched = [filled[order.number] > 0 for order in ranked]
        assert touched == sorted(touched, reverse=True), "one that came later was filled before one with priority"
        assert all(not order.left for order in ranked[: max(sum(touched) - 1, 0)])


@given(steps=st.lists(NEW, max_size=30), reference=st.integers(1, 900))
def test_a_call_trades_the_most_units_that_any_price_would(steps: list[tuple[Any, ...]], reference: int) -> None:
    book: Book[BookOrder] = Book()
    orders = [make(number, (*step[:4], None)) for number, step in enumerate(steps)]
    most = 0
    for price in range(TICK, 10 * TICK, TICK):
        wanted = sum(order.left for order in orders if order.buy and order.price >= price)
        offered = sum(order.left for order in orders if not order.buy and order.price <= price)
        most = max(most, min(wanted, offered))
    for order in orders:
        book.rest(order)
    assert sum(match.quantity for match in book.uncross(tick=TICK, reference=reference, cancelled=[])) == most


def order(number: int, side: str, price: int, quantity: int, owner: str | None = None) -> BookOrder:
    return BookOrder(number=number, buy=side == "BUY", price=price, quantity=quantity, owner=owner)


def test_an_order_sweeps_prices_best_first_and_rests_with_what_is_left() -> None:
    book: Book[BookOrder] = Book()
    for number, price in ((1, 300), (2, 200), (3, 200)):
        book.add(order(number, "SELL", price, 5), [])
    assert plain(book.add(order(4, "BUY", 300, 20), [])) == [(2, 4, 5, 200), (3, 4, 5, 200), (1, 4, 5, 300)]
    assert resting(book) == [(4, 300, 5)]


@pytest.mark.parametrize(
    ("cancels", "gone", "left"), [(Cancels.NEWEST, [3], [(2, 200, 5)]), (Cancels.OLDEST, [2], [(3, 200, 3)])]
)
def test_an_order_that_meets_its_owner_then_one_of_the_two_is_cancelled(
    cancels: Cancels, gone: list[int], left: list[tuple[int, int, int]]
) -> None:
    book: Book[BookOrder] = Book(cancels=cancels)
    book.add(order(1, "SELL", 100, 4, "b"), [])
    book.add(order(2, "SELL", 200, 5, "a"), [])
    out: list[BookOrder] = []
    assert plain(book.add(order(3, "BUY", 200, 7, "a"), out)) == [(1, 3, 4, 100)]
    assert [one.number for one in out] == gone
    assert resting(book) == left
