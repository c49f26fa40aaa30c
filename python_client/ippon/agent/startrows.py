"""Starts as rows: their states, and statements on them. Built once, since to build one costs more than to run it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, union_all, update

from ippon.agent.handler import Begun
from ippon.agent.tables import Moment, Start, word, words

COMMITTED, STARTED, ENDED, FORGOTTEN = "committed", "started", "ended", "forgotten"

_NOW = bindparam("now", type_=Moment())
_LAPSED = bindparam("lapsed", type_=Moment())
_FREE = or_(Start.lease_owner.is_(None), Start.lease_owner == bindparam("worker"), Start.lease_until < _LAPSED)
_DUE = (
    select(Start.number, func.row_number().over(partition_by=Start.lane, order_by=Start.number).label("place"))
    .where(Start.state == word(COMMITTED), Start.not_before <= _NOW, _FREE)
    .subquery()
)
_OPEN = union_all(
    select(Start.number).where(Start.state == word(STARTED), _FREE),
    select(_DUE.c.number).where(_DUE.c.place <= bindparam("most")),
    select(Start.number).where(Start.state == word(ENDED)),
)
_BEGUN = select(*(getattr(Start, field.name) for field in fields(Begun)))
TO_DO = (
    # Free once more outside: another worker may have taken it since the list was made.
    _BEGUN.where(Start.number.in_(_OPEN), _FREE | (Start.state == word(ENDED)))
    .order_by(Start.number)
    .with_for_update(skip_locked=True)
)
IN_FLIGHT = select(Start.lane, func.count()).where(Start.state == word(STARTED)).group_by(Start.lane)
LAST = (
    select(Start.business_id, func.max(Start.generation))
    .where(Start.business_id.in_(bindparam("ids", expanding=True)))
    .group_by(Start.business_id)
)
_TABLE = Start.__table__
ONE = update(Start).where(_TABLE.c.number == bindparam("its_number"))
NOT_RUNNING = ONE.where(_TABLE.c.state == word(COMMITTED))
STILL_OPEN = (
    select(Start.number)
    .where(Start.number.in_(bindparam("numbers", expanding=True)), Start.state.in_(words((COMMITTED, STARTED))))
    .with_for_update()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A flow that is to be started, and the work that it is for; see `Start`."""

    business_id: str
    generation: int
    operation: str
    arguments: Mapping[str, Any]
    handler: str
    lane: str
    subject: Mapping[str, Any]
    not_before: datetime | None = None

    @property
    def client_id(self) -> str:
        """The name under which it is started, however often."""
        return f"{self.business_id}:{self.generation}"

    def columns(self, now: datetime) -> dict[str, Any]:
        """Of its row."""
        return {
            "client_id": self.client_id,
            "business_id": self.business_id,
            "generation": self.generation,
            "operation": self.operation,
            "arguments": dict(self.arguments),
            "handler": self.handler,
            "lane": self.lane,
            "subject": dict(self.subject),
            "state": COMMITTED,
            "not_before": self.not_before or now,
            "created_at": now,
        }
