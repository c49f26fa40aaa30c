"""Nobody stalls: what the node holds past its deadline is killed, and the ledger is asked what became of it.

pending past its deadline and a grace → kill (operator token) → signed? → ask_outcome
    still unknown: a custodian reclaims its coins; who has none to reclaim asks again, ever more seldom
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ippon.agent.ledger import Ledger
from ippon.agent.outbox import Outbox
from ippon.agent.settlerows import HANDLER as SETTLE
from ippon.agent.starts import STARTED, Ending
from ippon.agent.tables import Moment, Start, word
from ippon.agent.tables import Outbox as OutboxRow
from ippon.agent.tools import Tools
from ippon.errors import IpponError, Unavailable
from ippon.model import PendingRow

SIGNED = ("SIGNED", "DROPPED")
"""Kinds of pending in which this node's signature is out."""
_STARTED_BEFORE = select(Start.run_id, Start.client_id).where(
    Start.handler == word(SETTLE), Start.state == word(STARTED), Start.started_at < bindparam("moment", type_=Moment())
)


class Overdue:
    """Watches what a node has reserved or signed.

    Args:
        reclaims: whether this role can put an end to a doubt by spending its own coins (custodians). The others go on
            asking, ever more seldom, as long as their node is in doubt.
    """

    def __init__(self, tools: Tools, *, ledger: Ledger, outbox: Outbox, reclaims: bool) -> None:
        self._tools = tools
        self._ledger = ledger
        self._outbox = outbox
        self._reclaims = reclaims
        self._killed: set[str] = set()

    def look(self) -> int:
        """Deal with everything that is over its deadline; how many there were."""
        grace = timedelta(seconds=self._tools.settings.timers.pending_grace_seconds)
        over = [row for row in self._ledger.pending() if row.deadline + grace < self._tools.now()]
        hanging = self._hanging()
        self._killed &= {row.run_id for row in over} | {run_id for run_id, _ in hanging}
        for run_id, client_id in hanging:
            if run_id not in self._killed:
                self._kill(run_id, {"client_id": client_id})
        return sum(self._deal(row) for row in over)

    def _hanging(self) -> list[tuple[str, str]]:
        """Settle flows of this agent that run for too long, by run id and client id."""
        limit = timedelta(seconds=self._tools.settings.timers.settlement_limit_seconds)
        with self._tools.store.look() as connection:
            old = connection.execute(_STARTED_BEFORE, {"moment": self._tools.now() - limit})
            return [(run_id, client_id) for run_id, client_id in old if run_id is not None]

    def _deal(self, row: PendingRow) -> int:
        new = row.run_id not in self._killed
        if new:
            detail = {"pending": row.kind, "counterparty": row.counterparty, "fills": list(row.execution_ids)}
            self._kill(row.run_id, detail)
        if row.transaction_id is not None and row.kind in SIGNED:
            self._ask(row, row.transaction_id)
        return int(new)

    def _ask(self, row: PendingRow, transaction_id: str) -> None:
        with self._tools.store.write() as session:
            if self._outbox.busy(session, destination=transaction_id):
                return
            self._outbox.post(
                session,
                operation="ask_outcome",
                # Each transaction is a destination of its own: an answer that hangs holds up no other question.
                destination=transaction_id,
                arguments={"transaction_id": transaction_id},
                once=f"{transaction_id}:{self._question(row)}",
            )

    def _question(self, row: PendingRow) -> int:
        """Which question it is about this row by now: a new one each time that its age past the deadline doubles."""
        age = (self._tools.now() - row.deadline).total_seconds()
        return int(age // self._tools.settings.timers.transient_cap_seconds).bit_length()

    def _kill(self, run_id: str, detail: Mapping[str, object]) -> None:
        """Once: what does not end by that will not end by another."""
        self._killed.add(run_id)
        if self._tools.operator is None:
            self._tools.log.warning("overdue", run_id=run_id, **detail)
            return
        try:
            killed = self._tools.operator.kill(run_id)
        except Unavailable:
            self._killed.discard(run_id)
            raise
        except IpponError as problem:
            self._tools.log.warning("kill_failed", run_id=run_id, code=problem.code, **detail)
            return
        with self._tools.store.write() as session:
            self._tools.record(session, "killed", run_id, found=killed, **detail)

    def asked(self, session: Session, row: OutboxRow, ending: Ending) -> None:
        """After `ask_outcome`: what nobody has may be spent back to ourselves, which decides the matter."""
        transaction_id = row.arguments["transaction_id"]
        self._tools.record(session, "outcome", transaction_id, outcome=ending.text("outcome"))
        if self._reclaims and ending.text("outcome") == "UNKNOWN":
            self._outbox.post(
                session,
                operation="reclaim_coins",
                destination=transaction_id,
                arguments={"transaction_id": transaction_id},
                once=row.business_id,
            )

    def reclaimed(self, session: Session, row: OutboxRow, ending: Ending) -> None:
        """After `reclaim_coins`: either our coins are back, or the settlement was there all along."""
        by = ending.text("by_transaction_id")
        self._tools.record(
            session, "outcome", row.arguments["transaction_id"], outcome=ending.text("outcome"), by_transaction_id=by
        )
