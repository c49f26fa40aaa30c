"""Every figure that section #04 of the report prints, typed from it, beside what the model prints."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ippon.economics.difference import differences
from ippon.economics.exact import half_up
from ippon.economics.labour import formula
from ippon.economics.model import Era, Kind, Process
from ippon.economics.parameters import REPORT, source_of
from ippon.economics.printed import (
    Row,
    all_brokers,
    headline,
    industry_headline,
    items,
    one_broker,
    simulated,
)
from ippon.economics.wording import effect_text, figure_text

BALANCES, TRANSFER, INVESTORS, FUNDS = Process
EXTERNAL, LABOUR = Kind

# Process, kind, AsIs, ToBe, effect; million yen.
ONE_BROKER = """
balances  -         100.2  15.0  ▲85.2
balances  external  100.0  15.0  ▲85.0
balances  labour      0.2   0.0   ▲0.2
transfer  -          11.6   2.3   ▲9.3
transfer  external   11.3   2.3   ▲9.0
transfer  labour      0.3   0.0   ▲0.3
investors -           1.0   0.1   ▲0.9
investors external    0.0   0.1   +0.1
investors labour      1.0   0.0   ▲1.0
funds     -           7.1   2.3   ▲4.8
funds     external    2.3   2.3   ▲0.0
funds     labour      4.8   0.0   ▲4.8
-         -         119.8  19.6 ▲100.2
"""
FIFTEEN_BROKERS = """
balances  -        1,502.4 225.0 ▲1,277.4
balances  external 1,500.0 225.0 ▲1,275.0
balances  labour       2.4   0.0     ▲2.4
transfer  -          173.7  33.8   ▲139.9
transfer  external   168.8  33.8   ▲135.0
transfer  labour       4.9   0.0     ▲4.9
investors -           14.6   1.8    ▲12.8
investors external     0.0   1.8     +1.8
investors labour      14.6   0.0    ▲14.6
funds     -          106.1  33.8    ▲72.3
funds     external    34.0  33.8     ▲0.2
funds     labour      72.1   0.0    ▲72.1
-         -        1,796.8 294.4 ▲1,502.4
"""
# Unit cost, AsIs or ToBe, effect: #04-3②, #04-4②, #04-5②, #04-6②.
ITEMS = """
custody_fee_bp       100.0 ▲100.0
compare_yen            0.2   ▲0.2
cn_license_yen        15.0  +15.0
custody_transfer_bp   11.3  ▲11.3
instruct_yen           0.3   ▲0.3
st_transfer_yen        2.3   +2.3
register_yen           0.8   ▲0.8
enter_id_yen           0.2   ▲0.2
register_api_yen       0.1   +0.1
look_up_api_yen        0.0   +0.0
bank_fee_yen           2.3   ▲2.3
pay_yen                4.8   ▲4.8
sc_license_yen         0.0    0.0
sc_transfer_yen        2.3   +2.3
"""
# Axis; AsIs, ToBe and net at 0, 20, 40, 60, 80, 100 %. ▲ in the net row is a loss.
SIMULATIONS = """
balances  axis 0 100 200 300 400 500
balances  asis 0.0 20.2 40.2 60.2 80.2 100.2
balances  tobe 15.0 15.0 15.0 15.0 15.0 15.0
balances  net ▲15.0 5.2 25.2 45.2 65.2 85.2
transfer  axis 0 4,500 9,000 13,500 18,000 22,500
transfer  asis 0.0 2.6 4.8 7.1 9.3 11.6
transfer  tobe 0.0 0.5 0.9 1.4 1.8 2.3
transfer  net 0.0 2.1 3.9 5.7 7.5 9.3
investors axis 0 2,500 5,000 7,500 10,000 12,500
investors asis 0.0 1.0 1.0 1.0 1.0 1.0
investors tobe 0.0 0.1 0.1 0.1 0.1 0.1
investors net 0.0 0.9 0.9 0.9 0.9 0.9
funds     axis 0 4,500 9,000 13,500 18,000 22,500
funds     asis 0.0 7.1 7.1 7.1 7.1 7.1
funds     tobe 0.0 0.5 0.9 1.4 1.8 2.3
funds     net 0.0 6.6 6.2 5.7 5.3 4.8
"""

# Where the report differs from itself: page, what it prints, what is exact.
DIFFERENCES = """
#04-1, #04-5② | 1,984 | 3,306
#04-1, #04-6② | 19,625 | 19,626
#04-2① | 19.6, ▲100.2 | 19.647, ▲100.133165
#04-2② | 173.7 | 173.612025
#04-2② | 1,796.8, ▲1,502.4 | 1,796.702475, ▲1,501.997475
#04-2② | 294.4 / 294.3 | 294.705
#04-2①, #04-2②, #04-5③ | ▲0.9, ▲12.8 | ▲0.824915, ▲12.373725
#04-3③ | 74.4 | 74.19
#04-6③ | 71,000; 1,600 | 70,721.7; 1,571.6
#04-3② to #04-6② | 661, 1,323, 3,306, 19,626 | 662, 1,324, 3,310, 19,772
#04-6② *3 | 19,626 | 16,943
"""


def typed(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def cells(table: str) -> list[tuple[str, str, int, str]]:
    """(process, kind, column, figure) of each printed figure."""
    return [(row[0], row[1], at, figure) for row in typed(table) for at, figure in enumerate(row[2:])]


def shown(rows: tuple[Row, ...], process: str, kind: str) -> tuple[str, str, str]:
    [row] = [one for one in rows if (one.process or "-", one.kind or "-") == (process, kind)]
    return figure_text(row.shown.asis), figure_text(row.shown.tobe), effect_text(row.shown.effect, row.shown.sign)


@pytest.mark.parametrize(("process", "kind", "column", "figure"), cells(ONE_BROKER))
def test_one_brokers_table_when_the_parameters_are_the_reports_then_prints_its_figure(
    process: str, kind: str, column: int, figure: str
) -> None:
    assert shown(one_broker(REPORT), process, kind)[column] == figure


@pytest.mark.parametrize(("process", "kind", "column", "figure"), cells(FIFTEEN_BROKERS))
def test_fifteen_brokers_table_when_the_parameters_are_the_reports_then_prints_its_figure(
    process: str, kind: str, column: int, figure: str
) -> None:
    assert shown(all_brokers(REPORT), process, kind)[column] == figure


@pytest.mark.parametrize("number", range(11))
def test_differences_when_told_then_say_what_is_printed_and_what_is_exact_and_why(number: int) -> None:
    found = differences()
    page, printed, exact = DIFFERENCES.strip().splitlines()[number].split(" | ")
    assert len(found) == 11
    assert (found[number].page, found[number].printed, found[number].exact) == (page, printed, exact)
    assert all((*found[number].why, *found[number].what))


def test_tables_when_compared_row_by_row_then_have_no_other_rows_than_the_report() -> None:
    for table, rows in ((ONE_BROKER, one_broker(REPORT)), (FIFTEEN_BROKERS, all_brokers(REPORT))):
        assert [row[:2] for row in typed(table)] == [[row.process or "-", row.kind or "-"] for row in rows]


@pytest.mark.parametrize(("name", "amount", "effect"), typed(ITEMS))
def test_items_when_the_parameters_are_the_reports_then_print_their_figures(
    name: str, amount: str, effect: str
) -> None:
    [row] = [one for one in items(REPORT) if one.line.name == name]
    printed = row.shown.asis if row.line.era is Era.ASIS else row.shown.tobe
    assert (figure_text(printed), effect_text(row.shown.effect, row.shown.sign)) == (amount, effect)


def test_items_when_the_report_shows_none_then_are_nothing() -> None:
    named = {row[0] for row in typed(ITEMS)}
    others = {row.line.name: row.line.yen for row in items(REPORT) if row.line.name not in named}
    assert others == {"custody_report_yen": 0, "custody_investor_yen": 0}


@pytest.mark.parametrize(
    ("process", "row", "column", "figure"), [one for one in cells(SIMULATIONS) if one[1] != "axis"]
)
def test_simulations_when_the_parameters_are_the_reports_then_print_its_figure(
    process: str, row: str, column: int, figure: str
) -> None:
    point = simulated(REPORT, Process(process))[column]
    texts = {"asis": figure_text(point.shown.asis), "tobe": figure_text(point.shown.tobe)}
    texts["net"] = effect_text(point.shown.effect, point.shown.sign, plus="")
    assert texts[row] == figure


@pytest.mark.parametrize(("process", "axis"), [(row[0], row[2:]) for row in typed(SIMULATIONS) if row[1] == "axis"])
def test_simulations_when_drawn_then_have_the_reports_axes(process: str, axis: list[str]) -> None:
    per = 100_000_000 if process == "balances" else 1
    assert [f"{half_up(row.point.volume / per):,}" for row in simulated(REPORT, Process(process))] == axis


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        *(("one.asis", "119.8"), ("one.tobe", "19.6"), ("one.effect", "-100"), ("one.percent", "-84")),
        *(("all.asis", "1796.8"), ("all.tobe", "294.3"), ("all.effect", "-1502"), ("all.percent", "-84")),
    ],
)
def test_headlines_when_the_parameters_are_the_reports_then_say_its_figure(name: str, figure: str) -> None:
    scope, _, part = name.partition(".")
    of = headline(REPORT) if scope == "one" else industry_headline(REPORT)
    assert getattr(of, part) == Decimal(figure)


def test_summary_when_rounded_to_hundreds_then_is_some_1500_million_and_84_percent() -> None:
    summary = industry_headline(REPORT)
    assert round(-summary.effect, -2) == 1_500
    assert summary.percent == -84


@pytest.mark.parametrize(
    ("process", "first", "last"),
    [("balances", None, "85.2"), ("transfer", None, "9.3"), ("investors", None, "0.9"), ("funds", "6.6", "4.8")],
)
def test_simulations_when_at_their_ends_then_have_the_headline_beside_the_chart(
    process: str, first: str | None, last: str
) -> None:
    rows = simulated(REPORT, Process(process))
    assert rows[-1].shown.effect == Decimal(last)
    assert first is None or rows[1].shown.effect == Decimal(first)


@pytest.mark.parametrize(
    ("name", "printed", "by_formula"),
    [
        ("compare_yen", 661, 662),
        ("instruct_yen", 1_323, 1_324),
        ("register_yen", 3_306, 3_310),
        ("enter_id_yen", 661, 662),
        ("pay_yen", 19_626, 19_772),
    ],
)
def test_labour_when_computed_by_the_footnotes_then_differs_from_what_is_printed(
    name: str, printed: int, by_formula: int
) -> None:
    assert getattr(REPORT, name) == printed
    assert half_up(formula(REPORT)[name]) == by_formula


@pytest.mark.parametrize(
    ("name", "one", "fifteen"),
    [
        ("st_balance_yen", 50_000_000_000, 750_000_000_000),
        ("transfer_yen", 22_500_000_000, 337_500_000_000),
        ("transfers", 22_500, 337_500),
        ("investors", 12_500, 187_500),
        ("settlements", 22_500, 337_500),
    ],
)
def test_volumes_when_worked_out_then_are_the_reports(name: str, one: int, fifteen: int) -> None:
    assert getattr(REPORT.volumes, name) == one
    assert getattr(REPORT.volumes, name) * REPORT.brokers == fifteen


@pytest.mark.parametrize(
    ("name", "value", "page"),
    [
        ("custody_fee_bp", 20, "#04-3②"),
        ("custody_transfer_bp", 5, "#04-4②"),
        ("bank_fee_yen", 660, "#04-6②"),
        ("cn_license_yen", 15_000_000, "#04-3②"),
        ("st_transfer_yen", 100, "#04-4②"),
        ("register_api_yen", 500, "#04-5②"),
        ("look_up_api_yen", 100, "#04-5②"),
        ("sc_license_yen", 0, "#04-6②"),
        ("sc_transfer_yen", 100, "#04-6②"),
        ("business_days", 245, "#04-3②"),
        ("brokers", 15, "#04-2②"),
        ("payees", 14, "#04-6②"),
        ("bank_transfers", 3_430, None),
        ("turnover_percent", 20, "#04-4②"),
        ("primary_transfer_yen", 12_500_000_000, "#04-4②"),
        ("unit_yen", 1_000_000, "#04-4②"),
        ("worker_yen", 2_240, "#04-3②"),
        ("checker_yen", 4_080, "#04-3②"),
        ("worker_salary_yen", 4_300_000, "#04-3②"),
        ("checker_salary_yen", 7_800_000, "#04-3②"),
        ("compare_minutes", 15, "#04-3②"),
        ("instruct_minutes", 30, "#04-4②"),
        ("register_minutes", 75, "#04-5②"),
        ("enter_id_minutes", 15, "#04-5②"),
        ("confirm_minutes", 20, "#04-6②"),
        ("calculate_minutes", 10, "#04-6②"),
        ("order_minutes", 2, "#04-6②"),
    ],
)
def test_parameters_when_nothing_is_given_then_are_the_reports_with_their_page(
    name: str, value: int, page: str | None
) -> None:
    assert getattr(REPORT, name) == value
    assert page is None or page in source_of(name).page
