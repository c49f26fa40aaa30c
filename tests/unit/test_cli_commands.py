"""The command line: what it shows, what it sends, how it fails. No node, no process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.main import get_command

from ippon.cli import app
from ippon.model import DeskState
from ippon.node import HttpNode, Page
from ippon.report.page import write_report
from unit.cli_place import Place, add_fill, make_place
from unit.report_sample import sample_report


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    made = make_place(tmp_path, monkeypatch, capsys)
    yield made
    made.end()


def commands() -> list[tuple[str, Any]]:
    found = []

    def walk(name: str, command: Any) -> None:
        subcommands = getattr(command, "commands", {})
        for key, one in subcommands.items():
            walk(f"{name} {key}".strip(), one)
        if not subcommands or getattr(command, "invoke_without_command", False):
            found.append((name, command))

    walk("", get_command(app))
    return found


COMMANDS = dict(commands())


def test_all_promised_commands_are_there() -> None:
    assert set(COMMANDS) == {
        *("network up", "network status", "network logs", "network down", "demo", "fill notify", "fills", "settle"),
        *("retry", "balance", "trust instruct", "report", "report proof", "report visible", "agent run"),
        *("network backup", "network restore", "network recover", "network upgrade", "network flows", "network resume"),
        "case",
        *("venue start", "venue generate", "venue replay", "venue drop-copy"),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_helps_with_an_example(place: Place, name: str) -> None:
    code, out, _ = place.run(*name.split(), "--help")
    assert code == 0
    assert f"Example: ippon {name}" in out


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if name not in ("agent run", "venue start", "venue drop-copy")]
)
def test_each_command_that_prints_knows_json(name: str) -> None:
    assert "--json" in {option for parameter in COMMANDS[name].params for option in parameter.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_secret_can_be_given_on_a_command_line(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert not [option for option in options if "token" in option or "password" in option]


def test_fills_are_shown_on_their_sellers_desk(place: Place) -> None:
    add_fill(place, "custodian-a", "EX-1", missing=None)
    add_fill(place, "custodian-b", "EX-1", side="BUY")
    add_fill(place, "custodian-b", "EX-2", side="BOTH", state="settled", reason=None, transaction_id="F" * 64)
    shown = {row["execution_id"]: row for row in place.json("fills")}
    assert shown["EX-1"]["custodian"] == "custodian-a"
    assert shown["EX-2"]["state"] == "settled"
    assert len(place.json("fills", "--as", "custodian-b")) == 2
    assert [row["execution_id"] for row in place.json("fills", "--state", "waiting")] == ["EX-1"]
    _, table, _ = place.run("fills")
    assert "EX-1" in table
    assert "10,000" in table


def test_nothing_to_show_is_said(place: Place) -> None:
    for member in ("custodian-a", "custodian-b"):
        place.store(member).close()
    assert place.run("fills") == (0, "No fills.\n", "")
    assert place.json("fills") == []


@pytest.mark.parametrize(("state", "code"), [(DeskState.SETTLED, 0), (DeskState.WAITING, 1), (DeskState.REFUSED, 1)])
def test_settle_asks_the_sellers_agent_and_waits(place: Place, state: DeskState, code: int) -> None:
    add_fill(place, "custodian-a", "EX-1")
    add_fill(place, "custodian-b", "EX-1", side="BUY")
    place.alive.add("custodian-b")
    place.try_fills("custodian-a", state)
    left, out, _ = place.run("settle", "EX-1", "--json")
    assert left == code
    assert [(row["state"], row["tries"]) for row in json.loads(out)] == [(state, 2)]


def test_settle_of_a_settled_fill_says_so_at_once(place: Place) -> None:
    add_fill(place, "custodian-a", "EX-1", state="settled")
    place.store("custodian-b").close()
    place.alive |= {"custodian-a", "custodian-b"}
    assert place.run("settle", "EX-1")[0] == 0


def test_settle_gives_up_after_its_time(place: Place) -> None:
    add_fill(place, "custodian-a", "EX-1")
    place.store("custodian-b").close()
    place.alive |= {"custodian-a", "custodian-b"}
    code, _, err = place.run("settle", "EX-1", "--timeout", "1")
    assert code == 1
    assert "EX-1 had not been tried after 1 s" in err


def test_settle_of_an_unknown_fill_is_refused(place: Place) -> None:
    for member in ("custodian-a", "custodian-b"):
        place.store(member).close()
    place.alive |= {"custodian-a", "custodian-b"}
    code, out, err = place.run("settle", "EX-9", "--json")
    assert (code, out) == (2, "")
    assert json.loads(err)["error"]["code"] == "UNKNOWN_FILL"


def test_retry_asks_for_all_waiting_fills(place: Place) -> None:
    for name in ("EX-1", "EX-2"):
        add_fill(place, "custodian-a", name)
    add_fill(place, "custodian-a", "EX-3", state="settled")
    add_fill(place, "custodian-b", "EX-4", side="BUY")
    place.alive |= {"custodian-a", "custodian-b"}
    assert place.json("retry") == {"asked": {"custodian-a": ["EX-1", "EX-2"], "custodian-b": []}}
    assert "custodian-a: asked to try 2 fills: EX-1, EX-2" in place.run("retry")[1]


def test_without_an_agent_it_says_how_to_start_one(place: Place) -> None:
    code, _, err = place.run("fills")
    assert code == 1
    assert "custodian-a has no agent yet: start the agents with 'ippon network up'" in err
    add_fill(place, "custodian-a", "EX-1")
    code, _, err = place.run("retry", "--as", "custodian-a")
    assert code == 1
    assert "The agent of custodian-a does not run" in err


def test_an_unknown_organisation_is_a_usage_error_that_says_who_there_is(place: Place) -> None:
    code, _, err = place.run("fills", "--as", "custodian-z")
    assert code == 2
    assert "choose one of custodian-a, custodian-b" in err.replace("\n", " ")
    code, _, err = place.run("trust", "instruct", "--investor", "A01", "--amount", "5")
    assert code == 2
    assert "--as" in err


def receipt(status: str, **row: Any) -> dict[str, Any]:
    return {"counts": {"pending": 0, status: 1}, "rows": [{"line": 2, "id": "EX-1", "status": status, **row}]}


def test_notify_sends_the_file_and_shows_each_row(place: Place, tmp_path: Path) -> None:
    sent: dict[str, str] = {}

    def answer(name: str, content: str) -> dict[str, Any]:
        sent[name] = content
        return receipt("accepted", transaction_id="A" * 64)

    place.answer_files("exchange", answer)
    file = tmp_path / "fills.csv"
    file.write_text("execution_id\nEX-1\n", encoding="utf-8")
    told = place.json("fill", "notify", str(file))
    assert told["rows"][0]["status"] == "accepted"
    assert list(sent.values()) == ["execution_id\nEX-1\n"]
    assert next(iter(sent)).startswith("fills-cli-")


def test_notify_leaves_with_2_when_a_row_or_the_file_is_refused(place: Place, tmp_path: Path) -> None:
    answers = iter(
        [
            receipt("refused", code="AMOUNT_MISMATCH", field="amount", reason="5 is not 6"),
            {"status": "refused", "code": "BAD_FILE", "reason": "no header"},
        ]
    )
    place.answer_files("exchange", lambda name, content: next(answers))  # noqa: ARG005
    file = tmp_path / "fills.csv"
    file.write_text("x\n", encoding="utf-8")
    code, out, _ = place.run("fill", "notify", str(file))
    assert code == 2
    assert "AMOUNT_MISMATCH" in out
    code, _, err = place.run("fill", "notify", str(file))
    assert code == 2
    assert "BAD_FILE: no header" in err


def test_notify_of_a_missing_file_is_a_usage_error(place: Place) -> None:
    assert place.run("fill", "notify", "nowhere.csv")[0] == 2


def test_instruct_sends_an_instruction_and_plays_the_bank_when_asked(place: Place) -> None:
    sent: dict[str, str] = {}

    def answer(name: str, content: str) -> dict[str, Any]:
        sent[name.split("-", maxsplit=1)[0]] = content
        return receipt("accepted")

    place.answer_files("custodian-b", answer)
    place.answer_files("coin", answer)
    asked = ["trust", "instruct", "--as", "Custodian B", "--investor", "B05", "--amount", "1000", "--id", "IN-7"]
    place.json(*asked)
    assert sent == {"instructions": "instruction_id,investor_id,amount\nIN-7,B05,1000\n"}
    place.json(*asked, "--with-cash")
    line = json.loads(sent["statement"])["lines"][0]
    assert (line["amount"], line["reference"], line["custodian"]) == (1000, "IN-7", "Custodian B")
    kept = list((place.root / "bank").glob("*.json"))
    assert [path.read_text(encoding="utf-8") for path in kept] == [sent["statement"]]


def test_a_refused_instruction_brings_no_cash(place: Place) -> None:
    place.answer_files("custodian-a", lambda name, content: receipt("refused", code="UNKNOWN_INVESTOR", reason="who?"))  # noqa: ARG005
    asked = ["trust", "instruct", "--as", "custodian-a", "--investor", "A99", "--amount", "1", "--with-cash"]
    assert place.run(*asked)[0] == 2
    assert not (place.root / "bank").exists()


def test_balances_come_from_the_custodians_own_nodes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Any]] = []

    def query(self: HttpNode, name: str, arguments: Any) -> Page:
        asked.append((name, arguments["asset"]))
        own = {"custodian": "O=Custodian A, L=Tokyo, C=JP", "investor_id": "A01", "total": 5, "reserved": 0}
        other = own | {"custodian": "O=Custodian Z, L=Tokyo, C=JP"}
        code = (
            {"security_code": "ZA101"} if arguments["asset"] == "UNITS" else {"issuer": "O=Coin Issuer, L=Tokyo, C=JP"}
        )
        return Page(rows=[own | code, other | code], page=1, size=200, total=2)

    monkeypatch.setattr(HttpNode, "query", query)
    found = place.json("balance", "--as", "custodian-a")
    assert [(row["investor_id"], row["asset"], row["total"]) for row in found] == [
        ("A01", "COINS", 5),
        ("A01", "ZA101", 5),
    ]
    assert asked == [("balances", "UNITS"), ("balances", "COINS")]


def test_a_bridge_that_is_down_is_told_with_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object, **__: object) -> None:
        raise requests.ConnectionError("refused")

    monkeypatch.setattr(requests.Session, "request", down)
    code, out, err = place.run("balance")
    assert (code, out) == (1, "")
    assert "BRIDGE_DOWN" in err
    assert "ippon network up" in err
    assert "Traceback" not in err


def test_without_a_network_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    monkeypatch.setenv("IPPON_NETWORK_DIR", str(tmp_path / "none"))
    code, _, err = place.run("balance")
    assert code == 1
    assert "run 'ippon network up' first" in err
    code, out, _ = place.run("network", "status", "--json")
    assert code == 1
    assert json.loads(out)["ready"] is False


def test_logs_of_an_unknown_node_are_refused(place: Place) -> None:
    for source in ("node", "agent"):
        code, _, err = place.run("network", "logs", "nobody", "--source", source)
        assert code == 2
        assert "nobody" in err


def test_the_report_is_shown_again(place: Place, tmp_path: Path) -> None:
    code, _, err = place.run("report")
    assert code == 2
    assert "ippon demo" in err
    write_report(sample_report(), tmp_path / "build" / "day-1")
    code, out, _ = place.run("report")
    assert code == 0
    assert "EX-0002" in out
    assert "report.html" in out
    assert place.json("report")["run"] == "t1"


def test_a_broken_agent_configuration_is_refused(place: Place, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"organisation": "Custodian A"}', encoding="utf-8")
    code, _, err = place.run("agent", "run", "--config", str(config))
    assert code == 2
    assert "BAD_SETTINGS" in err
