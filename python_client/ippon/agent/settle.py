"""The seller's custodian: ready fills go together into settle flows, and each result moves its fill on the desk.

gather   ready rows of one buyer's custodian → one settle flow, rows `sending`, a new attempt each (one transaction)
ended    results → settled, waiting, refused, busted; no result → unknown
resolve  unknown → what the ledger says (law 6)
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from ippon.agent.decide import (
    LOST,
    UNCERTAIN,
    Answered,
    Arrived,
    Broke,
    Decision,
    Facts,
    Happening,
    Never,
    RetryNow,
    RetryRules,
    Woken,
    decide,
)
from ippon.agent.shortages import close_shortages, note_shortage
from ippon.agent.starts import COMMITTED, STARTED, Ending, Starts
from ippon.agent.tables import Attempt, Settlement, Start
from ippon.agent.tools import Tools
from ippon.errors import IpponError
from ippon.model import Asset, DeskState, Outcome, Reason, SettlementResult, Side, TryCause

HANDLER = "settle"
READY_STATES = (DeskState.CHECKED, DeskState.WAITING)
SELLING = (Side.SELL, Side.BOTH)
MAX_TEXT = 1000


class Settle:
    """Tries fills and writes down what came of it."""

    relaunch = False
    """A lost settle flow is not started again as it was: the ledger says what it did, and a new generation follows."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._rules = RetryRules.of(tools.settings.timers, tools.settings.limits)

    # ---- before a try

    def wake(self, row: Settlement, cause: TryCause) -> bool:
        """Something happened that may let a fill settle: try it now, or right after the try that is running."""
        if row.side not in SELLING or DeskState(row.state).ended:
            return False
        if row.state in (DeskState.SENDING, DeskState.UNKNOWN):
            row.wake_cause = cause
            return True
        self.apply(row, Woken(cause))
        return True

    def apply(self, row: Settlement, event: Happening) -> Decision:
        """Decide, and write the decision into the row: state, next try and its cause."""
        now = self._tools.now()
        facts = Facts(
            settle_date=row.settle_date,
            waits=row.waits,
            refusals=row.refusals,
            wake_cause=TryCause(row.wake_cause) if row.wake_cause else None,
        )
        decision = decide(facts, event, now=now, rules=self._rules, jitter=self._tools.random.random())
        self._count(row, event)
        row.changed_at, row.wake_cause = now, None
        if isinstance(decision, Never):
            row.state, row.next_try_at, row.next_cause = DeskState.REFUSED, None, None
        elif isinstance(decision, RetryNow):
            row.next_try_at, row.next_cause, row.largest_batch = now, decision.cause, decision.largest_batch
        else:
            row.next_try_at, row.next_cause, row.largest_batch = decision.at, decision.cause, None
        if not isinstance(decision, Never) and not isinstance(event, Arrived):
            row.state = DeskState.WAITING
        return decision

    def _count(self, row: Settlement, event: Happening) -> None:
        match event:
            case Answered(outcome=Outcome.WAITING):
                row.waits, row.refusals = row.waits + 1, 0
            case Answered() | Broke():
                row.refusals += 1
            case Woken() | Arrived():
                row.waits = row.refusals = 0

    def gather(self, starts: Starts) -> int:
        """Promise settle flows for what is ready: one for each buyer's custodian that none is running for."""
        with self._tools.store.write() as session:
            room, closed = self._running(session)
            buyers = select(Settlement.buyer_custodian).where(*self._ready()).distinct()
            open_buyers = [
                buyer for buyer in session.scalars(buyers.order_by(Settlement.buyer_custodian)) if buyer not in closed
            ]
            for buyer in open_buyers[: max(0, room)]:
                self._promise(session, starts, self._batch(session, buyer))
            return len(open_buyers[: max(0, room)])

    def _ready(self) -> tuple[ColumnElement[bool], ...]:
        now = self._tools.now()
        return (
            Settlement.state.in_(READY_STATES),
            Settlement.side.in_(SELLING),
            Settlement.next_try_at <= now,
            or_(Settlement.lease_owner.is_(None), Settlement.lease_until < now),
        )

    def _running(self, session: Session) -> tuple[int, set[str]]:
        """Room for further flows, and the buyers' custodians that have theirs."""
        limits, timers = self._tools.settings.limits, self._tools.settings.timers
        running = session.scalars(select(Start).where(Start.handler == HANDLER, Start.state.in_((COMMITTED, STARTED))))
        slow_before = self._tools.now() - timedelta(seconds=timers.slow_settlement_seconds)
        fresh: set[str] = set()
        counts: Counter[str] = Counter()
        for start in running:
            buyer = start.subject["buyer_custodian"]
            counts[buyer] += 1
            # One that hangs holds back no other fill, of its own pair or of another.
            if start.created_at > slow_before:
                fresh.add(buyer)
        full = {buyer for buyer, count in counts.items() if count >= limits.max_settlements_in_flight}
        return limits.max_settlements_in_flight - len(fresh), fresh | full

    def _batch(self, session: Session, buyer: str) -> list[Settlement]:
        most = self._tools.settings.limits.max_fills_per_settlement
        ready = select(Settlement).where(*self._ready(), Settlement.buyer_custodian == buyer)
        order = (Settlement.next_try_at, Settlement.settle_date, Settlement.executed_at, Settlement.execution_id)
        batch: list[Settlement] = []
        for row in session.scalars(ready.order_by(*order).limit(most).with_for_update(skip_locked=True)):
            fits = min([row.largest_batch or most, *(other.largest_batch or most for other in batch)])
            if len(batch) < fits:
                batch.append(row)
        return batch

    def _promise(self, session: Session, starts: Starts, batch: Sequence[Settlement]) -> None:
        if not batch:
            return
        ids = sorted(row.execution_id for row in batch)
        generation = max(row.generation for row in batch) + 1
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]
        start = starts.promise(
            session,
            business_id=f"settle:{digest}",
            generation=generation,
            operation="settle_fills",
            arguments={"execution_ids": ids},
            handler=HANDLER,
            lane=f"{HANDLER}:{batch[0].buyer_custodian}",
            subject={"execution_ids": ids, "buyer_custodian": batch[0].buyer_custodian},
        )
        now = self._tools.now()
        until = now + timedelta(seconds=self._tools.settings.timers.lease_seconds)
        for row in batch:
            cause = row.next_cause or TryCause.TIMER
            row.state, row.generation, row.client_id, row.tries = (
                DeskState.SENDING,
                generation,
                start.client_id,
                row.tries + 1,
            )
            row.next_try_at = row.next_cause = row.wake_cause = None
            row.lease_owner, row.lease_until, row.changed_at = self._tools.worker, until, now
            session.add(
                Attempt(
                    execution_id=row.execution_id,
                    number=row.tries,
                    client_id=start.client_id,
                    cause=cause,
                    started_at=now,
                )
            )
            self._tools.record(session, "sending", row.execution_id, cause=cause, client_id=start.client_id)

    # ---- after a try

    def prefetch(self, session: Session, starts: Sequence[Start]) -> Sequence[object]:  # noqa: ARG002
        """See `Handler`: each try reads its own fills."""
        return ()

    def finish_together(self, starts: Starts, session: Session) -> None:
        """See `Handler`."""

    def ended(self, _: Starts, session: Session, start: Start, ending: Ending) -> None:
        """See `Handler`."""
        results = _results(ending)
        batches = Counter((result.outcome, result.cause) for result in results.values())
        ids = start.subject["execution_ids"]
        tries = session.scalars(select(Attempt).where(Attempt.client_id == start.client_id))
        attempts = {attempt.execution_id: attempt for attempt in tries}
        rows = list(session.scalars(select(Settlement).where(Settlement.execution_id.in_(ids)).with_for_update()))
        for row in rows:
            result = results.get(row.execution_id)
            self._close(attempts[row.execution_id], result, ending.error)
            if row.client_id != start.client_id or row.state != DeskState.SENDING:
                continue  # the ledger has told of its end meanwhile
            row.lease_owner = row.lease_until = None
            if result is None:
                self._doubt(
                    session, row, ending.error.code if ending.error else "INTERNAL", str(ending.error or "no result")
                )
            else:
                self._take(session, row, result, batch=batches[result.outcome, result.cause])
        self.close(session, rows)

    def _close(self, attempt: Attempt, result: SettlementResult | None, error: IpponError | None) -> None:
        attempt.ended_at = self._tools.now()
        if result is None:
            attempt.outcome, attempt.error = Outcome.FAILED, str(error or "The flow gave no result.")[:MAX_TEXT]
            return
        attempt.outcome, attempt.reason, attempt.missing = result.outcome, result.reason, result.missing
        if result.outcome is Outcome.REFUSED:
            attempt.error = f"{result.cause}: {result.message}"[:MAX_TEXT]

    def _take(self, session: Session, row: Settlement, result: SettlementResult, *, batch: int) -> None:
        if result.outcome is Outcome.SETTLED:
            self.end(session, row, DeskState.SETTLED, result.transaction_id)
        elif result.outcome is Outcome.BUSTED:
            self.end(session, row, DeskState.BUSTED, result.transaction_id)
        elif result.outcome is Outcome.REFUSED and result.cause in UNCERTAIN:
            self._doubt(session, row, result.cause, result.message)
        else:
            row.reason = result.reason or (None if result.outcome is Outcome.WAITING else Reason.CONF)
            row.cause, row.missing, row.message = result.cause, result.missing, result.message[:MAX_TEXT]
            event = Answered(outcome=result.outcome, reason=result.reason, cause=result.cause, batch=batch)
            self.tell(session, row, self.apply(row, event))
            self._note_shortage(session, row)

    def _note_shortage(self, session: Session, row: Settlement) -> None:
        if row.missing is None or row.reason not in (Reason.LACK, Reason.MONY):
            return
        lacks = row.reason == Reason.LACK
        note_shortage(
            session,
            self._tools,
            execution_id=row.execution_id,
            asset=Asset.UNITS if lacks else Asset.COINS,
            investor_id=row.seller_investor_id if lacks else row.buyer_investor_id,
            missing=row.missing,
            counterparty=row.buyer_custodian if lacks else row.seller_custodian,
        )

    def _doubt(self, session: Session, row: Settlement, code: str, message: str) -> None:
        """Only the ledger can say; `resolve` asks it."""
        row.state, row.cause, row.message = DeskState.UNKNOWN, code, message[:MAX_TEXT]
        row.next_try_at, row.changed_at = self._tools.now(), self._tools.now()
        self._tools.record(session, "unknown", row.execution_id, cause=code, message=row.message)

    def open_after_all(self, session: Session, row: Settlement) -> None:
        """The ledger shows an unknown fill open, with nothing pending: its last try did not settle it and cannot."""
        together = select(func.count()).where(Attempt.client_id == row.client_id)
        broke = Broke(code=row.cause or LOST, batch=session.scalar(together) or 1)
        row.reason, row.missing = row.reason or Reason.CONF, None
        self.tell(session, row, self.apply(row, broke))

    def end(self, session: Session, row: Settlement, state: DeskState, transaction_id: str | None) -> None:
        """The fill has ended, as the ledger has it."""
        now = self._tools.now()
        row.state, row.transaction_id, row.changed_at = state, transaction_id, now
        row.settled_at = now if state is DeskState.SETTLED else None
        row.reason = row.cause = row.missing = row.message = None
        row.next_try_at = row.next_cause = row.wake_cause = row.lease_owner = row.lease_until = None
        row.failing = False
        self._tools.record(session, state.value, row.execution_id, transaction_id=transaction_id)

    def close(self, session: Session, rows: Iterable[Settlement]) -> None:
        """Of fills that have ended nothing is short any more; once for all that were looked at together."""
        ended = (DeskState.SETTLED, DeskState.BUSTED)
        close_shortages(session, self._tools, [row.execution_id for row in rows if row.state in ended])

    def tell(self, session: Session, row: Settlement, decision: Decision) -> None:
        """The event log's line about a fill that goes on or was refused."""
        detail = {"reason": row.reason, "cause": row.cause, "missing": row.missing, "why": decision.why}
        self._tools.record(
            session, row.state, row.execution_id, **{name: v for name, v in detail.items() if v is not None}
        )


def _results(ending: Ending) -> dict[str, SettlementResult]:
    if ending.error is not None:
        return {}
    lines: Iterable[object] = (ending.result or {})["results"]
    results = (SettlementResult.model_validate(line) for line in lines)
    return {result.execution_id: result for result in results}
