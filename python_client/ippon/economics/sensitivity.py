"""Which assumption matters (a tornado), and what they come to together (Monte Carlo), for one broker and year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from random import Random
from typing import Any

from ippon.economics.exact import BP_PER_ONE, PERCENT_PER_ONE, half_up
from ippon.economics.labour import clerical
from ippon.economics.model import cost_of
from ippon.economics.parameters import LABOUR, SALARIES, Parameters
from ippon.economics.settings import CaseSettings

WHOLE_LIMITS = {"business_days": 366, "brokers": 10_000, "payees": 10_000}
STEPS = 1_000
"""A draw is one of so many even steps of a range, so that it is exact and the same everywhere."""
BINS = 20
TAIL_PERCENT = 5


@dataclass(frozen=True)
class Bar:
    """What the yearly saving comes to at both ends of one assumption's range, all others unmoved. Yen."""

    name: str
    low: Fraction
    high: Fraction
    saving_at_low: Fraction
    saving_at_high: Fraction
    given: bool

    @property
    def swing(self) -> Fraction:
        """How far apart the two ends are."""
        return abs(self.saving_at_high - self.saving_at_low)


@dataclass(frozen=True)
class MonteCarlo:
    """Savings of all draws, in yen a year.

    Attributes:
        names: the assumptions drawn, each evenly over its range, independent of the others.
        lowest, tail, median, mean, upper_tail, highest: of the savings; the tails are the 5th and 95th percentile.
        paying: how many of the draws save anything.
        counts: draws in each of `BINS` even intervals from lowest to highest.
    """

    seed: int
    draws: int
    names: tuple[str, ...]
    lowest: Fraction
    tail: Fraction
    median: Fraction
    mean: Fraction
    upper_tail: Fraction
    highest: Fraction
    paying: int
    counts: tuple[int, ...]


def tornado(parameters: Parameters, settings: CaseSettings) -> tuple[Bar, ...]:
    """A bar per assumption that changes anything, the widest first."""
    bars = []
    for name in _assumptions(parameters):
        given = settings.ranges.get(name)
        value = getattr(parameters, name)
        if given is not None:
            low, high = given.low, given.high
        elif value is not None:
            spread = settings.spread_percent / PERCENT_PER_ONE
            low, high = _allowed(name, value * (1 - spread)), _allowed(name, value * (1 + spread))
        else:
            continue
        at_low, at_high = (cost_of(_moved(parameters, {name: end})).saving for end in (low, high))
        bars.append(Bar(name, Fraction(low), Fraction(high), at_low, at_high, given is not None))
    return tuple(sorted((bar for bar in bars if bar.swing), key=lambda bar: (-bar.swing, bar.name)))


def monte_carlo(parameters: Parameters, settings: CaseSettings) -> MonteCarlo | None:
    """The case at random points of the ranges; None when the settings give no range."""
    names = tuple(sorted(settings.ranges))
    if not names:
        return None
    random = Random(settings.monte_carlo.seed)  # noqa: S311
    savings = []
    for _ in range(settings.monte_carlo.draws):
        drawn = {name: _draw(random, settings, name) for name in names}
        savings.append(cost_of(_moved(parameters, drawn)).saving)
    savings.sort()
    return MonteCarlo(
        seed=settings.monte_carlo.seed,
        draws=len(savings),
        names=names,
        lowest=savings[0],
        tail=percentile(savings, TAIL_PERCENT),
        median=percentile(savings, 50),
        mean=sum(savings, Fraction(0)) / len(savings),
        upper_tail=percentile(savings, PERCENT_PER_ONE - TAIL_PERCENT),
        highest=savings[-1],
        paying=sum(saving > 0 for saving in savings),
        counts=_counts(savings),
    )


def percentile(ordered: Sequence[Fraction], percent: int) -> Fraction:
    """The smallest value that at least so many percent do not exceed."""
    return ordered[max(ceil(Fraction(percent * len(ordered), PERCENT_PER_ONE)) - 1, 0)]


def _assumptions(parameters: Parameters) -> list[str]:
    """Numeric parameters that can move the case: not both a task's unit cost and what it is worked out from."""
    idle = set(SALARIES) | {"labour"} | (set(LABOUR) if parameters.labour == "printed" else set(clerical(parameters)))
    return [name for name in Parameters.model_fields if name not in idle]


def _moved(parameters: Parameters, changes: dict[str, Any]) -> Parameters:
    """With values known to be allowed: both ends of every range were checked."""
    return parameters.model_copy(update=changes)


def _draw(random: Random, settings: CaseSettings, name: str) -> Fraction | int:
    one = settings.ranges[name]
    value = one.low + (one.high - one.low) * Fraction(random.randint(0, STEPS), STEPS)
    return _allowed(name, value)


def _allowed(name: str, value: Fraction) -> Fraction | int:
    """The nearest value that the parameter takes."""
    if name in WHOLE_LIMITS:
        return min(max(int(half_up(value)), 1), WHOLE_LIMITS[name])
    limit = {"percent": PERCENT_PER_ONE, "bp": BP_PER_ONE}.get(name.rpartition("_")[2])
    return value if limit is None else min(value, Fraction(limit))


def _counts(ordered: Sequence[Fraction]) -> tuple[int, ...]:
    lowest, width = ordered[0], (ordered[-1] - ordered[0]) / BINS
    if not width:
        return (len(ordered),)
    found = Counter(min(int((saving - lowest) / width), BINS - 1) for saving in ordered)
    return tuple(found[number] for number in range(BINS))
