"""The desk follows the ledger: fills that came, settled or were busted there, and those whose last try left a doubt."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, insert, literal_column, or_, select
from sqlalchemy.orm import Session

from ippon.agent.decide import TOKYO
from ippon.agent.ledger import MAX_REMEMBERED, Ledger, cursor, set_cursor
from ippon.agent.notices import Notices
from ippon.agent.settle import Settle
from ippon.agent.settlerows import SELLING
from ippon.agent.store import run_late
from ippon.agent.tables import Moment, Settlement, word, words
from ippon.agent.tools import Tools
from ippon.model import DESK_STATE_OF_LEDGER, DeskState, FillRow, FillStatus, PendingRow, Side, utc_text

CURSOR = "fills"
OPEN = [state for state in DeskState if not state.ended]
# A fill that was refused here may still be settled or busted there.
UNDECIDED = [*OPEN, DeskState.REFUSED]
COPIED = (
    *("execution_id", "platform_code", "security_code", "quantity", "amount", "reverses"),
    *("seller_custodian", "seller_investor_id", "buyer_custodian", "buyer_investor_id"),
    *("trade_date", "executed_at", "settle_date"),
)
SETTLING = "SETTLING"
CHUNK = 200
MAX_RESOLVED_AT_ONCE = 1000
_UNDECIDED = select(Settlement.execution_id).where(Settlement.state.in_(words(UNDECIDED)))
_AMONG = Settlement.execution_id.in_(bindparam("ids", expanding=True))
_STANDS = select(Settlement.execution_id, Settlement.state, Settlement.transaction_id).where(_AMONG)
_WORKER: BindParameter[str] = bindparam("worker")
_NOW = bindparam("now", type_=Moment())
_UNKNOWN = Settlement.state == word(DeskState.UNKNOWN)
_DOUBTFUL = (
    select(Settlement)
    .where(
        _UNKNOWN,
        Settlement.side.in_(words(SELLING)),
        Settlement.next_try_at <= _NOW,
        or_(Settlement.lease_owner.is_(None), Settlement.lease_owner == _WORKER, Settlement.lease_until < _NOW),
    )
    .order_by(Settlement.next_try_at)
    .limit(literal_column(str(MAX_RESOLVED_AT_ONCE)))
    .with_for_update(skip_locked=True)
)
_CLAIMED = select(Settlement).where(_AMONG, _UNKNOWN, Settlement.lease_owner == _WORKER)


class Fills:
    """Brings the settlement table up to what the node has on record."""

    def __init__(self, tools: Tools, *, ledger: Ledger, settle: Settle, notices: Notices) -> None:
        self._tools = tools
        self._ledger = ledger
        self._settle = settle
        self._notices = notices
        self._taken: dict[str, FillRow] = {}

    def sync(self, *, everything: bool = False) -> int:
        """Take what changed since last time, and a little before (much, when `everything`); how many rows changed here.

        A node's clock that jumps back gives a new fill a time before the last one that was read.
        """
        with self._tools.store.look() as connection:
            last = cursor(connection, CURSOR)
        since = None
        if last is not None:
            timers = self._tools.settings.timers
            overlap = timers.clock_jump_seconds if everything else timers.fills_overlap_seconds
            since = datetime.fromisoformat(last) - timedelta(seconds=overlap)
        changed, chunk = 0, []
        for fill in self._ledger.fills_since(since):
            if self._taken.get(fill.execution_id) is fill:
                continue  # word for word as it was, and the store has it
            chunk.append(fill)
            if len(chunk) >= CHUNK:
                changed, chunk = changed + self._take(chunk, moves_cursor=True), []
        return changed + self._take(chunk, moves_cursor=True)

    def reconcile(self) -> int:
        """Compare everything open here with the ledger; how many rows changed."""
        with self._tools.store.look() as connection:
            open_ids = list(connection.scalars(_UNDECIDED))
        ended = [fill for fill in self._ledger.fills(open_ids) if fill.status is not FillStatus.OPEN]
        return self._take(ended, moves_cursor=False)

    def mark_failing(self) -> int:
        """Flag fills that are past their intended day, Tokyo; how many are newly so."""
        today = self._tools.now().astimezone(TOKYO).date()
        late = select(Settlement).where(
            Settlement.settle_date < today, Settlement.failing.is_(False), Settlement.state.in_(OPEN)
        )
        with self._tools.store.write() as session:
            rows = list(session.scalars(late))
            for row in rows:
                row.failing = True
                self._tools.record(session, "failing", row.execution_id, settle_date=str(row.settle_date))
            return len(rows)

    # ---- what the ledger has

    def _take(self, fills: Iterable[FillRow], *, moves_cursor: bool) -> int:
        # Of a fill that comes twice the later word counts.
        by_id = {fill.execution_id: fill for fill in fills}
        if not by_id:
            return 0
        with self._tools.store.write() as session:
            # Most of what is read again is as it was, and no more than this is looked at.
            connection = session.connection()
            seen = connection.execute(_STANDS, {"ids": list(by_id)})
            known = {name: (state, ended_by) for name, state, ended_by in seen}
            new = [fill for name, fill in by_id.items() if name not in known and self._side(fill) is not None]
            if new:
                connection.execute(insert(Settlement), [self._new(session, fill) for fill in new])
                known |= {fill.execution_id: (DeskState.RECEIVED, None) for fill in new}
            ended = [fill for name, fill in by_id.items() if name in known and _differs(*known[name], fill)]
            for fill in ended:
                self._follow(session, fill)
            run_late(session)
            self._notices.catch_up(session, [fill.execution_id for fill in new])
            newest = utc_text(max(fill.changed_at for fill in by_id.values()))
            if moves_cursor and newest > (cursor(connection, CURSOR) or ""):
                set_cursor(connection, CURSOR, newest)
        if len(self._taken) > MAX_REMEMBERED:
            self._taken.clear()
        self._taken |= by_id
        return len({fill.execution_id for fill in (*new, *ended)})

    def _side(self, fill: FillRow) -> Side | None:
        return fill.side_of(self._tools.settings.organisation)

    def _new(self, session: Session, fill: FillRow) -> dict[str, object]:
        """The row of a fill that is not here yet."""
        now, side = self._tools.now(), self._side(fill)
        self._tools.record(session, "received", fill.execution_id, side=side)
        values = {name: getattr(fill, name) for name in COPIED}
        values |= {"unit_price": f"{fill.unit_price:.2f}", "side": side, "received_at": now, "changed_at": now}
        values |= {"state": DeskState.RECEIVED, "reason": None, "next_try_at": None, "next_cause": None}
        values |= {"failing": False, **dict.fromkeys(("generation", "tries", "waits", "refusals"), 0)}
        if fill.status is FillStatus.OPEN and side in SELLING:
            # The model has checked the sums.
            values |= self._settle.arrived(session, fill.execution_id, fill.settle_date)
        return values

    def _follow(self, session: Session, fill: FillRow) -> None:
        self._settle.end(session, fill.execution_id, DESK_STATE_OF_LEDGER[fill.status], fill.ended_by)

    # ---- what a try left in doubt

    def resolve(self) -> int:
        """Ask the ledger about unknown fills; how many are unknown no more."""
        mine = self._claim_unknown()
        if not mine:
            return 0
        found = {fill.execution_id: fill for fill in self._ledger.fills(mine)}
        pending = self._ledger.pending()
        with self._tools.store.write() as session:
            doubtful = list(session.scalars(_CLAIMED, {"ids": mine, "worker": self._tools.worker}))
            batches = self._settle.batches(session, doubtful)
            resolved = 0
            for row in doubtful:
                batch = batches.get(row.client_id or "", 1)
                resolved += self._settle_doubt(session, row, found.get(row.execution_id), pending, batch)
            return resolved

    def _claim_unknown(self) -> list[str]:
        now = self._tools.now()
        with self._tools.store.write() as session:
            rows = list(session.scalars(_DOUBTFUL, {"now": now, "worker": self._tools.worker}))
            for row in rows:
                row.lease_owner = self._tools.worker
                row.lease_until = now + timedelta(seconds=self._tools.settings.timers.lease_seconds)
            return [row.execution_id for row in rows]

    def _settle_doubt(
        self, session: Session, row: Settlement, fill: FillRow | None, pending: list[PendingRow], batch: int
    ) -> int:
        row.lease_owner = row.lease_until = None
        if fill is not None and fill.status is not FillStatus.OPEN:
            self._follow(session, fill)
            return 1
        if fill is None or self._held(row.execution_id, pending):
            row.next_try_at = self._tools.now() + timedelta(seconds=self._tools.settings.timers.pending_poll_seconds)
            return 0
        self._settle.open_after_all(session, row, batch=batch)
        return 1

    def _held(self, execution_id: str, pending: list[PendingRow]) -> bool:
        """Whether something may still settle the fill.

        A settlement of our own that is past its deadline does not count: the next settle flow begins by deciding it.
        """
        now = self._tools.now()
        return any(
            execution_id in row.execution_ids and not (row.kind == SETTLING and row.deadline < now) for row in pending
        )


def _differs(state: str, ended_by: str | None, fill: FillRow) -> bool:
    """Whether the ledger has ended a fill of which the desk, in this state, does not say so."""
    if fill.status is FillStatus.OPEN:
        return False
    return state != DESK_STATE_OF_LEDGER[fill.status] or fill.ended_by not in (None, ended_by)
