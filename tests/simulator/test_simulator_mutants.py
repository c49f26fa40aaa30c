"""A simulator that finds nothing may be blind: planted bugs must be found, and the agents without them must pass."""

from collections.abc import Callable

import pytest

from ippon.simulator.play import Stage
from simulator.mutants import MUTANTS

SEEDS = 500
FILLS = 24
FOUND_AT = {
    **{"retry": 1, "unknown": 1, "generation": 1, "announcement": 1, "dedupe": 5, "shortage": 5, "lease": 6},
    **{"clock": 22, "notice": 90},
}
"""The first seed that found it. A change of agents or day moves it: then it is looked for from the first seed on."""


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


def found_at(stage: Stage, name: str) -> int | None:
    """A seed that something is wrong with."""
    seeds = [FOUND_AT[name], *range(1, SEEDS + 1)]
    return next((seed for seed in seeds if stage.play(seed, fills=FILLS).violations), None)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_when_seeds_are_played_then_one_of_them_finds_it_and_passes_without_it(
    stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    with monkeypatch.context() as patch:
        MUTANTS[name](patch)
        seed = found_at(stage, name)
    assert seed is not None, f"{name} was not found in {SEEDS} seeds"
    record_property("found_at_seed", seed)
    # The control: that very seed holds without the mutant.
    assert stage.play(seed, fills=FILLS).violations == ()
