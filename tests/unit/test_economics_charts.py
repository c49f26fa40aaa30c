"""The page and its charts: nothing cut, nothing on top of another, glyphs, languages, no script; sensitivity."""

from __future__ import annotations

import html.parser
import re
import time
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippon.economics.canvas import ADDED, ASIS, SAVED, TOBE, Canvas, Scale, nice_step, text_width, wrapped
from ippon.economics.case import Case, make_case
from ippon.economics.charts_bars import FILLS
from ippon.economics.measured import BrokerVolumes, Measured
from ippon.economics.model import Process, cost_of
from ippon.economics.page import charts, render, write_page
from ippon.economics.parameters import REPORT, Parameters, read_parameters, source_of
from ippon.economics.sensitivity import BINS, monte_carlo, percentile, tornado
from ippon.economics.settings import CaseSettings, load_settings
from ippon.economics.wording import UNITS_JA, Lang
from unit.cli_place import make_place

LANGUAGES: tuple[Lang, ...] = get_args(Lang)
DEFAULT = load_settings()
ODD: Mapping[str, dict[str, Any]] = {
    "report": {},
    "tiny": {"st_balance_yen": 1_000_000, "primary_transfer_yen": 1_000_000, "cn_license_yen": 100},
    "nothing": {"st_balance_yen": 0, "primary_transfer_yen": 0, "cn_license_yen": 0},
    "dearer": {"cn_license_yen": 10**12, "sc_transfer_yen": 10**7},
    "huge": {"st_balance_yen": 10**18, "brokers": 10_000, "custody_fee_bp": 9_999},
    "beyond": {"sc_transfer_yen": 300, "register_api_yen": 10_000},
}


def odd_case(name: str) -> Case:
    return make_case(read_parameters(ODD[name], where="test"), DEFAULT if name == "report" else CaseSettings())


CASES = {name: odd_case(name) for name in ODD}


class Page(html.parser.HTMLParser):
    """Tags, references and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ODD)
def test_charts_when_drawn_then_no_label_is_cut(name: str, lang: Lang) -> None:
    for chart in charts(CASES[name], lang).values():
        for box in chart.boxes:
            inside = box.left >= 0 and box.right <= chart.width and box.top >= 0 and box.bottom <= chart.height
            assert inside, (chart.key, box)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ODD)
def test_charts_when_drawn_then_no_label_lies_on_another(name: str, lang: Lang) -> None:
    for chart in charts(CASES[name], lang).values():
        for number, one in enumerate(chart.boxes):
            for other in chart.boxes[number + 1 :]:
                apart = one.right <= other.left or other.right <= one.left
                assert apart or one.bottom <= other.top or other.bottom <= one.top, (chart.key, one.text, other.text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_charts_when_of_the_report_then_are_all_there_and_say_its_figures(lang: Lang) -> None:
    drawn = charts(CASES["report"], lang)
    wanted = {"broker", "industry", "waterfall", "tornado", "monte-carlo"}
    assert set(drawn) == wanted | {f"{kind}-{one}" for kind in ("waterfall", "simulation") for one in Process}
    texts = {key: " ".join(box.text for box in chart.boxes) for key, chart in drawn.items()}
    for key, figures in {
        "broker": ("119.8", "19.6", "▲100", "▲84 %"),
        "industry": ("1,796.8", "294.3", "▲1,502", "▲84 %"),
        "waterfall": ("119.8", "▲85.2", "▲9.3", "▲0.9", "▲4.8", "19.6"),
        "waterfall-balances": ("100.2", "▲100.0", "▲0.2", "+15.0", "15.0"),
        "waterfall-investors": ("▲0.8", "+0.0"),
        "simulation-balances": ("74.19", "74.4", "500"),
        "simulation-funds": ("70,721.7", "71,000", "22,500"),
    }.items():
        for figure in figures:
            assert figure in texts[key], (key, figure)


@pytest.mark.parametrize("name", ODD)
def test_charts_when_drawn_then_are_xml_with_a_title(name: str) -> None:
    for chart in charts(CASES[name], "ja").values():
        root = ElementTree.fromstring(chart.svg())
        [title] = [one for one in root if one.tag.endswith("title")]
        assert title.text == chart.title


def test_the_picture_in_docs_when_compared_then_is_what_the_code_draws() -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "business-case.svg"
    assert path.read_text(encoding="utf-8") == charts(CASES["report"], "en")["broker"].svg() + "\n"


def test_charts_when_in_english_then_have_no_japanese_but_the_unit() -> None:
    for chart in charts(CASES["report"], "en").values():
        text = "".join(box.text for box in chart.boxes).replace("億円", "")
        assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text), chart.key
    for key, chart in charts(CASES["report"], "ja").items():
        assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", "".join(box.text for box in chart.boxes)), key


def test_fills_when_seen_in_grey_then_differ_by_lightness_or_pattern() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return (0.299 * red + 0.587 * green + 0.114 * blue) / 255

    for together in (tuple(FILLS.values()), (ASIS, TOBE, SAVED, ADDED)):
        for one, other in combinations(together, 2):
            assert one.lines != other.lines or abs(lightness(one.colour) - lightness(other.colour)) > 0.3, (one, other)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_when_made_then_fetches_nothing_runs_nothing_and_says_everything(lang: Lang) -> None:
    text = render(CASES["report"], lang)
    page = Page(text)
    assert page.references == []
    assert "script" not in page.tags
    assert page.tags.count("svg") == 13
    assert page.tags.count("table") == 10
    assert len(page.ids) == len(set(page.ids))
    assert "size: A4" in text
    assert f'<html lang="{lang}">' in text
    for figure in ("▲1,502.4", "-1,501,997,475", "294.705", "19,772", "16,943", "#04-6②"):
        assert figure in text


def test_the_page_when_in_one_language_then_has_none_of_the_others_sentences() -> None:
    assert "損益分岐点" not in render(CASES["report"], "en")
    assert "Where the report differs" not in render(CASES["report"], "ja")
    assert {source_of(name).unit for name in Parameters.model_fields} == set(UNITS_JA)


@pytest.mark.parametrize("name", ODD)
def test_the_page_when_parameters_are_odd_then_is_made_all_the_same(name: str) -> None:
    text = render(CASES[name], "ja")
    assert ("レポート内で値が異なる箇所" in text) == (name == "report")


def test_the_page_when_measured_then_text_from_a_network_cannot_become_markup() -> None:
    one = BrokerVolumes("<img src=x>", Fraction(1), Fraction(1), Fraction(1), 1, 1, 1, 1, 1)
    measured = Measured(date(2026, 7, 1), date(2026, 7, 1), 1, (one,), quiet=False)
    text = render(make_case(measured.parameters(), CaseSettings(), measured=measured), "en")
    assert "<img" not in text
    assert "Something was still moving" in text


def test_the_page_when_written_then_leaves_no_draft_and_replaces_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "case.html"
    for lang in LANGUAGES:
        write_page(CASES["report"], path, lang)
        assert f'lang="{lang}"' in path.read_text(encoding="utf-8")
    assert list(path.parent.iterdir()) == [path]


def test_case_when_asked_for_html_then_says_where_it_is_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = make_place(tmp_path, monkeypatch, capsys)
    path = tmp_path / "case.html"
    assert place.run("case", "--html", str(path), "--lang", "ja") == (0, "", f"{path}\n")
    assert "残高管理" in path.read_text(encoding="utf-8")
    code, _, err = place.run("case", "--html", str(tmp_path))
    assert code == 2
    assert "is a folder: name a file in it" in err


def test_case_and_page_when_made_then_take_a_part_of_the_three_seconds() -> None:
    # Processor time: another program's load must not decide.
    began = time.process_time()
    render(make_case(REPORT, DEFAULT), "ja")
    assert time.process_time() - began < 3


def test_tornado_when_sorted_then_the_widest_is_first_and_every_end_is_the_cases_own() -> None:
    bars = tornado(REPORT, DEFAULT)
    assert [bar.swing for bar in bars] == sorted((bar.swing for bar in bars), reverse=True)
    assert bars[0].name == "st_balance_yen"
    for bar in bars:
        for end, saving in ((bar.low, bar.saving_at_low), (bar.high, bar.saving_at_high)):
            assert saving == cost_of(read_parameters({bar.name: end}, where="test")).saving
        assert bar.given == (bar.name in DEFAULT.ranges)


def test_tornado_when_by_formula_then_moves_minutes_and_rates_and_not_what_they_make() -> None:
    names = {bar.name for bar in tornado(read_parameters({"labour": "formula"}, where="test"), CaseSettings())}
    assert {"worker_yen", "confirm_minutes", "checking_percent"} <= names
    assert not names & {"compare_yen", "pay_yen", "worker_salary_yen", "brokers"}
    assert not {bar.name for bar in tornado(REPORT, CaseSettings())} & {"worker_yen", "confirm_minutes"}


def test_tornado_when_a_rate_is_near_its_limit_then_stays_within_it() -> None:
    made = read_parameters({"custody_fee_bp": 9_999, "business_days": 366, "turnover_percent": 95}, where="test")
    highs = {bar.name: bar.high for bar in tornado(made, CaseSettings())}
    assert [highs[name] for name in ("custody_fee_bp", "business_days", "turnover_percent")] == [10_000, 366, 100]


def test_monte_carlo_when_drawn_twice_then_is_the_same_and_another_seed_another() -> None:
    first = monte_carlo(REPORT, DEFAULT)
    assert first is not None
    assert monte_carlo(REPORT, DEFAULT) == first
    other = DEFAULT.model_copy(update={"monte_carlo": DEFAULT.monte_carlo.model_copy(update={"seed": 7})})
    assert monte_carlo(REPORT, other) != first
    assert sum(first.counts) == first.draws == DEFAULT.monte_carlo.draws
    assert len(first.counts) == BINS
    assert first.lowest <= first.tail <= first.median <= first.upper_tail <= first.highest
    assert first.lowest <= first.mean <= first.highest


def test_monte_carlo_when_its_ranges_are_points_then_is_that_case_and_without_ranges_is_none() -> None:
    point = CaseSettings.model_validate({"ranges": {"payees": {"low": 3, "high": 3}}, "monte_carlo": {"draws": 5}})
    found = monte_carlo(REPORT, point)
    assert found is not None
    assert {found.lowest, found.mean, found.highest} == {cost_of(read_parameters({"payees": 3}, where="test")).saving}
    assert (found.counts, found.paying) == ((5,), 5)
    assert monte_carlo(REPORT, CaseSettings()) is None
    make_case(REPORT, point)


@pytest.mark.parametrize(("percent", "value"), [(5, 1), (50, 10), (95, 19), (100, 20), (1, 1)])
def test_percentile_when_of_twenty_then_is_the_smallest_that_so_many_do_not_exceed(percent: int, value: int) -> None:
    assert percentile([Fraction(n) for n in range(1, 21)], percent) == value


@settings(max_examples=40, deadline=None)
@given(st.fractions(-(10**6), 10**6), st.fractions(Fraction(1, 1000), 10**6))
def test_scale_when_made_then_holds_its_values_between_round_ticks(low: Fraction, span: Fraction) -> None:
    scale = Scale(low, low + span, start=100, end=500)
    assert 100 <= scale.at(low) <= scale.at(low + span) <= 500
    assert scale.ticks[0] <= low
    assert scale.ticks[-1] >= low + span
    assert 2 <= len(scale.ticks) <= 8
    assert nice_step(Fraction(0)) == 1


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("confirming and paying a day", 90),
        ("事務コスト(決済金額確認～振込指図)", 110),
        ("Short", 80),
        ("a" * 40, 80),
    ],
)
def test_wrapped_when_put_together_again_then_is_the_text_and_fits_where_it_can(text: str, width: int) -> None:
    found = wrapped(text, width)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line) <= width for line in found) or " " not in text


def test_text_when_it_looks_like_markup_then_is_escaped() -> None:
    canvas = Canvas("k", width=100, height=50, title="<t>")
    canvas.text(5, 20, "<b>&")
    ElementTree.fromstring(canvas.svg())
    assert canvas.boxes[0].text == "<b>&"
