"""A day with its memory: what it sends is what the exchange agent takes, and a crash at any point changes nothing."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from random import Random

import pytest

from ippon.errors import BadFile, BadRequest, StoreError
from ippon.venue import drops
from ippon.venue.calendar import Hours
from ippon.venue.drops import write_whole
from ippon.venue.floor import Floor
from ippon.venue.flow import write_flow
from ippon.venue.generate import Generator
from ippon.venue.orders import Message
from ippon.venue.replay import paced, play, requests_of, speed_of
from ippon.venue.reports import ReportKind
from ippon.venue.settings import VenueSettings
from unit.agent_world import Crash, World
from unit.venue_world import BROKERS, CLOSE, DAY, INVESTORS, MORNING, ZA101, ZB202, new, replace, venue_settings

E = "Exchange"


def flow(requests: int = 200, seed: int = 5) -> list[tuple[int, Message]]:
    generator = Generator(seed=seed, securities=(ZA101, ZB202), investors=INVESTORS)
    return list(generator.flow(requests=requests, day=DAY, hours=Hours()))


def floor_of(settings: VenueSettings, day: date = DAY) -> Floor:
    return Floor(settings=settings, day=day, securities=(ZA101, ZB202), brokers=BROKERS)


def sent(settings: VenueSettings, kind: str) -> list[dict[str, str]]:
    """All rows of one kind, whatever files they came in."""
    rows: list[dict[str, str]] = []
    for path in sorted((settings.exchange_inbox_dir or Path()).glob(f"{kind}-*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def whole_day(settings: VenueSettings, requests: list[tuple[int, Message]]) -> dict[str, list[dict[str, str]]]:
    floor = floor_of(settings)
    floor.take(requests)
    floor.finish()
    floor.close()
    return {kind: sent(settings, kind) for kind in ("orders", "fills")}


def test_the_exchange_agent_takes_every_order_and_fill_of_a_day(tmp_path: Path) -> None:
    settings = venue_settings(tmp_path / "venue", max_rows_per_file=40)
    rows = whole_day(settings, flow())
    assert len(rows["fills"]) > 40, "more than one file"
    world = World(tmp_path / "agents")
    world.add(E, "exchange", exchange={"platform_codes": ["IPPON"], "security_codes": ["ZA101", "ZB202"]})
    for broker, ids in INVESTORS.items():
        world.ledger.investors[BROKERS[broker]] |= {investor: investor for investor in ids}
    inbox = settings.exchange_inbox_dir
    assert inbox is not None
    names = [path.name for path in sorted(inbox.iterdir())]
    for name in names:
        world.file(E, name, (inbox / name).read_text(encoding="utf-8"))
    world.run(E, steps=20)
    for name in names:
        counts = world.receipt(E, name).counts
        assert counts["accepted"] > 0
        assert counts["refused"] == counts["duplicate"] == counts["pending"] == 0, world.receipt(E, name)
    assert set(world.ledger.fills) == {row["execution_id"] for row in rows["fills"]}


@pytest.mark.parametrize("seed", range(12))
def test_a_crash_at_any_write_then_a_new_process_sends_the_same(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, random = flow(120), Random(seed)
    wanted = whole_day(venue_settings(tmp_path / "calm", max_rows_per_file=7), requests)
    settings = venue_settings(tmp_path / "shaken", max_rows_per_file=7)
    left = [random.randrange(1, 25)]

    def shaky(path: Path, content: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Crash
        write_whole(path, content)

    monkeypatch.setattr(drops, "write_whole", shaky)
    done, crashes = 0, 0
    floor = floor_of(settings)
    while done < len(requests):
        batch = requests[done : done + 10]
        try:
            floor.take(batch)
        except Crash:
            crashes += 1
            floor.close()
            left[0] = random.randrange(5, 40)
            floor = floor_of(settings)
            try:
                taken, _ = floor.restore(batch[-1][0])
            except Crash:
                floor.close()
                left[0] = 0
                floor = floor_of(settings)
                taken, _ = floor.restore(batch[-1][0])
            assert taken == done + len(batch), "the journal had the batch before anything was made of it"
        done += len(batch)
    floor.finish()
    floor.close()
    assert crashes > 0
    assert {kind: sent(settings, kind) for kind in wanted} == wanted


def test_a_line_of_the_journal_that_a_crash_tore_then_it_was_never_taken(tmp_path: Path) -> None:
    settings = venue_settings(tmp_path)
    floor = floor_of(settings)
    floor.take([(MORNING, new("S1", "SELL", 4))])
    floor.close()
    journal = settings.state_dir / DAY.isoformat() / "journal.csv"
    with journal.open("ab") as file:
        file.write(b"2026-07-01T00:20:00.000Z,NEW,BR-A1,B1")
    floor = floor_of(settings)
    assert floor.restore(MORNING)[0] == 1
    reports = floor.take([(MORNING, new("B1", "BUY", 4))])
    floor.close()
    assert [report.kind for report in reports] == [ReportKind.ACCEPTED, ReportKind.FILLED, ReportKind.FILLED]
    assert floor_of(settings).restore(MORNING)[0] == 2


def test_a_journal_that_is_damaged_then_the_venue_does_not_start(tmp_path: Path) -> None:
    settings = venue_settings(tmp_path)
    floor = floor_of(settings)
    floor.take([(MORNING, new("S1", "SELL", 4)), (MORNING, new("B1", "BUY", 4))])
    floor.close()
    journal = settings.state_dir / DAY.isoformat() / "journal.csv"
    journal.write_bytes(journal.read_bytes().replace(b",SELL,", b",SOLD,"))
    with pytest.raises(StoreError, match="line 2"):
        floor_of(settings).restore(MORNING)


def test_a_journal_that_makes_other_fills_than_were_sent_then_the_venue_does_not_start(tmp_path: Path) -> None:
    settings = venue_settings(tmp_path)
    floor = floor_of(settings)
    floor.take([(MORNING, new("S1", "SELL", 4)), (MORNING, new("B1", "BUY", 4))])
    floor.close()
    journal = settings.state_dir / DAY.isoformat() / "journal.csv"
    journal.write_bytes(journal.read_bytes().replace(b",INV-4,", b",INV-5,"))
    with pytest.raises(StoreError, match="was sent"):
        floor_of(settings).restore(MORNING)


def test_reports_go_to_their_broker_and_to_no_other(tmp_path: Path) -> None:
    settings = venue_settings(tmp_path)
    floor = floor_of(settings)
    floor.take([(MORNING, new("S1", "SELL", 8)), (MORNING, new("B1", "BUY", 4)), (MORNING, replace("B2", "B1", 8))])
    floor.close()
    folder = settings.state_dir / DAY.isoformat() / "reports"
    rows = {path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in folder.iterdir()}
    assert [row["event"] for row in rows["BR-B1"]] == ["accepted", "filled"]
    assert [row["event"] for row in rows["BR-A1"]] == ["accepted", "filled", "refused"]
    assert rows["BR-A1"][2]["code"] == "ORDER_ENDED"
    assert set(rows) == {"BR-A1", "BR-B1"}
    assert all(row["broker"] == broker for broker, told in rows.items() for row in told)
    assert rows["BR-B1"][1] | {"left": "4", "filled": "4"} == rows["BR-B1"][1]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    floor_of(settings).restore(MORNING)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_closed_day_then_nothing_is_taken(tmp_path: Path) -> None:
    floor = floor_of(venue_settings(tmp_path, closed_days=[DAY.isoformat()]))
    (report,) = floor.take([(MORNING, new("B1", "BUY", 4))])
    floor.close()
    assert (report.kind, report.code) == (ReportKind.REFUSED, "MARKET_CLOSED")


def test_a_day_whose_hours_are_over_then_its_orders_have_expired(tmp_path: Path) -> None:
    floor = floor_of(venue_settings(tmp_path))
    floor.take([(MORNING, new("B1", "BUY", 4))])
    (report,) = floor.advance(CLOSE)
    floor.close()
    assert report.kind is ReportKind.EXPIRED


def test_a_replay_at_any_speed_then_the_fills_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    content = write_flow(flow(150)).encode()
    results = []
    for name, speed in (("slow", 10), ("fast", None), ("again", None)):
        now = [0]

        def sleep(seconds: float, now: list[int] = now) -> None:
            now[0] += round(seconds * 1000)

        def monotonic(now: list[int] = now) -> int:
            return now[0]

        settings = venue_settings(tmp_path / name)
        counts = play(settings, requests_of(content), speed=speed, monotonic_millis=monotonic, sleep=sleep)
        assert (now[0] > 600_000) is (speed is not None), "a day of seven hours takes three quarters of one at 10x"
        assert counts["filled"] > 0
        rows = b"".join(
            path.read_bytes().partition(b"\n")[2] for path in sorted((tmp_path / name / "inbox").glob("fills-*"))
        )
        results.append((rows, counts))
    assert results[0] == results[1] == results[2]
    with pytest.raises(BadRequest, match="another folder"):
        play(settings, requests_of(content), speed=None, monotonic_millis=lambda: 0, sleep=sleep)


def test_the_pace_of_a_replay_then_each_request_comes_at_its_time(tmp_path: Path) -> None:
    requests = [(1_000, new("A", "BUY")), (1_000, new("B", "BUY")), (21_000, new("C", "BUY"))]
    now, naps = [0], []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += round(seconds * 1000)

    batches = list(paced(requests, speed=10, monotonic_millis=lambda: now[0], sleep=sleep))
    assert [len(batch) for batch in batches] == [2, 1]
    assert naps == [2.0]


@pytest.mark.parametrize(("text", "speed"), [("10x", 10), ("1", 1), ("max", None)])
def test_a_speed_is_read(text: str, speed: int | None) -> None:
    assert speed_of(text) == speed


@pytest.mark.parametrize("text", ["0x", "-1x", "fast", "1.5x", "2000000x", ""])
def test_a_speed_that_is_none_then_it_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="speed"):
        speed_of(text)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"action,broker,client_order_id\n", "no requests"),
        (write_flow([(2_000, new("A", "BUY")), (1_000, new("B", "BUY"))]).encode(), "Line 3: its time is before"),
        (write_flow([(2_000, new("A", "BUY"))]).replace("NEW", "OLD").encode(), "Line 2: action"),
        (write_flow([(2_000, new("A", "BUY"))]).replace("1970-01-01T00:00:02.000Z", "").encode(), "needs the time"),
    ],
)
def test_a_file_that_cannot_be_replayed_then_its_line_is_named(content: bytes, problem: str) -> None:
    with pytest.raises(BadFile, match=problem):
        requests_of(content)
