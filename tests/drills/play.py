"""What the drills do to a network between a backup and its restore."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from chaos.stage import Stage
from chaos.wellness import assert_well, await_rest
from ippon.upkeep.backup import back_up
from ippon.upkeep.restore import Restored, restore

SETTLE_SECONDS = 240.0


def trade(stage: Stage) -> str:
    """One fill, settled; its execution id."""
    execution_id = stage.trade()
    stage.settle(execution_id, timeout_seconds=SETTLE_SECONDS)
    return execution_id


def backed_up(stage: Stage, node: str, target: Path, *, drain_seconds: int = 30) -> Path:
    """A backup of one node and its agent."""
    back_up(stage.local, node, target, drain_seconds=drain_seconds, say=lambda _: None)
    return target


def backed_up_together(stage: Stage, nodes: Iterable[str], folder: Path) -> dict[str, Path]:
    """A backup of each of several nodes at one moment, everything stopped: quicker than one after the other."""
    nodes = sorted(nodes)
    if len(nodes) == 1:
        return {nodes[0]: backed_up(stage, nodes[0], folder / nodes[0])}
    stage.agents.stop()
    stage.local.network.down()
    backups = {node: backed_up(stage, node, folder / node) for node in nodes}
    stage.local.network.up()
    for member in stage.local.members:
        stage.agents.start_one(member)
    return backups


def lose(stage: Stage, node: str) -> None:
    """The machine of a node and its agent is gone, with everything on it."""
    member = stage.local.member(node)
    assert member
    agent = stage.agents.folder(member)
    stage.agents.stop_one(member)
    stage.local.network.stop(node)
    for gone in (stage.local.network.folder(node).root, agent.root):
        shutil.rmtree(gone)


def restored(stage: Stage, node: str, source: Path, *, keep_agent: bool) -> Restored:
    """The node put back, and every other member asked."""
    result = restore(stage.local, node, source, keep_agent=keep_agent, say=lambda _: None)
    stage.reopen()
    assert result.whole, result.unanswered
    assert [one["refusals"] for one in result.recovered if one["refused"]] == []
    return result


def well(stage: Stage, folder: Path) -> None:
    """At rest, every invariant holds, and the next fill settles as if nothing had been."""
    await_rest(stage)
    assert_well(stage, folder)
    trade(stage)
