"""Who stays in a settlement: the rule of ChooseFills.kt, written a second time so that agents meet the real answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ippon.simulator.book import Position

Sizes = Mapping[Position, int]


@dataclass(frozen=True, slots=True)
class Movement:
    """What one fill takes from positions and brings to them, in units or yen; order: date, time, id."""

    order: tuple[Any, ...]
    execution_id: str
    takes: Sizes
    gives: Sizes


@dataclass(frozen=True, slots=True)
class Lack:
    """A fill that stays out, and what its position lacks in units or yen."""

    execution_id: str
    position: Position
    missing: int


def choose(fills: Sequence[Movement], available: Sizes) -> tuple[list[str], list[Lack]]:
    """Ids of those that settle, and what the others lack; a fill that does not fit holds up no smaller one."""
    ordered = sorted(fills, key=lambda fill: fill.order)
    inside = ordered
    while True:
        fitting = _fitting(inside, available)
        if len(fitting) == len(inside):
            break
        inside = fitting
    if len(inside) < len(ordered):
        inside = _readmitted(ordered, inside, available)
    return [fill.execution_id for fill in inside], _lacks(ordered, inside, available)


def _readmitted(ordered: list[Movement], inside: list[Movement], available: Sizes) -> list[Movement]:
    while True:
        names = {fill.execution_id for fill in inside}
        for fill in ordered:
            if fill.execution_id in names:
                continue
            together = [one for one in ordered if one.execution_id in names or one is fill]
            if len(_fitting(together, available)) == len(together):
                inside = together
                break
        else:
            return inside


def _fitting(fills: Sequence[Movement], available: Sizes) -> list[Movement]:
    left = _balance(available, fills)
    fitting = []
    for fill in fills:
        if all(left.get(position, 0) >= size for position, size in fill.takes.items()):
            for position, size in fill.takes.items():
                left[position] -= size
            fitting.append(fill)
    return fitting


def _lacks(ordered: Sequence[Movement], inside: Sequence[Movement], available: Sizes) -> list[Lack]:
    left = _balance(available, inside)
    names = {fill.execution_id for fill in inside}
    for fill in inside:
        for position, size in fill.takes.items():
            left[position] -= size
    lacks = []
    for fill in ordered:
        if fill.execution_id in names:
            continue
        for position, size in fill.takes.items():
            has = left.get(position, 0)
            left[position] = max(0, has - size)
            if has < size:
                lacks.append(Lack(fill.execution_id, position, size - has))
    return lacks


def _balance(available: Sizes, arriving: Iterable[Movement]) -> dict[Position, int]:
    left = dict(available)
    for fill in arriving:
        for position, size in fill.gives.items():
            left[position] = left.get(position, 0) + size
    return left
