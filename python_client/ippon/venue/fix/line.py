"""One counterparty of the FIX door: its store, and what waits to be said to it, in order, there or not."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from fixcore.log.base import Log, LogFactory
from fixcore.message import Message as FixMessage
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.store.base import MessageStore
from fixcore.store.factory import StoreFactory

from ippon.node import Token
from ippon.venue.fix import tags
from ippon.venue.fix.answers import Answer
from ippon.venue.fix.store import SessionStore
from ippon.venue.settings import FixPeer

BEGIN_STRING = "FIX.4.4"
_FIELDS_ONCE = ("D", "F", "G")


class Line:
    """See the module."""

    def __init__(self, peer: FixPeer, *, venue: str, password: Token, store: SessionStore, max_queued: int) -> None:
        self.peer = peer
        self.password = password
        self.store = store
        self.broker = peer.broker or peer.comp_id
        self.session_id = SessionID(BEGIN_STRING, venue, peer.comp_id)
        self.repeated: dict[str, str] = {}
        """Tags that stand twice in a message that has not been acted on, by its sequence number."""
        self._numbers: dict[str, int] = defaultdict(int)
        self._waiting: deque[Answer] = deque()
        self._wake = asyncio.Event()
        self._max_queued = max_queued

    def next_cursor(self, day: str) -> tuple[str, int] | None:
        """The number of the next message of a day's stream; None when the store has said it already."""
        self._numbers[day] += 1
        number = self._numbers[day]
        return (day, number) if number > self.store.said(day) else None

    def say(self, answer: Answer) -> None:
        """Send it after what waits already."""
        self._waiting.append(answer)
        self._wake.set()

    def flush(self) -> None:
        """Give everything that waits its number now; its counterparty asks for it at the next Logon."""
        while self._waiting:
            self._store_only(self._waiting.popleft())

    async def run(self, find_session: Callable[[SessionID], Session | None]) -> None:
        """Send what waits, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                session = find_session(self.session_id)
                if len(self._waiting) > self._max_queued and session is not None:
                    await session.disconnect()
                await self._send(session)

    async def _send(self, session: Session | None) -> None:
        answer = self._waiting[0]
        if session is not None and session.is_logged_on:
            # What is stored and did not arrive is asked for again at the next Logon.
            with suppress(OSError, RuntimeError):
                await session.send_app(answer)
        if self._waiting and self._waiting[0] is answer:
            self._waiting.popleft()
            if not answer.stored:
                self._store_only(answer)

    def _store_only(self, answer: Answer) -> None:
        """What the engine does when it sends, but for the sending. No await: nothing can come in between."""
        if answer.stored:
            return
        number = self.store.next_sender_msg_seq_num()
        header = {
            8: BEGIN_STRING,
            49: self.session_id.sender_comp_id,
            56: self.session_id.target_comp_id,
            tags.MSG_SEQ_NUM: str(number),
            52: datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S"),
        }
        for tag, value in header.items():
            answer.header.set(tag, value)
        self.store.cursor, answer.stored = answer.cursor, True
        self.store.set(number, answer.encode())


class Stores(StoreFactory):
    """Gives the engine the store of a line."""

    def __init__(self, lines: dict[str, Line]) -> None:
        self._lines = lines

    def create(self, session_id: SessionID) -> MessageStore:
        """See `StoreFactory`."""
        return self._lines[session_id.target_comp_id].store


class Silent(LogFactory, Log):
    """A log that keeps nothing: a Logon has a password in it."""

    def create(self, session_id: SessionID) -> Log:  # noqa: ARG002
        """See `LogFactory`."""
        return self

    def on_incoming(self, message: str) -> None:
        """Nothing."""

    def on_outgoing(self, message: str) -> None:
        """Nothing."""

    def on_event(self, text: str) -> None:
        """Nothing."""


class Watches(LogFactory):
    """Gives the engine a log that keeps nothing and sees everything."""

    def __init__(self, lines: dict[str, Line]) -> None:
        self._lines = lines

    def create(self, session_id: SessionID) -> Log:
        """See `LogFactory`."""
        return Watch(self._lines[session_id.target_comp_id])


class Watch(Silent):
    """Sees each message as it came, before the engine makes one field out of two of the same tag."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def on_incoming(self, message: str) -> None:
        """Note a tag that stands twice."""
        seen: dict[str, str] = {}
        twice = ""
        for part in message.split("|"):
            tag, _, value = part.partition("=")
            if tag in seen:
                twice = twice or tag
            seen.setdefault(tag, value)
        if twice and seen.get("35") in _FIELDS_ONCE:
            self._line.repeated[seen.get("34", "")] = twice


def was_repeated(line: Line, message: FixMessage) -> str | None:
    """The tag that stood twice in a message."""
    return line.repeated.pop(message.get(tags.MSG_SEQ_NUM), None)
