"""A network's volumes out of its vaults, over a period; the case that is made of them."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ippon.economics.case import make_case
from ippon.economics.measure import is_business_day, measure
from ippon.economics.measured import BrokerVolumes, Measured
from ippon.economics.model import Process
from ippon.economics.parameters import REPORT, read_parameters
from ippon.economics.settings import CaseSettings
from ippon.errors import BadFile, BadRequest, BadSettings
from ippon.report.snapshot import Snapshot
from unit.cli_place import make_place
from unit.report_world import A, B, World, honest_day, token

TUESDAY, WEDNESDAY, THURSDAY, SATURDAY = (date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 2), date(2026, 7, 4))
MIDNIGHT = "T15:00:00.000Z"
"""Of the next day in Tokyo."""


def timed(world: World, days: dict[str, str] | None = None, *, taken_at: str = "2026-07-04T02:00:00.000Z") -> Snapshot:
    """The world's vaults with the moment of each transaction: noon of 1 July in Tokyo, or what `days` says."""
    moments = {world_id(label): moment for label, moment in (days or {}).items()}
    content = json.loads(world.snapshot().model_dump_json())
    for node in content["nodes"].values():
        for row in node["states"]:
            row["recorded_at"] = moments.get(row["ref"].split(":")[0], "2026-07-01T03:00:00.000Z")
            if row["consumed_by"]:
                row["consumed_at"] = moments.get(row["consumed_by"], "2026-07-01T03:00:00.000Z")
    return Snapshot.model_validate(content | {"taken_at": taken_at})


def world_id(label: str) -> str:
    world = World()
    return world.tx(label, [], [], [token(A, "x", 1)])[0].split(":")[0]


def broker(measured: Measured, name: str) -> BrokerVolumes:
    [found] = [one for one in measured.brokers if one.custodian == name]
    return found


def test_a_day_when_measured_then_every_volume_is_what_its_transactions_say() -> None:
    measured = measure(timed(honest_day()), prices={}, first=WEDNESDAY, last=WEDNESDAY)
    assert (measured.business_days, len(measured.brokers), measured.quiet) == (1, 2, True)
    assert broker(measured, "Custodian A") == BrokerVolumes(
        custodian="Custodian A",
        st_balance_yen=Fraction(90 * 50),
        primary_yen=Fraction(100 * 50),
        secondary_yen=Fraction(500),
        issues=1,
        settlements=1,
        free_transfers=0,
        investors=1,
        payees=0,
    )
    assert broker(measured, "Custodian B") == BrokerVolumes(
        custodian="Custodian B",
        st_balance_yen=Fraction(10 * 50),
        primary_yen=Fraction(0),
        secondary_yen=Fraction(600),
        issues=0,
        settlements=2,
        free_transfers=0,
        investors=2,
        payees=1,
    )


def test_a_settlement_when_just_after_midnight_in_tokyo_then_is_the_next_days() -> None:
    days = {"settle EX-2": f"2026-07-01{MIDNIGHT}"}
    snapshot = timed(honest_day(), days)
    counts = [
        broker(measure(snapshot, prices={}, first=day, last=day), "Custodian B").settlements
        for day in (WEDNESDAY, THURSDAY)
    ]
    assert counts == [1, 1]


def test_balances_when_they_change_then_are_the_mean_of_the_days_ends() -> None:
    # Issued on Tuesday; ten units leave A on Wednesday; Thursday as Wednesday.
    before = "2026-06-30T03:00:00.000Z"
    measured = measure(timed(honest_day(), {"units": before}), prices={}, first=TUESDAY, last=THURSDAY)
    assert measured.business_days == 3
    assert broker(measured, "Custodian A").st_balance_yen == Fraction((100 + 90 + 90) * 50, 3)
    assert broker(measured, "Custodian B").st_balance_yen == Fraction((0 + 10 + 10) * 50, 3)


def test_the_period_when_left_out_then_goes_from_the_first_settlement_to_the_snapshot() -> None:
    measured = measure(timed(honest_day()), prices={})
    # Saturday is in it, and no business day.
    assert (measured.first, measured.last, measured.business_days) == (WEDNESDAY, SATURDAY, 3)


def test_a_holiday_when_something_settled_on_it_then_counts_as_a_day() -> None:
    days = {"settle EX-1": "2026-07-04T01:00:00.000Z", "settle EX-2": "2026-07-04T01:00:00.000Z"}
    measured = measure(timed(honest_day(), days), prices={})
    assert (measured.first, measured.last, measured.business_days) == (SATURDAY, SATURDAY, 1)


@pytest.mark.parametrize(
    ("day", "business"),
    [
        (WEDNESDAY, True),
        (SATURDAY, False),
        (date(2026, 11, 23), False),
        (date(2026, 12, 31), False),
        (date(2027, 1, 4), True),
    ],
)
def test_a_day_when_asked_then_is_a_business_day_as_in_japan(day: date, business: bool) -> None:
    assert is_business_day(day) is business


def test_a_free_transfer_when_between_custodians_then_counts_at_both_and_once_within_one() -> None:
    command: list[tuple[str, Any]] = [("SecurityTokenCommand.Transfer", {"transfer_id": "TR-1"})]
    world = honest_day()
    ref = f"{world_id('settle EX-1')}:0"
    across = world.tx("across", command, [ref], [token(A, "a1", 85), token(B, "b7", 5)])
    world.tx("within", command, [across[0]], [token(A, "a1", 80), token(A, "a2", 5)])
    measured = measure(timed(world), prices={"ZA101": Fraction(60)}, first=WEDNESDAY, last=WEDNESDAY)
    a, b = broker(measured, "Custodian A"), broker(measured, "Custodian B")
    assert (a.free_transfers, b.free_transfers) == (2, 1)
    assert a.secondary_yen == 500 + 10 * 60
    assert b.secondary_yen == 600 + 5 * 60
    assert (a.investors, b.investors) == (2, 3)
    assert a.st_balance_yen == 85 * 60


def test_a_year_when_worked_out_then_is_an_average_brokers_days_like_these() -> None:
    measured = measure(timed(honest_day()), prices={}, first=WEDNESDAY, last=THURSDAY)
    made = measured.parameters()
    volumes = made.volumes
    year = Fraction(245, 2)
    assert volumes.settlements == year * Fraction(1 + 2, 2)
    assert volumes.transfers == year * Fraction(1 + 1 + 2, 2)
    assert volumes.investors == year * Fraction(1 + 2, 2)
    assert volumes.transfer_yen == year * Fraction(5_000 + 500 + 600, 2)
    assert volumes.st_balance_yen == Fraction(90 * 50 + 10 * 50, 2)
    assert (made.brokers, made.payees, made.cn_license_yen) == (2, 1, REPORT.cn_license_yen)


def test_a_measured_case_when_made_then_is_no_report_and_its_break_even_is_the_costs() -> None:
    measured = measure(timed(honest_day()), prices={})
    case = make_case(measured.parameters(), CaseSettings(), measured=measured)
    assert (case.report, case.differences) == (False, ())
    assert case.break_evens[Process.BALANCES].volume == 7_419_027_500


def test_measured_volumes_when_they_are_the_reports_then_give_the_reports_case() -> None:
    one = BrokerVolumes("X", Fraction(50 * 10**9), Fraction(12_500_000_000), Fraction(10**10), 0, 22_500, 0, 12_500, 14)
    measured = Measured(date(2026, 1, 1), date(2026, 12, 31), 245, (one,), quiet=True)
    made = measured.parameters()
    assert made.volumes == REPORT.volumes
    assert make_case(made, CaseSettings(), measured=measured).exact_one.saving == 100_133_165


def test_nothing_settled_when_measured_then_costs_the_licence_alone() -> None:
    empty = World()
    empty.tx("units", [("SecurityTokenCommand.Issue", {})], [], [])
    measured = measure(timed(empty), prices={})
    assert (measured.first, measured.last) == (SATURDAY, SATURDAY)
    case = make_case(measured.parameters(), CaseSettings(), measured=measured)
    assert [case.exact_one.asis, case.exact_one.tobe] == [0, REPORT.cn_license_yen]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (THURSDAY, WEDNESDAY, "must not be after"),
        (None, date(2026, 7, 5), "was taken on 2026-07-04"),
        (date(2010, 1, 1), None, "3,660 days at most"),
    ],
)
def test_a_period_when_it_cannot_be_then_is_refused(first: date | None, last: date | None, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        measure(timed(honest_day()), prices={}, first=first, last=last)


def test_a_security_when_no_fill_tells_its_price_then_is_named() -> None:
    world = World()
    world.tx("units", [("SecurityTokenCommand.Issue", {"issue_id": "IS-1"})], [], [token(A, "a1", 100)])
    with pytest.raises(BadSettings, match="ZA101") as refused:
        measure(timed(world), prices={}, first=WEDNESDAY)
    assert refused.value.field == "network.unit_prices_yen.ZA101"
    assert broker(measure(timed(world), prices={"ZA101": Fraction(7)}), "Custodian A").st_balance_yen == 700


def test_a_snapshot_when_it_tells_no_times_or_no_custodian_or_nonsense_then_is_refused() -> None:
    with pytest.raises(BadFile, match="does not say when it recorded"):
        measure(honest_day().snapshot(), prices={})
    snapshot = timed(honest_day())
    only = snapshot.model_copy(update={"nodes": {"coin": snapshot.nodes["coin"]}})
    with pytest.raises(BadFile, match="no custodian"):
        measure(only, prices={})
    for change in ({"unit_price": "x"}, {"quantity": None}):
        broken = timed(honest_day())
        for row in broken.nodes["custodian-a"].states:
            row.data.update(change if row.type == "Fill" else {})
        with pytest.raises(BadFile, match="take it anew"):
            measure(broken, prices={})


def test_case_when_from_a_snapshot_then_shows_what_was_measured_and_refuses_what_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = make_place(tmp_path, monkeypatch, capsys)
    path, mine = tmp_path / "snapshot.json", tmp_path / "mine.yaml"
    timed(honest_day()).save(path)
    arguments = ("case", "--snapshot", str(path), "--from", "2026-07-01", "--to", "2026-07-01")
    assert "Measured from 2026-07-01" in place.run(*arguments)[1]
    told = place.json(*arguments, "--set", "brokers=7")
    assert [one["settlements"] for one in told["measured"]["brokers"]] == [1, 2]
    assert {one["name"]: one["value"] for one in told["parameters"]}["brokers"] == 7
    assert told["volumes"]["settlements"] == "367.5"
    # Ranges that were made for the report's volumes say nothing of these.
    assert not set(told["monte_carlo"]["names"]) & {"st_balance_yen", "payees", "turnover_percent"}
    assert "custody_fee_bp" in told["monte_carlo"]["names"]
    mine.write_text("parameters: {settlements: 5}\n", encoding="utf-8")
    code, _, err = place.run(*arguments, "--settings", str(mine))
    assert code == 2
    assert "settlements is measured on the network: take it out of the settings" in err
    assert place.run("case", "--from", "2026-07-01")[0] == 2
    assert place.run("case", "--from-network", "--snapshot", str(path))[0] == 2
    assert place.run(*arguments[:-1], "yesterday")[0] == 2


def test_case_when_from_the_network_then_reads_it_as_the_proof_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = make_place(tmp_path, monkeypatch, capsys)
    monkeypatch.setattr("ippon.cli_case.take_snapshot", lambda _: timed(honest_day()))
    told = place.json("case", "--from-network")
    assert told["measured"]["first"] == "2026-07-01"
    assert told["rounding"] == "plain"


def test_parameters_when_measured_then_keep_the_settings_costs() -> None:
    costs = read_parameters({"cn_license_yen": 1, "labour": "formula"}, where="test")
    made = measure(timed(honest_day()), prices={}).parameters(costs)
    assert made.cn_license_yen == 1
    assert made.labour == "formula"
