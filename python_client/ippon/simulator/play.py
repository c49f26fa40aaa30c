"""One seed from its first file to its verdict, and many seeds on two processes."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from ippon.agent.agent import Agent
from ippon.simulator.checks import over, violations
from ippon.simulator.day import Day, make_day
from ippon.simulator.faults import Faults
from ippon.simulator.store import Disk
from ippon.simulator.world import ROLES, AgentMaker, World

FILLS = 200
MAX_CALM_SECONDS = 1800
"""I12: how long after the last fault everything that can settle must have settled."""
SEEDS_AT_ONCE = 5
MEMORY = Path("/dev/shm")  # noqa: S108
Trace = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a seed ended.

    Attributes:
        violations: what must be true and is not; empty when all is well.
        calm_seconds: from the last fault until everything was over.
        settled: fills settled. faults: how often each fault happened.
    """

    seed: int
    violations: tuple[str, ...]
    calm_seconds: int
    settled: int
    faults: dict[str, int] = field(default_factory=dict)


class Stage:
    """The databases of five agents, emptied for each seed."""

    def __init__(self) -> None:
        self._disks = {name: Disk() for name in ROLES}

    def play(
        self,
        seed: int,
        *,
        fills: int = FILLS,
        faulty: bool = True,
        trace: Trace = lambda _: None,
        make_agent: AgentMaker = Agent,
    ) -> Verdict:
        """Play one seed."""
        with self._folder() as folder, _no_collection():
            faults = Faults(Random(seed * 3 + 2), on=faulty)  # noqa: S311
            world = World(
                seed=seed, faults=faults, disks=self._disks, folder=Path(folder), trace=trace, make_agent=make_agent
            )
            day = make_day(Random(seed * 3), fills=fills)  # noqa: S311
            world.play(day)
            seconds = _calm(world, day)
            found = violations(world, day)
            for line in found:
                world.trace(f"VIOLATION {line}")
            members = world.network.members.values()
            settled = {one for m in members for one, kept in m.fills.items() if m.status(kept) == "SETTLED"}
            world.trace(
                f"over after {seconds} calm seconds, {len(settled)} of {fills} settled, {len(found)} violations"
            )
        return Verdict(
            seed=seed, violations=tuple(found), calm_seconds=seconds, settled=len(settled), faults=dict(faults.counts)
        )

    def _folder(self) -> AbstractContextManager[str]:
        return tempfile.TemporaryDirectory(prefix="ippon-sim-", dir=MEMORY if MEMORY.is_dir() else None)


def _calm(world: World, day: Day) -> int:
    began = world.moment
    while (seconds := int((world.moment - began).total_seconds())) < MAX_CALM_SECONDS:
        world.calm_round()
        if over(world, day):
            break
    return seconds


@contextmanager
def _no_collection() -> Iterator[None]:
    """What a seed leaves behind is collected after it: to look for it all the while takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def play_many(seeds: Sequence[int], *, fills: int = FILLS, jobs: int = 1) -> Iterator[Verdict]:
    """Play seeds, in order, on so many processes."""
    if jobs == 1:
        yield from _play_part(list(seeds), fills)
        return
    parts = [list(seeds[first : first + SEEDS_AT_ONCE]) for first in range(0, len(seeds), SEEDS_AT_ONCE)]
    with ProcessPoolExecutor(jobs) as pool:
        for verdicts in pool.map(_play_part, parts, [fills] * len(parts)):
            yield from verdicts


def _play_part(seeds: list[int], fills: int) -> list[Verdict]:
    stage = _stage_of(os.getpid())
    verdicts = [stage.play(seed, fills=fills) for seed in seeds]
    gc.collect()
    return verdicts


@cache
def _stage_of(process: int) -> Stage:  # noqa: ARG001
    """One for each process: a fork must not share its parent's databases."""
    stage = Stage()
    # What is there by now stays, and need not be looked through after each part.
    gc.freeze()
    return stage
