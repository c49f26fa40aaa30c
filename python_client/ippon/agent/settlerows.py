"""Fills and their tries as rows: the statements of `settle`, built once."""

from sqlalchemy import bindparam, insert, or_, select, update

from ippon.agent.startrows import COMMITTED, STARTED
from ippon.agent.tables import Attempt, Moment, Settlement, Start, word, words
from ippon.model import DeskState, Side

HANDLER = "settle"
READY_STATES = (DeskState.CHECKED, DeskState.WAITING)
SELLING = (Side.SELL, Side.BOTH)
_ONE = update(Settlement).where(Settlement.__table__.c.execution_id == bindparam("its_id"))
SEND = _ONE.values(state=DeskState.SENDING, next_try_at=None, next_cause=None, wake_cause=None)
END = _ONE.values(
    **dict.fromkeys(("reason", "cause", "missing", "message", "next_try_at", "next_cause", "wake_cause")),
    **{"lease_owner": None, "lease_until": None, "failing": False},
)
NEW_TRY = insert(Attempt)
_ATTEMPT = Attempt.__table__.c
_NOW = bindparam("now", type_=Moment())
_READY = (
    Settlement.state.in_(words(READY_STATES)),
    Settlement.side.in_(words(SELLING)),
    Settlement.next_try_at <= _NOW,
    or_(Settlement.lease_owner.is_(None), Settlement.lease_until < _NOW),
)
BUYERS = select(Settlement.buyer_custodian).where(*_READY).distinct().order_by(Settlement.buyer_custodian)
BATCH = (
    select(
        *(Settlement.execution_id, Settlement.generation, Settlement.tries),
        *(Settlement.next_cause, Settlement.largest_batch),
    )
    .where(*_READY, Settlement.buyer_custodian == bindparam("buyer"))
    .order_by(Settlement.next_try_at, Settlement.settle_date, Settlement.executed_at, Settlement.execution_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
IN_FLIGHT = select(Start.subject, Start.created_at).where(
    Start.handler == word(HANDLER), Start.state.in_(words((COMMITTED, STARTED)))
)
OF_TRY = select(Settlement).where(Settlement.execution_id.in_(bindparam("ids", expanding=True))).with_for_update()
TRY = update(Attempt).where(
    _ATTEMPT.client_id == bindparam("its_client_id"), _ATTEMPT.execution_id == bindparam("its_id")
)
