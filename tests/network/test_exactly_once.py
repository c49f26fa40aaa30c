"""A fill settles once, however often it is sent again: in files, at the bridge, by fresh flows, with agents doubled.

`make test` sends a few; `make exactly-once` sends 500 fills 10,000 times more (the two settings below).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from chaos.stage import BUYER, ORDER_COLUMNS, QUANTITY, SECURITY, SELLER, Stage, line_of
from ippon.demo.agents import Agents
from ippon.demo.local_floor import LocalFloor
from ippon.demo.run import base36
from ippon.errors import IpponError
from ippon.local import LocalNetwork, Right
from ippon.model import DeskState, FillStatus
from ippon.node import HttpNode, rows, start_and_wait
from network.conftest import Day

FILLS = int(os.environ.get("IPPON_ONCE_FILLS", "10"))
RESENDS = int(os.environ.get("IPPON_ONCE_RESENDS", "150"))
ROWS_PER_FILE = 50
AT_ONCE = 8
TIMEOUT_SECONDS = 3_600.0
DOUBLED = ("exchange", SELLER)
ANSWERED = frozenset({"SESSION_BUSY", "UNKNOWN_FILL", "DUPLICATE_FILL", "COUNTERPARTY_FAILED", "EXECUTION_ID_REUSED"})
"""What a repetition may be told when it meets the first one on its way."""

Client = Callable[[str, Right], HttpNode]


@pytest.fixture
def stage(local: LocalNetwork, agents: Agents, day: Day) -> Iterator[Stage]:
    """A seller and a buyer with plenty on the network of the day, and the day's agents."""
    prefix = f"o{base36(int(time.time()))}-"
    with LocalFloor(local, agents, prefix=prefix) as floor:
        stage = Stage(local, agents, floor, prefix, Path())
        stage.open_market()
        yield stage


@contextmanager
def second_agents(stage: Stage) -> Iterator[None]:
    """Somebody has started the agents of exchange and seller a second time, on the same stores."""
    doubles = []
    for key in DOUBLED:
        member = stage.local.member(key)
        assert member
        config = stage.agents.folder(member).config
        command = [sys.executable, "-m", "ippon.cli", "agent", "run", "--config", str(config)]
        doubles.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    try:
        yield
    finally:
        for one in doubles:
            assert one.poll() is None, "the second agent has died"
            one.terminate()
            one.wait(timeout=30)


def test_a_fill_settles_once_however_often_it_is_sent(stage: Stage, node: Client) -> None:
    numbers = list(range(1, FILLS + 1))
    fills = [stage.fill(number) for number in numbers]
    ids = [str(fill["execution_id"]) for fill in fills]
    units_before = sold(node, stage)
    with second_agents(stage):
        orders = [line for number in numbers for line in stage.orders(number)]
        stage.drop("exchange", f"orders-{stage.prefix}all.csv", [ORDER_COLUMNS, *orders])
        stage.drop("exchange", f"fills-{stage.prefix}all.csv", [",".join(fills[0]), *map(line_of, fills)])
        sent = resend(stage, node, fills)
        await_settled(stage, ids)
        # Once more when all is over and the agents have had their client ids forgotten.
        sent += resend(stage, node, fills, times=max(10, RESENDS // 10))
    assert min(sent[way] for way in ("file", "bridge", "flow")) >= RESENDS // 5
    for member in (SELLER, BUYER):
        found = [row for row in rows(node(member, "reader"), "fills", {}) if row["execution_id"] in set(ids)]
        assert sorted(row["execution_id"] for row in found) == sorted(ids)
        assert {row["status"] for row in found} == {FillStatus.SETTLED}
    assert units_before - sold(node, stage) == QUANTITY * FILLS


def resend(stage: Stage, node: Client, fills: list[dict[str, str | int]], times: int = RESENDS) -> Counter[str]:
    """Send fills again and again, a third of it at the same time; how often by which way."""
    chance = random.Random(7)
    sent: Counter[str] = Counter()
    flows: list[Callable[[], None]] = []
    for _ in range(times // 3):
        fill = chance.choice(fills)
        flows.append(partial(again_at_bridge, node, fill))
        flows.append(partial(again_by_fresh_flow, node, fill, settle=chance.random() < 0.5))
    sent.update(bridge=times // 3, flow=times // 3)
    for _ in range(0, times - 2 * (times // 3), ROWS_PER_FILE):
        lines = [line_of(chance.choice(fills)) for _ in range(ROWS_PER_FILE)]
        stage.drop("exchange", f"fills-{stage.prefix}{uuid.uuid4().hex}.csv", [",".join(fills[0]), *lines])
        sent["file"] += ROWS_PER_FILE
    third = len(flows) // 3
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda flow: flow(), flows[:third]))
    for flow in flows[third:]:
        flow()
    return sent


def again_at_bridge(node: Client, fill: dict[str, str | int]) -> None:
    """Under the client id that the exchange agent has used, which the node may or may not remember."""
    exchange = node("exchange", "agent")
    client_id = f"notify:{fill['execution_id']}:1"
    exchange.start("notify_fill", client_id, fill)
    exchange.result(client_id, wait_millis=30_000)


def again_by_fresh_flow(node: Client, fill: dict[str, str | int], *, settle: bool) -> None:
    """As somebody who knows nothing of what was started before."""
    member, operation, arguments = ("exchange", "notify_fill", dict(fill))
    if settle:
        member, operation, arguments = (SELLER, "settle_fills", {"execution_ids": [fill["execution_id"]]})  # type: ignore[dict-item]
    try:
        start_and_wait(
            node(member, "agent"),
            client_id=f"test:once:{uuid.uuid4()}",
            operation=operation,
            arguments=arguments,
            timeout_seconds=TIMEOUT_SECONDS,
            forget=True,
        )
    except IpponError as refused:
        if refused.code not in ANSWERED:
            raise


def await_settled(stage: Stage, ids: list[str]) -> None:
    """Until every fill is settled on its seller's desk."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while left := [one for one in ids if (stand := stage.stand(one)) is None or stand.state is not DeskState.SETTLED]:
        assert time.monotonic() < deadline, f"{len(left)} fills have not settled, {left[0]}: {stage.stand(left[0])}"
        time.sleep(0.5)


def sold(node: Client, stage: Stage) -> int:
    """What the seller still holds."""
    asked = {"asset": "UNITS", "investor_id": f"{stage.prefix}S"}
    found = list(rows(node(SELLER, "reader"), "balances", asked))
    return sum(int(row["total"]) for row in found if row["security_code"] == SECURITY)
