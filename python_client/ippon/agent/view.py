"""Reading an agent's store from any process while the agent runs, for desks and command lines; and asking for a retry.

store = Store.open("sqlite:////path/agent.sqlite")
for fill in settlements(store, states=[DeskState.WAITING]): ...
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import ConfigDict
from sqlalchemy import func, select
from sqlalchemy.sql import ColumnElement

from ippon.agent.outbox import undelivered
from ippon.agent.receipts import PENDING, Receipt, receipt_of
from ippon.agent.settlerows import SELLING
from ippon.agent.starts import COMMITTED, ENDED, STARTED
from ippon.agent.store import Store
from ippon.agent.tables import (
    Attempt,
    Event,
    InboxFile,
    InboxRow,
    Notice,
    Settlement,
    Shortage,
    Start,
    TrustOrder,
    VenueFill,
)
from ippon.agent.tools import Clock
from ippon.model import DeskState, NoticeKind, Outcome, Reason, Row, Side, TryCause

MAX_ROWS = 10_000


class _View(Row):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class SettlementView(_View):
    """A fill on the desk; amount in yen, quantity in units, missing in yen (MONY) or units (LACK)."""

    execution_id: str
    side: Side
    state: DeskState
    reason: Reason | None
    cause: str | None
    message: str | None
    missing: int | None
    failing: bool
    platform_code: str
    security_code: str
    quantity: int
    unit_price: str
    amount: int
    seller_custodian: str
    seller_investor_id: str
    buyer_custodian: str
    buyer_investor_id: str
    trade_date: date
    executed_at: datetime
    settle_date: date
    tries: int
    generation: int
    next_try_at: datetime | None
    next_cause: TryCause | None
    transaction_id: str | None
    received_at: datetime
    changed_at: datetime
    settled_at: datetime | None


class AttemptView(_View):
    """One try of one fill; outcome None while it runs."""

    execution_id: str
    number: int
    client_id: str
    cause: TryCause
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    reason: Reason | None
    missing: int | None
    error: str | None


class ShortageView(_View):
    """What an investor lacks: yen (COINS) as a buyer, units (UNITS) as a seller; state open, announced or covered."""

    execution_id: str
    asset: str
    investor_id: str
    missing: int
    counterparty: str | None
    state: str
    announcements: int
    noticed_at: datetime
    announced_at: datetime | None
    covered_at: datetime | None


class EventView(_View):
    """A line of the event log."""

    number: int
    at: datetime
    kind: str
    subject: str
    detail: dict[str, Any]


class NoticeView(_View):
    """What the node told this side."""

    sequence: int
    at: datetime
    kind: NoticeKind
    execution_id: str
    reason: Reason | None
    missing: int | None
    investor_id: str | None
    counterparty: str | None


class InstructionView(_View):
    """A trust instruction as this organisation follows it; status PENDING and REFUSED: not on the ledger."""

    custodian: str
    instruction_id: str
    investor_id: str
    amount: int
    source: str
    status: str
    reason: str | None
    line_id: str | None
    transaction_id: str | None
    expires_at: datetime


class VenueFillView(_View):
    """Exchange: a fill that the venue sent; state pending, unknown, notified, refused or busted."""

    execution_id: str
    state: str
    quantity: int
    transaction_id: str | None
    content: dict[str, Any]
    changed_at: datetime


class Unfinished(Row):
    """How much the agent still has to do at once; fills that wait for something are not counted."""

    rows: int
    starts: int
    messages: int
    sending: int
    unknown: int

    @property
    def idle(self) -> bool:
        """Whether there is nothing."""
        return not (self.rows or self.starts or self.messages or self.sending or self.unknown)


class RetryAsked(Row):
    """Which fills will be tried at once, which are in a state that cannot be asked (by id), which are not here."""

    asked: tuple[str, ...]
    not_waiting: dict[str, DeskState]
    unknown: tuple[str, ...]


def settlements(
    store: Store,
    *,
    states: Iterable[DeskState] = (),
    execution_ids: Iterable[str] = (),
    side: Side | None = None,
    limit: int = 1000,
    offset: int = 0,
) -> list[SettlementView]:
    """Fills in the order in which they settle; all states, ids and sides unless some are named."""
    wanted: list[ColumnElement[bool]] = []
    if states := list(states):
        wanted.append(Settlement.state.in_(states))
    if execution_ids := list(execution_ids):
        wanted.append(Settlement.execution_id.in_(execution_ids))
    if side is not None:
        wanted.append(Settlement.side == side)
    order = (Settlement.settle_date, Settlement.executed_at, Settlement.execution_id)
    found = select(Settlement).where(*wanted).order_by(*order).limit(min(limit, MAX_ROWS)).offset(offset)
    with store.read() as session:
        return [SettlementView.model_validate(row) for row in session.scalars(found)]


def attempts(store: Store, *, execution_id: str) -> list[AttemptView]:
    """The tries of one fill, oldest first."""
    found = select(Attempt).where(Attempt.execution_id == execution_id).order_by(Attempt.number)
    with store.read() as session:
        return [AttemptView.model_validate(row) for row in session.scalars(found)]


def shortages(store: Store, *, state: str | None = None) -> list[ShortageView]:
    """What is, or was, short here, oldest notice first."""
    found = select(Shortage).order_by(Shortage.noticed_at, Shortage.execution_id).limit(MAX_ROWS)
    if state is not None:
        found = found.where(Shortage.state == state)
    with store.read() as session:
        return [ShortageView.model_validate(row) for row in session.scalars(found)]


def instructions(store: Store) -> list[InstructionView]:
    """Trust instructions, oldest first."""
    found = select(TrustOrder).order_by(TrustOrder.created_at, TrustOrder.instruction_id).limit(MAX_ROWS)
    with store.read() as session:
        return [InstructionView.model_validate(row) for row in session.scalars(found)]


def notices(store: Store, *, after: int = 0, limit: int = 1000) -> list[NoticeView]:
    """The node's notices after a number, in its order."""
    found = select(Notice).where(Notice.sequence > after).order_by(Notice.sequence).limit(min(limit, MAX_ROWS))
    with store.read() as session:
        return [NoticeView.model_validate(row) for row in session.scalars(found)]


def events(store: Store, *, after: int = 0, subject: str | None = None, limit: int = 1000) -> list[EventView]:
    """The event log after a number, in order; of one subject (an execution id, a file …) when named."""
    found = select(Event).where(Event.number > after).order_by(Event.number).limit(min(limit, MAX_ROWS))
    if subject is not None:
        found = found.where(Event.subject == subject)
    with store.read() as session:
        return [EventView.model_validate(row) for row in session.scalars(found)]


def receipts(store: Store, *, file_name: str | None = None) -> list[Receipt]:
    """What became of files, oldest first; of one name when named."""
    found = select(InboxFile).order_by(InboxFile.number)
    if file_name is not None:
        found = found.where(InboxFile.name == file_name)
    with store.read() as session:
        return [
            receipt_of(file, list(session.scalars(_rows_of(file)))) for file in session.scalars(found.limit(MAX_ROWS))
        ]


def venue_fills(store: Store) -> list[VenueFillView]:
    """Exchange: the fills that passed the checks, by execution id."""
    found = select(VenueFill).order_by(VenueFill.execution_id).limit(MAX_ROWS)
    with store.read() as session:
        return [VenueFillView.model_validate(row) for row in session.scalars(found)]


def unfinished(store: Store) -> Unfinished:
    """What the agent is still busy with."""
    running = (COMMITTED, STARTED, ENDED)
    with store.read() as session:

        def count(*wanted: ColumnElement[bool]) -> int:
            return session.scalar(select(func.count()).where(*wanted)) or 0

        return Unfinished(
            rows=count(InboxRow.status == PENDING),
            starts=count(Start.state.in_(running)),
            messages=undelivered(session),
            sending=count(Settlement.state.in_((DeskState.SENDING, DeskState.CHECKED))),
            unknown=count(Settlement.state == DeskState.UNKNOWN),
        )


def ask_retry(store: Store, *, clock: Clock, execution_ids: Sequence[str]) -> RetryAsked:
    """Have waiting or refused fills of our sellers tried now; the running agent sees it within its idle poll."""
    now = clock.now()
    asked: list[str] = []
    not_waiting: dict[str, DeskState] = {}
    with store.write() as session:
        rows = {
            row.execution_id: row
            for row in session.scalars(select(Settlement).where(Settlement.execution_id.in_(execution_ids)))
        }
        for row in rows.values():
            if row.side not in SELLING or row.state not in (DeskState.WAITING, DeskState.REFUSED):
                not_waiting[row.execution_id] = DeskState(row.state)
                continue
            row.state, row.next_try_at, row.next_cause = DeskState.WAITING, now, TryCause.ASKED
            row.waits = row.refusals = 0
            row.changed_at = now
            session.add(Event(at=now, kind="asked", subject=row.execution_id, detail={}))
            asked.append(row.execution_id)
    missing = tuple(execution_id for execution_id in execution_ids if execution_id not in rows)
    return RetryAsked(asked=tuple(sorted(asked)), not_waiting=not_waiting, unknown=missing)


def _rows_of(file: InboxFile) -> Any:
    return select(InboxRow).where(InboxRow.file_number == file.number).order_by(InboxRow.line)
