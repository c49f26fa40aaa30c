"""One suite for both doors of a real bridge: what is asked over HTTP and over py4j is answered, and refused, alike."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippon.errors import IpponError, Unavailable
from ippon.local import LocalNetwork, Right
from ippon.node import HttpNode, Node, Py4jNode, Token, await_node, rows, start_and_wait
from network.conftest import Day
from network.cut_wire import cut_after

Client = Callable[[str, Right], HttpNode]
DoorName = Literal["http", "py4j"]
DOORS: tuple[DoorName, ...] = ("http", "py4j")
MEMBER = "custodian-b"
MANY, AT_ONCE = 10_000, 100
BACK_SECONDS = 120.0


@contextmanager
def opened(local: LocalNetwork, door: DoorName, *, port: int | None = None) -> Iterator[Node]:
    """A client of one door of the member's bridge, with the agent's rights; `port` when not its own."""
    access = local.network.access(MEMBER)
    made: HttpNode | Py4jNode
    if door == "http":
        url = f"http://{access.http_host}:{port or access.http_port}"
        made = HttpNode(url=url, token=Token(access.tokens.agent.get_secret_value()), timeout_seconds=30.0)
    else:
        token = Token(access.py4j_token.get_secret_value())
        made = Py4jNode(host=access.py4j_host, port=port or access.py4j_port, token=token)
    try:
        if port is None:
            await_node(made, timeout_seconds=BACK_SECONDS)
        yield made
    finally:
        made.close()


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, local: LocalNetwork) -> Iterator[Node]:
    """Each door in turn."""
    with opened(local, request.param) as node:
        yield node


@pytest.fixture(scope="module")
def both(local: LocalNetwork) -> Iterator[list[Node]]:
    """Both doors, to be compared."""
    with opened(local, "http") as http, opened(local, "py4j") as py4j:
        yield [http, py4j]


def fresh() -> str:
    return f"test:doors:{uuid.uuid4()}"


def answer(call: Callable[[], Any]) -> Any:
    """What came of a call: its answer, or code and field of its refusal; some the client refuses itself."""
    try:
        return call()
    except IpponError as refused:
        return (refused.code, refused.field)
    except (TypeError, ValueError) as refused:
        return (type(refused).__name__, None)


def each(both: list[Node], call: Callable[[Node], Any]) -> list[Any]:
    """What each of them answers, or refuses."""
    return [answer(partial(call, node)) for node in both]


WRONG: dict[str, Callable[[Node], Any]] = {
    "no such operation": lambda node: node.start("print_money", fresh(), {}),
    "another role's operation": lambda node: node.start("issue_coins", fresh(), {}),
    "an argument too few": lambda node: node.start("settle_fills", fresh(), {}),
    "an argument too many": lambda node: node.start("settle_fills", fresh(), {"execution_ids": ["a"], "b": 1}),
    "a number for a list": lambda node: node.start("settle_fills", fresh(), {"execution_ids": 7}),
    "null for a text": lambda node: node.start("withdraw_funds_route", fresh(), {"investor_id": None}),
    "a text for a number": lambda node: node.start(
        "redeem_coins", fresh(), {"redemption_id": "r", "investor_id": "i", "amount": "much"}
    ),
    "a number beyond all": lambda node: node.start(
        "redeem_coins", fresh(), {"redemption_id": "r", "investor_id": "i", "amount": 10**30}
    ),
    "half a yen": lambda node: node.start(
        "redeem_coins", fresh(), {"redemption_id": "r", "investor_id": "i", "amount": 0.5}
    ),
    "no client id": lambda node: node.start("settle_fills", "", {"execution_ids": ["a"]}),
    "a client id without end": lambda node: node.start("settle_fills", "x" * 4_000, {"execution_ids": ["a"]}),
    "no such query": lambda node: node.query("secrets", {}),
    "another role's query": lambda node: node.query("statement", {}),
    "page zero": lambda node: node.query("investors", {"page": 0}),
    "a page too large": lambda node: node.query("investors", {"page": 1, "size": 100_000}),
    "a kind that is none": lambda node: node.query("balances", {"asset": "GOLD"}),
    "a moment that is none": lambda node: node.query("fills", {"changed_after": "yesterday"}),
    "a wait too long": lambda node: node.result(fresh(), wait_millis=10**9),
    "a wait below zero": lambda node: node.wait(0, -1),
    "a flow to kill, not being the operator": lambda node: node.kill(str(uuid.uuid4())),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_asked_wrongly_is_refused_alike(both: list[Node], name: str) -> None:
    over_http, over_py4j = each(both, WRONG[name])
    assert over_http == over_py4j
    assert isinstance(over_http, tuple), over_http


def test_who_is_there_is_told_alike(both: list[Node]) -> None:
    over_http, over_py4j = [node.node() for node in both]
    assert over_http.model_copy(update={"node_time": over_py4j.node_time}) == over_py4j
    assert both[0].health() == both[1].health()


@pytest.mark.parametrize("name", ["fills", "notices", "routes", "instructions", "pending"])
def test_rows_are_the_same_at_both(both: list[Node], day: Day, name: str) -> None:
    arguments = {"after": 0} if name == "notices" else {}
    over_http, over_py4j = [list(rows(node, name, arguments)) for node in both]
    assert over_http == over_py4j
    assert over_http or name == "pending"


def test_an_unknown_flow_is_unknown(door: Node) -> None:
    client_id = fresh()
    assert door.result(client_id).status == "unknown"
    assert door.forget(client_id) is False


def test_a_flow_under_one_client_id_runs_once_whichever_door_asks(both: list[Node]) -> None:
    client_id, investor = fresh(), f"door-{uuid.uuid4().hex[:12]}"
    arguments = {"investors": [{"investor_id": investor}]}
    for node in [*both, *both]:
        node.start("register_investors", client_id, arguments)
        assert node.result(client_id, wait_millis=30_000).result == {"registered": 1, "known": 0}
    assert [client_id in {one.client_id for one in node.finished()} for node in both] == [True, True]
    assert [node.forget(client_id) for node in both] == [True, False]


def test_a_refusal_of_the_flow_is_told_with_code_and_field(both: list[Node]) -> None:
    told = []
    for node in both:
        client_id = fresh()
        node.start("withdraw_funds_route", client_id, {"investor_id": "nobody"})
        flow = node.result(client_id, wait_millis=30_000)
        assert flow.status == "failed"
        told.append((flow.refusal().code, flow.refusal().field, flow.refusal().message))
        node.forget(client_id)
    assert told[0] == told[1]
    assert told[0][0] == "ROUTE_MISSING"


@pytest.mark.parametrize("name", DOORS)
def test_an_answer_lost_after_the_effect_is_found_again(local: LocalNetwork, name: DoorName) -> None:
    client_id, investor = fresh(), f"door-{uuid.uuid4().hex[:12]}"
    arguments = {"investors": [{"investor_id": investor}]}
    access = local.network.access(MEMBER)
    own = access.http_port if name == "http" else access.py4j_port
    with (
        cut_after(own, client_id.encode()) as port,
        opened(local, name, port=port) as broken,
        pytest.raises(Unavailable),
    ):
        broken.start("register_investors", client_id, arguments)
    with opened(local, name) as node:
        node.start("register_investors", client_id, arguments)
        assert node.result(client_id, wait_millis=30_000).result == {"registered": 1, "known": 0}
        assert len(list(rows(node, "investors", {"investor_ids": [investor]}))) == 1
        node.forget(client_id)


def test_ten_thousand_rows_come_whole_and_alike(both: list[Node]) -> None:
    run = uuid.uuid4().hex[:8]
    wanted = [f"many-{run}-{number}" for number in range(MANY)]
    for first in range(0, MANY, AT_ONCE):
        investors = [{"investor_id": one} for one in wanted[first : first + AT_ONCE]]
        start_and_wait(
            both[0],
            client_id=fresh(),
            operation="register_investors",
            arguments={"investors": investors},
            timeout_seconds=60,
            forget=True,
        )
    over_http, over_py4j = [list(rows(node, "investors", {})) for node in both]
    assert over_http == over_py4j
    assert {row["investor_id"] for row in over_http} >= set(wanted)
    assert len(over_http) == len({row["investor_id"] for row in over_http})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(["execution_ids", "custodian", "investor_id", "amount", "page", "size", "asset", ""]) | st.text(),
    JSON,
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(arguments=ARGUMENTS, query=st.sampled_from(["balances", "investors", "fills", "states", "x"]) | st.text())
def test_hostile_queries_are_answered_alike(both: list[Node], query: str, arguments: dict[str, Any]) -> None:
    over_http, over_py4j = each(both, lambda node: node.query(query, arguments))
    assert over_http == over_py4j
    if isinstance(over_http, tuple):
        assert over_http[0] != "INTERNAL"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(arguments=ARGUMENTS, operation=st.sampled_from(["announce_funds", "redeem_coins", "transfer_security"]))
def test_hostile_starts_are_refused_alike(both: list[Node], operation: str, arguments: dict[str, Any]) -> None:
    over_http, over_py4j = each(both, lambda node: node.start(operation, fresh(), arguments))
    assert over_http == over_py4j
    assert isinstance(over_http, tuple)
    assert over_http[0] != "INTERNAL"


def test_a_wrong_token_is_refused_alike(local: LocalNetwork) -> None:
    access = local.network.access(MEMBER)
    strangers: list[HttpNode | Py4jNode] = [
        HttpNode(url=access.http_url, token=Token("not-the-token"), timeout_seconds=30.0),
        Py4jNode(host=access.py4j_host, port=access.py4j_port, token=Token("not-the-token")),
    ]
    for stranger in strangers:
        assert answer(stranger.node) == ("NO_TOKEN", None)
        stranger.close()


def test_a_node_that_dies_in_mid_call_is_told_alike_and_found_again(local: LocalNetwork, both: list[Node]) -> None:
    client_id, investor = fresh(), f"door-{uuid.uuid4().hex[:12]}"
    both[0].start("register_investors", client_id, {"investors": [{"investor_id": investor}]})
    assert both[0].result(client_id, wait_millis=30_000).status == "done"
    told: list[Any] = [None, None]

    def ask(number: int) -> None:
        told[number] = answer(lambda: waits_for(both[number]))

    threads = [threading.Thread(target=ask, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    local.network.kill(MEMBER)
    try:
        for thread in threads:
            thread.join(timeout=60)
        assert told == [("NODE_DOWN", None), ("NODE_DOWN", None)]
        # The bridge tells the caller before its own look at the node has come back.
        for node in both:
            await_connecting(node)
    finally:
        local.network.up()
    for node in both:
        await_node(node, timeout_seconds=BACK_SECONDS)
        assert node.result(client_id, wait_millis=30_000).result == {"registered": 1, "known": 0}


def test_a_node_that_stands_still_keeps_nobody_waiting_at_either_door(local: LocalNetwork, both: list[Node]) -> None:
    investors = each(both, lambda node: node.query("investors", {"page": 1, "size": 1}))
    still = local.network.process(MEMBER, bridge=False)
    still.signal(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(len(both)) as asks:
            told = list(asks.map(lambda node: answer(lambda: node.query("investors", {"page": 1, "size": 1})), both))
    finally:
        still.signal(signal.SIGCONT)
    # The bridge stops to wait for this call, or finds at its next ping that nobody is there: whichever comes first.
    assert all(one in {("NODE_TIMEOUT", None), ("NODE_DOWN", None)} for one in told), told
    for node in both:
        await_node(node, timeout_seconds=BACK_SECONDS)
    assert each(both, lambda node: node.query("investors", {"page": 1, "size": 1})) == investors


def waits_for(node: Node) -> Any:
    """Ask again and again until the node is gone: what is refused in mid-call is refused in the next as well."""
    while True:
        node.query("investors", {"page": 1, "size": 200})


def await_connecting(node: Node) -> None:
    """Until the bridge says that it has no node."""
    deadline = time.monotonic() + BACK_SECONDS
    while node.health().status != "connecting":
        assert time.monotonic() < deadline, "the bridge still believes that it has its node"
        time.sleep(0.1)
