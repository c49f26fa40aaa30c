"""Tokens and roles on the real network: each may do its own and nothing else."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ippon.demo.agents import Agents
from ippon.errors import IpponError
from ippon.local import LocalNetwork, Right
from ippon.node import HttpNode, Token, rows
from network.conftest import Day

Client = Callable[[str, Right], HttpNode]

CRASHING, CRASH_SECONDS = "custodian-b", 60.0
FOREIGN = [
    ("exchange", "settle_fills", {"execution_ids": ["EX-0001"]}),
    (
        "exchange",
        "issue_coins",
        {"custodian": "Custodian A", "instruction_id": "TI-1", "line_id": "L-1"},
    ),
    (
        "asset",
        "issue_coins",
        {"custodian": "Custodian A", "instruction_id": "TI-1", "line_id": "L-1"},
    ),
    (
        "coin",
        "issue_security",
        {"issue_id": "I-1", "security_code": "ZA101", "custodian": "Custodian A", "investor_id": "INV-1", "units": 1},
    ),
    ("custodian-a", "bust_fill", {"execution_id": "EX-0001", "reason": "not my role"}),
    (
        "custodian-a",
        "issue_security",
        {"issue_id": "I-1", "security_code": "ZA101", "custodian": "Custodian A", "investor_id": "INV-1", "units": 1},
    ),
]
"""Flows that a node's RPC user may not start: another role's."""


@pytest.mark.parametrize(("member", "operation", "arguments"), FOREIGN)
def test_an_agent_when_it_starts_a_flow_of_another_role_cannot(
    node: Client, member: str, operation: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(IpponError) as refused:
        node(member, "agent").start(operation, f"test:foreign:{member}:{operation}", arguments)
    # The other role's CorDapp is not even on the node; were it there, the RPC user could not start it.
    assert refused.value.code in {"NO_SUCH_OPERATION", "FORBIDDEN"}


@pytest.mark.parametrize("right", ["reader", "operator"])
def test_a_token_that_may_only_look_when_it_starts_a_flow_is_forbidden(node: Client, right: Right) -> None:
    with pytest.raises(IpponError) as refused:
        node("custodian-a", right).start("settle_fills", f"test:power:{right}", {"execution_ids": ["EX-0001"]})
    assert refused.value.code == "FORBIDDEN"


@pytest.mark.parametrize("right", ["agent", "reader"])
def test_a_token_that_is_not_the_operators_when_it_kills_is_forbidden(node: Client, right: Right) -> None:
    with pytest.raises(IpponError) as refused:
        node("custodian-a", right).kill("00000000-0000-0000-0000-000000000000")
    assert refused.value.code == "FORBIDDEN"


def test_the_operator_when_it_reads_balances_is_forbidden(node: Client) -> None:
    with pytest.raises(IpponError) as refused:
        list(rows(node("custodian-a", "operator"), "balances", {"asset": "COINS"}))
    assert refused.value.code == "FORBIDDEN"


def test_a_token_of_one_organisation_at_anothers_door_is_no_token(local: LocalNetwork) -> None:
    own, other = local.network.access("custodian-a"), local.network.access("custodian-b")
    token = Token(own.tokens.agent.get_secret_value())
    with (
        HttpNode(url=other.http_url, token=token, timeout_seconds=30.0) as client,
        pytest.raises(IpponError) as refused,
    ):
        client.node()
    assert refused.value.code == "NO_TOKEN"


def test_secrets_when_the_network_is_up_are_in_no_log_and_no_command_line(local: LocalNetwork, day: Day) -> None:
    assert day.played
    texts = {path: path.read_bytes() for path in local.network.directory.rglob("*.log")}
    texts |= {path: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")}
    assert len(texts) > len(local.members)
    assert revealing(local, texts) == []


def test_secrets_when_everything_of_a_member_crashes_are_in_no_dump(local: LocalNetwork, agents: Agents) -> None:
    member = next(one for one in local.members if one.key == CRASHING)
    if member in agents.dead():
        agents.start_one(member)
    crashing = {
        "node": local.network.process(CRASHING),
        "bridge": local.network.process(CRASHING, bridge=True),
        "agent": agents.folder(member).process(),
    }
    homes = {process.cwd() for one in crashing.values() for process in one.processes()}
    before = {path for home in homes for path in Path(home).rglob("*")}
    try:
        for one in crashing.values():
            one.signal(signal.SIGSEGV)
        for one in crashing.values():
            one.await_end(deadline=time.monotonic() + CRASH_SECONDS)
        left = {path for home in homes for path in Path(home).rglob("*")} - before
        dumps = [path for path in left if path.is_file()]
        # Two processes of the node and one of the bridge are JVMs, and each tells of its end in a file.
        assert len([path for path in dumps if path.name.startswith("hs_err")]) >= 2, left
        assert not [path for path in dumps if path.name.startswith("core") or path.suffix in (".hprof", ".mdmp")]
        consoles = local.network.directory.rglob("*.log")
        assert revealing(local, {path: path.read_bytes() for path in (*dumps, *consoles)}) == []
    finally:
        local.network.up()
        agents.start_one(member)


def secrets(local: LocalNetwork) -> set[str]:
    """Every password and token of every member."""
    found = set()
    for key in local.network.organisations:
        content = json.loads(local.network.folder(key).secrets.read_text(encoding="utf-8"))
        found |= {*content["passwords"].values(), *content["tokens"].values(), content["py4j_token"]}
    assert len(found) == 8 * len(local.network.organisations)
    return found


def revealing(local: LocalNetwork, texts: Mapping[Path, bytes]) -> list[str]:
    """Which of these have a secret in them, as text of 8 or of 16 bits a letter."""
    wanted = [secret.encode(code) for secret in secrets(local) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    return [str(path) for path, text in texts.items() if any(secret in text for secret in wanted)]


def test_files_that_hold_secrets_when_made_are_their_owners_alone(local: LocalNetwork) -> None:
    names = {"node.conf", "secrets.json", "config.json", "maintenance.json", "agent.token", "operator.token"}
    found = [path for path in local.network.directory.rglob("*") if path.name in names and path.is_file()]
    assert {path.name for path in found} >= {"node.conf", "secrets.json", "config.json"}
    assert not [str(path) for path in found if path.stat().st_mode & 0o077]
