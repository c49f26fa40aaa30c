"""Sequence numbers and sent messages of one FIX session, in SQLite, so that no message is lost whatever breaks when.

    out   message, its sequence number and how far the day's stream is said with it: one transaction
    in    a number counts as taken only when the message has been acted on; before that a restart asks for it again

So a report that the journal makes again is put into the store once, and an order whose process died under it is sent
again by the broker's engine, which the market knows by its client order id.
"""

from datetime import UTC, datetime
from pathlib import Path

from fixcore.store.base import MessageStore
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.event import listen

_META = MetaData()
_SENT = Table(
    "sent", _META, Column("number", Integer, primary_key=True), Column("message", LargeBinary, nullable=False)
)
_CURSOR = Table("stream", _META, Column("day", String, primary_key=True), Column("said", Integer, nullable=False))
_STATE = Table(
    "session",
    _META,
    Column("id", Integer, primary_key=True),
    Column("next_sender", Integer, nullable=False),
    Column("next_target", Integer, nullable=False),
    Column("created_at", String, nullable=False),
)
MAX_KEPT_MESSAGES = 200_000


class SessionStore(MessageStore):
    """See the module. All calls are made in the thread of the event loop and end before the next begins.

    Attributes:
        acts_late: several messages are acted on together; none counts as taken before `acted` says so.
    """

    def __init__(self, path: Path, *, acts_late: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._acts_late = acts_late
        self._engine: Engine = create_engine(f"sqlite:///{path}")
        listen(self._engine, "connect", _durable)
        _META.create_all(self._engine)
        self.cursor: tuple[str, int] | None = None
        """Said with the message that is stored next; set by whoever sends it."""
        with self._engine.begin() as connection:
            now = datetime.now(UTC).isoformat()
            first = insert(_STATE).values(id=1, next_sender=1, next_target=1, created_at=now)
            connection.execute(first.on_conflict_do_nothing())
            row = connection.execute(select(_STATE)).one()
            self._created_at = datetime.fromisoformat(row.created_at)
            self._next_sender, self._next_target = int(row.next_sender), int(row.next_target)
            self._kept_target = self._next_target
            oldest = row.next_sender - MAX_KEPT_MESSAGES
            connection.execute(delete(_SENT).where(_SENT.c.number < oldest))

    # ---- out

    def get(self, begin_seq: int, end_seq: int) -> list[bytes]:
        """See `MessageStore`."""
        wanted = select(_SENT.c.message).where(_SENT.c.number.between(begin_seq, end_seq)).order_by(_SENT.c.number)
        with self._engine.connect() as connection:
            return list(connection.scalars(wanted))

    def set(self, seq_num: int, message: bytes) -> None:
        """Store a message, take its number, and move the stream's cursor."""
        cursor, self.cursor = self.cursor, None
        with self._engine.begin() as connection:
            # A Logon may hold a password, and is never sent again.
            if b"\x0135=A\x01" not in message:
                row = insert(_SENT).values(number=seq_num, message=message)
                connection.execute(row.on_conflict_do_update(index_elements=["number"], set_={"message": message}))
            connection.execute(update(_STATE).values(next_sender=seq_num + 1))
            if cursor is not None:
                said = insert(_CURSOR).values(day=cursor[0], said=cursor[1])
                connection.execute(said.on_conflict_do_update(index_elements=["day"], set_={"said": cursor[1]}))
        self._next_sender = seq_num + 1

    def said(self, day: str) -> int:
        """How many reports of a day's stream are in the store."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(_CURSOR.c.said).where(_CURSOR.c.day == day)) or 0)

    def next_sender_msg_seq_num(self) -> int:
        """See `MessageStore`."""
        return self._next_sender

    def incr_next_sender_msg_seq_num(self) -> None:
        """Nothing: `set` has taken the number."""

    def set_next_sender_msg_seq_num(self, seq_num: int) -> None:
        """See `MessageStore`."""
        self._next_sender = seq_num
        with self._engine.begin() as connection:
            connection.execute(update(_STATE).values(next_sender=seq_num))

    # ---- in

    def next_target_msg_seq_num(self) -> int:
        """See `MessageStore`."""
        return self._next_target

    def incr_next_target_msg_seq_num(self) -> None:
        """The message is about to be acted on; those before it have been."""
        if not self._acts_late:
            self._keep_target(self._next_target)
        self._next_target += 1

    def set_next_target_msg_seq_num(self, seq_num: int) -> None:
        """See `MessageStore`."""
        self._next_target = seq_num
        self._keep_target(seq_num)

    def acted(self) -> None:
        """The last message has been acted on."""
        self._keep_target(self._next_target)

    def _keep_target(self, number: int) -> None:
        if number == self._kept_target:
            return
        with self._engine.begin() as connection:
            connection.execute(update(_STATE).values(next_target=number))
        self._kept_target = number

    # ---- all

    def get_creation_time(self) -> datetime:
        """See `MessageStore`."""
        return self._created_at

    def set_creation_time(self, when: datetime) -> None:
        """See `MessageStore`."""
        self._created_at = when
        with self._engine.begin() as connection:
            connection.execute(update(_STATE).values(created_at=when.isoformat()))

    def reset(self) -> None:
        """Numbers begin again at 1; the stream's cursor stays, since what was said was said."""
        now = datetime.now(UTC)
        with self._engine.begin() as connection:
            connection.execute(delete(_SENT))
            connection.execute(update(_STATE).values(next_sender=1, next_target=1, created_at=now.isoformat()))
        self._created_at, self._next_sender, self._next_target, self._kept_target = now, 1, 1, 1

    def refresh(self) -> None:
        """Nothing: nobody else writes."""

    def close(self) -> None:
        """Nothing: the store outlives its connections. See `shut`."""

    def shut(self) -> None:
        """Let the file go."""
        self._engine.dispose()


def _durable(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
