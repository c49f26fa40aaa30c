"""examples/day-1 keeps its promises: the numbers add up, and every kind of trouble is in it."""

import csv
import json
import subprocess
import sys
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stdnum import isin

from ippon.demo.script import load_script
from ippon.errors import BadFile
from unit.demo_fakes import DAY_1

SCRIPT = load_script(DAY_1)
CUSTODIANS = {"Custodian A": "custodian-a", "Custodian B": "custodian-b"}


def table(name: str) -> list[dict[str, str]]:
    with (DAY_1 / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def both(name: str) -> list[dict[str, str]]:
    return [
        row for folder in CUSTODIANS.values() if (DAY_1 / folder / name).exists() for row in table(f"{folder}/{name}")
    ]


def statement(number: int) -> list[dict[str, Any]]:
    content = json.loads((DAY_1 / f"coin/statement-{number}.json").read_text(encoding="utf-8"))
    assert content["account"]
    lines: list[dict[str, Any]] = content["lines"]
    return lines


def good_fills() -> dict[str, dict[str, str]]:
    """Fills that reach the ledger, first rows only."""
    found: dict[str, dict[str, str]] = {}
    for row in table("exchange/fills-1.csv"):
        if row["execution_id"] in SCRIPT.expect.fills:
            found.setdefault(row["execution_id"], row)
    return found


def test_the_generator_writes_what_is_committed(tmp_path: Path) -> None:
    copy = tmp_path / "make_day.py"
    copy.write_bytes((DAY_1 / "make_day.py").read_bytes())
    subprocess.run([sys.executable, copy], check=True)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != copy]
    assert len(written) == 17
    for path in written:
        assert path.read_bytes() == (DAY_1 / path.relative_to(tmp_path)).read_bytes()


def test_every_file_is_dropped_once_by_the_script() -> None:
    dropped = Counter(name for step in SCRIPT.steps for name in step.drop)
    files = {path.relative_to(DAY_1).as_posix() for kind in ("csv", "json") for path in DAY_1.glob(f"*/*.{kind}")}
    assert dropped == Counter(files)


def test_securities_have_right_and_unmistakable_isins() -> None:
    rows = table("securities.csv")
    assert len(rows) == 3
    for row in rows:
        assert isin.validate(row["isin"]) == row["isin"]
        assert row["isin"].startswith("XF")
        assert len(row["security_code"]) in (4, 5)
    assert {row["security_code"] for row in good_fills().values()} == {row["security_code"] for row in rows}


def test_there_are_enough_of_everything() -> None:
    rows = table("exchange/fills-1.csv")
    assert len(rows) >= 24
    assert len(both("investors-1.csv")) >= 8
    same = [row for row in good_fills().values() if row["seller_custodian"] == row["buyer_custodian"]]
    assert len(same) >= 4
    assert {row["coin_investor_id"] for row in both("investors-1.csv")} > {""}


def test_every_investor_id_belongs_to_its_custodian() -> None:
    for name, folder in CUSTODIANS.items():
        known = {row["investor_id"] for row in table(f"{folder}/investors-1.csv")}
        for row in good_fills().values():
            for side in ("seller", "buyer"):
                if row[f"{side}_custodian"] == name:
                    assert row[f"{side}_investor_id"] in known


def test_good_fills_match_their_orders_and_come_to_whole_yen() -> None:
    orders = {row["order_id"]: row for row in table("exchange/orders-1.csv")}
    for fill in good_fills().values():
        assert Decimal(fill["unit_price"]) * int(fill["quantity"]) == int(fill["amount"])
        for side, who in (("sell", "seller"), ("buy", "buyer")):
            order = orders[fill[f"{side}_order_id"]]
            assert order["side"] == side.upper()
            assert order["investor_id"] == fill[f"{who}_investor_id"]
            assert order["custodian"] == fill[f"{who}_custodian"]
            for column in ("security_code", "quantity", "unit_price", "platform_code"):
                assert order[column] == fill[column]


def test_the_wrong_rows_are_wrong_as_the_script_says() -> None:
    rows = dict(enumerate(table("exchange/fills-1.csv"), start=2))
    wrong = {
        row.code or row.status: rows[row.line] for row in SCRIPT.expect.refused if row.file == "exchange/fills-1.csv"
    }
    first = good_fills()
    assert wrong["duplicate"] == first["EX-0003"]
    assert {**wrong["EXECUTION_ID_REUSED"], "quantity": "20", "amount": "199610"} == first["EX-0005"]
    assert wrong["UNKNOWN_INVESTOR"]["buyer_investor_id"] not in {row["investor_id"] for row in both("investors-1.csv")}
    mismatch = wrong["AMOUNT_MISMATCH"]
    assert Decimal(mismatch["unit_price"]) * int(mismatch["quantity"]) != int(mismatch["amount"])
    broken = wrong["NOT_WHOLE_YEN"]
    assert (Decimal(broken["unit_price"]) * int(broken["quantity"])) % 1 != 0
    assert wrong["UNKNOWN_PLATFORM"]["platform_code"] not in {row["platform_code"] for row in table("securities.csv")}
    good = {line for line, row in rows.items() if row in first.values()} - {13}
    assert all({line - 1, line + 1} & good for line in (7, 11, 13, 16, 19, 21)), (
        "good rows stand around every wrong one"
    )


def test_only_those_meant_to_be_short_are_short_whatever_the_order() -> None:
    """Each buyer has enough without what his own sales bring, each seller without what he buys."""
    short_of_coins = {name for name, one in SCRIPT.expect.fills.items() if one.first in ("CMON", "MONY")}
    short_of_units = {name for name, one in SCRIPT.expect.fills.items() if one.first == "LACK"} | {"EX-0021"}
    coins = Counter({row["investor_id"]: int(row["amount"]) for row in both("cash-1.csv")})
    units: Counter[tuple[str, str]] = Counter()
    for row in table("asset/positions-1.csv"):
        units[row["investor_id"], row["security_code"]] += int(row["units"])
    for name, fill in good_fills().items():
        if name not in short_of_coins and SCRIPT.expect.fills[name].end == "settled":
            coins[fill["buyer_investor_id"]] -= int(fill["amount"])
        if name not in short_of_units:
            units[fill["seller_investor_id"], fill["security_code"]] -= int(fill["quantity"])
    assert min(coins.values()) >= 0
    assert min(units.values()) >= 0


def test_shortages_are_as_the_script_says_and_the_top_up_covers_them() -> None:
    opening = Counter({row["investor_id"]: int(row["amount"]) for row in both("cash-1.csv")})
    top_up = Counter({row["investor_id"]: int(row["amount"]) for row in both("cash-2.csv")})
    told = {name: yen for one in SCRIPT.expect.shortages.values() for name, yen in one.items()}
    told |= {name: one.missing for name, one in SCRIPT.expect.fills.items() if one.first == "MONY" and one.missing}
    assert len(told) == 3
    for name, missing in told.items():
        fill = good_fills()[name]
        assert int(fill["amount"]) - opening[fill["buyer_investor_id"]] == missing
        assert top_up[fill["buyer_investor_id"]] >= missing


def test_the_seller_short_of_units_is_delivered_them() -> None:
    transfer = table("custodian-b/transfers-1.csv")[0]
    fill = good_fills()["EX-0018"]
    assert (transfer["to_custodian"], transfer["to_investor_id"]) == (
        fill["seller_custodian"],
        fill["seller_investor_id"],
    )
    assert (transfer["security_code"], transfer["units"]) == (fill["security_code"], fill["quantity"])


def test_routes_leave_one_buyer_with_a_bank_and_one_with_none() -> None:
    methods = {row["investor_id"]: row["method"] for row in both("routes-1.csv")}
    fills = good_fills()
    assert methods[fills["EX-0020"]["buyer_investor_id"]] == "BANK"
    assert fills["EX-0019"]["buyer_investor_id"] not in methods
    assert [row["execution_id"] for row in table("exchange/busts-1.csv")] == ["EX-0019", "EX-0001"]
    others = [fill["buyer_investor_id"] for name, fill in fills.items() if name not in ("EX-0019", "EX-0020")]
    assert {methods[investor] for investor in others} == {"COIN"}


def test_the_statement_brings_each_cash_line_and_less_than_one_instruction_asks() -> None:
    received: dict[tuple[str, str], int] = defaultdict(int)
    for line in statement(1) + statement(2):
        received[line["custodian"], line["reference"]] += line["amount"]
    for name, folder in CUSTODIANS.items():
        for number in (1, 2):
            for row in table(f"{folder}/cash-{number}.csv"):
                assert received.pop((name, f"TI-{row['line_id']}")) == int(row["amount"])
    instruction = table("custodian-a/instructions-1.csv")[0]
    assert 0 < received.pop(("Custodian A", instruction["instruction_id"])) < int(instruction["amount"])
    assert list(received.values()) == [12_345], "what is left is money that nobody claims"


def test_a_script_that_drops_a_missing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_bytes((DAY_1 / "day.yaml").read_bytes())
    with pytest.raises(BadFile, match=r"drops custodian-a/investors-1\.csv, but there is no such file"):
        load_script(tmp_path)


def test_a_script_with_an_unknown_word_is_refused_by_its_place(tmp_path: Path) -> None:
    text = (DAY_1 / "day.yaml").read_text(encoding="utf-8").replace("EX-0001: settled", "EX-0001: setled", 1)
    (tmp_path / "day.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadFile, match=r"steps\.4\.until\.fills\.EX-0001"):
        load_script(tmp_path)
