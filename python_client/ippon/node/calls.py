"""What every caller of a node does: read all pages of a query, start a flow and wait for its end."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from ippon.errors import BadAnswer, NodeDown, Refusal, WaitOver
from ippon.node.protocol import MAX_PAGE_SIZE, MAX_WAIT_MILLIS, Json, Node

MAX_PAGES = 100_000
_LOOK_SECONDS = 0.5


def rows(node: Node, name: str, arguments: Json, *, page_size: int = MAX_PAGE_SIZE) -> Iterator[dict[str, Any]]:
    """All rows of a query, page by page.

    Rows that move while the pages are read may be missed or come twice; who cannot bear that asks again.
    """
    for number in range(1, MAX_PAGES + 1):
        page = node.query(name, {**arguments, "page": number, "size": page_size})
        yield from page.rows
        if len(page.rows) < page_size or number * page_size >= page.total:
            return
    raise BadAnswer(f"The query {name} has more than {MAX_PAGES} pages.")


def await_node(
    node: Node,
    *,
    timeout_seconds: float,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until a bridge has its node: it opens its doors before it has found it. Raises NodeDown."""
    deadline = monotonic() + timeout_seconds
    while (health := node.health()).status != "up":
        if monotonic() > deadline:
            raise NodeDown(f"The bridge of {health.organisation} has found no node in {timeout_seconds:.0f} s.")
        sleep(_LOOK_SECONDS)


def start_and_wait(
    node: Node,
    *,
    client_id: str,
    operation: str,
    arguments: Json,
    timeout_seconds: float,
    forget: bool = False,
    monotonic: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Start a flow under its client id, or find it again, and wait for its result.

    For people and tests; agents commit their starts first (`ippon.agent.starts`).

    Returns: the flow's result.
    Raises: the flow's own refusal; WaitOver when it has not ended in time (it goes on, and the same call finds it).
    """
    node.start(operation, client_id, arguments)
    until = monotonic() + timeout_seconds
    while True:
        left_millis = max(0, int((until - monotonic()) * 1000))
        flow = node.result(client_id, min(left_millis, MAX_WAIT_MILLIS))
        if flow.status == "unknown":
            raise Refusal(f"The node knows no flow {client_id} any more.", code="FLOW_UNKNOWN")
        if flow.status != "running":
            break
        if left_millis == 0:
            raise WaitOver(f"{operation} {client_id} has not ended within {timeout_seconds} s; it goes on.")
    if forget:
        node.forget(client_id)
    if flow.status == "failed":
        raise flow.refusal()
    return flow.result or {}
