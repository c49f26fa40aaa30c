"""FIX 4.4 over real sockets: orders, reports, refusals, the drop copy. The broker's side is bytes of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.venue_fix_world import fix_settings, order_fields, play, running


def test_orders_of_two_brokers_meet_and_the_drop_copy_says_all_of_the_fill(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            buyer, seller, copy = [await venue.client(name) for name in ("ALPHA", "BR-B1", "COPY")]
            await buyer.order("B1", quantity="8")
            new = await buyer.receive("8")
            assert (new[150], new[39], new[11], new[37]) == ("0", "0", "B1", "ODST-20260701-O00000001")
            assert (new[38], new[151], new[14], new[44], new[54]) == ("8", "8", "0", "1000.00", "1")
            await seller.order("S1", side="2", quantity="4", t44="999.5")
            assert (await seller.receive("8"))[150] == "0"
            sold, bought = await seller.receive("8"), await buyer.receive("8")
            for report in (sold, bought):
                assert (report[150], report[32], report[31], report[381]) == ("F", "4", "1000.00", "4000")
                assert (report[527], report[6]) == ("ODST-20260701-M00000001-O00000002", "1000.0000")
                assert (report[75], report[64]) == ("20260701", "20260701")
            assert (sold[39], sold[151], sold[14]) == ("2", "0", "4")
            assert (bought[39], bought[151], bought[14]) == ("1", "4", "4")
            orders = [await copy.receive("8") for _ in range(2)]
            assert [(order[37][-3:], order[448], order[151]) for order in orders] == [
                *(("001", "Custodian A", "8"), ("002", "Custodian B", "4")),
            ]
            fields = await copy.next_message()
            trade = dict(fields)
            assert (trade[35], trade[571], trade[880]) == (
                *("AE", "ODST-20260701-M00000001-O00000002", "ODST-20260701-T00000001"),
            )
            assert (trade[55], trade[543], trade[32], trade[31], trade[381]) == (
                "ZB202",
                "IPPON",
                "4",
                "1000.00",
                "4000",
            )
            assert [(tag, text) for tag, text in fields if tag in (54, 37, 448, 452, 1)] == [
                *((54, "2"), (37, "ODST-20260701-O00000002"), (448, "Custodian B"), (452, "28"), (1, "INV-4")),
                *((54, "1"), (37, "ODST-20260701-O00000001"), (448, "Custodian A"), (452, "28"), (1, "INV-1")),
            ]
            for client in (buyer, seller, copy):
                await client.close()
        assert len(list((tmp_path / "inbox").glob("fills-*.csv"))) == 1

    play(scene())


def test_cancel_and_replace_are_answered(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            await client.order("B1", quantity="8")
            await client.receive("8")
            await client.send("G", [*order_fields("B2", quantity="12", t44="999.75"), (41, "B1")])
            report = await client.receive("8")
            assert (report[150], report[39], report[11], report[41], report[38]) == ("5", "0", "B2", "B1", "12")
            assert (report[37], report[44]) == ("ODST-20260701-O00000002", "999.75")
            cancel = [(11, "B3"), (41, "B2"), (54, "1"), (55, "ZB202"), (60, "20260701-00:15:00")]
            await client.send("F", cancel)
            report = await client.receive("8")
            assert (report[150], report[39], report[11], report[41], report[151]) == ("4", "4", "B3", "B2", "0")
            await client.send("F", [(11, "B4"), *cancel[1:]])
            report = await client.receive("9")
            assert (report[434], report[102], report[39], report[11], report[41]) == ("1", "0", "4", "B4", "B2")
            assert report[58].startswith("ORDER_ENDED: ")
            await client.send("G", [*order_fields("B5"), (41, "NONE")])
            report = await client.receive("9")
            assert (report[434], report[102], report[37]) == ("2", "1", "NONE")
            await client.order("B6")
            await client.receive("8")
            await client.send("F", [(11, "B7"), (41, "B6"), (54, "2"), (55, "ZB202"), (60, "20260701-00:15:00")])
            report = await client.receive("9")
            assert report[58] == "ORDER_MISMATCH: side is not that of ODST-20260701-O00000003. (field side, tag 54)"
            await client.close()

    play(scene())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"t38": "6"}, "NOT_A_LOT: The quantity must be a multiple of 4 units, so that every fill makes whole yen"),
        ({"t38": "4.5"}, "BAD_REQUEST: quantity must be whole units, but is '4.5'. (field quantity, tag 38)"),
        ({"t38": "0"}, "BAD_REQUEST: quantity must be more than zero, but is 0. (field quantity, tag 38)"),
        ({"t38": "-4"}, "BAD_REQUEST: quantity must be whole units"),
        ({"t38": "1e9"}, "BAD_REQUEST: quantity must be whole units"),
        ({"t44": "1000.10"}, "NOT_A_TICK: "),
        ({"t44": "1000.001"}, "BAD_REQUEST: unit_price must be yen with at most two decimals"),
        ({"t44": "5000"}, "PRICE_LIMIT: The price must be 850.00 to 1150.00 yen"),
        ({"t44": ""}, "BAD_REQUEST: unit_price must be given for NEW. (field unit_price, tag 44)"),
        ({"t55": "ZZZ"}, "UNKNOWN_SECURITY: "),
        ({"t543": "OTHER"}, "UNKNOWN_PLATFORM: "),
        ({"t1": "a b"}, "BAD_REQUEST: investor_id must be 1 to 64 letters"),
        ({"t11": "a|b"}, "BAD_REQUEST: client_order_id must be 1 to 64 letters"),
        ({"t40": "1"}, "UNSUPPORTED_VALUE: Tag 40 must be 2. (field tag 40)"),
        ({"t59": "3"}, "UNSUPPORTED_VALUE: Tag 59 must be 0. (field tag 59)"),
        ({"t15": "USD"}, "UNSUPPORTED_VALUE: Tag 15 must be JPY. (field tag 15)"),
        ({"t110": "4"}, "UNSUPPORTED_FIELD: Tag 110 is not taken here. (field tag 110)"),
        ({"t60": "yesterday"}, "BAD_REQUEST: TransactTime must be UTC"),
        ({"t60": "20261301-00:00:00"}, "BAD_REQUEST: TransactTime must be UTC"),
    ],
)
def test_an_order_that_breaks_a_rule_then_the_report_names_field_and_reason(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            await client.send("D", order_fields(changes.get("t11", "B1"), **changes))
            report = await client.receive("8")
            assert (report[150], report[39], report[37]) == ("8", "8", "NONE")
            assert report[58].startswith(said), report[58]
            assert report[103]
            assert venue.process.floor.market.book("ZB202").best_bid is None
            await client.close()

    play(scene())


def test_a_tag_that_stands_twice_then_the_order_is_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            await client.send("D", [*order_fields("B1"), (38, "400")])
            report = await client.receive("8")
            assert (report[150], report[58]) == ("8", "REPEATED_TAG: Tag 38 stands twice. (field tag 38)")
            await client.close()

    play(scene())


@pytest.mark.parametrize(
    ("fields", "tag", "reason"),
    [
        ([one for one in order_fields("B1") if one[0] != 54], "54", "1"),
        ([one for one in order_fields("B1") if one[0] != 60], "60", "1"),
        (order_fields("B1", side="Z"), "54", "5"),
        ([*order_fields("B1"), (58, "")], "58", "4"),
    ],
)
def test_a_message_against_the_dictionary_then_the_session_rejects_it(
    tmp_path: Path, fields: list[tuple[int, str]], tag: str, reason: str
) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client = await venue.client()
            number = await client.send("D", fields)
            reject = await client.receive("3")
            assert (reject[45], reject[371], reject[372], reject[373]) == (str(number), tag, "D", reason)
            assert reject[58]
            await client.order("B2")
            assert (await client.receive("8"))[150] == "0", "the session goes on"
            await client.close()

    play(scene())


def test_a_message_of_another_type_then_it_is_refused_by_name(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(fix_settings(tmp_path)) as venue:
            client, copy = await venue.client(), await venue.client("COPY")
            number = await client.send("R", [(131, "Q1"), (146, "1"), (55, "ZB202")])
            reject = await client.receive("j")
            assert (reject[45], reject[372], reject[380]) == (str(number), "R", "3")
            await copy.order("B1")
            assert (await copy.receive("j"))[372] == "D", "a drop copy gives no orders"
            await client.close()
            await copy.close()

    play(scene())
