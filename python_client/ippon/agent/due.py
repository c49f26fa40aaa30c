"""One look at the store that says what there is to do, so that an idle agent costs next to nothing.

Each flag is a little broader than the condition of the pass that it opens: leases and limits are that pass's matter.
"""

from dataclasses import dataclass, fields

from sqlalchemy import Date, bindparam, exists, select

from ippon.agent.decide import TOKYO
from ippon.agent.tables import InboxFile, Moment, Outbox, Settlement, Shortage, Start, TrustOrder, VenueFill
from ippon.agent.tools import Tools
from ippon.model import DeskState, InstructionStatus, Reason

_NOW = bindparam("now", type_=Moment())
_TODAY = bindparam("today", type_=Date())
_WAITS = Settlement.state == DeskState.WAITING.value
_ENDED = [state.value for state in DeskState if state.ended]


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
        Start.state.in_(("started", "ended")) | ((Start.state == "committed") & (Start.not_before <= _NOW))
    ),
    "doubts": exists().where(Settlement.state == DeskState.UNKNOWN.value, Settlement.next_try_at <= _NOW),
    "ready": exists().where(
        Settlement.state.in_((DeskState.CHECKED.value, DeskState.WAITING.value)), Settlement.next_try_at <= _NOW
    ),
    "messages": exists().where(Outbox.state == "pending", Outbox.next_try_at <= _NOW),
    "receipts": exists().where(InboxFile.version > InboxFile.written),
    "lacking": exists().where(_WAITS, Settlement.reason == Reason.LACK.value),
    "unrouted": exists().where(_WAITS, Settlement.reason == Reason.CONF.value),
    "short": exists().where(Shortage.state != "covered"),
    "late": exists().where(
        Settlement.settle_date < _TODAY, Settlement.failing.is_(False), Settlement.state.not_in(_ENDED)
    ),
    "instructed": exists().where(TrustOrder.status == InstructionStatus.OPEN.value),
    "payable": exists().where(
        TrustOrder.status == InstructionStatus.OPEN.value,
        TrustOrder.doing.is_(None),
        TrustOrder.next_try_at.is_(None) | (TrustOrder.next_try_at <= _NOW),
    ),
    "noticed": exists().where(VenueFill.state == "unknown"),
}
_LOOK = select(*(_CONDITIONS[field.name].label(field.name) for field in fields(Due)))


def look(tools: Tools) -> Due:
    """What there is to do now."""
    now = tools.now()
    with tools.store.read() as session:
        found = session.connection().execute(_LOOK, {"now": now, "today": now.astimezone(TOKYO).date()}).one()
    return Due(**{name: bool(flag) for name, flag in found._mapping.items()})
