"""The engine's two sides, with one thing put right: a ResendRequest is answered even when it comes out of order.

Both sides may find a gap at one Logon, as after a venue was killed under load. The engine then keeps the other's
ResendRequest until its own gap is filled; an engine that does the same on the other side waits for ever. FIX 4.4 says
to answer first. This reaches into the engine, which is one reason for pinning its version.
"""

from fixcore.message import Message as FixMessage
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.transport.acceptor import SocketAcceptor
from fixcore.transport.initiator import SocketInitiator

from ippon.venue.fix import tags

RESEND_REQUEST = "2"


class PromptSession(Session):
    """A session that answers a ResendRequest before it asks for what it lacks itself."""

    async def _handle_sequenced(self, msg: FixMessage) -> None:
        number = msg.get(tags.MSG_SEQ_NUM)
        ahead = number.isascii() and number.isdigit() and int(number) > self._store.next_target_msg_seq_num()
        if msg.msg_type == RESEND_REQUEST and ahead and self.is_logged_on:
            await self._on_resend_request(msg)
        await super()._handle_sequenced(msg)


class Acceptor(SocketAcceptor):
    """The listening side."""

    def _make_session(self, sid: SessionID) -> Session:
        stores, logs = self._store_factory, self._log_factory
        return PromptSession(sid, self._settings, self._app, stores.create(sid), logs.create(sid))


class Initiator(SocketInitiator):
    """The dialling side."""

    def _make_session(self, sid: SessionID) -> Session:
        stores, logs = self._store_factory, self._log_factory
        return PromptSession(sid, self._settings, self._app, stores.create(sid), logs.create(sid))
