"""The FIX session: who may log on, gaps, duplicates, restarts, crashes. The broker's side is bytes of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ippon.errors import BadSettings
from ippon.venue.fix.gateway import Gateway
from ippon.venue.process import VenueProcess
from unit.venue_fix_world import PASSWORD, Client, fix_settings, framed, order_fields, play, running
from unit.venue_world import MORNING, new


@pytest.mark.parametrize(
    ("comp_id", "password", "user"),
    [("ALPHA", "wrong", "ALPHA"), ("ALPHA", "", "ALPHA"), ("NOBODY", PASSWORD, "NOBODY"), ("ALPHA", PASSWORD, "BR-B1")],
)
def test_a_logon_without_the_right_password_then_the_line_is_cut(
    tmp_path: Path, comp_id: str, password: str, user: str
) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await Client.connect(venue.fix.port, comp_id)
            fields = [(98, "0"), (108, "30"), (553, user), (141, "Y")]
            await client.send("A", [*fields, (554, password)] if password else fields)
            with pytest.raises(EOFError):
                await client.next_message()
            await client.close()
            right = await venue.client()
            assert venue.gateway.lines["ALPHA"].store.next_target_msg_seq_num() == 2
            await right.close()

    play(scene())


def test_anything_before_a_logon_then_the_line_is_cut(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await Client.connect(venue.fix.port, "ALPHA")
            await client.order("B1")
            with pytest.raises(EOFError):
                await client.next_message()
            await client.close()
            assert venue.process.floor.market.order_of("BR-A1", "B1") is None

    play(scene())


def test_a_second_connection_then_the_first_stays(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            first = await venue.client()
            second = await Client.connect(venue.fix.port, "ALPHA", first=2)
            with pytest.raises(EOFError):
                await second.logon()
            await first.order("B1")
            assert (await first.receive("8"))[150] == "0"
            await first.close()
            await second.close()

    play(scene())


def test_a_test_request_then_a_heartbeat_with_its_id(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            await client.send("1", [(112, "are you there")])
            answer = dict(await client.next_message())
            assert (answer[35], answer[112]) == ("0", "are you there")
            await client.close()

    play(scene())


def test_a_line_that_is_quiet_then_heartbeats_come(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await Client.connect(venue.fix.port, "ALPHA")
            assert (await client.logon(heartbeat=1))[108] == "1"
            assert dict(await client.next_message())[35] in ("0", "1")
            await client.close()

    play(scene())


def test_a_gap_in_what_came_then_the_venue_asks_for_it_and_acts_in_order(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            await client.send("D", order_fields("B3"), number=4)
            ask = await client.receive("2")
            assert ask[7] == "2"
            await client.send("D", order_fields("B1"), number=2, dup=True)
            await client.send("4", [(123, "Y"), (36, "4")], number=3, dup=True)
            reports = [await client.receive("8") for _ in range(2)]
            assert [report[11] for report in reports] == ["B1", "B3"]
            await client.close()

    play(scene())


def test_a_resend_request_that_comes_out_of_order_then_it_is_answered_before_the_gap_is_closed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            await client.order("B1")
            await client.receive("8")
            await client.send("2", [(7, "2"), (16, "0")], number=5)
            again = await client.receive("8")
            assert (again[34], again[43], again[11]) == ("2", "Y", "B1")
            assert (await client.receive("2"))[7] == "3", "and the venue asks for what it lacks itself"

    play(scene())


def test_a_number_that_is_too_low_then_the_session_ends_and_a_duplicate_is_ignored(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            await client.order("B1")
            await client.receive("8")
            await client.send("D", order_fields("B1"), number=2, dup=True)
            await client.send("D", order_fields("B2"), number=2)
            logout = await client.receive("5")
            assert "too low" in logout[58]
            await client.close()
            assert venue.process.floor.market.order_of("BR-A1", "B2") is None

    play(scene())


def test_a_broker_that_was_away_then_it_asks_for_its_fills_and_gets_them_marked(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            buyer = await venue.client()
            await buyer.order("B1")
            await buyer.receive("8")
            await buyer.close()
            seller = await venue.client("BR-B1")
            await seller.order("S1", side="2")
            await seller.receive("8")
            await seller.receive("8")
            await seller.close()
            buyer = await Client.connect(venue.fix.port, "ALPHA", first=buyer.next, expected=buyer.expected)
            answer = await buyer.logon()
            assert int(answer[34]) == 4, "3 was the fill"
            await buyer.send("2", [(7, "3"), (16, "0")])
            fill = await buyer.receive("8")
            assert (fill[34], fill[43], fill[150], fill[11]) == ("3", "Y", "F", "B1")
            assert fill[122]
            gap = await buyer.receive("4")
            assert (gap[34], gap[123], gap[36]) == ("4", "Y", "5")
            await buyer.close()

    play(scene())


def test_a_restart_then_numbers_go_on_and_nothing_is_said_twice(tmp_path: Path) -> None:
    async def scene() -> None:
        settings = fix_settings(tmp_path)
        async with running(settings) as venue:
            buyer = await venue.client()
            await buyer.order("B1", quantity="8")
            await buyer.receive("8")
            await buyer.close()
        async with running(settings) as venue:
            buyer = await venue.client(first=buyer.next, expected=buyer.expected)
            assert buyer.expected == 4, "Logon, New, Logon"
            seller = await venue.client("BR-B1")
            await seller.order("S1", side="2")
            fill = await buyer.receive("8")
            assert (fill[150], fill[34], fill[11]) == ("F", "4", "B1")
            await buyer.close()
            await seller.close()

    play(scene())


def test_a_report_that_the_store_had_not_said_then_it_is_said_after_the_restart(tmp_path: Path) -> None:
    async def scene() -> None:
        settings = fix_settings(tmp_path)
        process = VenueProcess(settings, now_millis=lambda: MORNING)
        # As if the process had died between the journal and the session's store.
        process.take([new("B1", "BUY", 4), new("S1", "SELL", 4)])
        process.close()
        async with running(settings) as venue:
            buyer = await Client.connect(venue.fix.port, "ALPHA")
            assert int((await buyer.logon())[34]) == 3
            await buyer.send("2", [(7, "1"), (16, "0")])
            reports = [await buyer.receive("8", "4") for _ in range(2)]
            assert [(report[34], report[150]) for report in reports] == [("1", "0"), ("2", "F")]
            await buyer.close()

    play(scene())


def test_an_order_whose_process_died_before_it_was_answered_then_it_is_asked_for_and_not_taken_twice(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        settings = fix_settings(tmp_path)
        async with running(settings) as venue:
            client = await venue.client()
            await client.order("B1")
            await client.receive("8")
            # The store as it was before the order counted as taken.
            venue.gateway.lines["ALPHA"].store.set_next_target_msg_seq_num(2)
            await client.close()
        async with running(settings) as venue:
            client = await venue.client(first=3)
            assert (await client.receive("2"))[7] == "2"
            await client.send("D", order_fields("B1"), number=2, dup=True)
            report = await client.receive("8")
            assert (report[150], report[39], report[11], report[37]) == ("I", "0", "B1", "ODST-20260701-O00000001")
            assert [order.left for order in venue.process.floor.market.book("ZB202").bids()] == [4]
            await client.close()

    play(scene())


def test_a_fault_in_the_venue_then_the_order_does_not_count_as_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        settings = fix_settings(tmp_path)

        def broken(_: object) -> None:
            raise OSError("no space left on device")

        async def breaks() -> None:
            async with running(settings) as venue:
                client = await venue.client()
                monkeypatch.setattr(venue.process, "take", broken)
                await client.order("B1")
                with pytest.raises((EOFError, ConnectionError)):
                    await client.next_message()
                await client.close()

        with pytest.raises(OSError, match="no space"):
            await breaks()
        async with running(settings) as venue:
            client = await venue.client(first=3)
            assert (await client.receive("2"))[7] == "2", "the order is asked for again"
            await client.send("D", order_fields("B1"), number=2, dup=True)
            assert (await client.receive("8"))[150] == "0"
            await client.close()

    play(scene())


def test_a_garbled_message_then_it_is_ignored_and_asked_for_again(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            good = [(35, "D"), (49, "ALPHA"), (56, "VENUE"), (34, "2"), (52, "20260701-00:00:00"), *order_fields("B1")]
            await client.raw(framed(good).replace(b"38=4\x01", b"38=8\x01"))
            await client.send("D", order_fields("B2"), number=3)
            assert (await client.receive("2"))[7] == "2"
            await client.raw(framed(good))
            assert [(await client.receive("8"))[11] for _ in range(2)] == ["B1", "B2"]
            await client.close()

    play(scene())


@pytest.mark.parametrize(
    "peers",
    [
        [{"comp_id": "GHOST", "password_file": "password"}],
        [{"comp_id": "BR-A1", "password_file": "password"}] * 2,
        [{"comp_id": "BR-A1", "password_file": "nowhere"}],
    ],
)
def test_counterparties_that_cannot_be_then_the_venue_does_not_start(
    tmp_path: Path, peers: list[dict[str, str]]
) -> None:
    settings = fix_settings(tmp_path, peers=peers)
    process = VenueProcess(settings, now_millis=lambda: MORNING)
    assert settings.fix is not None
    with pytest.raises(BadSettings):
        Gateway(process, settings.fix, now_millis=lambda: MORNING)
    process.close()
