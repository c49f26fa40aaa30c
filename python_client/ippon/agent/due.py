"""One look at the store that says what there is to do, so that an idle agent costs next to nothing.

Each flag is a little broader than the condition of the pass that it opens: leases and limits are that pass's matter.
"""

from dataclasses import dataclass, fields

from sqlalchemy import Date, bindparam, exists, select

from ippon.agent.decide import TOKYO
from ippon.agent.shortages import ANNOUNCED, OPEN
from ippon.agent.tables import (
    InboxFile,
    Moment,
    Outbox,
    Settlement,
    Shortage,
    Start,
    TrustOrder,
    VenueFill,
    word,
    words,
)
from ippon.agent.tools import Tools
from ippon.model import Asset, DeskState, InstructionStatus, Reason

_NOW = bindparam("now", type_=Moment())
_TODAY = bindparam("today", type_=Date())
_WAITS = Settlement.state == word(DeskState.WAITING)
_OPEN = Settlement.state.in_(words(state for state in DeskState if not state.ended))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What there is.

    Attributes:
        starts: flows promised and due, running, or ended and not forgotten.
        doubts: unknown fills to ask the ledger about.
        ready: fills whose next try is due.
        messages: messages in the outbox that are due.
        receipts: files whose receipt on disk is old.
        lacking: fills that wait for units. unrouted: fills that wait for a route. short: buyers short of coins.
        late: fills past their day that are not flagged yet.
        instructed: trust instructions open on the ledger. payable: those that the coin issuer may decide now.
        noticed: venue fills whose notice is in doubt.
    """

    starts: bool
    doubts: bool
    ready: bool
    messages: bool
    receipts: bool
    lacking: bool
    unrouted: bool
    short: bool
    late: bool
    instructed: bool
    payable: bool
    noticed: bool


_CONDITIONS = {
    "starts": exists().where(
        Start.state.in_(words(("started", "ended"))) | ((Start.state == word("committed")) & (Start.not_before <= _NOW))
    ),
    "doubts": exists().where(Settlement.state == word(DeskState.UNKNOWN), Settlement.next_try_at <= _NOW),
    "ready": exists().where(
        Settlement.state.in_(words((DeskState.CHECKED, DeskState.WAITING))), Settlement.next_try_at <= _NOW
    ),
    "messages": exists().where(Outbox.state == word("pending"), Outbox.next_try_at <= _NOW),
    "receipts": exists().where(InboxFile.version > InboxFile.written),
    "lacking": exists().where(_WAITS, Settlement.reason == word(Reason.LACK)),
    "unrouted": exists().where(_WAITS, Settlement.reason == word(Reason.CONF)),
    "short": exists().where(Shortage.asset.in_(words(Asset)), Shortage.state.in_(words((OPEN, ANNOUNCED)))),
    "late": exists().where(Settlement.settle_date < _TODAY, Settlement.failing.is_(False), _OPEN),
    "instructed": exists().where(TrustOrder.status == word(InstructionStatus.OPEN)),
    "payable": exists().where(
        TrustOrder.status == word(InstructionStatus.OPEN),
        TrustOrder.doing.is_(None),
        TrustOrder.next_try_at.is_(None) | (TrustOrder.next_try_at <= _NOW),
    ),
    "noticed": exists().where(VenueFill.state == word("unknown")),
}
_NAMES = [field.name for field in fields(Due)]
_LOOK = select(*(_CONDITIONS[name].label(name) for name in _NAMES))


class Look:
    """What there is to do, within one step."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._found: Due | None = None
        self._written = 0

    def afresh(self) -> Due:
        """What there is to do now."""
        now = self._tools.now()
        with self._tools.store.look() as connection:
            found = connection.execute(_LOOK, {"now": now, "today": now.astimezone(TOKYO).date()}).one()
        self._found = Due(**dict(zip(_NAMES, map(bool, found), strict=True)))
        self._written = self._tools.store.written
        return self._found

    def again(self) -> Due:
        """The same later in the step: looked up only if this worker has written meanwhile."""
        return self._found if self._found is not None and self._holds() else self.afresh()

    def perhaps_receipts(self) -> bool:
        """Whether a receipt may be due; False is certain as far as this worker goes."""
        return self._found is None or self._found.receipts or not self._holds()

    def _holds(self) -> bool:
        return self._written == self._tools.store.written
