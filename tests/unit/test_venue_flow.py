"""Files of requests: each line read or refused by line, field and reason; written and read again they are the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippon.errors import BadFile
from ippon.venue.calendar import Hours
from ippon.venue.flow import COLUMNS, read_flow, read_lines, write_flow
from ippon.venue.generate import Generator
from ippon.venue.listing import load_brokers, load_investors, load_securities
from ippon.venue.orders import CancelOrder, NewOrder, ReplaceOrder
from unit.venue_world import BROKERS, DAY, INVESTORS, SECURITIES_CSV, ZA101, ZB202, market

GOOD = {
    **{"at": "2026-07-01T00:15:00.123Z", "action": "NEW", "broker": "BR-A1", "client_order_id": "C1"},
    **{"original_client_order_id": "", "side": "BUY", "investor_id": "INV-1", "security_code": "ZB202"},
    **{"platform_code": "IPPON", "quantity": "4", "unit_price": "1000.25"},
}


def file_of(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_a_good_line_then_it_is_the_request() -> None:
    (line,) = read_flow(file_of(GOOD))
    assert line.message == NewOrder("BR-A1", "C1", True, "INV-1", "ZB202", "IPPON", 4, 1_000_25)
    assert (line.number, line.problem) == (2, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"action": "BUY"}, "action"),
        ({"broker": ""}, "broker"),
        ({"broker": "BR A1"}, "broker"),
        ({"client_order_id": "x" * 65}, "client_order_id"),
        ({"side": "HOLD"}, "side"),
        ({"side": ""}, "side"),
        ({"investor_id": "山田"}, "investor_id"),
        ({"quantity": "4.0"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-4"}, "quantity"),
        ({"quantity": "9223372036854775808"}, "quantity"),
        ({"unit_price": "1000.2"}, "unit_price"),
        ({"unit_price": "1000"}, "unit_price"),
        ({"unit_price": "1e3"}, "unit_price"),
        ({"unit_price": "0.00"}, "unit_price"),
        ({"at": "2026-07-01T00:15:00"}, "at"),
        ({"at": "now"}, "at"),
        ({"security_code": "Z" * 129}, "security_code"),
        ({"security_code": "Z\x07"}, "security_code"),
        ({"action": "CANCEL"}, "original_client_order_id"),
        ({"action": "REPLACE", "original_client_order_id": "C0", "quantity": ""}, "quantity"),
        ({"action": "REPLACE", "original_client_order_id": "C0", "unit_price": ""}, "unit_price"),
    ],
)
def test_a_line_with_a_fault_then_field_and_reason_are_named_and_the_others_are_read(
    changes: dict[str, str], field: str
) -> None:
    bad, good = read_flow(file_of(GOOD | changes, GOOD))
    assert bad.message is None
    assert bad.problem is not None
    assert (bad.problem.field, bad.problem.where) == (field, "line 2")
    assert bad.problem.message.startswith(field)
    assert good.message is not None


@pytest.mark.parametrize("text", ["", "a,b,c\n", "action,broker,client_order_id,action\n", '"'])
def test_a_file_without_a_header_then_it_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(BadFile, match="header"):
        list(read_flow(text.encode()))


def test_a_file_in_shift_jis_then_it_is_read() -> None:
    content = file_of(GOOD | {"security_code": "架空倉庫"}).decode().encode("cp932")
    (line,) = read_flow(content)
    assert isinstance(line.message, NewOrder)
    assert line.message.security == "架空倉庫"


def test_a_file_in_no_known_encoding_then_it_is_refused() -> None:
    with pytest.raises(BadFile, match="neither UTF-8 nor Shift_JIS"):
        list(read_flow(file_of(GOOD) + b"\x81\xff\xff\n"))


def test_a_line_that_was_cut_off_then_it_alone_is_refused() -> None:
    whole = file_of(GOOD, GOOD)
    good, bad = read_flow(whole[: len(whole) - 12])
    assert good.message is not None
    assert bad.problem is not None


def test_a_flow_written_and_read_then_it_is_the_same() -> None:
    generator = Generator(seed=3, securities=(ZA101, ZB202), investors=INVESTORS)
    requests = list(generator.flow(requests=400, day=DAY, hours=Hours()))
    read = [(line.at_millis, line.message) for line in read_flow(write_flow(requests).encode())]
    assert read == requests
    assert {type(message) for _, message in requests} == {NewOrder, CancelOrder, ReplaceOrder}


def test_the_same_seed_then_the_same_flow_and_another_seed_another() -> None:
    flows = []
    for seed in (3, 3, 4):
        generator = Generator(seed=seed, securities=(ZA101, ZB202), investors=INVESTORS)
        flows.append(write_flow(generator.flow(requests=200, day=DAY, hours=Hours())))
    assert flows[0] == flows[1] != flows[2]


@settings(max_examples=300, deadline=None)
@given(content=st.one_of(st.binary(max_size=400), st.binary(max_size=300).map(lambda tail: file_of(GOOD) + tail)))
def test_any_bytes_then_no_crash_and_each_problem_names_a_line(content: bytes) -> None:
    try:
        lines = list(read_flow(content))
    except BadFile:
        return
    for line in lines:
        assert (line.message is None) is (line.problem is not None)
        assert line.problem is None or line.problem.where == f"line {line.number}"
    list(read_lines(content.splitlines(keepends=True)))


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)
NEAR = st.sampled_from(["NEW", "CANCEL", "BUY", "4", "1000.25", "ZB202", "IPPON", "BR-A1", "C1", "INV-1", "-1", "1e9"])


@settings(max_examples=300, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(COLUMNS), st.one_of(NEAR, CELLS), max_size=5))
def test_a_line_bent_in_any_way_then_it_is_refused_or_all_its_values_are_what_it_says(changes: dict[str, str]) -> None:
    row = GOOD | changes
    (line,) = read_flow(file_of(row))
    if line.message is None:
        assert line.problem is not None
        return
    made = market()
    for event in made.submit(line.message, 0):
        assert event
    if isinstance(line.message, NewOrder):
        assert line.message.quantity == int(row["quantity"])
        assert line.message.buy is (row["side"].strip() == "BUY")
        assert f"{line.message.price / 100:.2f}" == row["unit_price"].strip()
    assert made.matches == 0


def list_of(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_list_of_securities_then_prices_are_sen(tmp_path: Path) -> None:
    first, second = load_securities(list_of(tmp_path, SECURITIES_CSV))
    assert (first.code, first.tick, first.lot, first.names) == ("ZA101", 100_00, 1, ("架空倉庫",))
    assert (second.tick, second.lot, second.lowest, second.highest) == (25, 4, 850_00, 1_150_00)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("ZB202,IPPON,0.25,3,1000.00,850.00,1150.00,", "line 2: tick 0.25 × lot 3 must make whole yen"),
        ("ZB202,IPPON,0.25,4,800.00,850.00,1150.00,", "line 2: reference_price must lie between"),
        ("ZB202,IPPON,0.25,4,1000.00,850.10,1150.00,", "line 2: lowest_price and highest_price must be multiples"),
        ("ZB202,IPPON,,4,1000.00,850.00,1150.00,", "line 2: tick: Field required"),
        ("ZB202,IPPON,0.25,0,1000.00,850.00,1150.00,", "line 2: lot: must be more than zero"),
        ("ZB202,IPPON,1.00,1,1.00,1.00,1.00,\nZB202,IPPON,1.00,1,1.00,1.00,1.00,", "security_code 'ZB202' twice"),
        ("", "1 to 10000 lines"),
    ],
)
def test_a_list_that_could_make_a_wrong_fill_then_it_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    header = SECURITIES_CSV.partition("\n")[0]
    with pytest.raises(BadFile, match=problem):
        load_securities(list_of(tmp_path, f"{header}\n{line}\n"))


def test_lists_of_brokers_and_investors(tmp_path: Path) -> None:
    brokers = load_brokers(list_of(tmp_path, "broker,custodian\nBR-A1,Custodian A\n"))
    assert brokers == {"BR-A1": "Custodian A"}
    assert load_investors(list_of(tmp_path, "broker,investor_id\nBR-A1,I1\nBR-A1,I2\n"), brokers) == {
        "BR-A1": ["I1", "I2"]
    }
    with pytest.raises(BadFile, match="BR-X"):
        load_investors(list_of(tmp_path, "broker,investor_id\nBR-X,I1\n"), BROKERS)
