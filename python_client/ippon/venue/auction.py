"""The price of a call auction: one pure function.

    1  the most units
    2  of those, the least imbalance between buyers and sellers at the price
    3  of those, market pressure: more buyers everywhere → the highest price, more sellers everywhere → the lowest
    4  of those, the price nearest to the reference price

A price is any tick, not only one that somebody named: between two limits there may be a price that leaves nobody over.
Where pressure is on the buyers' side at lower prices and on the sellers' at higher ones, step 3 leaves one of each, and
step 4 chooses.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import accumulate, pairwise


def auction_price(*, bids: Mapping[int, int], asks: Mapping[int, int], tick: int, reference: int) -> int | None:
    """The price in sen; None when nobody would meet.

    Args:
        bids: units wanted by limit, sen.
        asks: units offered by limit, sen.
        tick: sen; all limits are multiples of it.
        reference: sen; need not be a multiple.
    """
    if not bids or not asks or max(bids) < min(asks):
        return None
    spans = _spans(bids, asks, tick)
    most = max(span[2] for span in spans)
    spans = [span for span in spans if span[2] == most]
    least = min(abs(span[3]) for span in spans)
    low, high = _after_pressure([span for span in spans if abs(span[3]) == least])
    return _nearest(low, high, tick, reference)


Span = tuple[int, int, int, int]
"""Lowest and highest price, units that would meet, units wanted and not offered (below zero: the other way)."""


def _spans(bids: Mapping[int, int], asks: Mapping[int, int], tick: int) -> list[Span]:
    """Runs of prices that are all alike, from the best ask to the best bid: each limit, and what lies between two."""
    low, high = min(asks), max(bids)
    bid_prices, ask_prices = sorted(bids), sorted(asks)
    wanted = [0, *accumulate(bids[price] for price in bid_prices)]
    offered = [0, *accumulate(asks[price] for price in ask_prices)]

    def span(first: int, last: int) -> Span:
        demand = wanted[-1] - wanted[bisect_left(bid_prices, last)]
        supply = offered[bisect_right(ask_prices, first)]
        return first, last, min(demand, supply), demand - supply

    limits = sorted(price for price in {*bids, *asks} if low <= price <= high)
    found = [span(price, price) for price in limits]
    found += [span(one + tick, other - tick) for one, other in pairwise(limits) if other - one > tick]
    return sorted(found)


def _after_pressure(spans: list[Span]) -> tuple[int, int]:
    """The lowest and highest price that market pressure leaves."""
    buyers = [span[1] for span in spans if span[3] > 0]
    sellers = [span[0] for span in spans if span[3] < 0]
    if buyers and sellers:
        return max(buyers), min(sellers)
    if buyers:
        return max(buyers), max(buyers)
    if sellers:
        return min(sellers), min(sellers)
    return spans[0][0], spans[-1][1]


def _nearest(low: int, high: int, tick: int, reference: int) -> int:
    """The tick from low to high that is nearest to the reference; the lower of two that are as near."""
    if reference <= low:
        return low
    if reference >= high:
        return high
    below = low + (reference - low) // tick * tick
    return below if reference - below <= below + tick - reference else below + tick
