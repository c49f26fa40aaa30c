"""The agent's store: what it has promised, tried, been told and been given. The ledger decides; this remembers.

Times are UTC. Money is integer yen, quantities are integer units, prices are text with two places.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only under the very word INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


class Moment(TypeDecorator[datetime]):
    """A UTC time; SQLite keeps no zone, so it goes in and comes out as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuses times without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the store")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of an agent."""

    type_annotation_map = {datetime: Moment(), date: Date(), dict[str, Any]: JSON()}  # noqa: RUF012


class Settlement(Base):
    """One row a fill of which this custodian keeps a side: the queue of waiting work and the desk's screen."""

    __tablename__ = "settlement"

    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    side: Mapped[str] = mapped_column(String(4))
    platform_code: Mapped[str] = mapped_column(String(64))
    security_code: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit_price: Mapped[str] = mapped_column(String(20))
    amount: Mapped[int] = mapped_column(BigInteger)
    seller_custodian: Mapped[str] = mapped_column(String(128))
    seller_investor_id: Mapped[str] = mapped_column(String(64))
    buyer_custodian: Mapped[str] = mapped_column(String(128))
    buyer_investor_id: Mapped[str] = mapped_column(String(64))
    trade_date: Mapped[date]
    executed_at: Mapped[datetime]
    settle_date: Mapped[date]
    reverses: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(4))
    cause: Mapped[str | None] = mapped_column(String(64))
    message: Mapped[str | None] = mapped_column(Text)
    missing: Mapped[int | None] = mapped_column(BigInteger)
    failing: Mapped[bool] = mapped_column(Boolean, default=False)
    transaction_id: Mapped[str | None] = mapped_column(String(64))
    generation: Mapped[int] = mapped_column(Integer, default=0)
    """Generation of the last settle flow that it was part of; rises only when that one has not settled."""
    tries: Mapped[int] = mapped_column(Integer, default=0)
    waits: Mapped[int] = mapped_column(Integer, default=0)
    """Tries in a row that the timer began; the timer grows with it."""
    refusals: Mapped[int] = mapped_column(Integer, default=0)
    """Tries in a row that were refused."""
    next_try_at: Mapped[datetime | None]
    next_cause: Mapped[str | None] = mapped_column(String(12))
    wake_cause: Mapped[str | None] = mapped_column(String(12))
    """An event that came while a try was running: the try may have missed it, so another follows."""
    largest_batch: Mapped[int | None] = mapped_column(Integer)
    """How many fills may share the next try, after one that was refused as a whole."""
    units_seen: Mapped[int | None] = mapped_column(BigInteger)
    """Free units that last woke this fill: the same figure does not wake it twice."""
    route_seen: Mapped[str | None] = mapped_column(String(96))
    """Route and version that last woke this fill."""
    client_id: Mapped[str | None] = mapped_column(String(128))
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]
    received_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        Index("settlement_due", "state", "next_try_at"),
        Index("settlement_seller", "seller_investor_id", "state"),
        Index("settlement_buyer", "buyer_investor_id", "state"),
    )


class Attempt(Base):
    """One try of one fill."""

    __tablename__ = "attempt"

    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(128), index=True)
    cause: Mapped[str] = mapped_column(String(12))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(4))
    missing: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None] = mapped_column(Text)


class Event(Base):
    """Append-only: what happened, in order."""

    __tablename__ = "event"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(96), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Start(Base):
    """A flow that this agent starts, under a client id committed here before the start (law 3)."""

    __tablename__ = "start"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    client_id: Mapped[str] = mapped_column(String(128), unique=True)
    business_id: Mapped[str] = mapped_column(String(112), index=True)
    generation: Mapped[int] = mapped_column(Integer)
    operation: Mapped[str] = mapped_column(String(32))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    handler: Mapped[str] = mapped_column(String(16))
    lane: Mapped[str] = mapped_column(String(300))
    """Flows of one lane wait for the same others; each lane has room of its own, so none blocks another."""
    subject: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(9))
    """committed (not known to run) → started → ended (result committed) → forgotten (by the node)."""
    not_before: Mapped[datetime]
    run_id: Mapped[str | None] = mapped_column(String(36))
    succeeded: Mapped[bool | None] = mapped_column(Boolean)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("start_open", "state", "lane", "number"),)


class Outbox(Base):
    """What other organisations must be told, or asked; tried until it is through, one row apart from another."""

    __tablename__ = "outbox"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    business_id: Mapped[str] = mapped_column(String(112), unique=True)
    operation: Mapped[str] = mapped_column(String(32))
    destination: Mapped[str] = mapped_column(String(128))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(9))
    """pending → sending → delivered | dropped."""
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[datetime]
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("outbox_due", "state", "next_try_at"),)


class Notice(Base):
    """What the node told this side, once each, as the node numbered it."""

    __tablename__ = "notice"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))
    execution_id: Mapped[str] = mapped_column(String(64), index=True)
    reason: Mapped[str | None] = mapped_column(String(4))
    missing: Mapped[int | None] = mapped_column(BigInteger)
    investor_id: Mapped[str | None] = mapped_column(String(64))
    counterparty: Mapped[str | None] = mapped_column(String(128))


class Shortage(Base):
    """What an investor of this custodian lacks for a fill: yen as a buyer, units as a seller."""

    __tablename__ = "shortage"

    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    asset: Mapped[str] = mapped_column(String(5), primary_key=True)
    investor_id: Mapped[str] = mapped_column(String(64))
    missing: Mapped[int] = mapped_column(BigInteger)
    counterparty: Mapped[str | None] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(9))
    """open → announced → covered; open again when it turns out short again."""
    announcements: Mapped[int] = mapped_column(Integer, default=0)
    noticed_at: Mapped[datetime]
    announced_at: Mapped[datetime | None]
    covered_at: Mapped[datetime | None]

    __table_args__ = (Index("shortage_open", "asset", "state", "investor_id"),)


class TrustOrder(Base):
    """A trust instruction as this organisation (custodian or coin issuer) follows it."""

    __tablename__ = "trust_order"

    custodian: Mapped[str] = mapped_column(String(128), primary_key=True)
    instruction_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    investor_id: Mapped[str] = mapped_column(String(64))
    amount: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(6))
    """cash (a bank line), hand, or ledger (seen on the node)."""
    status: Mapped[str] = mapped_column(String(9))
    """PENDING (not on the ledger yet), REFUSED (never got there), or what the ledger says."""
    reason: Mapped[str | None] = mapped_column(Text)
    line_id: Mapped[str | None] = mapped_column(String(64))
    transaction_id: Mapped[str | None] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    doing: Mapped[str | None] = mapped_column(String(6))
    """Coin issuer: issue, reject or expire, while that flow runs."""
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_try_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (Index("trust_order_status", "status", "investor_id"),)


class TrustLine(Base):
    """Coin issuer: a line of the trust account's statement that the node has on record; amount in yen."""

    __tablename__ = "trust_line"

    line_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    value_date: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(String(140), index=True)
    custodian: Mapped[str] = mapped_column(String(128))
    used_by: Mapped[str | None] = mapped_column(String(200))


class VenueOrder(Base):
    """Exchange: an order as the venue took it."""

    __tablename__ = "venue_order"

    order_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    side: Mapped[str] = mapped_column(String(4))
    custodian: Mapped[str] = mapped_column(String(128))
    investor_id: Mapped[str] = mapped_column(String(64))
    security_code: Mapped[str] = mapped_column(String(64))
    platform_code: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit_price: Mapped[str] = mapped_column(String(20))


class VenueFill(Base):
    """Exchange: a fill that the venue sent and that is, or may come, on the ledger."""

    __tablename__ = "venue_fill"

    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sell_order_id: Mapped[str] = mapped_column(String(64), index=True)
    buy_order_id: Mapped[str] = mapped_column(String(64), index=True)
    quantity: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(8))
    """pending → notified → busted; unknown until the node's table is asked; refused."""
    transaction_id: Mapped[str | None] = mapped_column(String(64))
    row_id: Mapped[int] = mapped_column(RowNumber)
    changed_at: Mapped[datetime]

    __table_args__ = (Index("venue_fill_state", "state"),)


class InboxFile(Base):
    """A file that was read."""

    __tablename__ = "inbox_file"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(8))
    code: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(Text)
    read_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer, default=1)
    """Rises with each change of a row; the receipt on disk is of `written`."""
    written: Mapped[int] = mapped_column(Integer, default=0)

    __table_args__ = (UniqueConstraint("name", "sha256", name="inbox_file_once"),)


class InboxRow(Base):
    """A row of a file, and what became of it."""

    __tablename__ = "inbox_row"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    file_number: Mapped[int] = mapped_column(ForeignKey("inbox_file.number"))
    line: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    row_id: Mapped[str] = mapped_column(String(96))
    """The row's own id: execution id, order id …; empty when it could not be read."""
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(9))
    promised: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether its flow is promised; False while it waits for an earlier row."""
    code: Mapped[str | None] = mapped_column(String(64))
    field: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(Text)
    transaction_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("file_number", "line", name="inbox_row_once"),
        Index("inbox_row_id", "kind", "row_id", "status"),
    )


class Cursor(Base):
    """How far the node has been read."""

    __tablename__ = "cursor"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))
