"""The first seeds of the simulator, about 90 s on two idle cores: part of `make test`, not of `make check`.

`make simulate SEEDS=500` plays more of them, from the same first one; `IPPON_SIMULATOR_SEEDS=500` does it here.
"""

import os

from ippon.simulator.play import MAX_CALM_ROUNDS, play_many

SEEDS = int(os.environ.get("IPPON_SIMULATOR_SEEDS", "40"))
FILLS = 200
JOBS = 2


def test_seeds_of_two_hundred_fills_when_faults_stop_then_all_holds() -> None:
    verdicts = list(play_many(range(1, SEEDS + 1), fills=FILLS, jobs=JOBS))
    assert {verdict.seed: verdict.violations for verdict in verdicts if verdict.violations} == {}
    assert len(verdicts) == SEEDS
    assert max(verdict.calm_rounds for verdict in verdicts) < MAX_CALM_ROUNDS
    # A simulator whose faults never happen proves nothing.
    faults = {name for verdict in verdicts for name in verdict.faults}
    assert len(faults) >= 20
