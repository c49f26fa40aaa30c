"""What must be so after each fault: I1 to I6 by the proof's own program, the rest by desks beside the ledger."""

from __future__ import annotations

import time
from pathlib import Path

from chaos.stage import Stage, custodians
from ippon.demo.main import prove_apart
from ippon.errors import Unavailable
from ippon.node import rows
from ippon.report.desk import desk_faults

QUIET_TIMEOUT_SECONDS = 150.0
MOST_TRIES = 8
_POLL_SECONDS = 0.5


def await_rest(stage: Stage) -> float:
    """Wait until no node holds anything for anybody and no agent has anything to do; in seconds."""
    begun = time.monotonic()
    while found := _unrest(stage):
        assert time.monotonic() - begun < QUIET_TIMEOUT_SECONDS, f"not at rest: {found}"
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - begun


def assert_well(stage: Stage, folder: Path) -> None:
    """I1 to I6 over all vaults and the statement; I7, I8, I10 and I11 on every desk."""
    proof = prove_apart(stage.local, folder / "snapshot.json")
    assert proof.quiet
    assert [one.code for one in proof.invariants if not one.passed] == []
    for key in custodians(stage):
        member = stage.local.member(key)
        assert member
        with stage.local.node(member, "reader") as node:
            assert desk_faults(stage.floor.store(key), node, organisation=member.name) == []


def assert_tries(stage: Stage, execution_id: str) -> int:
    """I12: it settled within a stated number of tries."""
    stand = stage.stand(execution_id)
    assert stand
    assert stand.tries <= MOST_TRIES, f"{execution_id} took {stand.tries} tries"
    return stand.tries


def _unrest(stage: Stage) -> list[str]:
    found = []
    for member in stage.local.members:
        with stage.local.node(member, "reader") as node:
            try:
                found += [f"{member.key}: {row}" for row in rows(node, "pending", {}) if row["kind"] != "DROPPED"]
            except Unavailable as problem:
                # A bridge finds its node again a moment after the node has come back.
                found.append(f"{member.key}: {problem.code}")
    return found
