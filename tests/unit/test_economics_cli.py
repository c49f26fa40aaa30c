"""`ippon case`: its faces and how it refuses."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from ippon.economics.model import cost_of
from ippon.economics.parameters import REPORT, Parameters
from unit.cli_place import Place, make_place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    made = make_place(tmp_path, monkeypatch, capsys)
    yield made
    made.end()


def test_case_when_nothing_is_given_then_prints_the_reports_tables_and_where_it_differs(place: Place) -> None:
    code, out, err = place.run("case")
    assert (code, err) == (0, "")
    for text in (
        "▲100.2",
        "-100,133,165",
        "1,796.8",
        "294.4",
        "294.3",
        "▲1,502",
        "74.19",
        "70,721.7",
        "1,323",
        "Where the report differs",
    ):
        assert text in out


def test_case_when_in_japanese_then_says_it_in_japanese(place: Place) -> None:
    _, out, _ = place.run("case", "--lang", "ja")
    for text in ("残高管理", "総計", "損益分岐点", "前提条件", "レポート内で値が異なる箇所"):
        assert text in out
    assert "Where the report" not in out


def test_case_when_as_csv_then_every_line_adds_up(place: Place) -> None:
    _, out, _ = place.run("case", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["table"] for row in rows} >= {"one_broker", "all_brokers", "items", "simulation settlements"}
    for row in rows:
        asis, tobe, effect = (Fraction(row[f"exact_{name}_yen"]) for name in ("asis", "tobe", "effect"))
        assert effect == tobe - asis
    [total] = [row for row in rows if (row["table"], row["row"]) == ("one_broker", "total")]
    assert (total["printed_asis"], total["printed_effect"], total["exact_tobe_yen"]) == ("119.8", "-100.2", "19647000")


def test_case_when_as_json_then_has_every_part_exactly(place: Place) -> None:
    told = place.json("case")
    assert told["one_broker"]["rows"][-1]["exact_effect_yen"] == -100_133_165
    assert told["one_broker"]["headline"]["effect"] == "-100"
    assert told["all_brokers"]["headline"]["tobe"] == "294.3"
    assert told["simulations"]["funds"]["break_even"]["volume"] == "70721.7"
    assert {one["name"] for one in told["parameters"]} == set(Parameters.model_fields)
    assert told["rounding"] == "report"
    assert len(told["differences"]) >= 10
    assert told["monte_carlo"]["draws"] == sum(told["monte_carlo"]["counts"])


def test_case_when_parameters_are_set_then_uses_them_and_tells_nothing_of_the_report(place: Place) -> None:
    told = place.json("case", "--set", "custody_fee_bp=12.5", "--set", "brokers = 2")
    changed = REPORT.model_copy(update={"custody_fee_bp": Fraction("12.5")})
    assert told["one_broker"]["rows"][-1]["exact_effect_yen"] == int(cost_of(changed).effect)
    assert told["all_brokers"]["rows"][-1]["exact_effect_yen"] == 2 * int(cost_of(changed).effect)
    assert (told["rounding"], told["differences"]) == ("plain", [])
    assert "Where the report differs" not in place.run("case", "--set", "brokers=2")[1]


def test_case_when_settings_and_set_name_the_same_then_set_wins(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("parameters: {brokers: 3, payees: 2}\n", encoding="utf-8")
    told = place.json("case", "--settings", str(path), "--set", "brokers=4")
    values = {one["name"]: one["value"] for one in told["parameters"]}
    assert (values["brokers"], values["payees"]) == (4, 2)
    assert told["monte_carlo"] is None
    assert "No Monte Carlo" in place.run("case", "--settings", str(path))[1]


def test_case_when_a_value_lies_outside_our_range_then_our_range_is_not_used(place: Place, tmp_path: Path) -> None:
    told = place.json("case", "--set", "custody_fee_bp=60")
    assert "custody_fee_bp" not in told["monte_carlo"]["names"]
    [bar] = [one for one in told["tornado"] if one["name"] == "custody_fee_bp"]
    assert (bar["low"], bar["high"], bar["given"]) == (48, 72, False)
    path = tmp_path / "mine.yaml"
    path.write_text("ranges: {custody_fee_bp: {low: 10, high: 25}}\n", encoding="utf-8")
    told = place.json("case", "--set", "custody_fee_bp=60", "--settings", str(path))
    assert told["monte_carlo"]["names"] == ["custody_fee_bp"]


def test_case_when_asked_for_parameters_then_lists_all(place: Place) -> None:
    _, out, _ = place.run("case", "--parameters")
    assert all(name in out for name in Parameters.model_fields)
    assert {one["name"] for one in place.json("case", "--parameters")} == set(Parameters.model_fields)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "payees=0"), "payees"),
        (("--set", "custody_fee_bp=10001"), "100 %"),
        (("--set", "st_balance_yen=-1"), "must not be below 0"),
        (("--set", "brokrs=1"), "Did you mean brokers"),
        (("--set", "brokers"), "must be NAME=VALUE"),
        (("--set", "brokers="), "must be NAME=VALUE"),
        (("--set", "brokers=2", "--set", "brokers=3"), "given twice"),
        (("--settings", "nowhere.yaml"), "nowhere.yaml cannot be read"),
    ],
)
def test_case_when_a_parameter_is_bad_then_leaves_with_2_and_a_sentence(
    place: Place, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = place.run("case", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("BAD_SETTINGS: ")
    assert said in err
    assert json.loads(place.run("case", *arguments, "--json")[2])["error"]["code"] == "BAD_SETTINGS"


@pytest.mark.parametrize(
    "arguments", [("--csv", "--json"), ("--lang", "fr"), ("--htlm", "x.html"), ("extra",), ("--set",)]
)
def test_case_when_used_wrongly_then_is_a_usage_error(place: Place, arguments: tuple[str, ...]) -> None:
    code, out, err = place.run("case", *arguments)
    assert (code, out) == (2, "")
    assert "Error" in err
