"""Bent FIX messages, straight into a session: never a crash, never a fill but of a message that says just that."""

from __future__ import annotations

import asyncio
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from fixcore.session.session import Session
from fixcore.transport.framer import MessageFramer
from hypothesis import given, settings
from hypothesis import strategies as st

from ippon.venue.fix.gateway import acceptor_of
from ippon.venue.flow import read_flow
from ippon.venue.orders import NewOrder
from unit.venue_fix_world import PASSWORD, Fields, Venue, fix_settings, framed, order_fields
from unit.venue_world import DAY, new

TAGS = st.sampled_from(
    [1, 8, 9, 10, 11, 15, 34, 35, 38, 40, 41, 43, 44, 49, 52, 54, 55, 56, 58, 59, 60, 97, 543, 110, 453]
)
WORDS = st.sampled_from(["", "0", "1", "2", "4", "-4", "4.0", "1e3", "1000.25", "NaN", "Y", "ALPHA", "D", "F", "ZB202"])
VALUES = st.one_of(WORDS, st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12))


class Door:
    """A venue with a seller of 400 units at 1000.00, and a broker's session without a socket."""

    def __init__(self, folder: Path) -> None:
        self.venue = Venue(fix_settings(folder))
        self.venue.process.take([new("S1", "SELL", 400)])
        self.sent: list[bytes] = []
        self.cut = False
        self.taken: list[NewOrder] = []
        """New orders that went into the journal."""
        acceptor = acceptor_of(self.venue.gateway, self.venue.fix)
        self.session: Session = acceptor.add_session(self.venue.gateway.lines["ALPHA"].session_id, {})
        alpha = self.venue.gateway.lines["ALPHA"]
        self.senders = [asyncio.create_task(alpha.run(lambda _: self.session))]

    @property
    def lines(self) -> list[Any]:
        return list(self.venue.gateway.lines.values())

    async def open(self) -> None:
        async def send(raw: bytes) -> None:
            self.sent.append(raw)

        async def close() -> None:
            self.cut = True

        await self.session.on_connect(send, close)
        await self.feed(framed([*header("A", 1), (98, "0"), (108, "30"), (554, PASSWORD)]))

    async def feed(self, raw: bytes) -> None:
        await self.session.on_data(raw)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def close(self) -> None:
        await self.session.on_disconnect()
        for task in self.senders:
            task.cancel()
        await asyncio.gather(*self.senders, return_exceptions=True)
        for line in self.lines:
            line.store.shut()
        self.venue.process.close()
        journal = self.venue.process.settings.state_dir / DAY.isoformat() / "journal.csv"
        messages = [line.message for line in read_flow(journal.read_bytes())]
        self.taken = [message for message in messages if isinstance(message, NewOrder)]


def header(msg_type: str, number: int) -> Fields:
    return [(35, msg_type), (49, "ALPHA"), (56, "VENUE"), (34, str(number)), (52, "20260701-00:00:00")]


def texts(door: Door) -> list[dict[int, str]]:
    found = []
    for raw in door.sent:
        parts = [part.partition(b"=") for part in raw.split(b"\x01")[:-1]]
        found.append({int(tag): value.decode("latin-1") for tag, _, value in parts})
    return found


def play(*raws: bytes) -> tuple[Door, list[dict[int, str]]]:
    async def scene(folder: Path) -> Door:
        door = Door(folder)
        await door.open()
        for raw in raws:
            await door.feed(raw)
        await door.close()
        return door

    with tempfile.TemporaryDirectory() as folder:
        door = asyncio.run(scene(Path(folder)))
    assert door.venue.gateway.failure is None
    return door, texts(door)


def test_the_message_that_is_bent_below_is_good() -> None:
    door, answers = play(framed([*header("D", 2), *order_fields("C1")]))
    assert door.venue.process.floor.market.matches == 1
    assert [answer.get(150) for answer in answers] == [None, "0", "F"]


BENDS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), TAGS, VALUES),
        st.tuples(st.just("add"), TAGS, VALUES),
        st.tuples(st.just("drop"), TAGS, st.just("")),
    ),
    min_size=1,
    max_size=4,
)


def bent(bends: list[tuple[str, int, str]]) -> Fields:
    fields = [*header("D", 2), *order_fields("C1")]
    for kind, tag, value in bends:
        if kind == "add":
            fields.append((tag, value))
        else:
            place = next((number for number, field in enumerate(fields) if field[0] == tag), None)
            if place is not None:
                fields[place : place + 1] = [(tag, value)] if kind == "set" else []
    return fields


@settings(max_examples=120, deadline=None)
@given(bends=BENDS)
def test_an_order_bent_field_by_field_then_it_fills_only_what_it_says_and_every_refusal_names_why(
    bends: list[tuple[str, int, str]],
) -> None:
    fields = bent(bends)
    door, answers = play(framed(fields))
    market = door.venue.process.floor.market
    taken = [message for message in door.taken if message.broker == "BR-A1"]
    if taken:
        tags = [tag for tag, _ in fields]
        said = dict(fields)
        assert len(set(tags)) == len(tags), "a tag stood twice"
        assert said[35] == "D"
        assert (said[34], said[49], said[56]) == ("2", "ALPHA", "VENUE")
        (order,) = taken
        assert order.client_order_id == said[11]
        assert order.investor_id == said[1]
        assert order.buy is (said[54] == "1")
        assert order.quantity == Decimal(said[38])
        assert order.price == Decimal(said[44]) * 100
        assert said.get(40) == "2"
        assert said.get(59, "0") == "0"
        assert said.get(15, "JPY") == "JPY"
    else:
        assert market.matches == 0
    for answer in answers:
        if answer[35] in ("3", "j", "9") or answer.get(150) == "8":
            assert answer[58], "a refusal without a reason"
            assert answer.get(45) or answer.get(11) is not None, "a refusal that names no message"


@settings(max_examples=80, deadline=None)
@given(place=st.integers(0, 400), content=st.binary(min_size=1, max_size=6), cut=st.booleans())
def test_bytes_changed_anywhere_then_nothing_of_the_message_counts(place: int, content: bytes, cut: bool) -> None:
    good = framed([*header("D", 2), *order_fields("C1")])
    place %= len(good)
    changed = good[:place] if cut else good[:place] + content + good[place + len(content) :]
    delivered = MessageFramer().feed(changed)
    door, _ = play(*delivered)
    if door.venue.process.floor.market.order_of("BR-A1", "C1") is not None:
        # A checksum is a sum: what passes it is a whole message, and read as what it says by the test above.
        assert any(sum(one[:-7]) % 256 == int(one[-4:-1]) for one in delivered)


KINDS = st.sampled_from("0123456789ADFGRj")


@settings(max_examples=80, deadline=None)
@given(
    messages=st.lists(
        st.tuples(
            st.sampled_from("0123456789ADFGRj"), st.integers(0, 6), st.lists(st.tuples(TAGS, VALUES), max_size=4)
        ),
        max_size=5,
    )
)
def test_any_messages_in_any_order_then_the_session_does_not_break(
    messages: list[tuple[str, int, Fields]],
) -> None:
    door, _ = play(*(framed([*header(kind, number), *fields]) for kind, number, fields in messages))
    assert door.venue.process.floor.market.matches == 0, "none of them is a whole order"
