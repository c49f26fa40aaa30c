"""Inbox files: what is taken, what is refused as a whole, and how a row that cannot be read is told."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ippon.agent.inbox import drop, read_receipt, wait_receipt
from ippon.agent.rowkinds import RowKind, read_csv, read_statement
from ippon.agent.settings import Limits
from ippon.agent.tables import Event, InboxFile, InboxRow
from ippon.errors import BadFile, IpponError, WaitOver
from ippon.model import Investor, Position, StatementLine
from unit.agent_world import World

R = "Registrar"
HEADER = "issue_id,security_code,custodian,investor_id,units\n"
POSITIONS = RowKind(name="positions", model=Position, id_field="issue_id")
STATEMENT = RowKind(name="statement", model=StatementLine, id_field="line_id", suffix="json")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.add(R, "asset")
    return world


def sent(world: World, content: bytes, name: str = "positions-1.csv") -> tuple[str, list[tuple[int, str, str | None]]]:
    drop(inbox_dir=world.settings[R].inbox_dir, name=name, content=content)
    world.run(R, steps=2)
    receipt = world.receipt(R, name)
    return receipt.status, [(row.line, row.status, row.reason) for row in receipt.rows]


def test_positions_are_issued(world: World) -> None:
    status, rows = sent(world, (HEADER + "P-1,ZA101,Custodian A,INV-1,100\n").encode())
    assert (status, rows) == ("read", [(2, "accepted", None)])
    assert world.ledger.units["Custodian A", "INV-1", "ZA101"] == 100


def test_a_read_file_is_put_aside(world: World) -> None:
    sent(world, HEADER.encode())
    inbox = world.settings[R].inbox_dir
    assert [path.name for path in inbox.iterdir() if path.is_file()] == []
    assert (inbox / "read" / "positions-1.csv").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"issue_id,security_code\n",
        b"issue_id,security_code,custodian,investor_id,units,colour\n",
        b"issue_id,issue_id,security_code,custodian,investor_id,units\n",
        b"\xff\xfeissue_id",
        b'"issue_id,security_code\n',
    ],
)
def test_a_header_that_cannot_be_used_refuses_the_file(world: World, content: bytes) -> None:
    status, rows = sent(world, content)
    assert (status, rows) == ("refused", [])
    receipt = world.receipt(R, "positions-1.csv")
    assert receipt.code == "BAD_FILE"
    assert "header" in str(receipt.reason)
    assert (world.settings[R].inbox_dir / "refused" / "positions-1.csv").exists()


@pytest.mark.parametrize("name", ["fills-1.csv", "positions.csv", "positions-1.json", "POSITIONS-1.csv", "x"])
def test_files_that_this_agent_does_not_take(world: World, name: str) -> None:
    status, _ = sent(world, HEADER.encode(), name)
    assert status == "refused"
    assert "positions-*.csv" in str(world.receipt(R, name).reason)


def test_a_bad_row_spoils_no_other(world: World) -> None:
    lines = [
        b"P-1,ZA101,Custodian A,INV-1,100",
        b"P-2,ZA101,Custodian A,INV-1",
        b'P-3,ZA101,"Custodian A,INV-1,100',
        b"P-4,ZA101,Custodian A,INV-\xff,100",
        b"P-5,ZA101,Custodian A,INV-1,0",
        b"",
        b"P-6,ZA101,Custodian A,INV-1,100,extra",
        b"P-7,ZA101," + b"x" * 5000 + b",INV-1,100",
        b"P-8,ZA101,Custodian\x00A,INV-1,100",
        b'"P-9",ZA101,"Custodian A",INV-1,100\r',
    ]
    status, rows = sent(world, HEADER.encode() + b"\n".join(lines))
    assert status == "read"
    assert [(line, state) for line, state, _ in rows] == [
        *((2, "accepted"), (3, "refused"), (4, "refused"), (5, "refused"), (6, "refused")),
        *((8, "refused"), (9, "refused"), (10, "refused"), (11, "accepted")),
    ]
    reasons = [reason for _, _, reason in rows]
    for part, reason in zip(
        ["4 columns", "not CSV", "not UTF-8", "more than zero", "6 columns", "longer", "NUL"],
        reasons[1:8],
        strict=True,
    ):
        assert part in str(reason)


def test_a_byte_order_mark_is_no_harm(world: World) -> None:
    assert sent(world, b"\xef\xbb\xbf" + HEADER.encode() + b"P-1,ZA101,Custodian A,INV-1,1\n")[1][0][1] == "accepted"


def test_other_content_under_the_same_name(world: World) -> None:
    sent(world, (HEADER + "P-1,ZA101,Custodian A,INV-1,1\n").encode())
    _, rows = sent(world, (HEADER + "P-1,ZA101,Custodian A,INV-1,1\nP-2,ZA101,Custodian A,INV-1,1\n").encode())
    assert [state for _, state, _ in rows] == ["duplicate", "accepted"]


def test_the_receipt_grows_with_its_rows(world: World) -> None:
    world.nodes[R].hold.add("issue_security")
    sent(world, (HEADER + "P-1,ZA101,Custodian A,INV-1,1\n").encode())
    folder = world.settings[R].receipts_dir
    pending = wait_receipt(receipts_dir=folder, name="positions-1.csv", timeout_seconds=0, until="read")
    assert pending.counts["pending"] == 1
    with pytest.raises(WaitOver, match="1 rows pending"):
        wait_receipt(receipts_dir=folder, name="positions-1.csv", timeout_seconds=0)
    world.nodes[R].release()
    world.run(R, steps=2)
    assert wait_receipt(receipts_dir=folder, name="positions-1.csv", timeout_seconds=0).finished
    assert read_receipt(receipts_dir=folder, name="other.csv") is None


def test_too_much_in_one_file(world: World) -> None:
    limits = Limits(max_rows_per_file=2, max_file_bytes=200)
    world.restart(R, world.settings[R].model_copy(update={"limits": limits}))
    row = "P-1,ZA101,Custodian A,INV-1,1\n"
    assert sent(world, (HEADER + row * 3).encode(), "positions-2.csv")[0] == "refused"
    assert sent(world, (HEADER + row * 30).encode(), "positions-3.csv")[0] == "refused"
    assert sent(world, (HEADER + row).encode(), "positions-4.csv")[0] == "read"


def test_hidden_files_and_folders_are_left_alone(world: World) -> None:
    inbox = world.settings[R].inbox_dir
    (inbox / ".positions-1.csv.part").write_bytes(b"half")
    (inbox / "positions-2.csv").mkdir()
    world.run(R, steps=1)
    assert (inbox / ".positions-1.csv.part").exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"account": "a"}', b'{"account": 1, "lines": []}', b"\xff"])
def test_statements_that_cannot_be_read(content: bytes) -> None:
    with pytest.raises(BadFile):
        list(read_statement(content, STATEMENT, Limits()))


def test_statement_lines() -> None:
    good = {"line_id": "L1", "value_date": "2026-07-01", "amount": 5, "reference": "TI-1", "custodian": "A"}
    lines = [good, 7, {**good, "colour": "red"}, {**good, "amount": 5.5}, {**good, "amount": -5}]
    read = list(read_statement(json.dumps({"account": "a", "lines": lines}).encode(), STATEMENT, Limits()))
    assert [line.number for line in read] == [1, 2, 3, 4, 5]
    assert [line.problem is None for line in read] == [True, False, False, True, True]
    STATEMENT.read(read[0].columns)
    STATEMENT.read(read[4].columns)
    with pytest.raises(IpponError) as caught:
        STATEMENT.read(read[3].columns)
    assert caught.value.field == "amount"


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    for prefix in (b"", HEADER.encode()):
        try:
            lines = list(read_csv(prefix + content, POSITIONS, Limits()))
        except BadFile:
            continue
        for line in lines:
            if line.problem is None:
                with suppress(IpponError):
                    POSITIONS.read(line.columns)


def test_optional_columns() -> None:
    kind = RowKind(name="investors", model=Investor, id_field="investor_id", optional=frozenset({"coin_investor_id"}))
    for text in (b"investor_id\nINV-1\n", b"coin_investor_id,investor_id\n,INV-1\n"):
        (line,) = read_csv(text, kind, Limits())
        assert kind.read(line.columns) == Investor(investor_id="INV-1")


NAME, ADDRESS = "Sample Taro", "1-2-3 Sample-cho"
CUSTODIAN = "Custodian A"


@pytest.mark.parametrize(
    "content",
    [
        f"investor_id,name,address\nINV-1,{NAME},{ADDRESS}\n",
        f"INV-1,{NAME},{ADDRESS}\n",
        f"investor_id,coin_investor_id\nINV-1,,{NAME},{ADDRESS}\n",
        f"investor_id,coin_investor_id\n{NAME},{ADDRESS}\n",
        f'investor_id,coin_investor_id\n"{NAME},{ADDRESS}\n',
    ],
    ids=["columns", "no header", "cells too many", "in an id's place", "open quote"],
)
def test_a_file_when_it_holds_a_name_then_neither_store_nor_receipt_nor_log_keeps_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str
) -> None:
    world = World(tmp_path)
    world.add(CUSTODIAN, "custodian")
    settings_ = world.settings[CUSTODIAN]
    drop(inbox_dir=settings_.inbox_dir, name="investors-1.csv", content=content.encode())
    world.run(CUSTODIAN, steps=2)
    receipt = world.receipt(CUSTODIAN, "investors-1.csv")
    assert receipt.status == "refused" or [row.status for row in receipt.rows] == ["refused"]
    kept = [path.read_text() for path in tmp_path.rglob("*.receipt.json")]
    with world.stores[CUSTODIAN].read() as session:
        kept += [str(vars(row)) for table in (InboxFile, InboxRow, Event) for row in session.scalars(select(table))]
    assert len(kept) >= 3
    assert not [text for text in [*kept, *capfd.readouterr()] if "Sample" in text]
