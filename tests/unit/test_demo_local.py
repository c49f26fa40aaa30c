"""The demo on this machine without a machine: agents' configurations, the floor over real stores, the proof apart."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ippon.agent.settings import HttpBridge, load_settings
from ippon.agent.tables import Attempt, Shortage
from ippon.demo.agents import DEMO_TIMERS, Agents, load_market
from ippon.demo.local_floor import LocalFloor
from ippon.demo.main import alone, prove_apart
from ippon.demo.screen import Screen
from ippon.demo.script import load_script
from ippon.errors import BadFile, IpponError
from ippon.local import LocalNetwork
from ippon.model import DeskState, InstructionStatus, Role
from ippon.node import HttpNode, Page, read_token
from ippon_network import Network
from unit.cli_place import NOW, Place, add_fill, make_place
from unit.demo_fakes import DAY_1, FakeClock


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    made = make_place(tmp_path, monkeypatch, capsys)
    yield made
    made.end()


@pytest.fixture
def local(place: Place) -> LocalNetwork:
    return LocalNetwork(Network(place.root))


def test_members_have_their_roles_and_names(local: LocalNetwork) -> None:
    assert {member.key: member.roles for member in local.members} == {
        "exchange": (Role.EXCHANGE,),
        "asset": (Role.ASSET,),
        "coin": (Role.COIN,),
        "custodian-a": (Role.CUSTODIAN,),
        "custodian-b": (Role.CUSTODIAN,),
    }
    for text in ("custodian-b", "Custodian B", "O=Custodian B, L=Tokyo, C=JP"):
        member = local.member(text)
        assert member
        assert member.key == "custodian-b"
    assert local.member("Custodian Z") is None


def test_each_agent_gets_its_own_tokens_and_an_hour(local: LocalNetwork) -> None:
    agents = Agents(local)
    agents.configure(load_market(DAY_1 / "securities.csv"), timers=DEMO_TIMERS)
    secrets = set()
    for member in local.members:
        settings = load_settings(agents.folder(member).config)
        assert settings.organisation == member.name
        assert settings.role is member.roles[0]
        assert settings.timers.retry_base_seconds == settings.timers.retry_cap_seconds == 3_600
        assert isinstance(settings.bridge, HttpBridge)
        token = settings.bridge.agent_token_file
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        secrets.add(read_token(token).reveal())
        assert read_token(token).reveal() == local.network.access(member.key).tokens.agent.get_secret_value()
        assert settings.inbox_dir == agents.folder(member).inbox
        assert settings.receipts_dir == agents.folder(member).receipts
        assert settings.store_url == agents.folder(member).store_url
    assert len(secrets) == 5


def test_the_exchange_knows_the_market_and_custodians_each_other(local: LocalNetwork) -> None:
    agents = Agents(local)
    agents.configure(load_market(DAY_1 / "securities.csv"))
    exchange, custodian = local.member("exchange"), local.member("custodian-a")
    assert exchange
    assert custodian
    rules = load_settings(agents.folder(exchange).config).exchange
    assert (rules.platform_codes, rules.security_codes) == (("IPPON",), ("ZA101", "ZB202", "ZC303"))
    assert load_settings(agents.folder(custodian).config).other_custodians == ("Custodian B",)


def test_a_market_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "securities.csv"
    path.write_text("code\nX\n", encoding="utf-8")
    with pytest.raises(BadFile, match="is no list of securities"):
        load_market(path)


def answer(rows: list[dict[str, Any]]) -> Page:
    return Page(rows=rows, page=1, size=200, total=len(rows))


def test_the_floor_reads_the_sellers_desk_and_the_nodes(
    place: Place, local: LocalNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_fill(place, "custodian-a", "rt1-EX-1", missing=5)
    add_fill(place, "custodian-a", "rother-EX-1")
    add_fill(place, "custodian-b", "rt1-EX-1", side="BUY")
    store = place.store("custodian-a")
    with store.write() as session:
        tried = {"client_id": "settle:x:1", "cause": "received", "started_at": NOW, "ended_at": NOW}
        session.add(Attempt(execution_id="rt1-EX-1", number=1, outcome="WAITING", reason="CMON", **tried))
        short = {"investor_id": "A01", "missing": 7, "state": "open", "noticed_at": NOW}
        session.add(Shortage(execution_id="rt1-EX-8", asset="COINS", **short))
        session.add(Shortage(execution_id="rt1-EX-9", asset="UNITS", **short))
    store.close()

    def query(self: HttpNode, name: str, arguments: Any) -> Page:
        if name == "instructions":
            return answer([{"instruction_id": one, "status": "EXECUTED"} for one in arguments["instruction_ids"]])
        held = {"custodian": "O=Custodian A, L=Tokyo, C=JP", "investor_id": "A01", "total": 5}
        return answer([held | ({"security_code": "ZA101"} if arguments["asset"] == "UNITS" else {})])

    monkeypatch.setattr(HttpNode, "query", query)
    with LocalFloor(local, Agents(local), prefix="rt1-") as floor:
        fill = floor.fills()["rt1-EX-1"]
        assert list(floor.fills()) == ["rt1-EX-1"]
        assert (fill.state, fill.reason, fill.missing) == (DeskState.WAITING, "CMON", 5)
        assert [(one.cause, one.outcome, one.seconds) for one in floor.attempts(fill)] == [("received", "WAITING", 0.0)]
        assert floor.shortages("custodian-a") == {"rt1-EX-8": 7}
        assert floor.instructions("custodian-a", ["TI-1"]) == {"TI-1": InstructionStatus.EXECUTED}
        assert [(one.asset, one.total) for one in floor.holdings()] == [("ZA101", 5), ("COINS", 5)]
        assert "the agent of exchange, asset" in (floor.trouble() or "")
        place.alive |= {member.key for member in local.members}
        assert floor.trouble() is None


def test_the_banks_statement_is_kept_as_sent(place: Place, local: LocalNetwork) -> None:
    for member in ("custodian-a", "custodian-b"):
        place.store(member).close()
    with LocalFloor(local, Agents(local), prefix="rt1-") as floor:
        floor.drop("coin", "statement-rt1-1.json", b"{}")
        floor.drop("exchange", "orders-rt1-1.csv", b"order_id\n")
        assert floor.receipt("coin", "statement-rt1-1.json") is None
        with pytest.raises(BadFile, match="played by 'custodian-z'"):
            floor.drop("custodian-z", "cash-1.csv", b"")
    assert [path.name for path in local.statements] == ["statement-rt1-1.json"]
    assert (place.agent("exchange").inbox / "orders-rt1-1.csv").read_bytes() == b"order_id\n"


def test_a_proof_that_cannot_be_made_is_told(local: LocalNetwork, tmp_path: Path) -> None:
    with pytest.raises(IpponError, match="The proof could not be made") as told:
        prove_apart(local, tmp_path / "snapshot.json")
    assert told.value.code == "NO_PROOF"


def test_the_screen_tells_each_step_where_there_is_no_terminal() -> None:
    script, out, clock = load_script(DAY_1), io.StringIO(), FakeClock()
    console = Console(file=out, width=100)
    with Screen(script, console, monotonic=clock.monotonic) as screen:
        screen.step_begun(0, script.steps[0])
        screen.waiting(0, ["EX-1 must be settled"])
        screen.step_ended(0, 1.25, stopped=False)
        screen.step_begun(1, script.steps[1])
        screen.step_ended(1, 300.0, stopped=True)
    assert out.getvalue().splitlines() == [
        "[1/8] Investors and funds routes …",
        "[1/8] done in 1.2 s",
        "[2/8] How each investor pays …",
        "[2/8] stopped in 300.0 s",
    ]


def test_the_screen_draws_what_is_waited_for() -> None:
    script, clock = load_script(DAY_1), FakeClock()
    console = Console(file=io.StringIO(), width=100, force_terminal=True, record=True)
    screen = Screen(script, console, monotonic=clock.monotonic)
    screen.step_begun(0, script.steps[0])
    screen.step_ended(0, 1.0, stopped=False)
    screen.step_begun(1, script.steps[1])
    clock.sleep(4)
    screen.waiting(1, [f"EX-{number} must be settled" for number in range(8)])
    console.print(screen.picture())
    text = console.export_text()
    assert "✓ Investors and funds routes" in text
    assert "4 s" in text
    assert "EX-5 must be settled" in text
    assert "and 2 more" in text


def test_configurations_hold_no_secret(local: LocalNetwork) -> None:
    agents = Agents(local)
    agents.configure(load_market(DAY_1 / "securities.csv"))
    for member in local.members:
        text = agents.folder(member).config.read_text(encoding="utf-8")
        tokens = local.network.access(member.key).tokens
        assert tokens.agent.get_secret_value() not in text
        assert json.loads(text)["bridge"]["agent_token_file"] == "agent.token"


def test_only_one_demo_at_a_time_restarts_the_agents(tmp_path: Path) -> None:
    told: list[str] = []
    with alone(tmp_path, say=told.append):
        with (
            pytest.raises(IpponError, match="Another demo has been playing") as refused,
            alone(tmp_path, say=told.append, timeout_seconds=0.6),
        ):
            pass
        assert refused.value.code == "DEMO_RUNNING"
    with alone(tmp_path, say=told.append):
        pass
    assert told == ["Waiting for another demo on this network to end"]
