"""What is refused, by which name and with what to do: parameters, settings files, command lines."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from ippon.economics.parameters import LABOUR, REPORT, Parameters, read_parameters, source_of
from ippon.economics.settings import DEFAULT_FILE, load_settings
from ippon.errors import BadSettings


def file(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", Parameters.model_fields)
def test_every_parameter_when_listed_then_has_unit_page_and_both_languages(name: str) -> None:
    source = source_of(name)
    assert source.page.startswith("#04-")
    assert all((source.unit, source.english, source.japanese))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("st_balance_yen", -1, "must not be below 0"),
        ("st_balance_yen", 2**63, "must not be over 9,223,372,036,854,775,807"),
        ("custody_fee_bp", "10000.5", "must not be over 10,000 bp (100 %), but is 10000.5"),
        ("turnover_percent", 101, "must not be over 100 %, but is 101"),
        ("turnover_percent", "-0.1", "must not be below 0 %"),
        ("checking_percent", 250, "must not be over 100 %"),
        ("bank_fee_yen", -660, "must not be below 0, but is -660"),
        ("payees", 0, "must be a whole number from 1 to 10,000, but is 0"),
        ("brokers", 0, "must be a whole number from 1 to 10,000, but is 0"),
        ("business_days", 367, "must be a whole number from 1 to 366, but is 367"),
        ("business_days", "1.5", "must be a whole number from 1 to 366, but is 1.5"),
        ("transfers", "many", "must be a number such as 22500 or 0.5, but is 'many'"),
        ("transfers", True, "must be a number"),
        ("transfers", "1/0", "must be a number"),
        ("transfers", "１２", "must be a number"),
        ("transfers", "1e9", "must be a number"),
        ("transfers", Decimal("Infinity"), "must be a number"),
        ("pay_yen", 0.1, "must be a number"),
        ("unit_yen", 0, "must be more than 0"),
        ("labour", "guessed", "'printed' or 'formula'"),
        ("worker_yen", 3_000, "set labour to 'formula'"),
        ("worker_salary_yen", 5_000_000, "set worker_yen or checker_yen"),
    ],
)
def test_a_parameter_when_it_cannot_be_then_is_refused_by_name(name: str, value: object, said: str) -> None:
    with pytest.raises(BadSettings) as refused:
        read_parameters({name: value}, where="--set")
    error = refused.value
    assert (error.field, error.where, error.code) == (name, "--set", "BAD_SETTINGS")
    assert error.message.startswith(name)
    assert said in error.message
    assert "ippon case --parameters" in error.message


@pytest.mark.parametrize(
    ("name", "meant"), [("payee", "payees"), ("custody_bp", "custody_fee_bp"), ("brokrs", "brokers")]
)
def test_a_parameter_when_unknown_then_the_near_ones_are_named(name: str, meant: str) -> None:
    with pytest.raises(BadSettings, match=f"There is no parameter '{name}'") as refused:
        read_parameters({name: 1}, where="--set")
    assert meant in refused.value.message


def test_a_parameter_when_nothing_is_near_then_no_guess_is_made() -> None:
    with pytest.raises(BadSettings) as refused:
        read_parameters({"zzzz": 1}, where="--set")
    assert "Did you mean" not in refused.value.message


def test_labour_when_by_formula_then_takes_its_minutes_and_rates() -> None:
    made = read_parameters({"labour": "formula", "worker_yen": 3_000, "confirm_minutes": "0"}, where="test")
    assert made.worker_yen == 3_000
    assert set(LABOUR) < set(Parameters.model_fields)


def test_settings_when_the_packaged_file_is_read_then_are_the_reports_parameters_with_ranges_that_hold_them() -> None:
    found = load_settings(DEFAULT_FILE)
    assert found.applied() == REPORT
    found.check_ranges(REPORT)
    for name, one in found.ranges.items():
        assert one.low <= getattr(REPORT, name) <= one.high


def test_settings_when_they_say_decimals_then_no_float_comes_near(tmp_path: Path) -> None:
    text = "parameters: {custody_fee_bp: 12.1}\nranges: {payees: {low: 2, high: 1_000}}\nspread_percent: 0.1\n"
    found = load_settings(file(tmp_path, text))
    assert found.applied().custody_fee_bp == Fraction("12.1")
    assert found.spread_percent == Fraction(1, 10)
    assert found.ranges["payees"].high == 1_000


def test_settings_when_empty_then_are_the_reports_without_ranges(tmp_path: Path) -> None:
    found = load_settings(file(tmp_path, "parameters:\nranges:\n"))
    assert (found.applied(), found.ranges) == (REPORT, {})


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("parametres: {payees: 3}", "parametres", "there is no such key"),
        ("ranges: {payees: {low: 3}}", "ranges.payees.high", "is missing"),
        ("ranges: {payees: {low: 3, high: x}}", "ranges.payees.high", "must be a number"),
        ("spread_percent: 101", "spread_percent", "must not be over 100 %"),
        ("monte_carlo: {draws: 0}", "monte_carlo.draws", "from 1 to 20,000"),
        ("monte_carlo: {draws: 1_000_000}", "monte_carlo.draws", "from 1 to 20,000"),
        ("monte_carlo: {seed: 0.5}", "monte_carlo.seed", "whole number"),
        ("network: {unit_prices_yen: {ZA101: -1}}", "network.unit_prices_yen.ZA101", "must not be below 0"),
        ("payees: 3", "payees", "A settings file has: parameters, ranges"),
    ],
)
def test_settings_when_a_key_cannot_be_then_it_is_refused_by_name(
    tmp_path: Path, text: str, field: str, said: str
) -> None:
    path = file(tmp_path, text)
    with pytest.raises(BadSettings) as refused:
        load_settings(path)
    assert (refused.value.field, refused.value.where) == (field, str(path))
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "must hold keys"),
        ("parameters: {a: 1", "cannot be read"),
        ("parameters: {payees: 3, payees: 4}", "'payees' stands there twice"),
        ("a: &a [*a]\n", "cannot be read"),
        ("spread_percent: .inf\n", "must be a number"),
        ("!!python/object/apply:os.system ['true']", "cannot be read"),
    ],
)
def test_settings_when_the_file_is_none_then_it_is_refused_as_a_whole(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadSettings) as refused:
        load_settings(file(tmp_path, text))
    assert said in refused.value.message


def test_settings_when_there_is_no_file_or_a_huge_one_then_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="cannot be read"):
        load_settings(tmp_path / "nowhere.yaml")
    with pytest.raises(BadSettings, match="larger than"):
        load_settings(file(tmp_path, "#" * 1_000_001))


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("ranges: {payee: {low: 1, high: 2}}", "ranges.payee.low", "There is no parameter 'payee'"),
        ("ranges: {payees: {low: 0, high: 2}}", "ranges.payees.low", "from 1 to 10,000"),
        ("ranges: {custody_fee_bp: {low: 0, high: 10_001}}", "ranges.custody_fee_bp.high", "100 %"),
        ("ranges: {payees: {low: 9, high: 2}}", "ranges.payees", "from 9 down to 2"),
        ("ranges: {unit_yen: {low: 0, high: 2}}", "ranges.unit_yen.low", "must be more than 0"),
        ("ranges: {labour: {low: 1, high: 2}}", "ranges.labour.low", "'printed' or 'formula'"),
    ],
)
def test_ranges_when_their_ends_cannot_be_then_they_are_refused_by_name(
    tmp_path: Path, text: str, field: str, said: str
) -> None:
    found = load_settings(file(tmp_path, text))
    with pytest.raises(BadSettings) as refused:
        found.check_ranges(found.applied())
    assert refused.value.field == field
    assert said in refused.value.message
