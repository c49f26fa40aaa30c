"""A node put back to an old backup loses nothing and does nothing twice, whether its agent is put back with it or not.

`make test` restores one node, another each day; `make drills` each of them, both ways.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chaos.stage import BUYER, SELLER, Stage
from chaos.wellness import await_rest
from drills.life import Life, facts
from drills.play import backed_up_together, lose, restored, trade, well

NODES = (BUYER, SELLER, "coin", "exchange", "asset")
EVERY = os.environ.get("IPPON_DRILLS") == "all"


def cases() -> list[tuple[str, bool]]:
    """Node, and whether its agent's store is kept."""
    every = [(node, kept) for kept in (True, False) for node in NODES]
    return every if EVERY else [every[datetime.now(UTC).toordinal() % len(every)]]


@pytest.fixture(scope="module")
def backups(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each node as it was at one moment; then life goes on, so that all of them are behind."""
    trade(stage)
    folder = tmp_path_factory.mktemp("backups")
    return backed_up_together(stage, {node for node, _ in cases()}, folder)


@pytest.fixture(scope="module")
def life(stage: Stage, backups: dict[str, Path]) -> Life:
    """What happened since; every backup is behind it."""
    assert backups
    return Life(stage).go_on()


@pytest.mark.parametrize(
    ("node", "kept"), cases(), ids=[f"{node}, agent {'kept' if kept else 'restored'}" for node, kept in cases()]
)
def test_a_node_when_restored_is_as_if_nothing_had_been(
    stage: Stage, backups: dict[str, Path], life: Life, tmp_path: Path, node: str, kept: bool
) -> None:
    await_rest(stage)
    before = facts(stage)
    if not kept:
        lose(stage, node)
    restored(stage, node, backups[node], keep_agent=kept)
    if not kept:
        # What came as files since is not in the agent's store any more: whoever sent it sends it again.
        life.send_again(node)
    await_rest(stage)
    assert facts(stage) == before
    well(stage, tmp_path)
