"""A backup taken, or a node lost, in the middle of a settlement: what it was doing is done no second time, and no less.

In its first life the node goes on and the fill settles. Put back, it wakes up amid a settlement that is over:
its counterparties have answered it long ago, and take what it sends again for the repetition that it is.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from chaos.cases import POINTS, Point
from chaos.stage import Stage
from chaos.wellness import await_rest
from drills.life import facts
from drills.play import SETTLE_SECONDS, backed_up, lose, restored, trade, well

REACH_SECONDS = 60.0
FINISH_SECONDS = 400.0
BACKED_UP_AT = ("notary to be asked", "reserved", "signed by seller", "signed by registrar")
"""One that asks the notary, holds units, holds coins, has signed."""
LOST_AT = ("signed by seller", "notarised", "recorded by some")
"""Before the notary, right after it (nobody has the settlement on record), and when some have it."""


def points(names: tuple[str, ...]) -> list[Point]:
    """Points by name; `make test` leaves them out."""
    if os.environ.get("IPPON_DRILLS") != "all":
        return []
    return [point for name in names for point in POINTS if point.name == name]


def kill_at(stage: Stage, point: Point) -> str:
    """Trade a fill, and kill the node that stands at the point when it gets there; the execution id."""
    with stage.debugger(point.node).breakpoint(point.method) as here:
        execution_id = stage.trade()
        here.wait(timeout_seconds=REACH_SECONDS)
        stage.local.network.kill(point.node)
        here.go_on()
        while stage.local.network.process(point.node).alive:
            time.sleep(0.1)
    return execution_id


@pytest.mark.parametrize("point", points(BACKED_UP_AT), ids=lambda point: point.name)
def test_a_settlement_under_way_when_the_backup_was_taken_settles_once(
    stage: Stage, tmp_path: Path, point: Point
) -> None:
    execution_id = kill_at(stage, point)
    backup = backed_up(stage, point.node, tmp_path / "backup")
    stage.local.network.start(point.node)
    stage.settle(execution_id, timeout_seconds=SETTLE_SECONDS)
    trade(stage)
    await_rest(stage)
    before = facts(stage)
    restored(stage, point.node, backup, keep_agent=True)
    await_rest(stage)
    assert facts(stage) == before
    well(stage, tmp_path)


@pytest.mark.parametrize("point", points(LOST_AT), ids=lambda point: point.name)
def test_a_node_lost_in_the_middle_of_a_settlement_has_it_settled_once(
    stage: Stage, tmp_path: Path, point: Point
) -> None:
    backup = backed_up(stage, point.node, tmp_path / "backup")
    execution_id = kill_at(stage, point)
    lose(stage, point.node)
    restored(stage, point.node, backup, keep_agent=False)
    stage.settle(execution_id, timeout_seconds=FINISH_SECONDS)
    well(stage, tmp_path)
