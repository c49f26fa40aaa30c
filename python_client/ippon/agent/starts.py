"""Law 3: every flow that changes the ledger is promised in the store before it is started.

    promise, with the work it is for   (one transaction)
    node.start                         (the same client id again finds the flow and starts nothing)
    node.result
    handler and end of the start       (one transaction)
    node.forget

Whatever breaks between two of these, the next `advance` goes on from what the store says. Starts that come to the same
point together share that transaction: a commit for each would cost more than all the rest.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from ippon.agent.decide import LOST, growing, passes_by_itself
from ippon.agent.handler import Begun, Ending, Handler
from ippon.agent.startrows import (
    COMMITTED,
    ENDED,
    FORGOTTEN,
    IN_FLIGHT,
    LAST,
    NOT_RUNNING,
    ONE,
    STARTED,
    STILL_OPEN,
    TO_DO,
    Promise,
)
from ippon.agent.store import later
from ippon.agent.tables import Start
from ippon.agent.tools import Tools
from ippon.errors import BadAnswer, BridgeDown, DoorRefusal, IpponError, NodeDown, Refusal, Unavailable

__all__ = ["COMMITTED", "ENDED", "FORGOTTEN", "STARTED", "Ending", "Handler", "Promise", "Starts"]

END_AT_ONCE = 100
UNREADABLE = (ValidationError, LookupError, TypeError)


class Starts:
    """The starts of one agent; each lane has room for `max_starts_in_flight`."""

    def __init__(self, tools: Tools, *, handlers: Mapping[str, Handler]) -> None:
        self._tools = tools
        self._handlers = handlers
        self._asked: dict[int, datetime] = {}

    def promise(self, session: Session, promises: Sequence[Promise]) -> None:
        """Write down starts that are to be made."""
        if promises:
            now = self._tools.now()
            session.connection().execute(insert(Start), [promise.columns(now) for promise in promises])

    def generations(self, session: Session, business_ids: Sequence[str]) -> dict[str, int]:
        """The last generation of each business id that has one."""
        found = session.connection().execute(LAST, {"ids": business_ids})
        return {row[0]: row[1] for row in found}

    def again(self, session: Session, start: Begun | Start, error: IpponError) -> bool:
        """Promise the next generation of a start whose error passes by itself; False when it does not."""
        limits, timers = self._tools.settings.limits, self._tools.settings.timers
        most = limits.max_refusals if error.code == "INTERNAL" else limits.max_tries
        if not passes_by_itself(error.code) or start.generation >= most:
            return False
        wait = growing(
            timers.transient_base_seconds,
            timers.transient_cap_seconds,
            doublings=start.generation - 1,
            jitter=self._tools.random.random(),
        )
        following = Promise(
            business_id=start.business_id,
            generation=start.generation + 1,
            operation=start.operation,
            arguments=start.arguments,
            handler=start.handler,
            lane=start.lane,
            subject=start.subject,
            not_before=self._tools.now() + wait,
        )
        self.promise(session, [following])
        return True

    def advance(self) -> int:
        """Start what is promised, ask after what runs, have forgotten what is over; how many have ended.

        Raises: BridgeDown or NodeDown, with nothing lost.
        """
        mine = self._claim()
        ended: list[tuple[Begun, Ending]] = []
        try:
            self._launch([start for start in mine if start.state == COMMITTED], ended)
            for start in self._worth_asking([start for start in mine if start.state == STARTED]):
                self._ask(start, ended)
        except IpponError:
            self._end(ended)  # what the node has said before it went away
            raise
        over = self._end(ended)
        self._forget([start for start in mine if start.state == ENDED])
        return over

    def _worth_asking(self, running: list[Begun]) -> list[Begun]:
        """Those that the node says have ended, and now and then each other one: the node may have lost it."""
        if not running:
            return []
        over = {flow.client_id for flow in self._tools.node.finished()}
        now = self._tools.now()
        pause = timedelta(seconds=self._tools.settings.timers.reconcile_seconds)
        # What is found here after a restart has not been asked after by this process: that comes first.
        self._asked = {start.number: self._asked.get(start.number, now - pause) for start in running}
        due = [start for start in running if start.client_id in over or self._asked[start.number] + pause <= now]
        self._asked.update((start.number, now) for start in due)
        return due

    # ---- what is this worker's to do

    def _claim(self) -> list[Begun]:
        """What this worker starts, asks after or has forgotten; the first two under its lease."""
        lease = timedelta(seconds=self._tools.settings.timers.lease_seconds)
        worker, now = self._tools.worker, self._tools.now()
        with self._tools.store.write() as session:
            mine = self._open(session)
            for start in mine:
                leased = start.lease_owner == worker and _after(start.lease_until, now + lease / 2)
                if start.state != ENDED and not leased:
                    later(session, ONE, its_number=start.number, lease_owner=worker, lease_until=now + lease)
            return mine

    def _open(self, session: Session) -> list[Begun]:
        most = self._tools.settings.limits.max_starts_in_flight
        now, lapsed = self._tools.now(), self._lapsed()
        values = {"worker": self._tools.worker, "lapsed": lapsed, "now": now, "most": most}
        found = [Begun(*row) for row in session.connection().execute(TO_DO, values)]
        promised = [start for start in found if start.state == COMMITTED]
        if not promised:
            return found
        room = {lane: most - count for lane, count in session.connection().execute(IN_FLIGHT)}
        wait = set()
        for start in promised:
            room[start.lane] = room.get(start.lane, most) - 1
            if room[start.lane] < 0:
                wait.add(start.number)
        return [start for start in found if start.number not in wait]

    def _lapsed(self) -> datetime:
        """A worker whose lease ended before shows no sign of life any more."""
        return self._tools.now()

    # ---- one start

    def _launch(self, promised: list[Begun], ended: list[tuple[Begun, Ending]]) -> None:
        launched: list[dict[str, object]] = []
        try:
            for start in promised:
                self._launch_one(start, launched, ended)
        except IpponError:
            self._launched(launched)
            raise
        self._launched(launched)

    def _launch_one(self, start: Begun, launched: list[dict[str, object]], ended: list[tuple[Begun, Ending]]) -> None:
        try:
            answer = self._tools.node.start(start.operation, start.client_id, start.arguments)
        except (BridgeDown, NodeDown):
            raise
        except (Unavailable, BadAnswer) as problem:
            # It may run or not; the same client id finds out. Meanwhile the others have their turn.
            self._postpone(start, problem)
            return
        except IpponError as problem:
            ended.append((start, Ending(error=problem)))
            return
        now = self._tools.now()
        launched.append({"its_number": start.number, "state": STARTED, "run_id": answer.run_id, "started_at": now})
        start.state, self._asked[start.number] = STARTED, now

    def _launched(self, launched: list[dict[str, object]]) -> None:
        """Write down that they run; without it the same client ids find them again."""
        if not launched:
            return
        with self._tools.store.write() as session:
            session.connection().execute(NOT_RUNNING, launched)

    def _postpone(self, start: Begun, problem: IpponError) -> None:
        self._tools.log.warning("start_unanswered", client_id=start.client_id, code=problem.code)
        wait = timedelta(seconds=self._tools.settings.timers.transient_cap_seconds)
        with self._tools.store.write() as session:
            values = {"not_before": self._tools.now() + wait}
            session.execute(update(Start).where(Start.number == start.number).values(**values))

    def _ask(self, start: Begun, ended: list[tuple[Begun, Ending]]) -> None:
        try:
            flow = self._tools.node.result(start.client_id, 0)
        except (BridgeDown, NodeDown):
            raise
        except (Unavailable, BadAnswer, DoorRefusal) as problem:
            self._tools.log.warning("result_unanswered", client_id=start.client_id, code=problem.code)
            return
        if flow.status == "unknown":
            self._lost(start, ended)
        elif flow.status == "done":
            ended.append((start, Ending(result=flow.result or {})))
        elif flow.status == "failed":
            ended.append((start, Ending(error=flow.refusal())))

    def _lost(self, start: Begun, ended: list[tuple[Begun, Ending]]) -> None:
        self._tools.log.warning("flow_lost", client_id=start.client_id)
        if not self._handlers[start.handler].relaunch:
            error = Refusal(f"The node knows no flow {start.client_id} any more.", code=LOST)
            ended.append((start, Ending(error=error)))
            return
        with self._tools.store.write() as session:
            again = update(Start).where(Start.number == start.number, Start.state == STARTED)
            session.execute(again.values(state=COMMITTED))
            self._tools.record(session, "flow_lost", start.client_id)

    def _end(self, ended: Sequence[tuple[Begun, Ending]]) -> int:
        """Write down what has ended; how many."""
        over = 0
        for first in range(0, len(ended), END_AT_ONCE):
            together = ended[first : first + END_AT_ONCE]
            try:
                over += self._commit_ends(together)
            except UNREADABLE:
                over += sum(self._end_alone(start, ending) for start, ending in together)
        return over

    def _end_alone(self, start: Begun, ending: Ending) -> int:
        try:
            return self._commit_ends([(start, ending)])
        except UNREADABLE as problem:
            # A result that cannot be read is an error of its own: the work must not hang on it for ever.
            self._tools.log.error("result_unreadable", client_id=start.client_id, problem=type(problem).__name__)
            unreadable = BadAnswer(f"The result of {start.client_id} cannot be read: {problem}")
            return self._commit_ends([(start, Ending(error=unreadable))])

    def _commit_ends(self, ended: Sequence[tuple[Begun, Ending]]) -> int:
        with self._tools.store.write() as session:
            mine = self._still_open(session, ended)
            by_handler: dict[str, list[Begun]] = {}
            for start, _ in mine:
                by_handler.setdefault(start.handler, []).append(start)
            held = [self._handlers[name].prefetch(session, starts) for name, starts in by_handler.items()]
            for start, ending in mine:
                self._handlers[start.handler].ended(self, session, start, ending)
            for name in by_handler:
                self._handlers[name].finish_together(self, session)
            session.flush()
            del held
        for start, ending in ended:
            start.state = ENDED  # here or by another worker
            code = ending.error.code if ending.error else None
            self._tools.log.info("flow_ended", client_id=start.client_id, code=code)
        return len(mine)

    def _still_open(self, session: Session, ended: Sequence[tuple[Begun, Ending]]) -> list[tuple[Begun, Ending]]:
        """Mark those ended that have not ended already: another worker may have been quicker."""
        mine = set(session.connection().scalars(STILL_OPEN, {"numbers": [start.number for start, _ in ended]}))
        now = self._tools.now()
        ends = [
            {
                "its_number": start.number,
                "state": ENDED,
                "ended_at": now,
                "succeeded": ending.error is None,
                "error": ending.error.to_wire() if ending.error else None,
            }
            for start, ending in ended
            if start.number in mine
        ]
        if ends:
            session.connection().execute(ONE, ends)
        return sorted((one for one in ended if one[0].number in mine), key=lambda one: one[0].number)

    def _forget(self, over: Sequence[Begun]) -> None:
        """Have the node forget what is over here."""
        gone = []
        for start in over:
            try:
                self._tools.node.forget(start.client_id)
            except (BridgeDown, NodeDown):
                break
            except IpponError as problem:
                self._tools.log.warning("forget_failed", client_id=start.client_id, code=problem.code)
                continue
            gone.append({"its_number": start.number, "state": FORGOTTEN})
        if gone:
            with self._tools.store.write() as session:
                session.connection().execute(ONE, gone)


def _after(moment: datetime | None, other: datetime) -> bool:
    return moment is not None and moment > other
