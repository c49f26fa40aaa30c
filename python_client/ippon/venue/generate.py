"""Order flow out of a seed, for tests, benchmarks and demos: the same seed and lists give the same flow, byte for byte.

Prices walk around the reference price a tick at a time, orders lie within a few ticks of where the walk is, and some
are cancelled or replaced while they may still be open. Whole numbers only: a float would differ between machines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from ippon.errors import BadSettings
from ippon.venue.calendar import Hours
from ippon.venue.listing import Security
from ippon.venue.orders import CancelOrder, Message, NewOrder, ReplaceOrder
from ippon.venue.words import Phase

OPEN = (Phase.CALL, Phase.CONTINUOUS)
SPREAD_TICKS = 6
CROSSING_TICKS = 2


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What the flow is like.

    Attributes:
        cancel_percent: share of requests that cancel; replace_percent: that replace.
        max_lots: largest order, in lots.
    """

    cancel_percent: int = 15
    replace_percent: int = 10
    max_lots: int = 20


@dataclass
class _Walk:
    """One security: where its price is, sen."""

    security: Security
    price: int
    live: list[tuple[str, str]] = field(default_factory=list)


class Generator:
    """See the module."""

    def __init__(
        self,
        *,
        seed: int,
        securities: Iterable[Security],
        investors: Mapping[str, Sequence[str]],
        shape: Shape | None = None,
    ) -> None:
        self._random = Random(seed)  # noqa: S311
        self._shape = shape or Shape()
        self._walks = [_Walk(one, one.reference // one.tick * one.tick) for one in securities]
        self._investors = {broker: list(ids) for broker, ids in investors.items() if ids}
        if not self._walks or not self._investors:
            raise BadSettings("A flow needs at least one security and one broker with an investor.")
        self._brokers = list(self._investors)
        self._number = 0

    def flow(self, *, requests: int, day: date, hours: Hours) -> Iterator[tuple[int, Message]]:
        """So many requests over the hours of a day, in the order of their times (milliseconds)."""
        for at_millis in self._times(requests, list(hours.of(day))):
            yield at_millis, self.request()

    def request(self) -> Message:
        """The next one."""
        self._number += 1
        random, shape = self._random, self._shape
        walk = self._walks[random.randrange(len(self._walks))]
        dice = random.randrange(100)
        if walk.live and dice < shape.cancel_percent + shape.replace_percent:
            place = random.randrange(len(walk.live))
            broker, original = walk.live[place]
            if dice < shape.cancel_percent:
                walk.live[place] = walk.live[-1]
                walk.live.pop()
                return CancelOrder(broker, self._id(broker), original)
            replacing = ReplaceOrder(broker, self._id(broker), original, self._quantity(walk), self._price(walk))
            walk.live[place] = (broker, replacing.client_order_id)
            return replacing
        return self._new(walk)

    def _new(self, walk: _Walk) -> NewOrder:
        random, security = self._random, walk.security
        broker = self._brokers[random.randrange(len(self._brokers))]
        ids = self._investors[broker]
        buy = random.randrange(2) == 1
        order = NewOrder(
            broker,
            self._id(broker),
            buy,
            ids[random.randrange(len(ids))],
            security.code,
            security.platform_code,
            self._quantity(walk),
            self._price(walk, buy=buy),
        )
        if len(walk.live) < 1_000:
            walk.live.append((broker, order.client_order_id))
        else:
            walk.live[random.randrange(1_000)] = (broker, order.client_order_id)
        return order

    def _id(self, broker: str) -> str:
        return f"{broker}-{self._number:08}"

    def _quantity(self, walk: _Walk) -> int:
        return walk.security.lot * (1 + self._random.randrange(self._shape.max_lots))

    def _price(self, walk: _Walk, *, buy: bool | None = None) -> int:
        random, security = self._random, walk.security
        step = (random.randrange(3) - 1) * security.tick
        walk.price = min(max(walk.price + step, security.lowest), security.highest)
        away = (random.randrange(SPREAD_TICKS + CROSSING_TICKS) - CROSSING_TICKS) * security.tick
        if buy is None:
            buy = random.randrange(2) == 1
        price = walk.price - away if buy else walk.price + away
        return min(max(price, security.lowest), security.highest)

    def _times(self, requests: int, phases: Sequence[tuple[int, Phase]]) -> list[int]:
        ends = [at for at, _ in phases[1:]]
        spans = [(start, end - start) for (start, phase), end in zip(phases, ends, strict=False) if phase in OPEN]
        whole = sum(length for _, length in spans)
        if not whole:
            raise BadSettings("The hours have no time at which orders are taken.", field="hours")
        times = []
        for at in sorted(self._random.randrange(whole) for _ in range(requests)):
            rest = at
            for start, length in spans:
                if rest < length:
                    times.append(start + rest)
                    break
                rest -= length
        return times


def invented_investors(brokers: Iterable[str], *, each: int) -> Mapping[str, Sequence[str]]:
    """Investor ids that nobody can take for real ones, so many a broker."""
    return {broker: [f"INV-{broker}-{number:03}" for number in range(1, each + 1)] for broker in brokers}
