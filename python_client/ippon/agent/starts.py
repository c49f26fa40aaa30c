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
from typing import Any

from pydantic import ValidationError
from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from ippon.agent.decide import LOST, growing, passes_by_itself
from ippon.agent.handler import Ending, Handler
from ippon.agent.tables import Start
from ippon.agent.tools import Tools
from ippon.errors import BadAnswer, BridgeDown, DoorRefusal, IpponError, NodeDown, Refusal, Unavailable

__all__ = ["COMMITTED", "ENDED", "FORGOTTEN", "STARTED", "Ending", "Handler", "Starts"]

COMMITTED, STARTED, ENDED, FORGOTTEN = "committed", "started", "ended", "forgotten"
FORGET_AT_ONCE = 200
END_AT_ONCE = 100
UNREADABLE = (ValidationError, LookupError, TypeError)


class Starts:
    """The starts of one agent; each lane has room for `max_starts_in_flight`."""

    def __init__(self, tools: Tools, *, handlers: Mapping[str, Handler]) -> None:
        self._tools = tools
        self._handlers = handlers
        self._asked: dict[int, datetime] = {}

    def promise(
        self,
        session: Session,
        *,
        business_id: str,
        operation: str,
        arguments: Mapping[str, Any],
        handler: str,
        lane: str,
        subject: Mapping[str, Any],
        generation: int | None = None,
        not_before: datetime | None = None,
    ) -> Start:
        """Write down a start that is to be made; the generation follows the last one of the business id."""
        if generation is None:
            generation = self.generations(session, [business_id]).get(business_id, 0) + 1
        now = self._tools.now()
        start = Start(
            client_id=f"{business_id}:{generation}",
            business_id=business_id,
            generation=generation,
            operation=operation,
            arguments=dict(arguments),
            handler=handler,
            lane=lane,
            subject=dict(subject),
            state=COMMITTED,
            not_before=not_before or now,
            created_at=now,
        )
        session.add(start)
        return start

    def generations(self, session: Session, business_ids: Sequence[str]) -> dict[str, int]:
        """The last generation of each business id that has one."""
        last = select(Start.business_id, func.max(Start.generation)).where(Start.business_id.in_(business_ids))
        found = session.execute(last.group_by(Start.business_id))
        return {row[0]: row[1] for row in found}

    def again(self, session: Session, start: Start, error: IpponError) -> bool:
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
        self.promise(
            session,
            business_id=start.business_id,
            operation=start.operation,
            arguments=start.arguments,
            handler=start.handler,
            lane=start.lane,
            subject=start.subject,
            not_before=self._tools.now() + wait,
        )
        return True

    def advance(self) -> int:
        """Start what is promised, ask after what runs, have forgotten what is over; how many have ended.

        Raises: BridgeDown or NodeDown, with nothing lost.
        """
        mine = self._claim()
        ended: list[tuple[Start, Ending]] = []
        try:
            self._launch([start for start in mine if start.state == COMMITTED], ended)
            for start in self._worth_asking([start for start in mine if start.state == STARTED]):
                self._ask(start, ended)
        except IpponError:
            self._end(ended)  # what the node has said before it went away
            raise
        over = self._end(ended)
        self._forget()
        return over

    def _worth_asking(self, running: list[Start]) -> list[Start]:
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

    def _claim(self) -> list[Start]:
        lease = timedelta(seconds=self._tools.settings.timers.lease_seconds)
        now = self._tools.now()
        with self._tools.store.read() as session:
            seen = self._open(session)
        if all(
            start.lease_owner == self._tools.worker and _after(start.lease_until, now + lease / 2) for start in seen
        ):
            return seen
        with self._tools.store.write() as session:
            mine = self._open(session, lock=True)
            for start in mine:
                start.lease_owner, start.lease_until = self._tools.worker, now + lease
            return mine

    def _open(self, session: Session, *, lock: bool = False) -> list[Start]:
        mine = select(Start).where(self._free()).order_by(Start.number)
        if lock:
            mine = mine.with_for_update(skip_locked=True)
        found = list(session.scalars(mine.where(Start.state == STARTED)))
        most = self._tools.settings.limits.max_starts_in_flight
        due = (Start.state == COMMITTED) & (Start.not_before <= self._tools.now())
        place = func.row_number().over(partition_by=Start.lane, order_by=Start.number).label("place")
        queue = select(Start.number, place).where(due, self._free()).subquery()
        first = list(session.scalars(mine.where(Start.number.in_(select(queue.c.number).where(queue.c.place <= most)))))
        if first:
            counts = select(Start.lane, func.count()).where(Start.state == STARTED).group_by(Start.lane)
            room = {lane: most - count for lane, count in session.execute(counts)}
            for start in first:
                room[start.lane] = room.get(start.lane, most) - 1
                if room[start.lane] >= 0:
                    found.append(start)
        return sorted(found, key=lambda start: start.number)

    def _free(self) -> ColumnElement[bool]:
        now = self._tools.now()
        return or_(Start.lease_owner.is_(None), Start.lease_owner == self._tools.worker, Start.lease_until < now)

    # ---- one start

    def _launch(self, promised: list[Start], ended: list[tuple[Start, Ending]]) -> None:
        launched: list[dict[str, object]] = []
        try:
            for start in promised:
                self._launch_one(start, launched, ended)
        except IpponError:
            self._launched(launched)
            raise
        self._launched(launched)

    def _launch_one(self, start: Start, launched: list[dict[str, object]], ended: list[tuple[Start, Ending]]) -> None:
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
        launched.append({"its_number": start.number, "run_id": answer.run_id, "started_at": now})
        start.state, self._asked[start.number] = STARTED, now

    def _launched(self, launched: list[dict[str, object]]) -> None:
        """Write down that they run; without it the same client ids find them again."""
        if not launched:
            return
        table = Start.__table__
        mark = (
            update(Start)
            .where(table.c.number == bindparam("its_number"), table.c.state == COMMITTED)
            .values(state=STARTED, run_id=bindparam("run_id"), started_at=bindparam("started_at"))
        )
        with self._tools.store.write() as session:
            session.connection().execute(mark, launched)

    def _postpone(self, start: Start, problem: IpponError) -> None:
        self._tools.log.warning("start_unanswered", client_id=start.client_id, code=problem.code)
        wait = timedelta(seconds=self._tools.settings.timers.transient_cap_seconds)
        with self._tools.store.write() as session:
            values = {"not_before": self._tools.now() + wait}
            session.execute(update(Start).where(Start.number == start.number).values(**values))

    def _ask(self, start: Start, ended: list[tuple[Start, Ending]]) -> None:
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

    def _lost(self, start: Start, ended: list[tuple[Start, Ending]]) -> None:
        self._tools.log.warning("flow_lost", client_id=start.client_id)
        if not self._handlers[start.handler].relaunch:
            error = Refusal(f"The node knows no flow {start.client_id} any more.", code=LOST)
            ended.append((start, Ending(error=error)))
            return
        with self._tools.store.write() as session:
            again = update(Start).where(Start.number == start.number, Start.state == STARTED)
            session.execute(again.values(state=COMMITTED))
            self._tools.record(session, "flow_lost", start.client_id)

    def _end(self, ended: Sequence[tuple[Start, Ending]]) -> int:
        """Write down what has ended; how many."""
        over = 0
        for first in range(0, len(ended), END_AT_ONCE):
            together = ended[first : first + END_AT_ONCE]
            try:
                over += self._commit_ends(together)
            except UNREADABLE:
                over += sum(self._end_alone(start, ending) for start, ending in together)
        return over

    def _end_alone(self, start: Start, ending: Ending) -> int:
        try:
            return self._commit_ends([(start, ending)])
        except UNREADABLE as problem:
            # A result that cannot be read is an error of its own: the work must not hang on it for ever.
            self._tools.log.error("result_unreadable", client_id=start.client_id, problem=type(problem).__name__)
            unreadable = BadAnswer(f"The result of {start.client_id} cannot be read: {problem}")
            return self._commit_ends([(start, Ending(error=unreadable))])

    def _commit_ends(self, ended: Sequence[tuple[Start, Ending]]) -> int:
        endings = {start.number: ending for start, ending in ended}
        with self._tools.store.write() as session:
            found = select(Start).where(Start.number.in_(endings)).order_by(Start.number).with_for_update()
            # One that has ended already: another worker was quicker.
            mine = [start for start in session.scalars(found) if start.state in (COMMITTED, STARTED)]
            by_handler: dict[str, list[Start]] = {}
            for start in mine:
                by_handler.setdefault(start.handler, []).append(start)
            held = [self._handlers[name].prefetch(session, starts) for name, starts in by_handler.items()]
            for start in mine:
                ending = endings[start.number]
                start.state, start.ended_at = ENDED, self._tools.now()
                start.succeeded = ending.error is None
                start.error = ending.error.to_wire() if ending.error else None
                self._handlers[start.handler].ended(self, session, start, ending)
            for name in by_handler:
                self._handlers[name].finish_together(self, session)
            session.flush()
            del held
        for start in mine:
            code = start.error["code"] if start.error else None
            self._tools.log.info("flow_ended", client_id=start.client_id, code=code)
        return len(mine)

    def _forget(self) -> None:
        with self._tools.store.read() as session:
            over = select(Start).where(Start.state == ENDED).order_by(Start.number).limit(FORGET_AT_ONCE)
            starts = list(session.scalars(over))
        gone = []
        for start in starts:
            try:
                self._tools.node.forget(start.client_id)
            except (BridgeDown, NodeDown):
                break
            except IpponError as problem:
                self._tools.log.warning("forget_failed", client_id=start.client_id, code=problem.code)
                continue
            gone.append(start.number)
        if gone:
            with self._tools.store.write() as session:
                session.execute(update(Start).where(Start.number.in_(gone)).values(state=FORGOTTEN))


def _after(moment: datetime | None, other: datetime) -> bool:
    return moment is not None and moment > other
