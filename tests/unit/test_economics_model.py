"""The model whatever its parameters: sums, ends of simulations, break-evens that are roots, rounding."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippon.economics.exact import half_up, million, text_of
from ippon.economics.model import Kind, Process, cost, cost_of, industry, lines
from ippon.economics.parameters import REPORT, Parameters, read_parameters
from ippon.economics.printed import all_brokers, one_broker
from ippon.economics.simulate import (
    AXES,
    break_even,
    drawn_break_even,
    process_cost,
    simulation,
    whole_break_even,
)

MODEST = settings(max_examples=40, deadline=None)
YEN = st.integers(0, 10**12)
COUNT = st.integers(0, 10**6)
UNIT = st.integers(0, 10**5)
RATE = st.fractions(0, 100, max_denominator=100)


@st.composite
def cases(draw: st.DrawFn) -> Parameters:
    values: dict[str, Any] = {
        name: draw(kind)
        for name, kind in {
            **dict.fromkeys(
                ("st_balance_yen", "primary_transfer_yen", "secondary_transfer_yen", "cn_license_yen"), YEN
            ),
            **dict.fromkeys(("transfers", "investors", "settlements"), COUNT),
            **dict.fromkeys(("compare_yen", "instruct_yen", "register_yen", "enter_id_yen", "pay_yen"), UNIT),
            **dict.fromkeys(("bank_fee_yen", "st_transfer_yen", "sc_transfer_yen", "look_up_api_yen"), UNIT),
            **dict.fromkeys(("custody_fee_bp", "custody_transfer_bp"), RATE),
            "business_days": st.integers(1, 366),
            "brokers": st.integers(1, 100),
            "payees": st.integers(1, 100),
        }.items()
    }
    return read_parameters(values, where="test")


@MODEST
@given(cases())
def test_total_when_parameters_are_any_then_is_the_sum_of_processes_and_of_kinds(parameters: Parameters) -> None:
    found = lines(parameters)
    total = cost_of(parameters)
    for parts in ([cost(found, process=one) for one in Process], [cost(found, kind=one) for one in Kind]):
        assert sum(part.asis for part in parts) == total.asis
        assert sum(part.tobe for part in parts) == total.tobe
        assert sum(part.effect for part in parts) == total.effect == -total.saving
    assert industry(total, parameters).effect == parameters.brokers * total.effect


@MODEST
@given(cases(), st.sampled_from(Process))
def test_simulation_when_at_its_ends_then_is_the_licence_alone_and_the_whole_process(
    parameters: Parameters, process: Process
) -> None:
    points = simulation(parameters, process)
    assert [point.share for point in points] == [Fraction(n, 5) for n in range(6)]
    assert points[-1].cost == process_cost(parameters, process, parameters.volumes)
    assert points[0].cost.asis == 0
    fixed = {Process.BALANCES: parameters.cn_license_yen, Process.FUNDS: parameters.sc_license_yen}
    assert points[0].cost.tobe == fixed.get(process, 0)


@MODEST
@given(cases(), st.sampled_from(Process))
def test_break_even_when_there_is_one_then_is_a_root_with_both_sides_told_apart(
    parameters: Parameters, process: Process
) -> None:
    found = break_even(parameters, process)
    full = getattr(parameters.volumes, AXES[process])
    if found.volume is None or found.share is None or not full:
        return
    assert found.volume == found.share * full
    at = [process_cost(parameters, process, parameters.volumes.scaled(found.share * k)) for k in (1, 2, Fraction(1, 2))]
    assert at[0].saving == 0
    assert (at[1].saving > 0) == found.pays_above
    assert (at[2].saving < 0) == found.pays_above


@MODEST
@given(cases(), st.sampled_from(Process), st.fractions(Fraction(1, 1000), 1000, max_denominator=1000))
def test_break_even_when_there_is_none_then_no_volume_changes_the_sign(
    parameters: Parameters, process: Process, share: Fraction
) -> None:
    found = break_even(parameters, process)
    if found.volume is None and getattr(parameters.volumes, AXES[process]):
        saving = process_cost(parameters, process, parameters.volumes.scaled(share)).saving
        assert saving > 0 if found.pays_above else saving <= 0


@MODEST
@given(cases())
def test_whole_break_even_when_there_is_one_then_everything_together_saves_nothing_there(
    parameters: Parameters,
) -> None:
    found = whole_break_even(parameters)
    if found.share is not None:
        assert cost_of(parameters, parameters.volumes.scaled(found.share)).saving == 0


def test_break_evens_when_the_parameters_are_the_reports_then_are_exact_beside_what_it_prints() -> None:
    balance = break_even(REPORT, Process.BALANCES)
    settled = break_even(REPORT, Process.FUNDS)
    assert balance.volume == 7_419_027_500
    assert settled.volume == Fraction("70721.7")
    assert settled.first_whole == 70_722
    assert settled.share is not None
    assert half_up(settled.share * 500, 0) == 1_572
    drawn = drawn_break_even(simulation(REPORT, Process.BALANCES))
    assert drawn is not None
    assert half_up(drawn / 100_000_000, 1) == Decimal("74.4")
    assert half_up(settled.volume / 1_000) * 1_000 == 71_000
    assert half_up(settled.share * 5) * 100 == 1_600
    assert [break_even(REPORT, one).volume for one in (Process.TRANSFER, Process.INVESTORS)] == [None, None]


def test_break_even_when_a_process_has_no_volume_yet_then_is_solved_all_the_same() -> None:
    empty = read_parameters({"st_balance_yen": 0, "settlements": 0}, where="test")
    assert break_even(empty, Process.BALANCES).volume == 7_419_027_500
    assert break_even(empty, Process.FUNDS).volume == Fraction("70721.7")
    assert break_even(empty, Process.FUNDS).share is None


def test_totals_when_exact_then_count_the_look_up_that_the_report_leaves_out() -> None:
    total = cost_of(REPORT)
    assert [total.asis, total.tobe, total.saving] == [119_780_165, 19_647_000, 100_133_165]
    assert one_broker(REPORT)[-1].exact == total
    assert all_brokers(REPORT)[-1].exact == industry(total, REPORT)


def test_tables_when_parameters_are_not_the_reports_then_leave_nothing_out_and_round_each_figure() -> None:
    dearer = read_parameters({"look_up_api_yen": 10_000}, where="test")
    total = one_broker(dearer)[-1]
    assert (total.shown.tobe, total.shown.effect) == (Decimal("22.1"), Decimal("-97.7"))
    rows = all_brokers(read_parameters({"brokers": 16}, where="test"))
    assert all(row.shown.effect == million(row.exact.effect) for row in rows)


def test_costs_when_one_volume_is_nothing_then_only_its_process_costs_nothing() -> None:
    whole = REPORT.volumes
    for process, axis in AXES.items():
        without = replace(whole, **{axis: Fraction(0)} | ({"transfer_yen": Fraction(0)} if axis == "transfers" else {}))
        found = lines(REPORT, without)
        spent = {one for one in Process if cost(found, process=one).asis}
        assert spent == set(Process) - {process}


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("2.25", 1, "2.3"),
        ("-2.25", 1, "-2.3"),
        ("11.25", 1, "11.3"),
        ("0.05", 1, "0.1"),
        ("1/3", 2, "0.33"),
        ("0", 1, "0.0"),
    ],
)
def test_half_up_when_in_the_middle_then_goes_away_from_zero(value: str, places: int, text: str) -> None:
    assert str(half_up(Fraction(value), places)) == text


@MODEST
@given(st.fractions())
def test_text_of_when_read_again_then_is_the_same_number(value: Fraction) -> None:
    assert Fraction(text_of(value)) == value
