"""Both doors of a real bridge: the same answers, the same refusals, and one client id whichever door asks."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from ippon.errors import IpponError
from ippon.local import LocalNetwork, Right
from ippon.node import HttpNode, Py4jNode, Token, rows

Client = Callable[[str, Right], HttpNode]


@pytest.fixture
def gateway(local: LocalNetwork) -> Iterator[Py4jNode]:
    """The py4j door of custodian A."""
    access = local.network.access("custodian-a")
    token = Token(access.py4j_token.get_secret_value())
    node = Py4jNode(host=access.py4j_host, port=access.py4j_port, token=token)
    yield node
    node.close()


def test_both_doors_when_asked_who_is_there_say_the_same(gateway: Py4jNode, node: Client) -> None:
    over_http = node("custodian-a", "agent").node()
    over_py4j = gateway.node()
    assert (over_py4j.name, over_py4j.notary, over_py4j.network) == (
        over_http.name,
        over_http.notary,
        over_http.network,
    )


@pytest.mark.parametrize("name", ["investors", "routes", "pending"])
def test_both_doors_when_queried_answer_the_same_rows(gateway: Py4jNode, node: Client, name: str) -> None:
    assert list(rows(gateway, name, {})) == list(rows(node("custodian-a", "agent"), name, {}))


def test_both_doors_when_an_argument_is_wrong_refuse_with_code_and_field(gateway: Py4jNode, node: Client) -> None:
    refusals = []
    for door in (gateway, node("custodian-a", "agent")):
        with pytest.raises(IpponError) as refused:
            door.start("settle_fills", f"test:doors:{uuid.uuid4()}", {"execution_ids": 7})
        refusals.append((refused.value.code, refused.value.field))
    assert refusals[0] == refusals[1]
    assert refusals[0][0] == "BAD_REQUEST"


def test_a_flow_started_at_one_door_is_answered_at_the_other(gateway: Py4jNode, node: Client) -> None:
    client_id = f"test:doors:{uuid.uuid4()}"
    investor = f"door-{uuid.uuid4().hex[:12]}"
    gateway.start("register_investors", client_id, {"investors": [{"investor_id": investor}]})
    http = node("custodian-a", "agent")
    answer = http.result(client_id, wait_millis=30_000)
    assert answer.status == "done"
    assert answer.result == {"registered": 1, "known": 0}
    # The same id again reattaches: nothing is registered a second time, and the answer is the first one.
    http.start("register_investors", client_id, {"investors": [{"investor_id": investor}]})
    assert http.result(client_id, wait_millis=30_000).result == {"registered": 1, "known": 0}
    assert http.forget(client_id)


def test_the_py4j_door_with_a_wrong_token_answers_no_token(local: LocalNetwork) -> None:
    access = local.network.access("custodian-a")
    stranger = Py4jNode(host=access.py4j_host, port=access.py4j_port, token=Token("not-the-token"))
    with pytest.raises(IpponError) as refused:
        stranger.health()
    assert refused.value.code == "NO_TOKEN"
    stranger.close()
