"""The drop copy into the exchange agent: each fill a row once, whatever breaks; what makes no row is set aside."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fixcore.message import Message as FixMessage
from fixcore.message import load_data_dictionary

from ippon.errors import BadRequest, BadSettings
from ippon.venue.fix import receiver
from ippon.venue.fix.answers import Answer, answer_of, custodian_party, trade_capture
from ippon.venue.fix.copies import read_fill, read_order_row
from ippon.venue.fix.receiver import Receiver, ReceiverSettings, load_receiver_settings, receive
from ippon.venue.orders import Accepted, Traded
from ippon.venue.records import fill_notice, order_row
from ippon.venue.reports import reports_of
from unit.agent_world import World
from unit.venue_fix_world import TIMEOUT_SECONDS, Client, Venue, fix_settings, framed, running
from unit.venue_world import DAY, INVESTORS, MORNING, market, new

FIX44 = load_data_dictionary("FIX44.xml")
CURSOR = ("2026-07-01", 1)
E = "Exchange"


def receiver_settings(folder: Path, port: int) -> ReceiverSettings:
    content = {"port": port, "comp_id": "COPY", "password_file": "password", "state_dir": "copy"}
    content |= {"exchange_inbox_dir": "agent-inbox", "reconnect_seconds": 1, "flush_millis": 5}
    (folder / "copy.json").write_text(json.dumps(content))
    return load_receiver_settings(folder / "copy.json")


def rows(folder: Path, kind: str) -> dict[str, dict[str, str]]:
    """By id; a row that came twice must be the same."""
    found: dict[str, dict[str, str]] = {}
    for path in (folder / "agent-inbox").glob(f"{kind}-*.csv"):
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            key = row["execution_id" if kind == "fills" else "order_id"]
            assert found.setdefault(key, row) == row
    return found


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not done():
            await asyncio.sleep(0.01)


async def trade(venue: Venue, buyer: Client, seller: Client, number: int) -> None:
    await seller.order(f"S{number}", side="2")
    await buyer.order(f"B{number}")
    for client, count in ((seller, 2), (buyer, 2)):
        for _ in range(count):
            await client.receive("8")


def test_each_fill_is_in_the_inbox_once_though_the_line_is_cut_and_the_receiver_killed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            settings = receiver_settings(tmp_path, venue.fix.port)
            buyer, seller = await venue.client(), await venue.client("BR-B1")
            number = 0
            for ends in ("killed", "killed", "stopped"):
                stop = threading.Event()
                task = asyncio.create_task(receive(settings, stop=stop))
                before = len(rows(tmp_path, "fills"))
                await trade(venue, buyer, seller, number := number + 1)
                await until(lambda before=before: len(rows(tmp_path, "fills")) > before)  # type: ignore[misc]
                await trade(venue, buyer, seller, number := number + 1)
                if ends == "killed":
                    task.cancel()  # in the middle of whatever it does
                else:
                    await until(lambda: len(rows(tmp_path, "fills")) == 6)
                    stop.set()
                await asyncio.gather(task, return_exceptions=True)
        wanted = {path.name: path for path in (tmp_path / "inbox").glob("fills-*.csv")}
        venue_rows = [row for path in wanted.values() for row in csv.DictReader(path.read_text().splitlines())]
        assert rows(tmp_path, "fills") == {row["execution_id"]: row for row in venue_rows}
        assert len(rows(tmp_path, "orders")) == 12

    asyncio.run(asyncio.wait_for(scene(), 90))
    world = World(tmp_path / "agents")
    world.add(E, "exchange", exchange={"platform_codes": ["IPPON"], "security_codes": ["ZB202"]})
    world.ledger.investors["Custodian A"]["INV-1"] = "INV-1"
    world.ledger.investors["Custodian B"]["INV-4"] = "INV-4"
    for path in (tmp_path / "agent-inbox").iterdir():
        world.file(E, path.name, path.read_text())
    world.run(E, steps=12)
    assert len(world.ledger.fills) == 6
    assert INVESTORS["BR-A1"][0] == "INV-1"


def sample() -> tuple[Traded, Answer, Answer]:
    """A fill, its drop copy, and that of its buyer's order."""
    made = market()
    made.submit(new("S1", "SELL", 8), MORNING)
    accepted, fill = made.submit(new("B1", "BUY", 4), MORNING)
    assert isinstance(accepted, Accepted)
    assert isinstance(fill, Traded)
    (report,) = reports_of(accepted)
    order = answer_of(report, exec_id="X-1", settle_date=DAY, cursor=CURSOR)
    order.add_group(453, custodian_party(accepted.order))
    return fill, trade_capture(fill, settle_date=DAY, cursor=CURSOR), order


def over_the_wire(answer: Answer) -> FixMessage:
    answer.header.set(8, "FIX.4.4")
    answer.header.set(34, "7")
    return FixMessage.decode(answer.encode(), FIX44)


def test_a_drop_copy_read_again_then_it_is_the_row_of_the_files() -> None:
    fill, copy, order = sample()
    assert read_fill(over_the_wire(copy)) == fill_notice(fill, DAY)
    assert read_order_row(over_the_wire(order)) == order_row(fill.buy)


@pytest.mark.parametrize(
    ("tag", "value", "field"),
    [
        (381, "4001", "amount"),
        (31, "1000.33", "unit_price"),
        (31, "1000.333", "unit_price"),
        (32, "0", "quantity"),
        (880, "", "trade_id"),
        (571, "OTHER", "execution_id"),
        (75, "2026-07-01", "tag 75"),
        (64, "20269999", "settle_date"),
        (60, "noon", "executed_at"),
        (543, "", "platform_code"),
        (487, "1", "tag 487"),
        (856, "6", "tag 856"),
    ],
)
def test_a_drop_copy_with_a_fault_then_the_field_is_named(tag: int, value: str, field: str) -> None:
    _, copy, _ = sample()
    if value:
        copy.set_field(tag, value)
    else:
        del copy.body[tag]
    with pytest.raises(BadRequest) as found:
        read_fill(over_the_wire(copy))
    assert found.value.field == field


def test_a_drop_copy_without_both_sides_then_it_is_refused() -> None:
    _, copy, _ = sample()
    copy.get_groups(552)[1].set_field(54, "2")
    with pytest.raises(BadRequest, match="one side that sells"):
        read_fill(over_the_wire(copy))


def test_a_drop_copy_without_a_custodian_then_it_is_refused() -> None:
    _, copy, _ = sample()
    copy.get_groups(552)[0].get_groups(453)[0].set_field(452, "1")
    with pytest.raises(BadRequest, match="role 28"):
        read_fill(over_the_wire(copy))


def take(made: Receiver, message: FixMessage) -> None:
    made.store.incr_next_target_msg_seq_num()
    made.from_app(message, None)  # type: ignore[arg-type]


def test_a_message_that_makes_no_row_then_it_is_set_aside_and_answered(tmp_path: Path) -> None:
    settings = receiver_settings(fix_settings(tmp_path).state_dir.parent, 1)
    made = Receiver(settings)
    _, copy, _ = sample()
    copy.set_field(381, "1")
    take(made, over_the_wire(copy))
    wrong_type = FixMessage.decode(framed([(35, "8"), (34, "8"), (17, "E-1"), (150, "F")]), FIX44)
    take(made, wrong_type)
    assert made.flush() == 0
    (path,) = (tmp_path / "copy/aside").iterdir()
    first, second = [json.loads(line) for line in path.read_text().splitlines()]
    assert (first["field"], first["execution_id"]) == ("amount", "ODST-20260701-M00000001-O00000002")
    assert second["field"] == "tag 150"
    texts = [answer.get(58) for answer in made.answers]
    assert [answer.msg_type for answer in made.answers] == ["j", "j"]
    assert "field amount" in texts[0]
    assert not (tmp_path / "agent-inbox").exists()
    made.store.shut()


def test_a_row_that_could_not_be_written_then_it_does_not_count_as_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = receiver_settings(fix_settings(tmp_path).state_dir.parent, 1)
    made = Receiver(settings)
    take(made, over_the_wire(sample()[1]))

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(receiver, "write_whole", full)
    with pytest.raises(OSError, match="no space"):
        made.flush()
    made.store.shut()
    again = Receiver(settings)
    assert again.store.next_target_msg_seq_num() == 1
    again.store.shut()


def test_a_password_is_in_no_store(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            settings, stop = receiver_settings(tmp_path, venue.fix.port), threading.Event()
            task = asyncio.create_task(receive(settings, stop=stop))
            await until(lambda: venue.gateway.lines["COPY"].store.next_target_msg_seq_num() == 2)
            stop.set()
            await task

    asyncio.run(asyncio.wait_for(scene(), 60))
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "password"]
    assert any(path.suffix == ".sqlite" for path in kept)
    for path in kept:
        assert b"not-a-secret" not in path.read_bytes(), path


def test_settings_of_a_receiver_that_cannot_be_then_the_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "copy.json").write_text('{"port": 0}')
    with pytest.raises(BadSettings) as found:
        load_receiver_settings(tmp_path / "copy.json")
    assert found.value.field == "port"
