"""After a node was restored: what its agent had it do since the backup is asked for again, for what is on no ledger.

Every operation that a row asks for is done once per business id by the node itself; what the others have given back is
found done, what only the node knew (investors, statement lines, reversals accepted, routes not shared) is made anew.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ippon.agent.receipts import ACCEPTED, PENDING
from ippon.agent.store import Store
from ippon.agent.tables import Event, InboxFile, InboxRow

RESTORED = "restored"
LEFT_OUT = ("orders",)
"""Kinds that no node hears of."""


def send_again(store: Store, *, since: datetime, now: datetime) -> int:
    """Have the last accepted row of each id, of files read since then, done again; how many. The agent must not run.

    Only the last one: a route that was replaced by the next row must not come into force again in between.
    """
    with store.write() as session:
        rows = _rows(session, since)
        files = {row.file_number for row in rows}
        for row in rows:
            row.status, row.promised = PENDING, False
        for file in session.scalars(select(InboxFile).where(InboxFile.number.in_(files))):
            file.version += 1
        if rows:
            detail = {"rows": len(rows), "since": since.isoformat()}
            session.add(Event(at=now, kind="sent_again", subject="restore", detail=detail))
        return len(rows)


def _rows(session: Session, since: datetime) -> list[InboxRow]:
    last = (
        select(func.max(InboxRow.number))
        .join(InboxFile, InboxFile.number == InboxRow.file_number)
        .where(InboxRow.status == ACCEPTED, InboxRow.kind.not_in(LEFT_OUT), InboxFile.read_at >= since)
        .group_by(InboxRow.kind, InboxRow.row_id)
    )
    return list(session.scalars(select(InboxRow).where(InboxRow.number.in_(last)).order_by(InboxRow.number)))


def note_restored(store: Store, *, taken_at: datetime, now: datetime) -> None:
    """Say in the event log that what follows is known from the ledger, not from what this agent has tried."""
    with store.write() as session:
        session.add(Event(at=now, kind=RESTORED, subject="store", detail={"taken_at": taken_at.isoformat()}))
