"""What all tables share: UTC times, numbered rows, one metadata."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, Integer, String, TypeDecorator, literal_column
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql import ColumnElement

# SQLite numbers rows by itself only under the very word INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


class Moment(TypeDecorator[datetime]):
    """A UTC time; SQLite keeps no zone, so it goes in and comes out as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """On SQLite the very text that SQLAlchemy would write, in a third of the time: there are many."""
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """See `bind_processor`."""
        return _from_sqlite if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuses times without a zone."""
        return None if value is None else _utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_ZONE = "+00:00"


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time without a zone must not reach the store")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _sqlite_text(value: datetime | None) -> str | None:
    return None if value is None else _utc(value).isoformat(" ", "microseconds").removesuffix(_ZONE)


def _from_sqlite(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + _ZONE)


def word(constant: str) -> ColumnElement[str]:
    """A word of ours inside a statement that is built once, and not a parameter to be bound at each run."""
    if not constant.isalpha():
        raise ValueError(f"{constant!r} is no word")
    return literal_column(f"'{constant}'", String())


def words(constants: Iterable[str]) -> list[ColumnElement[str]]:
    """Several of them."""
    return [word(constant) for constant in constants]


class Base(DeclarativeBase):
    """All tables of an agent."""

    type_annotation_map = {datetime: Moment(), date: Date(), dict[str, Any]: JSON()}  # noqa: RUF012
