"""A fill settles once and everything is well, whatever is killed, paused or cut off wherever it is on its way.

`make test` plays a few cases, others each day; `make chaos` all of them, and writes docs/reliability.md's table.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chaos.cases import Case, all_cases, sample
from chaos.faults import strike
from chaos.stage import Stage
from chaos.wellness import assert_tries, assert_well, await_rest
from ippon.report.allowed import load_allowed
from ippon.report.visible import read_node, sight_of

SAMPLE_SIZE = 3
REACH_SECONDS = 60.0
SETTLE_SECONDS = 240.0
RESULTS = "IPPON_CHAOS_RESULTS"
"""A file to which each case adds a JSON line; with it, all cases are played."""


def cases() -> list[Case]:
    return all_cases() if os.environ.get(RESULTS) else sample(datetime.now(UTC).date(), SAMPLE_SIZE)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_fill_settles_once_when_a_fault_strikes(stage: Stage, case: Case, tmp_path: Path) -> None:
    try:
        noted = play(stage, case, tmp_path)
    except BaseException as problem:
        note(case, {"outcome": f"failed: {problem}"[:300]})
        raise
    note(case, {"outcome": "settled once", **noted})


def test_a_node_when_all_faults_are_over_holds_only_what_it_may_see(stage: Stage) -> None:
    network, allowed = stage.local.network, load_allowed()
    sights = {key: sight_of(network, key, read_node(network, key), allowed=allowed) for key in network.topology.nodes}
    assert {key: sight.faults for key, sight in sights.items() if sight.faults} == {}


def play(stage: Stage, case: Case, folder: Path) -> dict[str, Any]:
    """One case; the figures for its line of the table."""
    with stage.debugger(case.point.node).breakpoint(case.point.method) as here:
        execution_id = stage.trade()
        here.wait(timeout_seconds=REACH_SECONDS)
        strike(stage, case.fault, case.process, here.go_on)
    begun = time.monotonic()
    stage.settle(execution_id, timeout_seconds=SETTLE_SECONDS)
    settled = time.monotonic() - begun
    await_rest(stage)
    rested = time.monotonic() - begun
    tries = assert_tries(stage, execution_id)
    assert_well(stage, folder)
    # The next honest settlement goes through as if nothing had been.
    stage.settle(stage.trade(), timeout_seconds=SETTLE_SECONDS)
    return {"tries": tries, "settled_seconds": round(settled, 1), "well_seconds": round(rested, 1)}


def note(case: Case, noted: dict[str, Any]) -> None:
    """A line for the table."""
    path = os.environ.get(RESULTS)
    if not path:
        return
    line = {"point": case.point.name, "process": str(case.process), "fault": case.fault, **noted}
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
