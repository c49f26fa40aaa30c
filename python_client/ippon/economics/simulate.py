"""The report's four simulations (each process at a share of its volume) and break-evens, solved and not read off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import floor

from ippon.economics.exact import PERCENT_PER_ONE
from ippon.economics.model import PROCESS_LINES, Cost, Process, cost, lines
from ippon.economics.parameters import Parameters, Volumes

SHARES = tuple(Fraction(percent, PERCENT_PER_ONE) for percent in range(0, 101, 20))
"""0, 20, … 100 %, the report's points."""

AXES: dict[Process, str] = {
    Process.BALANCES: "st_balance_yen",
    Process.TRANSFER: "transfers",
    Process.INVESTORS: "investors",
    Process.FUNDS: "settlements",
}
"""The volume along which a process is simulated."""


@dataclass(frozen=True)
class Point:
    """A process, or everything, at one volume. Yen a year."""

    share: Fraction
    volume: Fraction
    cost: Cost


@dataclass(frozen=True)
class BreakEven:
    """Where AsIs and ToBe meet, seen from zero volume on.

    Attributes:
        volume: the exact root; None when the two never meet above zero volume.
        share: the root as a share of the parameters' volume; None without a root or when that volume is zero.
        pays_above: whether ToBe is the cheaper one beyond the root, or throughout when there is none.
    """

    volume: Fraction | None
    share: Fraction | None
    pays_above: bool

    @property
    def first_whole(self) -> int | None:
        """The smallest whole volume beyond the root: the first on the other side."""
        return None if self.volume is None else floor(self.volume) + 1


def process_cost(parameters: Parameters, process: Process, volumes: Volumes) -> Cost:
    """AsIs and ToBe of one process at these volumes."""
    return cost(PROCESS_LINES[process](parameters, volumes))


def simulation(parameters: Parameters, process: Process) -> tuple[Point, ...]:
    """One process at 0, 20, … 100 % of its volume (#04-3③ to #04-6③)."""
    whole = parameters.volumes
    full = getattr(whole, AXES[process])
    return tuple(Point(share, full * share, process_cost(parameters, process, whole.scaled(share))) for share in SHARES)


def break_even(parameters: Parameters, process: Process) -> BreakEven:
    """The volume of one process at which AsIs and ToBe cost the same."""
    axis = AXES[process]
    full: Fraction = getattr(parameters.volumes, axis)
    # A process without any volume has a break-even all the same: any volume shows fixed part and slope.
    probe = parameters.volumes if full else replace(parameters.volumes, **{axis: Fraction(1)})
    root, pays_above = _root(lambda share: process_cost(parameters, process, probe.scaled(share)))
    volume = None if root is None else root * getattr(probe, axis)
    return BreakEven(volume, root if full else None, pays_above)


def drawn_break_even(points: Sequence[Point]) -> Fraction | None:
    """Where the lines cross that the report draws from point to point; None when they do not."""
    for left, right in pairwise(points):
        before, after = left.cost.saving, right.cost.saving
        if before * after < 0:
            return left.volume + (right.volume - left.volume) * before / (before - after)
    return None


def whole_break_even(parameters: Parameters) -> BreakEven:
    """The ST balance at which all four processes together cost the same, the other volumes growing in step with it."""
    whole = parameters.volumes
    root, pays_above = _root(lambda share: cost(lines(parameters, whole.scaled(share))))
    return BreakEven(None if root is None else root * whole.st_balance_yen, root, pays_above)


def balance_of(parameters: Parameters, share: Fraction) -> Fraction:
    """The ST balance that goes with a share of any volume, in yen (71,000 settlements are some 1,600 億 of balance)."""
    return parameters.volumes.st_balance_yen * share


def _root(at: Callable[[Fraction], Cost]) -> tuple[Fraction | None, bool]:
    """The share above zero at which nothing is saved: above zero every cost is a fixed part plus a slope."""
    half, full = at(Fraction(1, 2)).saving, at(Fraction(1)).saving
    slope = 2 * (full - half)
    fixed = full - slope
    if slope == 0:
        return None, fixed > 0
    root = -fixed / slope
    return (root, slope > 0) if root > 0 else (None, slope > 0)
