"""What other organisations must be told, or asked: each row is tried until it is through, apart from all others."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from ippon.agent.decide import growing
from ippon.agent.handler import Begun
from ippon.agent.starts import Ending, Promise, Starts
from ippon.agent.tables import Outbox as OutboxRow
from ippon.agent.tools import Tools
from ippon.errors import IpponError
from ippon.model import utc_text

HANDLER = "outbox"
PENDING, SENDING, DELIVERED, DROPPED = "pending", "sending", "delivered", "dropped"
AT_ONCE = 200
GIVES_UP_ON = frozenset({"BAD_REQUEST", "TOO_MANY", "UNKNOWN_PARTY", "UNKNOWN_FILL", "UNKNOWN_TRANSACTION"})
"""Causes for which asking the same again is of no use."""

After = Callable[[Session, OutboxRow, Ending], None]


class Outbox:
    """Messages of one agent, sent as flows of its node.

    Attributes:
        after: per operation, what to do in the transaction that marks a message delivered.
    """

    relaunch = True

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.after: Mapping[str, After] = {}

    def post(
        self,
        session: Session,
        *,
        operation: str,
        destination: str,
        arguments: Mapping[str, Any],
        once: str | None = None,
    ) -> None:
        """Put a message in.

        Args:
            session: the transaction that makes the message due.
            operation: the flow that carries it.
            destination: the organisation that it is for.
            arguments: of the flow.
            once: with this, the same operation and `once` again adds nothing, ever.
        """
        now = self._tools.now()
        mark = once or json.dumps([destination, arguments, utc_text(now), self._serial(session)], sort_keys=True)
        business_id = f"{operation}:{hashlib.sha256(mark.encode()).hexdigest()[:32]}"
        known = select(func.count()).where(OutboxRow.business_id == business_id)
        if session.scalar(known):
            return
        row = OutboxRow(
            business_id=business_id,
            operation=operation,
            destination=destination,
            arguments=dict(arguments),
            state=PENDING,
            next_try_at=now,
            created_at=now,
        )
        session.add(row)
        session.flush()

    def add_ids(self, session: Session, *, operation: str, destination: str, field: str, ids: list[str]) -> None:
        """Put in a message about ids for a custodian, or add them to the one that waits for it.

        What is too long for one flow goes into several.
        """
        most = self._tools.settings.limits.max_investors_per_flow
        waiting = select(OutboxRow).where(
            OutboxRow.operation == operation, OutboxRow.destination == destination, OutboxRow.state == PENDING
        )
        row = session.scalars(waiting.order_by(OutboxRow.number.desc())).first()
        left = ids
        if row is not None:
            together = list(dict.fromkeys([*row.arguments[field], *ids]))
            row.arguments, left = {**row.arguments, field: together[:most]}, together[most:]
        for first in range(0, len(left), most):
            arguments = {"custodian": destination, field: left[first : first + most]}
            self.post(session, operation=operation, destination=destination, arguments=arguments)

    def busy(self, session: Session, *, destination: str) -> bool:
        """Whether a message to this destination is still on its way."""
        open_rows = OutboxRow.state.in_((PENDING, SENDING))
        return bool(session.scalar(select(exists().where(open_rows, OutboxRow.destination == destination))))

    def dispatch(self, starts: Starts) -> int:
        """Promise a flow for each message that is due; how many."""
        # One at a time to each destination: one that is down holds up its own messages only.
        sending = select(OutboxRow.destination).where(OutboxRow.state == SENDING)
        due = select(OutboxRow).where(
            OutboxRow.state == PENDING,
            OutboxRow.next_try_at <= self._tools.now(),
            OutboxRow.destination.not_in(sending),
        )
        due = due.order_by(OutboxRow.number).limit(AT_ONCE)
        with self._tools.store.write() as session:
            found = session.scalars(due.with_for_update(skip_locked=True))
            rows = list({row.destination: row for row in reversed(list(found))}.values())
            last = starts.generations(session, [row.business_id for row in rows])
            for row in rows:
                row.state, row.tries = SENDING, row.tries + 1
            starts.promise(session, [self._promise(row, last.get(row.business_id, 0) + 1) for row in rows])
            return len(rows)

    def _promise(self, row: OutboxRow, generation: int) -> Promise:
        return Promise(
            business_id=row.business_id,
            generation=generation,
            operation=row.operation,
            arguments=row.arguments,
            handler=HANDLER,
            lane=f"{HANDLER}:{row.destination}",
            subject={"outbox": row.number},
        )

    def prefetch(self, session: Session, starts: Sequence[Begun]) -> Sequence[object]:
        """See `Handler`."""
        numbers = [start.subject["outbox"] for start in starts]
        return list(session.scalars(select(OutboxRow).where(OutboxRow.number.in_(numbers))))

    def finish_together(self, starts: Starts, session: Session) -> None:
        """See `Handler`."""

    def ended(self, _: Starts, session: Session, start: Begun, ending: Ending) -> None:
        """See `Handler`."""
        row = session.get_one(OutboxRow, start.subject["outbox"])
        now = self._tools.now()
        if ending.error is None:
            row.state, row.ended_at, row.error = DELIVERED, now, None
            self._tools.record(session, "delivered", row.operation, destination=row.destination, **row.arguments)
            if row.operation in self.after:
                self.after[row.operation](session, row, ending)
            return
        row.error = ending.error.to_wire()
        if self._gives_up(row, ending.error):
            row.state, row.ended_at = DROPPED, now
            self._tools.record(session, "dropped", row.operation, destination=row.destination, **row.error)
            return
        row.state, row.next_try_at = PENDING, now + self._wait(row)

    def _gives_up(self, row: OutboxRow, error: IpponError) -> bool:
        return error.code in GIVES_UP_ON or row.tries >= self._tools.settings.limits.max_tries

    def _wait(self, row: OutboxRow) -> timedelta:
        timers = self._tools.settings.timers
        return growing(
            timers.transient_base_seconds,
            timers.transient_cap_seconds,
            doublings=row.tries - 1,
            jitter=self._tools.random.random(),
        )

    def _serial(self, session: Session) -> int:
        return session.scalar(select(func.coalesce(func.max(OutboxRow.number), 0))) or 0


def undelivered(session: Session) -> int:
    """Messages that are still to be told."""
    open_rows = or_(OutboxRow.state == PENDING, OutboxRow.state == SENDING)
    return session.scalar(select(func.count()).where(open_rows)) or 0
