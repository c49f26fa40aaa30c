"""The seller's custodian: ready fills go together into settle flows, and each result moves its fill on the desk.

gather   ready rows of one buyer's custodian → one settle flow, rows `sending`, a new attempt each (one transaction)
ended    results → settled, waiting, refused, busted; no result → unknown
resolve  unknown → what the ledger says (law 6)
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

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
    RetryAt,
    RetryNow,
    RetryRules,
    Woken,
    decide,
)
from ippon.agent.handler import Begun
from ippon.agent.settlerows import BATCH, BUYERS, END, HANDLER, IN_FLIGHT, NEW_TRY, OF_TRY, SELLING, SEND, TRY
from ippon.agent.shortages import Lack, close_shortages, note_shortages
from ippon.agent.starts import Ending, Promise, Starts
from ippon.agent.store import later
from ippon.agent.tables import Attempt, Settlement
from ippon.agent.tools import Tools
from ippon.errors import IpponError
from ippon.model import Asset, DeskState, Outcome, Reason, SettlementResult, TryCause

ENDS = {Outcome.SETTLED: DeskState.SETTLED, Outcome.BUSTED: DeskState.BUSTED}
MAX_TEXT = 1000


class Settle:
    """Tries fills and writes down what came of it."""

    relaunch = False
    """A lost settle flow is not started again as it was: the ledger says what it did, and a new generation follows."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._rules = RetryRules.of(tools.settings.timers, tools.settings.limits)

    # ---- before a try

    def arrived(self, session: Session, execution_id: str, settle_date: date) -> dict[str, object]:
        """What a row says of a fill that is new here and ours to settle, at once or from its day on."""
        now = self._tools.now()
        facts = Facts(settle_date=settle_date)
        decision = decide(facts, Arrived(), now=now, rules=self._rules, jitter=self._tools.random.random())
        if isinstance(decision, RetryAt):
            state, reason, at = DeskState.WAITING, {"reason": Reason.FUTU}, decision.at
        else:
            state, reason, at = DeskState.CHECKED, {}, now
        self._tools.record(session, state, execution_id, **reason, why=decision.why)
        return {"state": state, **reason, "next_try_at": at, "next_cause": TryCause.RECEIVED}

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
        row.changed_at, row.wake_cause, row.state = now, None, DeskState.WAITING
        if isinstance(decision, Never):
            row.state, row.next_try_at, row.next_cause = DeskState.REFUSED, None, None
        elif isinstance(decision, RetryNow):
            row.next_try_at, row.next_cause, row.largest_batch = now, decision.cause, decision.largest_batch
        else:
            row.next_try_at, row.next_cause, row.largest_batch = decision.at, decision.cause, None
        return decision

    def _count(self, row: Settlement, event: Happening) -> None:
        match event:
            case Answered(outcome=Outcome.WAITING):
                row.waits, row.refusals = row.waits + 1, 0
            case Answered() | Broke():
                row.refusals += 1
            case Woken():
                row.waits = row.refusals = 0

    def gather(self, starts: Starts) -> int:
        """Promise settle flows for what is ready: one for each buyer's custodian that none is running for."""
        with self._tools.store.write() as session:
            room, closed = self._running(session)
            buyers = session.connection().scalars(BUYERS, {"now": self._tools.now()})
            open_buyers = [buyer for buyer in buyers if buyer not in closed]
            batches = [(buyer, self._batch(session, buyer)) for buyer in open_buyers[: max(0, room)]]
            starts.promise(session, [self._promise(session, buyer, batch) for buyer, batch in batches if batch])
            return len(batches)

    def _running(self, session: Session) -> tuple[int, set[str]]:
        """Room for further flows, and the buyers' custodians that have theirs."""
        limits, timers = self._tools.settings.limits, self._tools.settings.timers
        slow_before = self._tools.now() - timedelta(seconds=timers.slow_settlement_seconds)
        fresh: set[str] = set()
        counts: Counter[str] = Counter()
        for subject, created_at in session.connection().execute(IN_FLIGHT):
            buyer = subject["buyer_custodian"]
            counts[buyer] += 1
            # One that hangs holds back no other fill, of its own pair or of another.
            if created_at > slow_before:
                fresh.add(buyer)
        full = {buyer for buyer, count in counts.items() if count >= limits.max_settlements_in_flight}
        return limits.max_settlements_in_flight - len(fresh), fresh | full

    def _batch(self, session: Session, buyer: str) -> list[Any]:
        """Rows of `BATCH`."""
        most = self._tools.settings.limits.max_fills_per_settlement
        batch: list[Any] = []
        for row in session.connection().execute(BATCH, {"now": self._tools.now(), "buyer": buyer, "most": most}):
            fits = min([row.largest_batch or most, *(other.largest_batch or most for other in batch)])
            if len(batch) < fits:
                batch.append(row)
        return batch

    def _promise(self, session: Session, buyer: str, batch: Sequence[Any]) -> Promise:
        ids = sorted(row.execution_id for row in batch)
        generation = max(row.generation for row in batch) + 1
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]
        promise = Promise(
            business_id=f"settle:{digest}",
            generation=generation,
            operation="settle_fills",
            arguments={"execution_ids": ids},
            handler=HANDLER,
            lane=f"{HANDLER}:{buyer}",
            subject={"execution_ids": ids, "buyer_custodian": buyer},
        )
        now, name = self._tools.now(), promise.client_id
        until = now + timedelta(seconds=self._tools.settings.timers.lease_seconds)
        lease = {"lease_owner": self._tools.worker, "lease_until": until, "changed_at": now}
        for row in batch:
            one, cause, number = row.execution_id, row.next_cause or TryCause.TIMER, row.tries + 1
            later(session, SEND, its_id=one, generation=generation, client_id=name, tries=number, **lease)
            later(session, NEW_TRY, execution_id=one, number=number, client_id=name, cause=cause, started_at=now)
            self._tools.record(session, "sending", one, cause=cause, client_id=name)
        return promise

    # ---- after a try

    def prefetch(self, session: Session, starts: Sequence[Begun]) -> Sequence[object]:  # noqa: ARG002
        """See `Handler`: each try reads its own fills."""
        return ()

    def finish_together(self, starts: Starts, session: Session) -> None:
        """See `Handler`."""

    def ended(self, _: Starts, session: Session, start: Begun, ending: Ending) -> None:
        """See `Handler`."""
        results = _results(ending)
        batches = Counter((result.outcome, result.cause) for result in results.values())
        ids = start.subject["execution_ids"]
        self._close(session, start, results, ending.error)
        lacks: list[Lack] = []
        for row in session.scalars(OF_TRY, {"ids": ids}):
            if row.client_id != start.client_id or row.state != DeskState.SENDING:
                continue  # the ledger has told of its end meanwhile
            result = results.get(row.execution_id)
            if result is not None and result.outcome in ENDS:
                self.end(session, row.execution_id, ENDS[result.outcome], result.transaction_id)
                continue
            row.lease_owner = row.lease_until = None
            if result is None:
                self._doubt(
                    session, row, ending.error.code if ending.error else "INTERNAL", str(ending.error or "no result")
                )
            elif result.outcome is Outcome.REFUSED and result.cause in UNCERTAIN:
                self._doubt(session, row, result.cause, result.message)
            else:
                lacks += self._wait(session, row, result, batch=batches[result.outcome, result.cause])
        note_shortages(session, self._tools, lacks)

    def _close(
        self, session: Session, start: Begun, results: Mapping[str, SettlementResult], error: IpponError | None
    ) -> None:
        """Write down how the try ended for each of its fills."""
        base = {"its_client_id": start.client_id, "ended_at": self._tools.now()}
        ends = [
            {**base, "its_id": name, **_end_of_try(results.get(name), error)} for name in start.subject["execution_ids"]
        ]
        session.connection().execute(TRY, ends)

    def _wait(self, session: Session, row: Settlement, result: SettlementResult, *, batch: int) -> list[Lack]:
        """The fill goes on, or was refused; what it lacks."""
        row.reason = result.reason or (None if result.outcome is Outcome.WAITING else Reason.CONF)
        row.cause, row.missing, row.message = result.cause, result.missing, result.message[:MAX_TEXT]
        event = Answered(outcome=result.outcome, reason=result.reason, cause=result.cause, batch=batch)
        self.tell(session, row, self.apply(row, event))
        return _lacks(row)

    def _doubt(self, session: Session, row: Settlement, code: str, message: str) -> None:
        """Only the ledger can say; `resolve` asks it."""
        row.state, row.cause, row.message = DeskState.UNKNOWN, code, message[:MAX_TEXT]
        row.next_try_at, row.changed_at = self._tools.now(), self._tools.now()
        self._tools.record(session, "unknown", row.execution_id, cause=code, message=row.message)

    def batches(self, session: Session, rows: Iterable[Settlement]) -> dict[str, int]:
        """How many fills shared the last try of each of these, by client id."""
        ids = {row.client_id for row in rows}
        tries = select(Attempt.client_id, func.count()).where(Attempt.client_id.in_(ids)).group_by(Attempt.client_id)
        return {row[0]: row[1] for row in session.execute(tries)}

    def open_after_all(self, session: Session, row: Settlement, *, batch: int) -> None:
        """The ledger shows an unknown fill open, with nothing pending: its last try did not settle it and cannot."""
        broke = Broke(code=row.cause or LOST, batch=batch)
        row.reason, row.missing = row.reason or Reason.CONF, None
        self.tell(session, row, self.apply(row, broke))

    def end(self, session: Session, execution_id: str, state: DeskState, transaction_id: str | None) -> None:
        """The fill has ended, as the ledger has it: nothing of it is short any more."""
        now = self._tools.now()
        settled_at = now if state is DeskState.SETTLED else None
        end = {"state": state, "transaction_id": transaction_id, "changed_at": now, "settled_at": settled_at}
        later(session, END, its_id=execution_id, **end)
        close_shortages(session, self._tools, execution_id)
        self._tools.record(session, state.value, execution_id, transaction_id=transaction_id)

    def tell(self, session: Session, row: Settlement, decision: Decision) -> None:
        """The event log's line about a fill that goes on or was refused."""
        detail = {"reason": row.reason, "cause": row.cause, "missing": row.missing, "why": decision.why}
        self._tools.record(
            session, row.state, row.execution_id, **{name: v for name, v in detail.items() if v is not None}
        )


def _end_of_try(result: SettlementResult | None, error: IpponError | None) -> dict[str, object]:
    if result is None:
        problem = str(error or "The flow gave no result.")
        return {"outcome": Outcome.FAILED, "reason": None, "missing": None, "error": problem[:MAX_TEXT]}
    refused = f"{result.cause}: {result.message}"[:MAX_TEXT] if result.outcome is Outcome.REFUSED else None
    return {"outcome": result.outcome, "reason": result.reason, "missing": result.missing, "error": refused}


def _lacks(row: Settlement) -> list[Lack]:
    if row.missing is None or row.reason not in (Reason.LACK, Reason.MONY):
        return []
    lacks = row.reason == Reason.LACK
    lack = Lack(
        execution_id=row.execution_id,
        asset=Asset.UNITS if lacks else Asset.COINS,
        investor_id=row.seller_investor_id if lacks else row.buyer_investor_id,
        missing=row.missing,
        counterparty=row.buyer_custodian if lacks else row.seller_custodian,
    )
    return [lack]


def _results(ending: Ending) -> dict[str, SettlementResult]:
    if ending.error is not None:
        return {}
    lines: Iterable[object] = (ending.result or {})["results"]
    results = (SettlementResult.model_validate(line) for line in lines)
    return {result.execution_id: result for result in results}
