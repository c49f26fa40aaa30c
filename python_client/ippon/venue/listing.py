"""What the venue trades and who may send orders: two CSV files, read at the border and checked whole.

    securities.csv   security_code, platform_code, tick, lot, reference_price, lowest_price, highest_price, name, …
    brokers.csv      broker, custodian

Further columns are ignored, so that one list of securities can serve the exchange agent and the venue. Prices are yen
with two decimals, the lot is units. Law 12: every fill is a multiple of the lot at a multiple of the tick, so that tick
× lot must be whole yen; a list that breaks this is refused, since its orders could meet in a fill that no ledger takes.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import ValidationError, model_validator

from ippon.errors import BadFile
from ippon.model import LedgerId, Party, Row, SecurityCode, UnitPrice, Units

MAX_ROWS = 10_000
SEN_PER_YEN = 100


class SecurityRow(Row):
    """A line of securities.csv."""

    security_code: SecurityCode
    platform_code: LedgerId
    tick: UnitPrice
    lot: Units
    reference_price: UnitPrice
    lowest_price: UnitPrice
    highest_price: UnitPrice
    name: str | None = None
    name_ja: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        tick = sen(self.tick)
        if tick * self.lot % SEN_PER_YEN:
            raise ValueError(f"tick {self.tick} × lot {self.lot} must make whole yen")
        if not self.lowest_price <= self.reference_price <= self.highest_price:
            raise ValueError("reference_price must lie between lowest_price and highest_price")
        if sen(self.lowest_price) % tick or sen(self.highest_price) % tick:
            raise ValueError("lowest_price and highest_price must be multiples of tick")
        return self


class BrokerRow(Row):
    """A line of brokers.csv: who sends orders, and the custodian that settles for its investors."""

    broker: LedgerId
    custodian: Party


@dataclass(frozen=True, slots=True)
class Security:
    """What the book must know of a security; prices in sen, the lot in units."""

    code: str
    platform_code: str
    tick: int
    lot: int
    reference: int
    lowest: int
    highest: int
    names: tuple[str, ...] = ()


def sen(price: UnitPrice) -> int:
    """A price of two decimals as an integer."""
    return int(price.scaleb(2))


def yen_text(price: int) -> str:
    """Sen as yen with two decimals."""
    return f"{price // SEN_PER_YEN}.{price % SEN_PER_YEN:02}"


def load_securities(path: Path) -> tuple[Security, ...]:
    """The securities of a file; BadFile names line and column."""
    rows = _load(path, SecurityRow)
    _distinct(path, (row.security_code for row in rows), "security_code")
    _distinct(path, (name for row in rows for name in {row.name, row.name_ja} - {None}), "name")
    return tuple(
        Security(
            row.security_code,
            row.platform_code,
            sen(row.tick),
            row.lot,
            sen(row.reference_price),
            sen(row.lowest_price),
            sen(row.highest_price),
            tuple(name for name in (row.name, row.name_ja) if name),
        )
        for row in rows
    )


def load_brokers(path: Path) -> Mapping[str, str]:
    """Custodian by broker; BadFile names line and column."""
    rows = _load(path, BrokerRow)
    _distinct(path, (row.broker for row in rows), "broker")
    return {row.broker: row.custodian for row in rows}


class InvestorRow(Row):
    """A line of a list of investors: whose orders a broker may send."""

    broker: LedgerId
    investor_id: LedgerId


def load_investors(path: Path, brokers: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Investor ids by broker; BadFile names line and column, or a broker that nobody knows."""
    found: dict[str, list[str]] = {}
    for row in _load(path, InvestorRow):
        if row.broker not in brokers:
            raise BadFile(f"{path} names the broker '{row.broker}', whom the venue does not know.", field="broker")
        found.setdefault(row.broker, []).append(row.investor_id)
    return found


Model = TypeVar("Model", bound=Row)


def _load(path: Path, model: type[Model]) -> list[Model]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise BadFile(f"{path} cannot be read: {problem}", where=str(path)) from problem
    if not 0 < len(rows) <= MAX_ROWS:
        raise BadFile(f"{path} must have 1 to {MAX_ROWS} lines below its header, but has {len(rows)}.", where=str(path))
    return [_row(path, number, row, model) for number, row in enumerate(rows, start=2)]


def _row(path: Path, number: int, row: Mapping[str, Any], model: type[Model]) -> Model:
    given = {name: value for name, value in row.items() if name and value not in ("", None)}
    try:
        return model.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        column = str(first["loc"][-1]) if first["loc"] else None
        message = first["msg"].removeprefix("Value error, ")
        raise BadFile(
            f"{path} line {number}: {f'{column}: ' if column else ''}{message}.", where=str(path), field=column
        ) from problem


def _distinct(path: Path, values: Iterable[str | None], column: str) -> None:
    seen: set[str | None] = set()
    for value in values:
        if value in seen:
            raise BadFile(f"{path} names the {column} '{value}' twice.", where=str(path), field=column)
        seen.add(value)
