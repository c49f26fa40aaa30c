"""The venue's process and command line: folders of brokers, a pipe, a new day, one process a folder."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ippon import cli_venue
from ippon.cli import main
from ippon.cli_output import DEFAULT_DAY
from ippon.demo.agents import load_market
from ippon.errors import BadSettings, StoreError
from ippon.venue import settings as venue_settings_module
from ippon.venue.floor import Floor
from ippon.venue.flow import COLUMNS, write_flow
from ippon.venue.listing import load_brokers, load_securities
from ippon.venue.orders import Message
from ippon.venue.process import VenueProcess, only_one, run
from ippon.venue.reports import Report
from ippon.venue.words import Phase
from unit.venue_world import CLOSE, DAY, MORNING, cancel, new, venue_settings

DAY_MILLIS = 86_400_000


class Now:
    """A clock that the test moves."""

    def __init__(self, at_millis: int = MORNING) -> None:
        self.at_millis = at_millis

    def __call__(self) -> int:
        return self.at_millis


def drop(folder: Path, broker: str, name: str, *messages: Message, tail: str = "") -> Path:
    path = folder / "orders" / broker / name
    path.write_text(write_flow([(0, message) for message in messages]) + tail, encoding="utf-8")
    return path


def receipt(folder: Path, broker: str, name: str) -> dict[str, Any]:
    path = folder / "orders" / broker / "receipts" / f"{name}.receipt.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_files_of_brokers_are_matched_and_each_refusal_names_line_field_and_reason(tmp_path: Path) -> None:
    process = VenueProcess(venue_settings(tmp_path), now_millis=Now())
    told: list[Report] = []
    process.listen(lambda _, reports: told.extend(reports))
    wrong = new("B2", "BUY", 6)
    foreign = new("B3", "BUY", 4, broker="BR-B1")
    drop(tmp_path, "BR-A1", "a.csv", new("B1", "BUY", 4), wrong, foreign, new("B1", "BUY", 8), tail="x,y\n")
    drop(tmp_path, "BR-B1", "b.csv", new("S1", "SELL", 4), cancel("S2", "S1", broker="BR-B1"))
    assert process.step() == 2
    process.close()
    first = receipt(tmp_path, "BR-A1", "a.csv")
    assert (first["status"], first["taken"]) == ("read", 1)
    assert [(one["line"], one["code"], one.get("field")) for one in first["refused"]] == [
        (3, "NOT_A_LOT", "quantity"),
        (4, "FORBIDDEN", "broker"),
        (5, "CLIENT_ORDER_ID_REUSED", "client_order_id"),
        (6, "BAD_REQUEST", None),
    ]
    assert all(one["reason"] for one in first["refused"])
    second = receipt(tmp_path, "BR-B1", "b.csv")
    assert [(one["line"], one["code"]) for one in second["refused"]] == [(3, "ORDER_ENDED")]
    assert sum(report.kind == "filled" for report in told) == 2
    assert (tmp_path / "orders/BR-A1/read/a.csv").exists()
    assert len(list((tmp_path / "inbox").glob("fills-*.csv"))) == 1


def test_a_file_that_comes_twice_then_nothing_is_ordered_twice(tmp_path: Path) -> None:
    process = VenueProcess(venue_settings(tmp_path), now_millis=Now())
    for _ in range(2):
        drop(tmp_path, "BR-A1", "a.csv", new("B1", "BUY", 4))
        process.step()
    process.close()
    assert receipt(tmp_path, "BR-A1", "a.csv")["refused"][0]["code"] == "CLIENT_ORDER_ID_REUSED"
    assert [order.left for order in process.floor.market.book("ZB202").bids()] == [4]


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"no header\n"), ("a.txt", b""), ("b.csv", b"\x81\xff\n")])
def test_a_file_that_cannot_be_read_then_it_is_set_aside_with_its_reason(
    tmp_path: Path, name: str, content: bytes
) -> None:
    process = VenueProcess(venue_settings(tmp_path), now_millis=Now())
    (tmp_path / "orders/BR-A1" / name).write_bytes(content)
    assert process.step() == 1
    process.close()
    told = receipt(tmp_path, "BR-A1", name)
    assert (told["status"], told["code"]) == ("refused", "BAD_FILE")
    assert told["reason"]
    assert (tmp_path / "orders/BR-A1/refused" / name).exists()


def test_a_restart_in_mid_day_then_the_books_are_as_they_were(tmp_path: Path) -> None:
    settings = venue_settings(tmp_path)
    process = VenueProcess(settings, now_millis=Now())
    process.take([new("B1", "BUY", 8)])
    process.close()
    process = VenueProcess(settings, now_millis=Now(MORNING + 1))
    process.take([new("S1", "SELL", 4)])
    process.close()
    assert [(order.client_order_id, order.left) for order in process.floor.market.book("ZB202").bids()] == [("B1", 4)]


def test_a_new_day_then_a_new_floor_and_the_old_orders_have_expired(tmp_path: Path) -> None:
    now = Now()
    process = VenueProcess(venue_settings(tmp_path), now_millis=now)
    told: list[Report] = []
    process.listen(lambda _, reports: told.extend(reports))
    process.take([new("B1", "BUY", 8)])
    now.at_millis += DAY_MILLIS
    process.step()
    assert [report.kind.value for report in told] == ["accepted", "expired"]
    assert (process.floor.day - DAY).days == 1
    assert process.floor.market.phase is Phase.CONTINUOUS
    (report,) = process.take([new("B1", "BUY", 8)])
    assert report.order is not None
    assert report.order.order_id == "ODST-20260702-O00000001"
    process.close()


def test_the_end_of_the_hours_then_the_day_closes_by_itself(tmp_path: Path) -> None:
    now = Now()
    process = VenueProcess(venue_settings(tmp_path), now_millis=now)
    now.at_millis = CLOSE
    process.step()
    process.close()
    assert process.floor.market.phase is Phase.CLOSED


def test_two_processes_on_one_folder_then_the_second_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(StoreError, match="Another venue"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


def test_a_process_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process, stop = VenueProcess(venue_settings(tmp_path, idle_poll_millis=1), now_millis=Now()), threading.Event()
    drop(tmp_path, "BR-A1", "a.csv", new("B1", "BUY", 4))

    def told(_: Floor, reports: Sequence[Report]) -> None:
        if reports:
            stop.set()

    process.listen(told)
    run(process, stop=stop)
    process.close()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"self_trade": "sometimes"}, "self_trade"),
        ({"id_prefix": "no good"}, "id_prefix"),
        ({"hours": [{"at": "09:00", "phase": "continuous"}]}, "hours"),
        ({"colour": "red"}, "colour"),
        ({"settle_business_days": -1}, "settle_business_days"),
    ],
)
def test_settings_that_cannot_be_then_the_key_is_named(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadSettings) as found:
        venue_settings(tmp_path, **changes)
    assert found.value.field == field


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venue_settings(tmp_path, id_prefix="FILE")
    monkeypatch.setenv("IPPON_VENUE_ID_PREFIX", "ENV")
    assert venue_settings_module.load_settings(tmp_path / "venue.json").id_prefix == "ENV"


# ---- command line


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_flow_generated_and_replayed_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    venue_settings(tmp_path)
    config, flow = str(tmp_path / "venue.json"), str(tmp_path / "flow.csv")
    made = ("venue", "generate", "--config", config, "--day", "2026-07-01", "--orders", "50", "--out", flow)
    assert command(capsys, *made)[0] == 0
    first = Path(flow).read_bytes()
    assert command(capsys, *made)[0] == 0
    assert Path(flow).read_bytes() == first
    played = ("venue", "replay", flow, "--config", config, "--speed", "max", "--out", str(tmp_path / "out"), "--json")
    code, out, _ = command(capsys, *played)
    assert code == 0
    assert {row["event"] for row in json.loads(out)} >= {"accepted", "filled"}
    assert not (tmp_path / "inbox").exists(), "nothing is sent without --send"
    journal = tmp_path / "out/2026-07-01/journal.csv"
    assert journal.read_bytes() == first
    code, _, err = command(capsys, *played)
    assert (code, "another folder" in err) == (2, True)


def test_a_venue_on_a_pipe_then_each_line_has_its_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue_settings(tmp_path)
    monkeypatch.setattr(cli_venue, "_now_millis", Now())
    lines = write_flow([(0, new("B1", "BUY", 4)), (0, new("S1", "SELL", 4))]) + "x\n"

    class Stdin:
        buffer = io.BytesIO(lines.encode())

    monkeypatch.setattr(sys, "stdin", Stdin())
    code, out, _ = command(capsys, "venue", "start", "--config", str(tmp_path / "venue.json"), "--stdin")
    assert code == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["accepted", "accepted", "filled", "filled", "refused"]
    assert events[-1] | {"line": 4, "where": "line 4", "code": "BAD_REQUEST"} == events[-1]
    assert len(COLUMNS) == 11


def test_the_example_of_the_documentation_is_good() -> None:
    settings = venue_settings_module.load_settings(DEFAULT_DAY.parent / "venue" / "venue.json")
    securities, brokers = load_securities(settings.securities_file), load_brokers(settings.brokers_file)
    assert [one.code for one in securities] == list(load_market(DEFAULT_DAY / "securities.csv").security_codes)
    assert set(brokers.values()) == {"Custodian A", "Custodian B"}
