"""Figures as they are printed, in million yen with one decimal: by the report's own rules, or plainly.

The report's rules, found by recomputing #04-2 to #04-6, are applied to the report's own parameters only:

- half up; an effect is the difference of the two figures printed beside it, with the exact figure's sign (▲0.0);
- one broker's figures come from exact amounts, those of all brokers from rows that were rounded before;
- the ¥100 id look-up, printed as 0.0, is left out of every sum.

For any other parameters each figure is its exact amount, rounded half up, and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ippon.economics.exact import PERCENT_PER_ONE, half_up, million
from ippon.economics.model import Cost, Era, Kind, Line, Process, cost, industry, lines
from ippon.economics.parameters import REPORT, Parameters
from ippon.economics.simulate import Point, simulation

LEFT_OUT = "look_up_api_yen"


@dataclass(frozen=True)
class Shown:
    """A cost as printed, in million yen. `sign`: the exact effect's, which 0.0 would hide."""

    asis: Decimal
    tobe: Decimal
    effect: Decimal
    sign: int


@dataclass(frozen=True)
class Row:
    """One row of a result table; `process` None is the total, `kind` None both kinds together."""

    process: Process | None
    kind: Kind | None
    exact: Cost
    shown: Shown


@dataclass(frozen=True)
class ItemRow:
    """One cost of a process's own page (#04-3② and on)."""

    line: Line
    shown: Shown


@dataclass(frozen=True)
class PointRow:
    """One point of a simulation; `shown.effect` is the net row: a saving is above zero there."""

    point: Point
    shown: Shown


@dataclass(frozen=True)
class Headline:
    """What a chart says in large letters. Million yen; percent of AsIs (None without AsIs)."""

    asis: Decimal
    tobe: Decimal
    effect: Decimal
    percent: Decimal | None


def by_report(parameters: Parameters) -> bool:
    """Whether the report's own rules apply: only to its own parameters."""
    return parameters == REPORT


def one_broker(parameters: Parameters) -> tuple[Row, ...]:
    """#04-2①."""
    return _rows(parameters, lambda exact: (million(exact.asis), million(exact.tobe)), lambda one: one)


def all_brokers(parameters: Parameters) -> tuple[Row, ...]:
    """#04-2②."""
    rows = _rows(
        parameters,
        lambda exact: (million(exact.asis), million(exact.tobe)),
        lambda one: industry(one, parameters),
    )
    return _summed(rows) if by_report(parameters) else rows


def items(parameters: Parameters) -> tuple[ItemRow, ...]:
    """Every cost by itself (#04-3②, #04-4②, #04-5②, #04-6②)."""
    rows = []
    for line in lines(parameters):
        before, after = (line.yen, Fraction(0)) if line.era is Era.ASIS else (Fraction(0), line.yen)
        rows.append(ItemRow(line, _shown(Cost(before, after), (million(before), million(after)), parameters)))
    return tuple(rows)


def simulated(parameters: Parameters, process: Process) -> tuple[PointRow, ...]:
    """#04-3③, #04-4③, #04-5③, #04-6③."""
    rows = []
    for point in simulation(parameters, process):
        shown = _shown(point.cost, (million(point.cost.asis), million(point.cost.tobe)), parameters)
        rows.append(PointRow(point, Shown(shown.asis, shown.tobe, -shown.effect, -shown.sign)))
    return tuple(rows)


def headline(parameters: Parameters) -> Headline:
    """The chart of #04-2①."""
    total = _printable(parameters)
    return _headline(total, million(total.asis))


def industry_headline(parameters: Parameters) -> Headline:
    """The chart of #04-2②: its ToBe is not the table's, its AsIs is."""
    total = industry(_printable(parameters), parameters)
    return _headline(total, all_brokers(parameters)[-1].shown.asis)


def _headline(total: Cost, asis: Decimal) -> Headline:
    share = total.saving_share
    percent = None if share is None else half_up(-share * PERCENT_PER_ONE)
    return Headline(asis, million(total.tobe), million(total.effect, 0), percent)


def _printable(parameters: Parameters) -> Cost:
    return cost(_counted(lines(parameters), parameters))


def _counted(found: Sequence[Line], parameters: Parameters) -> list[Line]:
    return [line for line in found if not (by_report(parameters) and line.name == LEFT_OUT)]


def _rows(
    parameters: Parameters, printed: Callable[[Cost], tuple[Decimal, Decimal]], times: Callable[[Cost], Cost]
) -> tuple[Row, ...]:
    found = lines(parameters)
    counted = _counted(found, parameters)
    rows = []
    for process, kind in ROWS:
        exact = times(cost(found, process=process, kind=kind))
        pair = printed(times(cost(counted, process=process, kind=kind)))
        rows.append(Row(process, kind, exact, _shown(exact, pair, parameters)))
    return tuple(rows)


def _summed(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows, with sums of what is printed in place of printed sums."""
    parts = [row for row in rows if row.kind is not None]
    made = []
    for row in rows:
        mine = [row] if row.kind else [part for part in parts if row.process in (None, part.process)]
        asis = sum((part.shown.asis for part in mine), Decimal(0))
        tobe = sum((part.shown.tobe for part in mine), Decimal(0))
        made.append(Row(row.process, row.kind, row.exact, Shown(asis, tobe, tobe - asis, row.shown.sign)))
    return tuple(made)


def _shown(exact: Cost, pair: tuple[Decimal, Decimal], parameters: Parameters) -> Shown:
    asis, tobe = pair
    effect = tobe - asis if by_report(parameters) else million(exact.effect)
    return Shown(asis, tobe, effect, (exact.effect > 0) - (exact.effect < 0))


ROWS: tuple[tuple[Process | None, Kind | None], ...] = (
    *((process, kind) for process in Process for kind in (None, *Kind)),
    (None, None),
)
"""The rows of a result table, in the report's order."""
