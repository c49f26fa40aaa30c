"""The exchange agent's end of a drop copy: orders and fills by FIX become files in the agent's inbox.

    message → row → orders-*.csv, fills-*.csv in the inbox, on the disk → only now it counts as taken

Whatever breaks before that, the venue sends it again; the agent knows a row that comes twice. A message that makes no
row is set aside with its reason and answered by a BusinessMessageReject.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fixcore.application import Application
from fixcore.message import Message as FixMessage
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.store.base import MessageStore
from fixcore.store.factory import StoreFactory
from pydantic import BaseModel, ConfigDict, Field

from ippon.configuration import read_configuration
from ippon.errors import BadRequest, IpponError
from ippon.model import FillNotice
from ippon.model import Order as OrderRow
from ippon.node import Token, read_token
from ippon.venue.drops import write_whole
from ippon.venue.fix import tags
from ippon.venue.fix.answers import MAX_TEXT, Answer, plain
from ippon.venue.fix.copies import TELLS_FILL, TELLS_ORDER, read_fill, read_order_row
from ippon.venue.fix.engine import Initiator
from ippon.venue.fix.line import BEGIN_STRING, Silent
from ippon.venue.fix.store import SessionStore
from ippon.venue.records import fills_csv, orders_csv

LOGON = "A"


class ReceiverSettings(BaseModel):
    """Where the drop copy comes from and goes to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)]
    venue_comp_id: str = "VENUE"
    comp_id: str
    password_file: Path
    state_dir: Path
    exchange_inbox_dir: Path
    reconnect_seconds: Annotated[int, Field(ge=1, le=3_600)] = 2
    heartbeat_seconds: Annotated[int, Field(ge=1, le=3_600)] = 30
    flush_millis: Annotated[int, Field(ge=1, le=10_000)] = 20
    """How long rows are gathered for one file."""


def load_receiver_settings(path: Path) -> ReceiverSettings:
    """The settings of a JSON file, relative paths beside it; BadSettings says which key is wrong."""
    found = read_configuration(path, ReceiverSettings)
    names = ("password_file", "state_dir", "exchange_inbox_dir")
    return found.model_copy(update={name: path.parent.absolute() / getattr(found, name) for name in names})


class Receiver(Application):
    """See the module. Everything happens in the event loop's thread.

    Attributes:
        answers: to send; failure: what went wrong in here, after which nothing may count as taken.
    """

    def __init__(self, settings: ReceiverSettings) -> None:
        self.store = SessionStore(settings.state_dir / f"{settings.comp_id}.sqlite", acts_late=True)
        self.answers: list[Answer] = []
        self.failure: Exception | None = None
        self._settings = settings
        self._password: Token = read_token(settings.password_file)
        self._orders: list[OrderRow] = []
        self._fills: list[FillNotice] = []
        self._aside: list[dict[str, str | None]] = []
        self._first = 0

    def to_admin(self, message: FixMessage, session_id: SessionID) -> None:  # noqa: ARG002
        """Log on with name and password."""
        if message.msg_type == LOGON:
            message.set_field(tags.USERNAME, self._settings.comp_id)
            message.set_field(tags.PASSWORD, self._password.reveal())

    def from_app(self, message: FixMessage, session_id: SessionID) -> None:  # noqa: ARG002
        """Keep the row for the next file, or set the message aside. It counts as taken at the next `flush`."""
        self._first = self._first or int(message.get(tags.MSG_SEQ_NUM))
        try:
            self._keep(message)
        except (IpponError, KeyError) as problem:
            self._set_aside(message, problem)
        except Exception as problem:
            # The engine would go on, and the next flush would count a lost fill as taken.
            self.failure = problem
            raise

    def _keep(self, message: FixMessage) -> None:
        if message.msg_type == tags.TRADE_CAPTURE_REPORT:
            self._fills.append(read_fill(message))
        elif message.msg_type != tags.EXECUTION_REPORT:
            raise BadRequest(f"Messages of type {message.msg_type} are not taken here.", field="tag 35")
        elif message.get(tags.EXEC_TYPE) in TELLS_ORDER:
            self._orders.append(read_order_row(message))
        elif message.get(tags.EXEC_TYPE) in TELLS_FILL:
            raise BadRequest("Fills are taken from TradeCaptureReports.", field="tag 150")

    def flush(self) -> int:
        """Put what was gathered into the inbox and count it as taken; how many rows."""
        rows = len(self._orders) + len(self._fills)
        if rows or self._aside:
            last = self.store.next_target_msg_seq_num() - 1
            stem = f"{self._settings.venue_comp_id}-{self._first:08}-{last:08}.csv"
            inbox = self._settings.exchange_inbox_dir
            # Orders first: the agent checks a fill against both its orders.
            if self._orders:
                write_whole(inbox / f"orders-{stem}", orders_csv(self._orders))
            if self._fills:
                write_whole(inbox / f"fills-{stem}", fills_csv(self._fills))
            if self._aside:
                text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in self._aside)
                write_whole(self._settings.state_dir / "aside" / f"{self._first:08}-{last:08}.jsonl", text.encode())
        self.store.acted()
        self._orders, self._fills, self._aside, self._first = [], [], [], 0
        return rows

    def _set_aside(self, message: FixMessage, problem: Exception) -> None:
        code, field = getattr(problem, "code", "BAD_REQUEST"), getattr(problem, "field", None)
        reason = getattr(problem, "message", f"{problem} is missing")
        exec_id = message.get(tags.EXEC_ID)
        number = message.get(tags.MSG_SEQ_NUM)
        self._aside.append({"number": number, "execution_id": exec_id, "code": code, "field": field, "reason": reason})
        self.answers.append(
            Answer(tags.BUSINESS_MESSAGE_REJECT).put(
                {
                    tags.REF_SEQ_NUM: number,
                    tags.REF_MSG_TYPE: message.msg_type,
                    tags.BUSINESS_REJECT_REASON: "0",
                    tags.TEXT: plain(f"{code}: {reason} (execution {exec_id}, field {field})")[:MAX_TEXT],
                }
            )
        )


class _OneStore(StoreFactory):
    def __init__(self, store: MessageStore) -> None:
        self._store = store

    def create(self, session_id: SessionID) -> MessageStore:  # noqa: ARG002
        return self._store


async def receive(
    settings: ReceiverSettings, *, stop: threading.Event, flushed: Callable[[int], None] = lambda _: None
) -> None:
    """Take the drop copy until told to stop; a line that is cut is dialled again."""
    receiver = Receiver(settings)
    session_id = SessionID(BEGIN_STRING, settings.comp_id, settings.venue_comp_id)
    engine = SessionSettings()
    for key, value in {
        "ConnectionType": "initiator",
        "SocketConnectHost": settings.host,
        "SocketConnectPort": str(settings.port),
        "ReconnectInterval": str(settings.reconnect_seconds),
        "HeartBtInt": str(settings.heartbeat_seconds),
        "UseDataDictionary": "Y",
        "DataDictionary": "FIX44.xml",
    }.items():
        engine.set_default(key, value)
    engine.set_session(session_id, {})
    try:
        async with Initiator(engine, receiver, _OneStore(receiver.store), Silent()) as initiator:
            session = initiator.sessions[session_id]
            while not stop.is_set():
                await asyncio.sleep(settings.flush_millis / 1000)
                if receiver.failure is not None:
                    raise receiver.failure
                flushed(receiver.flush())
                answers, receiver.answers = receiver.answers, []
                for answer in answers:
                    if session.is_logged_on:
                        await session.send_app(answer)
        if receiver.failure is None:
            receiver.flush()
    finally:
        receiver.store.shut()
