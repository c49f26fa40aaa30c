"""What a step costs: an agent with nothing new must not write."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ippon.agent import view
from ippon.model import DeskState
from unit.agent_world import World, fill_values, notify, two_custodians

A, B = "Custodian A", "Custodian B"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Both desks have forty fills that wait for coins."""
    world = two_custodians(World(tmp_path))
    notify(world.ledger, *(fill_values(number) for number in range(1, 41)))
    world.run()
    return world


def test_an_agent_when_nothing_is_new_then_even_a_whole_comparison_writes_nothing(world: World) -> None:
    assert {fill.state for fill in view.settlements(world.stores[B])} == {DeskState.WAITING}
    for name in (A, B):
        database = world.stores[name].engine.url.database
        assert database is not None
        with closing(sqlite3.connect(database)) as witness:
            before = witness.execute("PRAGMA data_version").fetchone()
            for _ in range(3):
                world.clock.forward(61)
                world.agents[name].step(changed=True)
            # It changes with every change that another connection commits.
            assert witness.execute("PRAGMA data_version").fetchone() == before


def test_a_fill_when_it_is_read_again_and_has_changed_then_the_desk_follows(world: World) -> None:
    world.ledger.flow_bust_fill("Exchange", "EX-7", "error")
    world.clock.forward(61)
    world.agents[B].step(changed=True)
    states = {fill.execution_id: fill.state for fill in view.settlements(world.stores[B])}
    assert states.pop("EX-7") is DeskState.BUSTED
    assert set(states.values()) == {DeskState.WAITING}
