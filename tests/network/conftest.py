"""One network for all tests here, brought up when it is not and left up; day-1 is played on it once, as a run."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ippon.demo.agents import Agents
from ippon.demo.floor import FillStand
from ippon.demo.local_floor import LocalFloor
from ippon.demo.main import SNAPSHOT_NAME, DayPlayed, play_day
from ippon.demo.run import Run
from ippon.demo.script import Script, load_script
from ippon.local import LocalNetwork, Right
from ippon.node import HttpNode
from ippon.report.snapshot import Snapshot
from ippon_network import Network

DAY_1 = Path(__file__).resolve().parents[2] / "examples" / "day-1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs the network."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.network)


@dataclass(frozen=True)
class Day:
    """The day as it was played, and everything needed to look at it."""

    played: DayPlayed
    script: Script
    run: Run
    floor: LocalFloor
    snapshot: Snapshot
    output: Path

    def id(self, name: str) -> str:
        """An id of the files as this run has it."""
        return self.run.id(name)

    def fill(self, name: str) -> FillStand:
        """How a fill stands on its seller's desk now."""
        return self.floor.fills()[self.id(name)]


def tell(sentence: str) -> None:
    """Bootstrapping takes minutes; whoever waits wants to know, whatever pytest captures."""
    if sys.__stderr__:
        sys.__stderr__.write(sentence + "\n")


@pytest.fixture(scope="session")
def local() -> Iterator[LocalNetwork]:
    """The network, up. Agents that a test run has started end with it; nodes stay up for the next one."""
    network = LocalNetwork(Network(progress=tell))
    network.network.up()
    agents = Agents(network)
    had_agents = not agents.dead()
    yield network
    if not had_agents:
        agents.stop()


@pytest.fixture(scope="session")
def agents(local: LocalNetwork) -> Agents:
    """The agents; the `day` starts them."""
    return Agents(local)


@pytest.fixture(scope="session")
def day(local: LocalNetwork, agents: Agents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Day-1, played once."""
    output = tmp_path_factory.mktemp("day-1")
    console = Console(file=io.StringIO())
    played = play_day(local, folder=DAY_1, output_dir=lambda _: output, console=console, say=lambda _: None)
    script = load_script(DAY_1)
    report = played.report
    run = Run(report.run, script.day, script.session_ends, report.started_at)
    snapshot = Snapshot.load(output / SNAPSHOT_NAME)
    with LocalFloor(local, agents, prefix=run.prefix) as floor:
        yield Day(played, script, run, floor, snapshot, output)


@pytest.fixture(scope="session")
def node(local: LocalNetwork) -> Iterator[Callable[[str, Right], HttpNode]]:
    """Clients of the bridges, by member and right."""
    made: dict[tuple[str, Right], HttpNode] = {}

    def client(member: str, right: Right = "reader") -> HttpNode:
        if (member, right) not in made:
            found = local.member(member)
            assert found, member
            made[member, right] = local.node(found, right)
        return made[member, right]

    yield client
    for one in made.values():
        one.close()


Rows = list[dict[str, Any]]
