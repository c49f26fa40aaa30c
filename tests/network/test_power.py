"""Tokens and roles on the real network: each may do its own and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ippon.errors import IpponError
from ippon.local import LocalNetwork, Right
from ippon.node import HttpNode, Token, rows

Client = Callable[[str, Right], HttpNode]

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


def test_secrets_when_the_network_is_up_are_in_no_log_and_no_command_line(local: LocalNetwork) -> None:
    secrets = {
        secret.get_secret_value()
        for key in local.network.organisations
        for tokens in [local.network.access(key).tokens]
        for secret in (tokens.agent, tokens.reader, tokens.operator)
    } | {local.network.access(key).py4j_token.get_secret_value() for key in local.network.organisations}
    texts = {path: path.read_text(errors="replace") for path in local.network.directory.rglob("*.log")}
    texts |= {path: path.read_bytes().decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline")}
    assert texts
    assert not [str(path) for path, text in texts.items() if any(secret in text for secret in secrets)]


def test_files_that_hold_secrets_when_made_are_their_owners_alone(local: LocalNetwork) -> None:
    names = {"node.conf", "secrets.json", "config.json", "agent.token", "operator.token"}
    found = [path for path in local.network.directory.rglob("*") if path.name in names and path.is_file()]
    assert {path.name for path in found} >= {"node.conf", "secrets.json", "config.json"}
    assert not [str(path) for path in found if path.stat().st_mode & 0o077]
