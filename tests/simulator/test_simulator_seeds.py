"""The first five hundred seeds of the simulator: part of `make test`; the first twenty are part of `make check`.

`make simulate SEEDS=5000` plays more of them, from the same first one; `IPPON_SIMULATOR_SEEDS=5000` does it here.
"""

import os

from ippon.simulator.play import MAX_CALM_SECONDS, play_many

SEEDS = int(os.environ.get("IPPON_SIMULATOR_SEEDS", "500"))
FILLS = 200
JOBS = 2


def test_seeds_of_two_hundred_fills_when_faults_stop_then_all_holds() -> None:
    verdicts = list(play_many(range(1, SEEDS + 1), fills=FILLS, jobs=JOBS))
    assert {verdict.seed: verdict.violations for verdict in verdicts if verdict.violations} == {}
    assert len(verdicts) == SEEDS
    assert max(verdict.calm_seconds for verdict in verdicts) < MAX_CALM_SECONDS
    # A simulator whose faults never happen proves nothing.
    faults = {name for verdict in verdicts for name in verdict.faults}
    assert len(faults) >= 20
