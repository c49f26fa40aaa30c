"""What the node tells its own side: kept once each, and acted on."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ippon.agent.ledger import NOTICES_OVERLAP, Ledger, cursor, set_cursor
from ippon.agent.settle import Settle
from ippon.agent.shortages import note_shortage
from ippon.agent.tables import Notice, Settlement
from ippon.agent.tools import Tools
from ippon.model import Asset, DeskState, NoticeKind, NoticeRow, Reason, Side, TryCause

CURSOR = "notices"
CHUNK = 200


class Notices:
    """Reads a custodian node's notices."""

    def __init__(self, tools: Tools, *, ledger: Ledger, settle: Settle) -> None:
        self._tools = tools
        self._ledger = ledger
        self._settle = settle

    def sync(self) -> int:
        """Take what is new, and look a little back: a lower number may be committed later than a higher one."""
        taken, chunk = 0, []
        for notice in self._ledger.notices_since(self._known_for_long()):
            chunk.append(notice)
            if len(chunk) >= CHUNK:
                taken, chunk = taken + self._take(chunk), []
        return taken + self._take(chunk)

    def _known_for_long(self) -> int:
        """The number before the last few: counted in notices, since a node's numbers have gaps."""
        with self._tools.store.read() as session:
            if cursor(session, CURSOR) is None:
                return 0
            last = select(Notice.sequence).order_by(Notice.sequence.desc()).offset(NOTICES_OVERLAP).limit(1)
            return session.scalar(last) or 0

    def _take(self, notices: Iterable[NoticeRow]) -> int:
        by_number = {notice.sequence: notice for notice in notices}
        with self._tools.store.read() as session:
            known = set(session.scalars(select(Notice.sequence).where(Notice.sequence.in_(by_number))))
        fresh = [by_number[number] for number in sorted(by_number) if number not in known]
        if not fresh:
            return 0
        with self._tools.store.write() as session:
            # Another worker may have been quicker.
            numbers = [notice.sequence for notice in fresh]
            known = set(session.scalars(select(Notice.sequence).where(Notice.sequence.in_(numbers))))
            about = select(Settlement).where(Settlement.execution_id.in_({notice.execution_id for notice in fresh}))
            rows = {row.execution_id: row for row in session.scalars(about)}
            for notice in fresh:
                if notice.sequence not in known:
                    session.add(Notice(**notice.model_dump()))
                    self._act(session, rows.get(notice.execution_id), notice)
            set_cursor(session, CURSOR, str(max(int(cursor(session, CURSOR) or 0), fresh[-1].sequence)))
        return len(fresh)

    def catch_up(self, session: Session, rows: Sequence[Settlement]) -> None:
        """Act on what was told about fills before they came to the desk: it is not told again.

        A node's clock that jumps back dates a fill so that only a whole comparison finds it; its notices have a number.
        """
        if not rows:
            return
        by_id = {row.execution_id: row for row in rows}
        told = select(Notice).where(Notice.execution_id.in_(by_id)).order_by(Notice.sequence)
        for notice in session.scalars(told):
            self._act(session, by_id[notice.execution_id], NoticeRow.model_validate(notice, from_attributes=True))

    def _act(self, session: Session, row: Settlement | None, notice: NoticeRow) -> None:
        if row is None or DeskState(row.state).ended:
            return  # one that is not here yet: see `catch_up`
        match notice.kind:
            case NoticeKind.FUNDS_ANNOUNCED:
                if self._settle.wake(row, TryCause.ANNOUNCEMENT):
                    self._tools.record(session, "woken", row.execution_id, cause=TryCause.ANNOUNCEMENT.value)
            case NoticeKind.SHORTAGE:
                self._short(session, row, notice)
            case NoticeKind.COUNTERPARTY_SHORT:
                self._show(row, notice.reason or Reason.CLAC, None)
            case NoticeKind.ROUTE_NEEDED:
                self._show(row, Reason.CONF, None, message="The buyer has no coin route in force.")
            case NoticeKind.SETTLED:
                pass  # the fill itself tells

    def _short(self, session: Session, row: Settlement, notice: NoticeRow) -> None:
        lacks = notice.reason is Reason.LACK
        note_shortage(
            session,
            self._tools,
            execution_id=row.execution_id,
            asset=Asset.UNITS if lacks else Asset.COINS,
            # Coins may be held under another id than the one that the fill and the broker's staff know.
            investor_id=row.seller_investor_id if lacks else row.buyer_investor_id,
            missing=notice.missing or 0,
            counterparty=notice.counterparty,
        )
        if not lacks:
            self._show(row, Reason.MONY, notice.missing)

    def _show(self, row: Settlement, reason: Reason, missing: int | None, *, message: str | None = None) -> None:
        """On the buyer's desk the fill waits; the seller's desk has its own result."""
        if row.side == Side.BUY:
            row.state, row.reason, row.missing, row.message = DeskState.WAITING, reason, missing, message
            row.changed_at = self._tools.now()
