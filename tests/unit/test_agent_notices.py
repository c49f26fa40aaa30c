"""What the node tells its own side, when a notice of a lower number is committed after one of a higher."""

from pathlib import Path
from typing import Any

import pytest

from ippon.agent import view
from ippon.model import DeskState, Reason
from unit.agent_world import World, fill_values, notify, two_custodians

A, B = "Custodian A", "Custodian B"
FILL = "EX-1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The buyer's desk has the fill; nobody has tried it, and no notice is there yet."""
    world = two_custodians(World(tmp_path))
    notify(world.ledger, fill_values(1))
    world.run(B, steps=1)
    return world


def told(world: World, *notices: tuple[str, str, int | None], hidden: int | None = None) -> None:
    """The node's notices of B in order; one of them is not visible yet."""
    rows: list[dict[str, Any]] = world.ledger.notices[B]
    rows.clear()
    for kind, reason, missing in notices:
        world.ledger.note(B, kind, FILL, reason, missing=missing)
    if hidden is not None:
        del rows[hidden - 1]
    world.ledger.sequence += 1
    world.run(B, steps=2)


def desk(world: World) -> tuple[DeskState, Reason | None, int | None]:
    (fill,) = view.settlements(world.stores[B])
    return fill.state, fill.reason, fill.missing


def test_a_late_notice_when_a_later_one_was_read_then_it_has_not_the_last_word(world: World) -> None:
    notices = (("SHORTAGE", "MONY", 6000), ("ROUTE_NEEDED", "CONF", None))
    told(world, *notices, hidden=1)
    assert desk(world) == (DeskState.WAITING, Reason.CONF, None)
    told(world, *notices)
    assert desk(world) == (DeskState.WAITING, Reason.CONF, None)
    assert [one.sequence for one in view.notices(world.stores[B])] == [1, 2]
    # It lacked that all the same, and nothing has covered it.
    assert [(one.missing, one.state) for one in view.shortages(world.stores[B])] == [(6000, "open")]


def test_a_late_shortage_when_a_later_one_was_read_then_the_later_amount_stands(world: World) -> None:
    notices = (("SHORTAGE", "MONY", 6000), ("SHORTAGE", "MONY", 2000))
    told(world, *notices, hidden=1)
    told(world, *notices)
    assert desk(world) == (DeskState.WAITING, Reason.MONY, 2000)
    assert [one.missing for one in view.shortages(world.stores[B])] == [2000]


def test_a_late_notice_when_nothing_was_told_after_it_about_its_fill_then_it_is_shown(world: World) -> None:
    notices = (("COUNTERPARTY_SHORT", "CLAC", None), ("SHORTAGE", "MONY", 500))
    told(world, *notices, hidden=2)
    assert desk(world) == (DeskState.WAITING, Reason.CLAC, None)
    told(world, *notices)
    assert desk(world) == (DeskState.WAITING, Reason.MONY, 500)
