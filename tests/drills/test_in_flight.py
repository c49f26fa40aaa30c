"""A backup taken in the middle of a settlement: what its node was doing then is done no second time and holds nothing.

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
from drills.play import SETTLE_SECONDS, backed_up, restored, trade, well

REACH_SECONDS = 60.0
NAMES = ("notary to be asked", "reserved", "signed by seller", "signed by registrar")


def points() -> list[Point]:
    """Where the backup is taken: by one that asks the notary, holds units, holds coins, has signed."""
    if os.environ.get("IPPON_DRILLS") != "all":
        return []
    return [point for name in NAMES for point in POINTS if point.name == name]


@pytest.mark.parametrize("point", points(), ids=lambda point: point.name)
def test_a_settlement_under_way_when_the_backup_was_taken_settles_once(
    stage: Stage, tmp_path: Path, point: Point
) -> None:
    with stage.debugger(point.node).breakpoint(point.method) as here:
        execution_id = stage.trade()
        here.wait(timeout_seconds=REACH_SECONDS)
        stage.local.network.kill(point.node)
        here.go_on()
        while stage.local.network.process(point.node).alive:
            time.sleep(0.1)
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
