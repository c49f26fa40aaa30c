"""A simulator that finds nothing may be blind: planted bugs must be found, and the agents without them must pass."""

from collections.abc import Callable

import pytest

from ippon.simulator.play import Stage
from simulator.mutants import MUTANTS

SEEDS = 500
FILLS = 24


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


def found_at(stage: Stage) -> int | None:
    """The first seed that something is wrong with."""
    return next((seed for seed in range(1, SEEDS + 1) if stage.play(seed, fills=FILLS).violations), None)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_when_seeds_are_played_then_one_of_them_finds_it_and_passes_without_it(
    stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    with monkeypatch.context() as patch:
        MUTANTS[name](patch)
        seed = found_at(stage)
    assert seed is not None, f"{name} was not found in {SEEDS} seeds"
    record_property("found_at_seed", seed)
    # The control: that very seed, and all before it, which the mutant passed, hold without the mutant.
    assert stage.play(seed, fills=FILLS).violations == ()
