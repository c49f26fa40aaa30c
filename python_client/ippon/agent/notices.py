"""What the node tells its own side: kept once each, and acted on."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import BindParameter, bindparam, insert, select
from sqlalchemy.orm import Session

from ippon.agent.ledger import NOTICES_OVERLAP, Ledger, cursor, set_cursor
from ippon.agent.settle import Settle
from ippon.agent.shortages import Lack, note_shortages
from ippon.agent.store import later
from ippon.agent.tables import Notice, Settlement, words
from ippon.agent.tools import Tools
from ippon.model import Asset, DeskState, NoticeKind, NoticeRow, Reason, Side, TryCause

CURSOR = "notices"
CHUNK = 200
_LAST = select(Notice.sequence).order_by(Notice.sequence.desc()).limit(bindparam("most"))
_AMONG = select(Notice.sequence).where(Notice.sequence.in_(bindparam("numbers", expanding=True)))
_NEW = insert(Notice)
_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_TOLD = select(Notice.__table__).where(Notice.execution_id.in_(_IDS)).order_by(Notice.sequence)
_OPEN = select(Settlement).where(
    Settlement.execution_id.in_(_IDS), Settlement.state.in_(words(state for state in DeskState if not state.ended))
)


class Notices:
    """Reads a custodian node's notices."""

    def __init__(self, tools: Tools, *, ledger: Ledger, settle: Settle) -> None:
        self._tools = tools
        self._ledger = ledger
        self._settle = settle

    def sync(self) -> int:
        """Take what is new, and look a little back: a lower number may be committed later than a higher one."""
        after, known = self._read_before()
        taken, chunk = 0, []
        for notice in self._ledger.notices_since(after):
            if notice.sequence in known:
                continue
            chunk.append(notice)
            if len(chunk) >= CHUNK:
                taken, chunk = taken + self._take(chunk), []
        return taken + self._take(chunk)

    def _read_before(self) -> tuple[int, set[int]]:
        """The number before the last few, and those: counted in notices, since a node's numbers have gaps."""
        with self._tools.store.look() as connection:
            if cursor(connection, CURSOR) is None:
                return 0, set()
            last = list(connection.scalars(_LAST, {"most": NOTICES_OVERLAP + 1}))
        return last[-1] if len(last) > NOTICES_OVERLAP else 0, set(last)

    def _take(self, notices: Iterable[NoticeRow]) -> int:
        by_number = {notice.sequence: notice for notice in notices}
        if not by_number:
            return 0
        with self._tools.store.write() as session:
            # Another worker may have been quicker.
            connection = session.connection()
            known = set(connection.scalars(_AMONG, {"numbers": list(by_number)}))
            fresh = [by_number[number] for number in sorted(by_number) if number not in known]
            last = int(cursor(connection, CURSOR) or 0)
            self._act(session, sorted([*fresh, *self._after_late(session, fresh, last)], key=lambda one: one.sequence))
            for notice in fresh:
                later(session, _NEW, **notice.model_dump())
            set_cursor(connection, CURSOR, str(max(last, *by_number)))
            return len(fresh)

    def _after_late(self, session: Session, fresh: Sequence[NoticeRow], last: int) -> list[NoticeRow]:
        """What was told after a late one about its fill, and taken before it: the late one must not have the last word.

        Announcements are not among it: they call for a try, and had it.
        """
        late: dict[str, int] = {}
        for notice in fresh:
            if notice.sequence < last:
                late.setdefault(notice.execution_id, notice.sequence)
        told = self._told(session, late) if late else []
        return [
            notice
            for notice in told
            if notice.sequence > late[notice.execution_id] and notice.kind is not NoticeKind.FUNDS_ANNOUNCED
        ]

    def _told(self, session: Session, execution_ids: Collection[str]) -> list[NoticeRow]:
        found = session.connection().execute(_TOLD, {"ids": list(execution_ids)})
        return [NoticeRow.model_validate(one, from_attributes=True) for one in found]

    def catch_up(self, session: Session, execution_ids: Collection[str]) -> None:
        """Act on what was told about fills before they came to the desk: it is not told again.

        A node's clock that jumps back dates a fill so that only a whole comparison finds it; its notices have a number.
        """
        if execution_ids:
            self._act(session, self._told(session, execution_ids))

    def _act(self, session: Session, notices: Sequence[NoticeRow]) -> None:
        if not notices:
            return
        ids = list({notice.execution_id: None for notice in notices})
        # What was told about one that is not here yet waits: see `catch_up`.
        rows = {row.execution_id: row for row in session.scalars(_OPEN, {"ids": ids})}
        about = [(rows[notice.execution_id], notice) for notice in notices if notice.execution_id in rows]
        for row, notice in about:
            self._act_on(session, row, notice)
        lacks = [self._lack(row, notice) for row, notice in about if notice.kind is NoticeKind.SHORTAGE]
        note_shortages(session, self._tools, lacks)

    def _act_on(self, session: Session, row: Settlement, notice: NoticeRow) -> None:
        match notice.kind:
            case NoticeKind.FUNDS_ANNOUNCED:
                if self._settle.wake(row, TryCause.ANNOUNCEMENT):
                    self._tools.record(session, "woken", row.execution_id, cause=TryCause.ANNOUNCEMENT.value)
            case NoticeKind.SHORTAGE:
                if notice.reason is not Reason.LACK:
                    self._show(row, Reason.MONY, notice.missing)
            case NoticeKind.COUNTERPARTY_SHORT:
                self._show(row, notice.reason or Reason.CLAC, None)
            case NoticeKind.ROUTE_NEEDED:
                self._show(row, Reason.CONF, None, message="The buyer has no coin route in force.")
            case NoticeKind.SETTLED:
                pass  # the fill itself tells

    def _lack(self, row: Settlement, notice: NoticeRow) -> Lack:
        lacks = notice.reason is Reason.LACK
        return Lack(
            execution_id=row.execution_id,
            asset=Asset.UNITS if lacks else Asset.COINS,
            # Coins may be held under another id than the one that the fill and the broker's staff know.
            investor_id=row.seller_investor_id if lacks else row.buyer_investor_id,
            missing=notice.missing or 0,
            counterparty=notice.counterparty,
        )

    def _show(self, row: Settlement, reason: Reason, missing: int | None, *, message: str | None = None) -> None:
        """On the buyer's desk the fill waits; the seller's desk has its own result."""
        if row.side == Side.BUY:
            row.state, row.reason, row.missing, row.message = DeskState.WAITING, reason, missing, message
            row.changed_at = self._tools.now()
