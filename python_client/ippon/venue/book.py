"""The order book of one security: limit orders, best price first, among equals the one that came first.

Pure: no clock, no ids of its own, no money but integers. Prices are sen, quantities units. A book in continuous trading
is never crossed; in a call it may be, until `uncross` finds the price and empties the crossing.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from ippon.venue.auction import auction_price
from ippon.venue.words import Cancels


class BookOrder:
    """An order as the book needs it; whoever makes it may hang more on it.

    Attributes:
        number: what the book calls it; rises with each order that takes a new place.
        owner: whose orders it must not meet; None: it may meet any.
        left: units neither filled nor cancelled.
    """

    __slots__ = ("buy", "left", "number", "owner", "price")

    def __init__(self, *, number: int, buy: bool, price: int, quantity: int, owner: str | None = None) -> None:
        self.number = number
        self.buy = buy
        self.price = price
        self.left = quantity
        self.owner = owner


Order = TypeVar("Order", bound=BookOrder)


class Match(NamedTuple, Generic[Order]):
    """Two orders met: quantity in units, price in sen, and what was left of each just then."""

    sell: Order
    buy: Order
    quantity: int
    price: int
    sell_left: int
    buy_left: int


class _Half(Generic[Order]):
    """One side. Keys rise towards the best price: the price itself for buyers, its negative for sellers."""

    __slots__ = ("keys", "levels")

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.levels: dict[int, OrderedDict[int, Order]] = {}

    def rest(self, key: int, order: Order) -> None:
        level = self.levels.get(key)
        if level is None:
            self.levels[key] = level = OrderedDict()
            self.keys.insert(bisect_left(self.keys, key), key)
        level[order.number] = order

    def remove(self, key: int, order: Order) -> None:
        level = self.levels[key]
        del level[order.number]
        if not level:
            self.drop(key)

    def drop(self, key: int) -> None:
        del self.levels[key]
        if self.keys[-1] == key:
            self.keys.pop()
        else:
            del self.keys[bisect_left(self.keys, key)]

    def __iter__(self) -> Iterator[Order]:
        for key in reversed(self.keys):
            yield from self.levels[key].values()


class Book(Generic[Order]):
    """See the module."""

    __slots__ = ("_asks", "_bids", "_cancels")

    def __init__(self, *, cancels: Cancels = Cancels.NEWEST) -> None:
        self._bids: _Half[Order] = _Half()
        self._asks: _Half[Order] = _Half()
        self._cancels = cancels

    @property
    def best_bid(self) -> int | None:
        """Sen."""
        return self._bids.keys[-1] if self._bids.keys else None

    @property
    def best_ask(self) -> int | None:
        """Sen."""
        return -self._asks.keys[-1] if self._asks.keys else None

    def bids(self) -> Iterator[Order]:
        """Buyers in the order of their priority."""
        return iter(self._bids)

    def asks(self) -> Iterator[Order]:
        """Sellers in the order of their priority."""
        return iter(self._asks)

    def rest(self, order: Order) -> None:
        """Take an order in without matching it (call)."""
        if order.buy:
            self._bids.rest(order.price, order)
        else:
            self._asks.rest(-order.price, order)

    def remove(self, order: Order) -> None:
        """Take an order out."""
        if order.buy:
            self._bids.remove(order.price, order)
        else:
            self._asks.remove(-order.price, order)

    def add(self, order: Order, cancelled: list[Order]) -> list[Match[Order]]:
        """Match an order and let its rest rest; orders that self-trade prevention took out go into `cancelled`.

        A fill is at the price of the order that was there first. An order in `cancelled` keeps its `left` as it was.
        """
        half = self._asks if order.buy else self._bids
        # An incoming order meets keys from the best one down to this.
        worst = -order.price if order.buy else order.price
        if not half.keys or half.keys[-1] < worst:
            self.rest(order)
            return []
        matches: list[Match[Order]] = []
        while order.left and half.keys and half.keys[-1] >= worst:
            key = half.keys[-1]
            if not self._sweep(half.levels[key], order, matches, cancelled):
                return matches
            if not half.levels[key]:
                half.drop(key)
        if order.left:
            self.rest(order)
        return matches

    def _sweep(
        self, level: OrderedDict[int, Order], order: Order, matches: list[Match[Order]], cancelled: list[Order]
    ) -> bool:
        """Fill an order from one price; False when it is the order that self-trade prevention takes out."""
        owner = order.owner
        while level and order.left:
            first = next(iter(level.values()))
            if owner is not None and owner == first.owner:
                if self._cancels is Cancels.NEWEST:
                    cancelled.append(order)
                    return False
                level.popitem(last=False)
                cancelled.append(first)
                continue
            matches.append(_meet(first, order, first.price))
            if not first.left:
                level.popitem(last=False)
        return True

    def uncross(self, *, tick: int, reference: int, cancelled: list[Order]) -> list[Match[Order]]:
        """End a call: one price for the most units, filled in the order of priority on both sides.

        Orders of one owner that cross each other leave first, into `cancelled`, so that no price can let them meet.
        """
        bid, ask = self.best_bid, self.best_ask
        if bid is None or ask is None or bid < ask:
            return []
        for order in self._self_crossing(ask=ask, bid=bid):
            self.remove(order)
            cancelled.append(order)
        bids, asks = _depth(self._bids), _depth(self._asks)
        price = auction_price(
            bids=bids, asks={-key: units for key, units in asks.items()}, tick=tick, reference=reference
        )
        matches: list[Match[Order]] = []
        while price is not None and self._bids.keys and self._asks.keys:
            if self._bids.keys[-1] < price or -self._asks.keys[-1] > price:
                break
            buy, sell = next(iter(self._bids)), next(iter(self._asks))
            matches.append(_meet(sell, buy, price))
            for order in (buy, sell):
                if not order.left:
                    self.remove(order)
        return matches

    def _self_crossing(self, *, ask: int, bid: int) -> list[Order]:
        """Orders to cancel so that no owner's buying price reaches its own selling price."""
        crossing = [order for order in self._bids if order.owner is not None and order.price >= ask]
        crossing += [order for order in self._asks if order.owner is not None and order.price <= bid]
        crossing.sort(key=lambda order: order.number, reverse=self._cancels is Cancels.OLDEST)
        highest_buy: dict[str | None, int] = {}
        lowest_sell: dict[str | None, int] = {}
        leaving = []
        for order in crossing:
            mine, other = (highest_buy, lowest_sell) if order.buy else (lowest_sell, highest_buy)
            limit = other.get(order.owner)
            if limit is not None and (order.price >= limit if order.buy else order.price <= limit):
                leaving.append(order)
                continue
            best = mine.get(order.owner)
            if best is None or (order.price > best if order.buy else order.price < best):
                mine[order.owner] = order.price
        return leaving


def _meet(one: Order, other: Order, price: int) -> Match[Order]:
    quantity = one.left if one.left < other.left else other.left
    one.left -= quantity
    other.left -= quantity
    sell, buy = (one, other) if other.buy else (other, one)
    # Positional: this is the hot path.
    return Match(sell, buy, quantity, price, sell.left, buy.left)


def _depth(half: _Half[Order]) -> dict[int, int]:
    return {key: sum(order.left for order in level.values()) for key, level in half.levels.items()}
