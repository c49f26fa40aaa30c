"""Fills on the desk: one row a fill, an attempt a try, what is short, what the node told."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ippon.agent.tables.base import Base


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
