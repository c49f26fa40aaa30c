"""Days and hours: which days the venue trades on, and what may happen when. Days and hours are Tokyo's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal, Protocol

import jpholiday

from ippon.errors import BadSettings
from ippon.venue.words import Phase

TOKYO = timezone(timedelta(hours=9), "JST")
"""Japan has had no daylight saving since 1951, so that no table of zones is needed."""
MAX_DAYS_LOOKED_AT = 40
_NEW_YEAR = {(12, 31), (1, 1), (1, 2), (1, 3)}
_SATURDAY = 5


class Calendar(Protocol):
    """Which days are trading days."""

    def is_open(self, day: date) -> bool:
        """Whether the venue trades on a day."""
        ...


@dataclass(frozen=True, kw_only=True)
class BusinessCalendar:
    """Japan's: no Saturdays, Sundays and national holidays, none of 31 December to 3 January.

    Attributes:
        closed: days that are closed besides, such as a day of moving house.
        opened: days that are open nevertheless.
    """

    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()

    def is_open(self, day: date) -> bool:
        """See `Calendar`."""
        if day in self.opened:
            return True
        if day in self.closed or day.weekday() >= _SATURDAY or (day.month, day.day) in _NEW_YEAR:
            return False
        return not jpholiday.is_holiday(day)


class EveryDay:
    """A calendar for trials: open on all days."""

    def is_open(self, day: date) -> bool:  # noqa: ARG002
        """See `Calendar`."""
        return True


def business_day(calendar: Calendar, day: date, *, later: int) -> date:
    """The trading day so many trading days after a day; BadSettings when there is none in sight."""
    found = day
    for _ in range(MAX_DAYS_LOOKED_AT):
        if later == 0:
            return found
        found += timedelta(days=1)
        later -= calendar.is_open(found)
    raise BadSettings(f"There is no trading day within {MAX_DAYS_LOOKED_AT} days after {day}.", field="closed_days")


@dataclass(frozen=True)
class Opening:
    """From this time of day on, this phase."""

    at: time
    phase: Phase


HOURS = (
    Opening(time(8, 0), Phase.CALL),
    Opening(time(9, 0), Phase.CONTINUOUS),
    Opening(time(11, 30), Phase.PAUSE),
    Opening(time(12, 5), Phase.CALL),
    Opening(time(12, 30), Phase.CONTINUOUS),
    Opening(time(15, 25), Phase.CALL),
    Opening(time(15, 30), Phase.CLOSED),
)
"""Those of listed stocks in Tokyo; a venue's own are a setting."""


class Hours:
    """The phases of a trading day, in their order; before the first it is closed."""

    def __init__(self, openings: Sequence[Opening] = HOURS) -> None:
        times = [opening.at for opening in openings]
        if not openings or times != sorted(set(times)):
            raise BadSettings("hours must be times of one day that rise, each once.", field="hours")
        if openings[-1].phase is not Phase.CLOSED:
            raise BadSettings("hours must end with 'closed': orders live for a day.", field="hours")
        self._openings = tuple(openings)

    def of(self, day: date) -> Iterator[tuple[int, Phase]]:
        """(milliseconds UTC, phase) of a day."""
        for opening in self._openings:
            yield millis(datetime.combine(day, opening.at, TOKYO)), opening.phase


def make_calendar(kind: Literal["japan", "none"], changes: Mapping[str, frozenset[date]]) -> Calendar:
    """The calendar that the settings name; `changes` has `closed` and `opened`."""
    if kind == "none":
        return EveryDay()
    return BusinessCalendar(closed=changes["closed"], opened=changes["opened"])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def millis(moment: datetime) -> int:
    """Milliseconds since 1970, UTC; finer parts are cut off."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment(at_millis: int) -> datetime:
    """The UTC time of milliseconds."""
    return _EPOCH + timedelta(milliseconds=at_millis)


def tokyo_day(at_millis: int) -> date:
    """The day in Tokyo."""
    return moment(at_millis).astimezone(TOKYO).date()
