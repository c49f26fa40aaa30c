"""The next version of the CorDapps, signed by the same key, works over what the version before has put on the ledger.

One node after the other, while the others work on. `make test` upgrades the seller's custodian alone and settles with a
buyer's of the version before; `make drills` all of them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from chaos.stage import BUYER, SELLER, Stage
from drills.life import Life, facts
from drills.play import SETTLE_SECONDS, trade, well
from ippon.errors import Unavailable
from ippon.node import HttpNode, rows, start_and_wait
from ippon.upkeep.upgrade import Upgraded, upgrade
from ippon_network.errors import UpgradeRefused
from ippon_network.settings import NetworkSettings

DRAIN_SECONDS = 60
EVERY = os.environ.get("IPPON_DRILLS") == "all"


@pytest.fixture(scope="module")
def parts() -> Path:
    """The CorDapps as their next version, by the same key in `next`, by another one in `stranger`."""
    found = NetworkSettings().build_dir / "drill-parts"
    assert (found / "next" / "cordapps").is_dir(), "run toolchain/gradle.sh drillParts first"
    return found


@pytest.fixture(scope="module")
def day_old(stage: Stage) -> Life:
    """Units issued, routes shared and a fill notified by the version before, waiting for coins."""
    trade(stage)
    life = Life(stage)
    life.owe()
    return life


def put_onto(stage: Stage, node: str, parts: Path) -> Upgraded:
    """The node on the next version, and its fills settle."""
    result = upgrade(stage.local, node, parts, drain_seconds=DRAIN_SECONDS, say=lambda _: None)
    assert {one["version"] for one in result.cordapps if one["name"].startswith("ippon")} == {str(result.before + 1)}
    return result


def test_a_custodian_when_upgraded_settles_old_fills_with_one_that_is_not(
    stage: Stage, parts: Path, day_old: Life, tmp_path: Path
) -> None:
    before = facts(stage)
    put_onto(stage, SELLER, parts / "next")
    assert facts(stage) == before
    # Fill, units and route of the old version; the transaction by the new one, checked by old and new.
    day_old.pay_up()
    if EVERY:
        # What the new version has made is spent, moved and redeemed by the old one.
        Life(stage).go_on()
    well(stage, tmp_path)


def test_jars_by_another_key_are_refused_and_change_nothing(stage: Stage, parts: Path) -> None:
    with pytest.raises(UpgradeRefused, match="not signed by the key"):
        upgrade(stage.local, BUYER, parts / "stranger", drain_seconds=DRAIN_SECONDS, say=lambda _: None)
    assert stage.local.network.process(BUYER).alive
    assert not stage.local.network.maintenance(BUYER).status()["draining"]


@pytest.mark.skipif(not EVERY, reason="make drills upgrades all nodes")
@pytest.mark.parametrize("node", ["asset", "coin", "exchange", BUYER])
def test_the_others_follow_one_by_one(stage: Stage, parts: Path, node: str, day_old: Life) -> None:
    assert day_old.settled
    put_onto(stage, node, parts / "next")
    trade(stage)


@pytest.mark.skipif(not EVERY, reason="make drills upgrades all nodes")
def test_when_all_are_upgraded_everything_goes_on(stage: Stage, tmp_path: Path) -> None:
    Life(stage).go_on()
    well(stage, tmp_path)


@pytest.mark.skipif(not EVERY, reason="make drills puts a stranger's jars in by force")
def test_a_stranger_s_jars_put_in_by_force_settle_nothing(stage: Stage, parts: Path, tmp_path: Path) -> None:
    member = stage.local.member(SELLER)
    assert member
    stage.agents.stop_one(member)
    execution_id = stage.trade()
    own = tmp_path / "own"
    shutil.copytree(stage.local.network.folder(SELLER).cordapps, own)
    force(stage, parts / "stranger" / "cordapps")
    with stage.local.node(member, "agent") as node:
        await_fill(node, execution_id)
        result = settle_by_hand(node, execution_id)
    assert (result["outcome"], result["cause"]) == ("REFUSED", "UNEXPECTED_ATTACHMENT")
    assert "not signed by the key" in result["message"]
    force(stage, own)
    stage.agents.start_one(member)
    stage.settle(execution_id, timeout_seconds=SETTLE_SECONDS)
    well(stage, tmp_path)


def force(stage: Stage, cordapps: Path) -> None:
    """Jars into the seller's node, as somebody might by hand who does not look at who has signed them."""
    network = stage.local.network
    network.stop(SELLER, bridge=False)
    network.replace_cordapps(SELLER, cordapps)
    network.start(SELLER)


def await_fill(node: HttpNode, execution_id: str) -> None:
    """The venue has told it, and the bridge has found its node again."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        with contextlib.suppress(Unavailable):
            if list(rows(node, "fills", {"execution_ids": [execution_id]})):
                return
        assert time.monotonic() < deadline, f"{execution_id} has not come"
        time.sleep(0.5)


def settle_by_hand(node: HttpNode, execution_id: str) -> dict[str, Any]:
    """The result of one try."""
    answer = start_and_wait(
        node,
        client_id=f"test:stranger:{execution_id}",
        operation="settle_fills",
        arguments={"execution_ids": [execution_id]},
        timeout_seconds=120,
        forget=True,
    )
    result: dict[str, Any] = answer["results"][0]
    return result
