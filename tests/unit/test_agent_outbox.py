"""Messages about many fills or investors: no flow takes more than so many, and none is left out."""

from pathlib import Path

import pytest
from sqlalchemy import select

from ippon.agent.outbox import Outbox
from ippon.agent.tables import Outbox as OutboxRow
from unit.agent_world import World, two_custodians

B, MOST = "Custodian B", 100


@pytest.fixture
def world(tmp_path: Path) -> World:
    return two_custodians(World(tmp_path))


def messages(world: World, *batches: list[str]) -> list[list[str]]:
    """The ids of each message, after these were put in one after the other."""
    outbox = Outbox(world.tools(B))
    with world.stores[B].write() as session:
        for ids in batches:
            outbox.add_ids(
                session, operation="announce_funds", destination="Custodian A", field="execution_ids", ids=ids
            )
        return [row.arguments["execution_ids"] for row in session.scalars(select(OutboxRow).order_by(OutboxRow.number))]


def ids(first: int, last: int) -> list[str]:
    return [f"EX-{number}" for number in range(first, last)]


def test_ids_when_they_are_too_many_for_one_flow_then_they_go_in_several(world: World) -> None:
    assert messages(world, ids(0, 250)) == [ids(0, 100), ids(100, 200), ids(200, 250)]


def test_ids_when_a_message_waits_then_they_fill_it_up_first(world: World) -> None:
    assert messages(world, ids(0, 60), ids(50, 130)) == [ids(0, MOST), ids(MOST, 130)]


def test_ids_when_all_of_them_wait_already_then_nothing_is_added(world: World) -> None:
    assert messages(world, ids(0, 20), ids(5, 10)) == [ids(0, 20)]
