"""One model, three faces: HTML, JSON, terminal."""

import html.parser
import io
from pathlib import Path

from rich.console import Console

from ippon.report.day import DayReport
from ippon.report.invariants import prove
from ippon.report.page import render, write_report
from ippon.report.tables import day_tables
from unit.report_sample import fill_report, sample_report
from unit.report_world import honest_day
from unit.tamper_money import statement_line_smaller


class Page(html.parser.HTMLParser):
    """Texts and references of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]


def terminal(report: DayReport) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(day_tables(report))
    return console.export_text()


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    page = Page(render(sample_report()))
    assert page.references == []
    assert "script" not in page.tags
    assert page.tags.count("table") == 4


def test_the_page_speaks_both_languages() -> None:
    text = render(sample_report())
    for words in (
        "Execution id",
        "約定ID",
        "settled",
        "決済済",
        "the buyer pays by bank",
        "買側は銀行決済",
        "yen in trust",
    ):
        assert words in text


def test_text_from_files_cannot_become_markup() -> None:
    report = sample_report()
    report.refused[0].reason = "<img src=x onerror=alert(1)>"
    assert "<img" not in render(report)


def test_json_is_the_same_model(tmp_path: Path) -> None:
    report = sample_report()
    written = write_report(report, tmp_path / "day-1")
    assert DayReport.model_validate_json(written.json.read_text(encoding="utf-8")) == report
    assert written.html.read_text(encoding="utf-8").startswith("\n<!doctype html>") or "<!doctype html>" in render(
        report
    )


def test_the_terminal_has_a_row_per_fill_and_a_line_per_invariant() -> None:
    text = terminal(sample_report())
    for fill in ("EX-0001", "EX-0002", "EX-0003", "EX-0004"):
        assert fill in text
    assert text.count("PASS") == 6
    assert "CMON 151,400, then announcement" in text
    assert "UNKNOWN_INVESTOR" in text
    assert "-1,000,250" in text


def test_a_report_fails_when_an_invariant_or_an_expectation_does() -> None:
    report = sample_report()
    assert report.passed
    snapshot = honest_day().snapshot()
    statement_line_smaller(snapshot)
    broken = report.model_copy(update={"proof": prove(snapshot)})
    assert not broken.passed
    assert "FAIL" in render(broken)
    assert "TI-1: " in terminal(broken)
    surprised = report.model_copy(update={"surprises": ["rt1-EX-0009 is waiting, not settled"]})
    assert not surprised.passed
    assert "EX-0009 is waiting, not settled" in terminal(surprised)


def test_a_fill_that_surprises_says_so_in_its_row() -> None:
    report = sample_report()
    report.fills.append(fill_report(5, "waiting", reason="LACK", surprises=["expected settled"]))
    assert "expected settled" in render(report)
    assert "expected settled" in terminal(report)
