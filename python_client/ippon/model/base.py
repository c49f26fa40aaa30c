"""Scalar types of the ledger and the base of all rows: whole yen and units, prices of two places, ids, UTC times."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic_core import PydanticCustomError

MAX_ID_LENGTH = 64
MAX_LEDGER_INTEGER = 2**63 - 1
_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:-]{{0,{MAX_ID_LENGTH - 1}}}")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_PRICE = re.compile(r"(0|[1-9][0-9]{0,14})\.[0-9]{2}")
_HASH = re.compile(r"[0-9A-F]{64}")
_ORGANISATION = re.compile(r"(?:^|,\s*)O=([^,]+)")


class Row(BaseModel):
    """A value that crosses a border: immutable, and extra fields are the other side's business."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@lru_cache(maxsize=1024)
def organisation(name: str) -> str:
    """The organisation of a party: `O=Custodian A, L=Tokyo, C=JP` and `Custodian A` are both `Custodian A`."""
    match = _ORGANISATION.search(name)
    return match.group(1).strip() if match else name.strip()


def utc_text(moment: datetime) -> str:
    """A time as the bridge writes it: ISO-8601, UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def is_ledger_id(text: str) -> bool:
    """Whether the ledger takes this for an id."""
    return _ID.fullmatch(text) is not None


def _ledger_id(value: str) -> str:
    if not _ID.fullmatch(value):
        # The value is not repeated: what stands in an id's place may be a name.
        raise PydanticCustomError(
            "ledger_id",
            "must be 1 to 64 letters, digits, '.', '_', ':' or '-', starting with a letter or digit, but {found}",
            {"found": _not_an_id(value)},
        )
    return value


def _not_an_id(value: str) -> str:
    if not 0 < len(value) <= MAX_ID_LENGTH:
        return f"has {len(value)} characters"
    place = next(number for number in range(1, len(value) + 1) if not _ID.fullmatch(value[:number]))
    return f"character {place} of {len(value)} is none of these"


def _integer(value: object) -> object:
    """Text becomes an integer only when it is written as one: no sign '+', no blanks, no point, no floats."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PydanticCustomError("whole", "must be a whole number, but is '{value}'", {"value": str(value)[:80]})
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise PydanticCustomError("whole", "must be a whole number, but is '{value}'", {"value": value[:80]})
        value = int(value)
    if abs(value) > MAX_LEDGER_INTEGER:
        raise PydanticCustomError("whole", "must fit into 64 bits, but is {value}", {"value": str(value)})
    return value


def _positive(value: int) -> int:
    if value <= 0:
        raise PydanticCustomError("positive", "must be more than zero, but is {value}", {"value": value})
    return value


def _not_negative(value: int) -> int:
    if value < 0:
        raise PydanticCustomError("not_negative", "must not be below zero, but is {value}", {"value": value})
    return value


def _price(value: object) -> Decimal:
    text = f"{value:f}" if isinstance(value, Decimal) else value
    try:
        if isinstance(text, str) and _PRICE.fullmatch(text) and Decimal(text) > 0:
            return Decimal(text)
    except InvalidOperation:
        pass
    raise PydanticCustomError(
        "price",
        "must be yen with exactly two decimals, more than zero, such as 1000.00, but is '{value}'",
        {"value": str(value)[:80]},
    )


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise PydanticCustomError("utc", "must name its time zone, such as 2026-07-01T00:15:00.123Z", {})
    return value.astimezone(UTC)


def _party(value: str) -> str:
    if not value.strip() or len(value) > 128:
        raise PydanticCustomError("party", "must name a member, but is '{value}'", {"value": value[:80]})
    return value


def _pattern(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise PydanticCustomError(
                "pattern", "must be {what}, but is '{value}'", {"what": what, "value": value[:80]}
            )
        return value

    return AfterValidator(check)


LedgerId = Annotated[str, AfterValidator(_ledger_id)]
"""Identifier on the ledger."""
Party = Annotated[str, AfterValidator(_party)]
"""X.500 name or organisation of a member."""
SecurityCode = LedgerId
"""Security code of the venue, 4 or 5 characters; the exchange agent knows which ones exist."""
TransactionId = Annotated[str, _pattern(_HASH, "a transaction id of 64 capital hexadecimal digits")]
"""Corda transaction id."""
Whole = Annotated[int, BeforeValidator(_integer)]
"""Whole number of 64 bits, also below zero."""
Yen = Annotated[int, BeforeValidator(_integer), AfterValidator(_positive)]
"""Integer yen, more than zero."""
Units = Annotated[int, BeforeValidator(_integer), AfterValidator(_positive)]
"""Integer units, more than zero."""
Amount = Annotated[int, BeforeValidator(_integer), AfterValidator(_not_negative)]
"""Integer yen or units, zero or more."""
UnitPrice = Annotated[Decimal, BeforeValidator(_price), PlainSerializer(lambda price: f"{price:.2f}", return_type=str)]
"""Yen per unit, exactly two decimals, more than zero; a string in JSON."""
UtcTime = Annotated[datetime, AfterValidator(_utc), PlainSerializer(utc_text, return_type=str, when_used="json")]
"""A moment, UTC."""
