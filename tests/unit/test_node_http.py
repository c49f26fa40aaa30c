"""HttpNode against a real HTTP server: requests as documented, answers typed, every failure a member of the family."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ippon.errors import (
    BadAnswer,
    BadRequest,
    BadSettings,
    BridgeDown,
    BridgeTimeout,
    Forbidden,
    Internal,
    IpponError,
    NodeDown,
    NodeTimeout,
    NoSuchOperation,
    NoToken,
    Refusal,
    TooLarge,
)
from ippon.node import HttpNode, Token
from unit.node_door import Answer, Door, Request, answer, open_door

Ask = Callable[[HttpNode], object]


@pytest.fixture
def door() -> Iterator[Door]:
    with open_door() as door:
        yield door


@pytest.fixture
def node(door: Door) -> Iterator[HttpNode]:
    with HttpNode(url=door.url, token=Token("secret-token"), timeout_seconds=5.0) as node:
        yield node


STARTED = {"client_id": "notify:EX-1:1", "run_id": "r"}
PAGE: dict[str, Any] = {"rows": [{"a": 1}], "page": 1, "size": 100, "total": 1}

CALLS: list[tuple[Ask, dict[str, Any], str, str, object]] = [
    (lambda node: node.health(), {"status": "up", "organisation": "A"}, "GET", "/health", None),
    (
        lambda node: node.node(),
        {"name": "O=A, L=Tokyo, C=JP", "platform_version": 12, "node_time": "2026-07-01T00:00:00Z"},
        *("GET", "/v1/node", None),
    ),
    (
        lambda node: node.start("notify_fill", "notify:EX-1:1", {"amount": 1}),
        *(STARTED, "POST", "/v1/flows/notify_fill"),
        {"client_id": "notify:EX-1:1", "arguments": {"amount": 1}},
    ),
    (
        lambda node: node.result("notify:EX-1:1", 0),
        {"client_id": "notify:EX-1:1", "status": "running"},
        *("GET", "/v1/flows/notify:EX-1:1?wait_millis=0", None),
    ),
    (lambda node: node.forget("a/b c"), {"removed": True}, "DELETE", "/v1/flows/a%2Fb%20c", None),
    (lambda node: node.finished(), {"flows": [{"client_id": "a", "succeeded": True}]}, "GET", "/v1/flows", None),
    (lambda node: node.query("fills", {"page": 1}), PAGE, "POST", "/v1/queries/fills", {"page": 1}),
    (lambda node: node.wait(7, 10), {"sequence": 8}, "GET", "/v1/changes?after=7&wait_millis=10", None),
    (lambda node: node.kill("r"), {"killed": False}, "POST", "/v1/operator/kill", {"run_id": "r"}),
]


@pytest.mark.parametrize(("ask", "reply", "method", "path", "body"), CALLS)
def test_each_method(
    door: Door, node: HttpNode, ask: Ask, reply: dict[str, Any], method: str, path: str, body: object
) -> None:
    door.answerer = lambda _: answer(**reply)
    assert ask(node) is not None
    assert (door.last.method, door.last.path, door.last.body) == (method, path, body)
    assert door.last.token == "Bearer secret-token"


@pytest.mark.parametrize("ask", [call[0] for call in CALLS])
@pytest.mark.parametrize("nonsense", [b"", b"[]", b"7", b"<html>", b"{}", b'{"error": {}}', b'{"sequence": 1.5}'])
def test_nonsense_is_a_bad_answer(door: Door, node: HttpNode, ask: Ask, nonsense: bytes) -> None:
    door.answerer = lambda _: (200, nonsense)
    with pytest.raises(BadAnswer):
        ask(node)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BAD_REQUEST", BadRequest),
        (400, "UNKNOWN_PARTY", Refusal),
        (401, "NO_TOKEN", NoToken),
        (403, "FORBIDDEN", Forbidden),
        (404, "NO_SUCH_OPERATION", NoSuchOperation),
        (413, "TOO_LARGE", TooLarge),
        (500, "INTERNAL", Internal),
        (503, "NODE_DOWN", NodeDown),
        (504, "NODE_TIMEOUT", NodeTimeout),
    ],
)
def test_the_error_envelope(door: Door, node: HttpNode, status: int, code: str, kind: type[IpponError]) -> None:
    door.answerer = lambda _: answer(status, error={"code": code, "message": "no", "field": "page"})
    with pytest.raises(kind) as caught:
        node.query("fills", {})
    assert (caught.value.code, caught.value.field) == (code, "page")
    assert caught.value.where == door.url.removeprefix("http://")
    assert len(door.requests) == 1


def test_a_flow_that_failed_is_no_error_of_the_call(door: Door, node: HttpNode) -> None:
    error = {"code": "ROUTE_BANK", "message": "bank", "where": "Custodian B"}
    door.answerer = lambda _: answer(client_id="a", status="failed", error=error)
    flow = node.result("a")
    assert flow.status == "failed"
    assert flow.refusal().where == "Custodian B"


def test_a_bridge_without_its_node_says_so(door: Door, node: HttpNode) -> None:
    door.answerer = lambda _: answer(503, status="connecting", organisation="A")
    assert node.health().status == "connecting"


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with HttpNode(url=f"http://127.0.0.1:{port}", connect_tries=1) as node, pytest.raises(BridgeDown):
        node.health()


def test_no_answer_in_time_is_asked_once_only(door: Door) -> None:
    def late(_: Request) -> Answer:
        door.hang.wait(5)
        return answer(**STARTED)

    door.answerer = late
    with HttpNode(url=door.url, timeout_seconds=0.1) as node:
        began = time.monotonic()
        with pytest.raises(BridgeTimeout):
            node.start("notify_fill", "a", {})
        assert time.monotonic() - began < 2
    assert len(door.requests) == 1


def test_a_wait_adds_to_the_time_allowed(door: Door) -> None:
    def slow(_: Request) -> Answer:
        time.sleep(0.3)
        return answer(sequence=1)

    door.answerer = slow
    with HttpNode(url=door.url, timeout_seconds=0.2) as node:
        assert node.wait(0, 1000) == 1


def test_an_answer_that_breaks_off(door: Door) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def half() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

        thread = threading.Thread(target=half)
        thread.start()
        with HttpNode(url=f"http://127.0.0.1:{server.getsockname()[1]}") as node, pytest.raises(BridgeDown):
            node.health()
        thread.join()


def test_redirects_are_not_followed(door: Door, node: HttpNode) -> None:
    door.answerer = lambda _: (302, b"{}")
    with pytest.raises(BadAnswer):
        node.query("fills", {})
    assert len(door.requests) == 1


def test_no_floats_go_out_or_come_in(door: Door, node: HttpNode) -> None:
    with pytest.raises(TypeError):
        node.start("issue", "a", {"rows": [{"amount": 1.5}]})
    door.answerer = lambda _: (200, b'{"rows": [{"amount": 1.5}], "page": 1, "size": 1, "total": 1}')
    with pytest.raises(BadAnswer):
        node.query("fills", {})


def test_waits_have_a_limit(node: HttpNode) -> None:
    with pytest.raises(ValueError, match="30000"):
        node.wait(0, 30_001)


def test_bad_urls() -> None:
    with pytest.raises(BadSettings):
        HttpNode(url="localhost:8080")


def test_the_token_is_in_no_error(node: HttpNode, door: Door) -> None:
    door.answerer = lambda _: (500, b"secret")
    with pytest.raises(IpponError) as caught:
        node.node()
    assert "secret-token" not in repr(caught.value) + str(vars(caught.value))
    assert "secret-token" not in repr(Token("secret-token"))
