"""Custodian B stalls and withholds; the honest side's own agent puts an end to it, without anybody's help."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ippon.agent.store import Store
from ippon.demo.agents import Agents, Market
from ippon.model import FillStatus
from ippon.report.desk import desk_faults
from liars.stage import HONEST, ISSUER, LIAR, NAMES, PLATFORM, SECURITY, Stage, eventually

TIMERS = {"reconcile_seconds": 10, "pending_poll_seconds": 1, "pending_grace_seconds": 1, "transient_cap_seconds": 5}
PATIENCE_SECONDS = 180.0
LEFT_SESSIONS = 20


@pytest.fixture
def agent(stage: Stage) -> Iterator[Agents]:
    """The agent of the honest custodian, and of nobody else."""
    agents = Agents(stage.local)
    member = stage.local.member(HONEST)
    assert member
    agents.configure(Market((PLATFORM,), (SECURITY,)), timers=TIMERS)
    agents.start_one(member)
    yield agents
    agents.stop()


def held(stage: Stage, execution_id: str) -> list[str]:
    """How the honest custodian's node is bound by a fill."""
    return [row["kind"] for row in stage.ask(HONEST, "pending") if execution_id in row["execution_ids"]]


def assert_busy(stage: Stage, execution_id: str) -> None:
    """Nothing is signed or reserved for a fill a second time, while the first may still settle."""
    result = stage.settle(execution_id, seller=LIAR)
    assert (result["outcome"], result["cause"]) == ("REFUSED", "SESSION_BUSY"), result


def test_a_seller_when_it_stalls_or_withholds_finality_costs_time_and_nothing_else(stage: Stage, agent: Agents) -> None:
    before, earlier = stage.holdings(), settled_so_far(stage)
    stalled, withheld, unnotarised, other = (stage.fill(seller=LIAR) for _ in range(4))
    stalling = stage.liars.order(LIAR, "StallAsSeller", stalled)
    eventually(lambda: held(stage, stalled) == ["SESSION"])
    assert_busy(stage, stalled)
    told_nobody = stage.liars.tell(LIAR, "WithholdFinality", unnotarised, "NEVER_NOTARISES")
    assert held(stage, unnotarised) == ["SIGNED"]
    assert_busy(stage, unnotarised)
    told_some = stage.liars.tell(LIAR, "WithholdFinality", withheld, "TELLS_ISSUERS")
    assert held(stage, withheld) == ["SIGNED"]
    # Meanwhile nobody else is held up.
    leaving = stage.liars.order(LIAR, "LeaveAsSeller", other, str(LEFT_SESSIONS))
    assert stage.settle(other, seller=LIAR)["outcome"] == "SETTLED"

    # Killed: the stalling seller is cut off, and what was reserved for it is free.
    (cut_off,) = stage.liars.hear(stalling, timeout_seconds=PATIENCE_SECONDS)
    assert (cut_off["who"], cut_off["code"]) == (NAMES[HONEST], "ENDED")
    # So are sessions that were opened and left, before anything was reserved for them.
    left = stage.liars.hear(leaving, timeout_seconds=PATIENCE_SECONDS)
    assert [(one["who"], one["code"]) for one in left] == [(NAMES[HONEST], "ENDED")] * LEFT_SESSIONS
    # Asked for: what others have is recorded here too.
    eventually(lambda: stage.status(HONEST, withheld) is FillStatus.SETTLED, timeout_seconds=PATIENCE_SECONDS)
    (row,) = stage.ask(HONEST, "fills", execution_ids=[withheld])
    assert row["ended_by"] == told_some
    # Taken back: what nobody has can never settle any more.
    eventually(lambda: not stage.ask(HONEST, "pending"), timeout_seconds=PATIENCE_SECONDS)
    (late,) = stage.liars.lie(LIAR, "NotariseWithheld", told_nobody)
    assert (late.code, late.signed) == ("NOTARY_CONFLICT", False)

    for one in (stalled, unnotarised):
        stage.settles(one, seller=LIAR)
    moved = {key: stage.holdings()[key] - total for key, total in before.items() if key[0] == HONEST}
    assert moved[HONEST, f"{stage.prefix}B", SECURITY] == 4 * 10
    assert moved[HONEST, f"{stage.prefix}B", "yen"] == -4 * 1_000
    assert_desk_well(stage, agent, earlier)


def settled_so_far(stage: Stage) -> set[str]:
    """What the honest custodian has on record as settled, by flows of other tests: there was no agent to try it."""
    return {row["execution_id"] for row in stage.ask(HONEST, "fills") if row["status"] == FillStatus.SETTLED}


def assert_desk_well(stage: Stage, agents: Agents, earlier: set[str]) -> None:
    """I7, I8, I10 and I11 on the honest custodian's desk, which hears of the last settlement a moment later."""
    untried = {f"{NAMES[HONEST]}: I7 {one} is settled, but of its 0 tries none say so" for one in earlier}
    member = stage.local.member(HONEST)
    assert member
    store = Store.open(agents.folder(member).store_url, migrate=False)
    try:
        node = stage.nodes[HONEST, "reader"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while faults := set(desk_faults(store, node, organisation=member.name)) - untried:
            assert time.monotonic() < deadline, faults
            time.sleep(1.0)
    finally:
        store.close()


def test_a_seller_when_it_withholds_finality_is_found_out_by_asking_the_issuer(stage: Stage) -> None:
    fill = stage.fill(seller=LIAR)
    transaction_id = stage.liars.tell(LIAR, "WithholdFinality", fill, "TELLS_ISSUERS")
    eventually(lambda: stage.recorded("coin", transaction_id))
    found = stage.run(HONEST, "ask_outcome", transaction_id=transaction_id)
    assert found["outcome"] == "RECORDED"
    assert f"O={ISSUER}" in found["from"]
    stage.rest()
    stage.settles(stage.fill(seller=LIAR), seller=LIAR)
