"""Between FIX sessions and the floor: who may log on, orders in, and the day's reports out, each exactly once.

Every report of a broker, and every fill for a drop copy, has its number in the day's stream of that counterparty. It
goes into the session's store under the next sequence number as soon as it is known, whether the counterparty is there
or not; one that was away finds a gap at its next Logon and asks for it, as FIX wants it. After a crash the journal
makes the stream again, and what the store has not said yet is said.
"""

import asyncio
import hmac
import threading
from collections.abc import Callable, Sequence

from fixcore.application import Application
from fixcore.message import Message as FixMessage
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings

from ippon.errors import BadSettings, IpponError, Refusal
from ippon.node import read_token
from ippon.venue.fix import tags
from ippon.venue.fix.answers import (
    Answer,
    answer_of,
    business_reject,
    custodian_party,
    refusal_answer,
    status_answer,
    trade_capture,
)
from ippon.venue.fix.engine import Acceptor
from ippon.venue.fix.entry import TAKEN, check_original, read_order
from ippon.venue.fix.line import BEGIN_STRING, Line, Stores, Watches, was_repeated
from ippon.venue.fix.store import SessionStore
from ippon.venue.floor import Floor
from ippon.venue.orders import Order
from ippon.venue.process import VenueProcess
from ippon.venue.reports import Report, ReportKind
from ippon.venue.settings import FixPeer, FixSettings

LOGON, REJECT = "A", "3"


class Gateway(Application):
    """See the module. Everything happens in the event loop's thread.

    Attributes:
        failure: what went wrong in here; the process must end then, since it is not known what was done.
    """

    def __init__(self, process: VenueProcess, settings: FixSettings, *, now_millis: Callable[[], int]) -> None:
        self.failure: Exception | None = None
        self._process = process
        self._settings = settings
        self._now_millis = now_millis
        self.lines: dict[str, Line] = {}
        for peer in settings.peers:
            self._add(peer)
        process.listen(self._told)

    # ---- what the engine asks and tells

    def approve(self, session_id: SessionID, logon: FixMessage) -> bool:
        """Whether a counterparty may log on: known, with its password. Anybody else is cut off without an answer."""
        line = self.lines.get(session_id.target_comp_id)
        if line is None or logon.msg_type != LOGON:
            return False
        given = logon.get(tags.PASSWORD).encode("latin-1", errors="replace")
        right = hmac.compare_digest(given, line.password.reveal().encode())
        return right and logon.get(tags.USERNAME, line.peer.comp_id) == line.peer.comp_id

    def to_admin(self, message: FixMessage, session_id: SessionID) -> None:  # noqa: ARG002
        """A session's Reject always says why in words; the engine leaves them out at times."""
        if message.msg_type == REJECT and tags.TEXT not in message:
            tag, reason = message.get(tags.REF_TAG_ID, "?"), message.get(tags.SESSION_REJECT_REASON, "?")
            message.set_field(tags.TEXT, f"Tag {tag} is not as FIX 4.4 has it (SessionRejectReason {reason}).")

    def to_app(self, message: FixMessage, session_id: SessionID) -> None:
        """A message is about to be stored; a report takes the stream's cursor with it."""
        if isinstance(message, Answer):
            self.lines[session_id.target_comp_id].store.cursor = message.cursor
            message.stored = True

    def from_app(self, message: FixMessage, session_id: SessionID) -> None:
        """An application message came. It counts as taken when this returns."""
        line = self.lines[session_id.target_comp_id]
        try:
            if self.failure is None:
                self._take(line, message)
                line.store.acted()
        except Exception as problem:
            # The engine would go on and count it as taken: the order would be lost in silence.
            self.failure = problem
            raise

    # ---- in

    def _take(self, line: Line, fix: FixMessage) -> None:
        repeated = was_repeated(line, fix)
        if line.peer.kind != "orders" or fix.msg_type not in TAKEN:
            line.say(business_reject(fix, f"Messages of type {fix.msg_type} are not taken here."))
            return
        market = self._process.floor.market
        client_order_id, original = fix.get(tags.CL_ORD_ID), fix.get(tags.ORIG_CL_ORD_ID)
        known = market.order_of(line.broker, client_order_id)
        if known is not None and "Y" in (fix.get(tags.POSS_DUP_FLAG), fix.get(tags.POSS_RESEND)):
            line.say(self._status(line, fix, known))
            return
        about = None if fix.msg_type == tags.NEW_ORDER_SINGLE else market.order_of(line.broker, original)
        try:
            if repeated is not None:
                raise Refusal(f"Tag {repeated} stands twice.", code="REPEATED_TAG", field=f"tag {repeated}")
            request = read_order(fix, broker=line.broker)
            if about is not None:
                check_original(fix, about)
        except IpponError as problem:
            exec_id = self._own_id(line, fix)
            now = self._now_millis()
            line.say(refusal_answer(fix, problem, exec_id=exec_id, order=about, at_millis=now))
            return
        self._process.take([request])

    def _status(self, line: Line, fix: FixMessage, order: Order) -> Answer:
        ids = {"client_order_id": fix.get(tags.CL_ORD_ID), "exec_id": self._own_id(line, fix)}
        return status_answer(order, **ids, at_millis=self._now_millis())

    def _own_id(self, line: Line, fix: FixMessage) -> str:
        """An ExecID of an answer that is not of the day's stream."""
        prefix = self._process.floor.market.prefix
        return f"{prefix}-{line.peer.comp_id}-S{fix.get(tags.MSG_SEQ_NUM)}-{self._now_millis()}"

    # ---- out

    def _told(self, floor: Floor, reports: Sequence[Report]) -> None:
        day = floor.day.isoformat()
        for report in reports:
            for line in self.lines.values():
                if line.peer.kind == "drop-copy":
                    self._copy(line, floor, day, report)
                elif report.broker == line.broker:
                    self._report(line, floor, day, report)

    def _report(self, line: Line, floor: Floor, day: str, report: Report) -> None:
        cursor = line.next_cursor(day)
        if cursor is not None:
            exec_id = f"{floor.market.prefix}-{line.peer.comp_id}-{cursor[1]:08}"
            line.say(answer_of(report, exec_id=exec_id, settle_date=floor.settle_date, cursor=cursor))

    def _copy(self, line: Line, floor: Floor, day: str, report: Report) -> None:
        order, fill = report.order, report.fill
        # A replacement that kept its place is under an order id that was told before.
        told = report.kind in (ReportKind.ACCEPTED, ReportKind.REPLACED) and order and report.left == order.opened
        # Each fill has two reports; the seller's stands for it.
        filled = fill is not None and order is fill.sell
        cursor = line.next_cursor(day) if told or filled else None
        if cursor is None:
            return
        if fill is not None:
            line.say(trade_capture(fill, settle_date=floor.settle_date, cursor=cursor))
        elif order is not None:
            exec_id = f"{floor.market.prefix}-{line.peer.comp_id}-{cursor[1]:08}"
            copy = answer_of(report, exec_id=exec_id, settle_date=floor.settle_date, cursor=cursor)
            copy.add_group(tags.NO_PARTY_IDS, custodian_party(order))
            line.say(copy)

    def _add(self, peer: FixPeer) -> None:
        if peer.kind == "orders" and (peer.broker or peer.comp_id) not in self._process.brokers:
            raise BadSettings(f"There is no broker for the FIX peer {peer.comp_id}.", field="fix.peers")
        if peer.comp_id in self.lines:
            raise BadSettings(f"The FIX peer {peer.comp_id} stands twice.", field="fix.peers")
        self.lines[peer.comp_id] = Line(
            peer,
            venue=self._settings.comp_id,
            password=read_token(peer.password_file),
            store=SessionStore(self._process.settings.state_dir / "fix" / f"{peer.comp_id}.sqlite"),
            max_queued=self._settings.max_queued_messages,
        )


def acceptor_of(gateway: Gateway, settings: FixSettings) -> Acceptor:
    """The engine's listening side: sessions come to be when an approved counterparty logs on."""
    engine = SessionSettings()
    for key, value in {
        "ConnectionType": "acceptor",
        "SocketAcceptHost": settings.host,
        "SocketAcceptPort": str(settings.port),
        "HeartBtInt": str(settings.heartbeat_seconds),
        "UseDataDictionary": "Y",
        "DataDictionary": "FIX44.xml",
        "ValidateFieldsOutOfRange": "Y",
    }.items():
        engine.set_default(key, value)
    engine.set_session(SessionID(BEGIN_STRING, settings.comp_id, "*"), {"AcceptorTemplate": "Y"})
    acceptor = Acceptor(engine, gateway, Stores(gateway.lines), Watches(gateway.lines))
    acceptor.template_approver = gateway.approve
    return acceptor


async def serve(
    process: VenueProcess, gateway: Gateway, settings: FixSettings, *, stop: threading.Event, ready: Callable[[], None]
) -> None:
    """Run the venue with its FIX door until told to stop; raises what went wrong in the gateway."""
    acceptor = acceptor_of(gateway, settings)
    try:
        async with acceptor:
            # A property that makes a new dictionary each time: it must be read anew at each message.
            find = lambda wanted: acceptor.sessions.get(wanted)  # noqa: E731
            senders = [asyncio.create_task(line.run(find)) for line in gateway.lines.values()]
            try:
                ready()
                while not stop.is_set() and gateway.failure is None:
                    process.step()
                    await asyncio.sleep(process.settings.idle_poll_millis / 1000)
            finally:
                for task in senders:
                    task.cancel()
                await asyncio.gather(*senders, return_exceptions=True)
    finally:
        for line in gateway.lines.values():
            if gateway.failure is None:
                line.flush()
                line.store.acted()
            line.store.shut()
    if gateway.failure is not None:
        raise gateway.failure
