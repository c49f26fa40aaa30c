"""The desk follows the ledger: fills that came, settled or were busted there, and those whose last try left a doubt."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ippon.agent.decide import TOKYO, Arrived
from ippon.agent.ledger import Ledger, cursor, set_cursor
from ippon.agent.notices import Notices
from ippon.agent.settle import SELLING, Settle
from ippon.agent.tables import Settlement
from ippon.agent.tools import Tools
from ippon.model import DESK_STATE_OF_LEDGER, DeskState, FillRow, FillStatus, PendingRow, Reason, Side, utc_text

CURSOR = "fills"
ENDED = [state for state in DeskState if state.ended]
# A fill that was refused here may still be settled or busted there.
DECIDED = [state for state in ENDED if state is not DeskState.REFUSED]
COPIED = (
    *("execution_id", "platform_code", "security_code", "quantity", "amount", "reverses"),
    *("seller_custodian", "seller_investor_id", "buyer_custodian", "buyer_investor_id"),
    *("trade_date", "executed_at", "settle_date"),
)
SETTLING = "SETTLING"
CHUNK = 200
MAX_RESOLVED_AT_ONCE = 1000


class Fills:
    """Brings the settlement table up to what the node has on record."""

    def __init__(self, tools: Tools, *, ledger: Ledger, settle: Settle, notices: Notices) -> None:
        self._tools = tools
        self._ledger = ledger
        self._settle = settle
        self._notices = notices

    def sync(self, *, everything: bool = False) -> int:
        """Take what changed since last time, and a little before (much, when `everything`); how many rows changed here.

        A node's clock that jumps back gives a new fill a time before the last one that was read.
        """
        with self._tools.store.read() as session:
            last = cursor(session, CURSOR)
        since = None
        if last is not None:
            timers = self._tools.settings.timers
            overlap = timers.clock_jump_seconds if everything else timers.fills_overlap_seconds
            since = datetime.fromisoformat(last) - timedelta(seconds=overlap)
        changed, chunk = 0, []
        for fill in self._ledger.fills_since(since):
            chunk.append(fill)
            if len(chunk) >= CHUNK:
                changed, chunk = changed + self._take(chunk, moves_cursor=True), []
        return changed + self._take(chunk, moves_cursor=True)

    def reconcile(self) -> int:
        """Compare everything open here with the ledger; how many rows changed."""
        with self._tools.store.read() as session:
            still = select(Settlement.execution_id).where(Settlement.state.not_in(DECIDED))
            open_ids = list(session.scalars(still))
        return self._take(self._ledger.fills(open_ids), moves_cursor=False)

    def mark_failing(self) -> int:
        """Flag fills that are past their intended day, Tokyo; how many are newly so."""
        today = self._tools.now().astimezone(TOKYO).date()
        late = select(Settlement).where(
            Settlement.settle_date < today, Settlement.failing.is_(False), Settlement.state.not_in(ENDED)
        )
        with self._tools.store.write() as session:
            rows = list(session.scalars(late))
            for row in rows:
                row.failing = True
                self._tools.record(session, "failing", row.execution_id, settle_date=str(row.settle_date))
            return len(rows)

    # ---- what the ledger has

    def _take(self, fills: Iterable[FillRow], *, moves_cursor: bool) -> int:
        fills = list(fills)
        if not fills:
            return 0
        ids = [fill.execution_id for fill in fills]
        with self._tools.store.write() as session:
            known = {
                row.execution_id: row
                for row in session.scalars(select(Settlement).where(Settlement.execution_id.in_(ids)))
            }
            changed = 0
            new: list[Settlement] = []
            moved: list[Settlement] = []
            for fill in fills:
                row = known.get(fill.execution_id)
                if row is None:
                    row = self._new(session, fill)
                    if row is None:
                        continue
                    known[fill.execution_id] = row
                    new.append(row)
                    changed += 1
                elif self._follow(session, row, fill):
                    moved.append(row)
                    changed += 1
            self._notices.catch_up(session, new)
            self._settle.close(session, moved)
            newest = utc_text(max(fill.changed_at for fill in fills))
            if moves_cursor and newest > (cursor(session, CURSOR) or ""):
                set_cursor(session, CURSOR, newest)
            return changed

    def _new(self, session: Session, fill: FillRow) -> Settlement | None:
        side = fill.side_of(self._tools.settings.organisation)
        if side is None:
            return None
        now = self._tools.now()
        row = Settlement(
            **{name: getattr(fill, name) for name in COPIED},
            unit_price=f"{fill.unit_price:.2f}",
            side=side.value,
            state=DeskState.RECEIVED.value,
            received_at=now,
            changed_at=now,
            failing=False,
            generation=0,
            tries=0,
            waits=0,
            refusals=0,
        )
        session.add(row)
        self._tools.record(session, "received", fill.execution_id, side=side.value)
        if fill.status is not FillStatus.OPEN:
            self._settle.end(session, row, DESK_STATE_OF_LEDGER[fill.status], fill.ended_by)
        elif side in SELLING:
            self._check(session, row)
        return row

    def _check(self, session: Session, row: Settlement) -> None:
        """The model has checked the sums; the fill is ours to settle, at once or from its day on."""
        row.state = DeskState.CHECKED
        decision = self._settle.apply(row, Arrived())
        if row.next_try_at is not None and row.next_try_at > self._tools.now():
            row.state, row.reason = DeskState.WAITING, Reason.FUTU
        self._settle.tell(session, row, decision)

    def _follow(self, session: Session, row: Settlement, fill: FillRow) -> int:
        if fill.status is FillStatus.OPEN:
            return 0
        state = DESK_STATE_OF_LEDGER[fill.status]
        if row.state == state and row.transaction_id == fill.ended_by:
            return 0
        if row.state == state and fill.ended_by is None:
            return 0
        self._settle.end(session, row, state, fill.ended_by)
        return 1

    # ---- what a try left in doubt

    def resolve(self) -> int:
        """Ask the ledger about unknown fills; how many are unknown no more."""
        mine = self._claim_unknown()
        if not mine:
            return 0
        found = {fill.execution_id: fill for fill in self._ledger.fills(mine)}
        pending = self._ledger.pending()
        with self._tools.store.write() as session:
            rows = session.scalars(
                select(Settlement).where(
                    Settlement.execution_id.in_(mine),
                    Settlement.state == DeskState.UNKNOWN,
                    Settlement.lease_owner == self._tools.worker,
                )
            )
            doubtful = list(rows)
            resolved = sum(self._settle_doubt(session, row, found.get(row.execution_id), pending) for row in doubtful)
            self._settle.close(session, doubtful)
            return resolved

    def _claim_unknown(self) -> list[str]:
        now = self._tools.now()
        doubtful = select(Settlement).where(
            Settlement.state == DeskState.UNKNOWN,
            Settlement.side.in_((Side.SELL, Side.BOTH)),
            Settlement.next_try_at <= now,
            or_(
                Settlement.lease_owner.is_(None),
                Settlement.lease_owner == self._tools.worker,
                Settlement.lease_until < now,
            ),
        )
        doubtful = doubtful.order_by(Settlement.next_try_at).limit(MAX_RESOLVED_AT_ONCE)
        with self._tools.store.write() as session:
            rows = list(session.scalars(doubtful.with_for_update(skip_locked=True)))
            for row in rows:
                row.lease_owner = self._tools.worker
                row.lease_until = now + timedelta(seconds=self._tools.settings.timers.lease_seconds)
            return [row.execution_id for row in rows]

    def _settle_doubt(self, session: Session, row: Settlement, fill: FillRow | None, pending: list[PendingRow]) -> int:
        row.lease_owner = row.lease_until = None
        if fill is not None and fill.status is not FillStatus.OPEN:
            return self._follow(session, row, fill)
        if fill is None or self._held(row.execution_id, pending):
            row.next_try_at = self._tools.now() + timedelta(seconds=self._tools.settings.timers.pending_poll_seconds)
            return 0
        self._settle.open_after_all(session, row)
        return 1

    def _held(self, execution_id: str, pending: list[PendingRow]) -> bool:
        """Whether something may still settle the fill.

        A settlement of our own that is past its deadline does not count: the next settle flow begins by deciding it.
        """
        now = self._tools.now()
        return any(
            execution_id in row.execution_ids and not (row.kind == SETTLING and row.deadline < now) for row in pending
        )
