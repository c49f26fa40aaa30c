"""After a node was restored: rows of files are done again, the last of each id, and end as they had ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ippon.agent.again import send_again
from ippon.agent.inbox import drop
from ippon.agent.tables import Event, InboxRow
from unit.agent_world import NOON, World

B = "Custodian B"
INVESTORS = "investor_id,coin_investor_id\nINV-1,\n"
ROUTES = "investor_id,institution_code,method\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.add(B, "custodian")
    sent(world, "investors-1.csv", INVESTORS)
    sent(world, "routes-1.csv", ROUTES + "INV-1,SC,BANK\n")
    sent(world, "routes-2.csv", ROUTES + "INV-1,SC,COIN\n")
    return world


def sent(world: World, name: str, content: str) -> None:
    drop(inbox_dir=world.settings[B].inbox_dir, name=name, content=content.encode())
    world.run(B, steps=6)


def operations(world: World) -> list[str]:
    return [operation for operation, _ in world.nodes[B].started]


def test_the_last_row_of_each_id_is_done_again(world: World) -> None:
    before = operations(world)
    assert send_again(world.stores[B], since=NOON - timedelta(days=1), now=world.clock.now()) == 2
    assert world.receipt(B, "routes-2.csv").rows[0].status == "accepted"
    world.restart(B)
    world.run(B, steps=6)
    again = operations(world)[len(before) :]
    assert again.count("register_investors") == 1
    assert again.count("register_funds_route") == 1
    for name in ("investors-1.csv", "routes-1.csv", "routes-2.csv"):
        assert [row.status for row in world.receipt(B, name).rows] == ["accepted"], name
    ids = [client_id for _, client_id in world.nodes[B].started]
    assert len(set(ids)) == len(ids)


def test_what_was_read_before_is_left(world: World) -> None:
    assert send_again(world.stores[B], since=world.clock.now() + timedelta(seconds=1), now=world.clock.now()) == 0
    with world.stores[B].read() as session:
        assert {row.status for row in session.scalars(select(InboxRow))} == {"accepted"}
        assert not session.scalars(select(Event).where(Event.kind == "sent_again")).all()


def test_it_is_in_the_event_log(world: World) -> None:
    send_again(world.stores[B], since=NOON, now=world.clock.now())
    with world.stores[B].read() as session:
        told = session.scalars(select(Event).where(Event.kind == "sent_again")).one()
    assert told.detail["rows"] == 2
