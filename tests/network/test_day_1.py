"""Day-1 on real nodes: each fill, each refused row, each waking came as the script expects."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ippon.demo.script import ExpectedRow, load_script
from ippon.model import DeskState, Outcome, TryCause
from ippon.report.day import FillReport
from ippon.report.page import HTML_NAME, JSON_NAME
from network.conftest import DAY_1, Day

SCRIPT = load_script(DAY_1)


def fill_report(day: Day, name: str) -> FillReport:
    return next(fill for fill in day.played.report.fills if fill.execution_id == day.id(name))


def test_the_day_was_played_to_its_end(day: Day) -> None:
    assert len(day.played.report.steps) == len(day.script.steps)
    assert day.played.report.surprises == []


@pytest.mark.parametrize("name", SCRIPT.expect.fills)
def test_each_fill_ends_as_expected(day: Day, name: str) -> None:
    fill = fill_report(day, name)
    assert fill.outcome == SCRIPT.expect.fills[name].end
    assert fill.surprises == []
    assert (fill.transaction_id is not None) == (fill.outcome in (DeskState.SETTLED, DeskState.BUSTED))


@pytest.mark.parametrize("wanted", SCRIPT.expect.refused, ids=lambda row: f"{row.file}-{row.line}")
def test_each_wrong_row_is_refused_with_line_field_and_reason(day: Day, wanted: ExpectedRow) -> None:
    row = next(row for row in day.played.report.refused if (row.file, row.line) == (wanted.file, wanted.line))
    assert row.expected, row
    assert row.status == "duplicate" or row.reason


def test_nothing_else_was_refused(day: Day) -> None:
    assert len(day.played.report.refused) == len(SCRIPT.expect.refused)


@pytest.mark.parametrize("name", ["EX-0015", "EX-0016"])
def test_a_short_buyers_fill_is_woken_by_the_announcement_alone(day: Day, name: str) -> None:
    causes = [attempt.cause for attempt in fill_report(day, name).attempts]
    assert causes[-1] == TryCause.ANNOUNCEMENT
    assert len(fill_report(day, name).attempts) == 2, causes


def test_no_timer_woke_what_was_waiting(day: Day) -> None:
    # A try that lost its tokens to another settlement is repeated within seconds; waiting is ended by events alone.
    for fill in day.played.report.fills:
        for before, after in pairwise(fill.attempts):
            assert before.outcome != Outcome.WAITING or after.cause != TryCause.TIMER, (fill.execution_id, after)


def test_an_honest_day_leaves_one_fill_open(day: Day) -> None:
    waiting = [fill for fill in day.played.report.fills if fill.outcome == DeskState.WAITING]
    assert [(fill.execution_id, fill.reason, fill.cause) for fill in waiting] == [
        (day.id("EX-0020"), "CONF", "ROUTE_BANK")
    ]


def test_balances_moved_by_what_the_fills_say(day: Day) -> None:
    change: dict[tuple[str, str], int] = {}
    coin_ids = {day.id("INV-A03"): day.id("COIN-A03"), day.id("INV-B03"): day.id("COIN-B03")}
    for fill in day.played.report.fills:
        if fill.outcome == DeskState.SETTLED:
            seller, buyer = fill.seller.split(" at ")[0], fill.buyer.split(" at ")[0]
            for who, asset, size in (
                (seller, fill.security_code, -fill.quantity),
                (buyer, fill.security_code, fill.quantity),
                (coin_ids.get(buyer, buyer), "COINS", -fill.amount),
                (coin_ids.get(seller, seller), "COINS", fill.amount),
            ):
                change[who, asset] = change.get((who, asset), 0) + size
    # Top-ups and the delivery came while trading was open.
    for who, asset, size in (
        ("INV-A05", "COINS", 350_000),
        ("INV-B05", "COINS", 151_400),
        ("INV-B06", "COINS", 200_000),
        ("INV-B07", "ZC303", -60),
        ("INV-A04", "ZC303", 60),
    ):
        change[day.id(who), asset] = change.get((day.id(who), asset), 0) + size
    moved = {(row.investor_id, row.asset): row.change for row in day.played.report.balances if row.change}
    assert moved == {key: size for key, size in change.items() if size}


def test_the_report_is_written(day: Day) -> None:
    html = (day.output / HTML_NAME).read_text(encoding="utf-8")
    assert day.id("EX-0001").removeprefix(day.run.prefix) in html
    assert (day.output / JSON_NAME).stat().st_size > 0
    assert day.played.report.memory_bytes
