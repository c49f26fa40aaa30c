"""Paging, starting and waiting, tokens from files, and the py4j door's way of saying the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JAuthenticationError, Py4JError, Py4JNetworkError

from ippon.errors import BadAnswer, BadSettings, BridgeDown, IpponError, NodeDown, NoToken, Refusal, WaitOver
from ippon.node import Py4jNode, Token, await_node, read_token, rows, start_and_wait
from unit.agent_ledger import Ledger
from unit.agent_world import ModelNode, StillClock


class Counter:
    """A monotonic clock that goes on by one second a look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


@pytest.fixture
def node() -> ModelNode:
    return ModelNode(Ledger(StillClock()), "Custodian A")


@pytest.mark.parametrize("total", [0, 1, 2, 3, 4, 5])
def test_all_pages(node: ModelNode, total: int) -> None:
    node.ledger.statement = {f"L{number}": {"line_id": f"L{number}"} for number in range(total)}
    found = [row["line_id"] for row in rows(node, "statement", {}, page_size=2)]
    assert found == [f"L{number}" for number in range(total)]


def test_start_and_wait(node: ModelNode) -> None:
    arguments = {"investors": [{"investor_id": "INV-1"}]}
    ask: Callable[[], dict[str, Any]] = lambda: start_and_wait(  # noqa: E731
        node, client_id="c:1", operation="register_investors", arguments=arguments, timeout_seconds=9
    )
    assert ask() == ask() == {"registered": 1, "known": 0}
    assert len(node.started) == 1


def test_start_and_wait_raises_the_flows_refusal(node: ModelNode) -> None:
    node.fail["bust_fill"] = Refusal("gone", code="UNKNOWN_FILL", field="execution_id")
    with pytest.raises(Refusal) as caught:
        start_and_wait(node, client_id="c", operation="bust_fill", arguments={}, timeout_seconds=9, forget=True)
    assert (caught.value.code, caught.value.field) == ("UNKNOWN_FILL", "execution_id")
    assert not node.flows


def test_start_and_wait_gives_up_in_time(node: ModelNode) -> None:
    node.hold.add("bust_fill")
    with pytest.raises(WaitOver):
        start_and_wait(node, client_id="c", operation="bust_fill", arguments={}, timeout_seconds=3, monotonic=Counter())


def test_tokens_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n")
    path.chmod(0o640)
    with pytest.raises(BadSettings, match="chmod 600"):
        read_token(path)
    path.chmod(0o600)
    assert read_token(path).reveal() == "abc"


@pytest.mark.parametrize("text", ["", "two words", "é"])
def test_files_that_hold_no_token(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadSettings):
        read_token(path)
    with pytest.raises(BadSettings):
        read_token(tmp_path / "none")


class Gateway:
    """The JVM's entry point."""

    def __init__(self, *replies: object) -> None:
        self.replies = list(replies)
        self.calls: list[tuple[str, Any]] = []

    def call(self, method: str, json_text: str, /) -> str:
        self.calls.append((method, json.loads(json_text)))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return json.dumps(reply)


def py4j(*replies: object) -> tuple[Py4jNode, Gateway]:
    """The last reply is given again and again."""
    gateway = Gateway(*replies)
    return Py4jNode(port=1, token=Token("t"), entry_point=gateway), gateway


def test_py4j_calls() -> None:
    node, gateway = py4j({"client_id": "c", "run_id": "r"})
    assert node.start("notify_fill", "c", {"amount": 1}).run_id == "r"
    assert gateway.calls == [("start", {"operation": "notify_fill", "client_id": "c", "arguments": {"amount": 1}})]
    node, gateway = py4j({"sequence": 5})
    assert node.wait(4, 10) == 5
    assert gateway.calls == [("wait", {"after": 4, "wait_millis": 10})]
    node, gateway = py4j({"rows": [], "page": 1, "size": 10, "total": 0})
    assert node.query("fills", {"page": 1}).total == 0
    assert gateway.calls == [("query", {"name": "fills", "arguments": {"page": 1}})]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"error": {"code": "NODE_DOWN", "message": "no"}}, NodeDown),
        ({"status": 7}, BadAnswer),
        (Py4JNetworkError("gone"), BridgeDown),
        (Py4JError("broke"), BridgeDown),
        (ConnectionResetError(), BridgeDown),
        (Py4JAuthenticationError("no"), NoToken),
    ],
)
def test_py4j_failures(reply: object, kind: type[IpponError]) -> None:
    node, _ = py4j(reply)
    with pytest.raises(kind):
        node.health()


def test_nobody_behind_the_gateway() -> None:
    node = Py4jNode(port=1, token=Token("t"))
    with pytest.raises(BridgeDown):
        node.health()
    node.close()


def test_await_node_when_the_bridge_is_connecting_waits_and_gives_up_in_the_end() -> None:
    connecting, up = {"status": "connecting", "organisation": "A"}, {"status": "up", "organisation": "A"}
    waits: list[float] = []
    node, _ = py4j(connecting, connecting, up)
    await_node(node, timeout_seconds=10.0, monotonic=lambda: 0.0, sleep=waits.append)
    assert len(waits) == 2
    node, _ = py4j(connecting, connecting)
    times = iter([0.0, 5.0, 11.0])
    with pytest.raises(NodeDown, match="found no node in 10 s"):
        await_node(node, timeout_seconds=10.0, monotonic=lambda: next(times), sleep=waits.append)
