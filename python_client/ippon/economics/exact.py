"""Exact amounts: fractions of yen and of counts, read without floats, rounded only when they are printed."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from ippon.model.base import MAX_LEDGER_INTEGER

MILLION = 1_000_000
BP_PER_ONE = 10_000
PERCENT_PER_ONE = 100
_NUMBER = re.compile(r"-?[0-9]{1,19}(_[0-9]{3})*(\.[0-9]{1,9})?")
_RATIO = re.compile(r"-?[0-9]{1,38}/[0-9]{1,38}")


def half_up(value: Fraction, places: int = 0) -> Decimal:
    """The value rounded to so many places, halves away from zero as the report does (2.25 prints 2.3)."""
    scaled = abs(value) * 10**places
    size = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(size if value >= 0 else -size).scaleb(-places)


def million(yen: Fraction, places: int = 1) -> Decimal:
    """Yen in million yen, rounded as printed."""
    return half_up(yen / MILLION, places)


def text_of(value: Fraction) -> str:
    """The value in full: `22500`, `0.5`; `1/3` when no decimal says it."""
    rest = value.denominator
    twos = fives = 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    return f"{half_up(value, places):f}"


def number(value: Fraction) -> int | str:
    """The value for JSON: an integer, or its text in full."""
    return int(value) if value.denominator == 1 else text_of(value)


def read_exact(value: object) -> Fraction:
    """A number as it was written; no floats, since 0.1 is none of them. Raises: PydanticCustomError."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, Decimal) and value.is_finite():
        return Fraction(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Fraction(value.replace("_", ""))
    if isinstance(value, str) and _RATIO.fullmatch(value) and int(value.partition("/")[2]):
        return Fraction(value)
    raise PydanticCustomError(
        "exact", "must be a number such as 22500 or 0.5, but is '{value}'", {"value": _cut(value)}
    )


def _between(low: int, high: int, unit: str) -> PlainValidator:
    def check(value: object) -> Fraction:
        found = read_exact(value)
        if found < low:
            raise PydanticCustomError(
                "too_low", "must not be below {low}{unit}, but is {value}", _told(found, low=low, unit=unit)
            )
        if found > high:
            raise PydanticCustomError(
                "too_high", "must not be over {high}{unit}, but is {value}", _told(found, high=high, unit=unit)
            )
        return found

    return PlainValidator(check)


def _whole(low: int, high: int) -> PlainValidator:
    def check(value: object) -> int:
        found = read_exact(value)
        if found.denominator != 1 or not low <= found <= high:
            raise PydanticCustomError(
                "whole", "must be a whole number from {low} to {high}, but is {value}", _told(found, low=low, high=high)
            )
        return int(found)

    return PlainValidator(check)


def _told(found: Fraction, *, unit: str = "", **limits: int) -> dict[str, object]:
    return {"value": _cut(text_of(found)), "unit": unit, **{name: f"{limit:,}" for name, limit in limits.items()}}


def _cut(value: object) -> str:
    return str(value)[:80]


_AS_NUMBER = PlainSerializer(number, return_type=int | str)

Quantity = Annotated[Fraction, _between(0, MAX_LEDGER_INTEGER, ""), _AS_NUMBER]
"""A volume, an amount of yen or minutes: zero or more."""
BasisPoints = Annotated[Fraction, _between(0, BP_PER_ONE, " bp (100 %)"), _AS_NUMBER]
"""A rate in bp, from 0 to 10,000 (100 %)."""
Percent = Annotated[Fraction, _between(0, PERCENT_PER_ONE, " %"), _AS_NUMBER]
"""A rate in percent, from 0 to 100."""
Days = Annotated[int, _whole(1, 366)]
"""Days of a year that count, one at least."""
Members = Annotated[int, _whole(1, 10_000)]
"""Firms, one at least."""
