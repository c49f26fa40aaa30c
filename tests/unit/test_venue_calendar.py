"""Trading days and hours, Tokyo's."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from ippon.errors import BadSettings
from ippon.venue.calendar import (
    BusinessCalendar,
    EveryDay,
    Hours,
    Opening,
    business_day,
    millis,
    moment,
    tokyo_day,
)
from ippon.venue.words import Phase

CLOSED_2026 = {
    *((1, 1), (1, 2), (1, 12), (2, 11), (2, 23), (3, 20), (4, 29), (5, 4), (5, 5), (5, 6), (7, 20), (8, 11)),
    *((9, 21), (9, 22), (9, 23), (10, 12), (11, 3), (11, 23), (12, 31)),
}
"""Weekdays of 2026 on which Tokyo's stock exchange does not trade (its own list: holidays and the turn of the year)."""


def test_every_day_of_2026_is_open_or_closed_as_the_exchange_says() -> None:
    calendar = BusinessCalendar()
    day = date(2026, 1, 1)
    while day.year == 2026:
        wanted = day.weekday() < 5 and (day.month, day.day) not in CLOSED_2026
        assert calendar.is_open(day) is wanted, day
        day += timedelta(days=1)


@pytest.mark.parametrize("day", [date(2024, 12, 31), date(2025, 1, 2), date(2025, 1, 3), date(2027, 12, 31)])
def test_the_turn_of_the_year_is_closed(day: date) -> None:
    assert not BusinessCalendar().is_open(day)


def test_days_that_are_named_then_they_go_before_the_calendar() -> None:
    calendar = BusinessCalendar(closed=frozenset({date(2026, 7, 1)}), opened=frozenset({date(2026, 7, 4)}))
    assert not calendar.is_open(date(2026, 7, 1))
    assert calendar.is_open(date(2026, 7, 4))


@pytest.mark.parametrize(
    ("day", "later", "found"),
    [
        (date(2026, 7, 1), 0, date(2026, 7, 1)),
        (date(2026, 7, 3), 1, date(2026, 7, 6)),
        (date(2026, 5, 1), 2, date(2026, 5, 8)),
        (date(2026, 12, 30), 1, date(2027, 1, 4)),
    ],
)
def test_trading_days_are_counted_over_weekends_and_holidays(day: date, later: int, found: date) -> None:
    assert business_day(BusinessCalendar(), day, later=later) == found


def test_a_calendar_without_days_then_counting_ends() -> None:
    class Never:
        def is_open(self, day: date) -> bool:  # noqa: ARG002
            return False

    with pytest.raises(BadSettings, match="no trading day"):
        business_day(Never(), date(2026, 7, 1), later=1)
    assert business_day(EveryDay(), date(2026, 7, 4), later=1) == date(2026, 7, 5)


def test_the_hours_of_a_day_are_tokyos() -> None:
    phases = list(Hours().of(date(2026, 7, 1)))
    assert phases[1] == (millis(datetime(2026, 7, 1, 0, 0, tzinfo=UTC)), Phase.CONTINUOUS)
    assert phases[-1] == (millis(datetime(2026, 7, 1, 6, 30, tzinfo=UTC)), Phase.CLOSED)


@pytest.mark.parametrize(
    "openings",
    [
        [],
        [Opening(time(9), Phase.CONTINUOUS)],
        [Opening(time(15), Phase.CALL), Opening(time(9), Phase.CLOSED)],
        [Opening(time(9), Phase.CALL), Opening(time(9), Phase.CLOSED)],
    ],
)
def test_hours_that_make_no_day_then_they_are_refused(openings: list[Opening]) -> None:
    with pytest.raises(BadSettings):
        Hours(openings)


def test_a_day_begins_at_midnight_in_tokyo() -> None:
    assert tokyo_day(millis(datetime(2026, 6, 30, 14, 59, 59, 999_000, tzinfo=UTC))) == date(2026, 6, 30)
    assert tokyo_day(millis(datetime(2026, 6, 30, 15, 0, tzinfo=UTC))) == date(2026, 7, 1)
    at = datetime(2026, 7, 1, 0, 0, 0, 123_000, tzinfo=UTC)
    assert moment(millis(at)) == at
