"""The agent's own work: flows promised, messages to send, events in order, how far the node was read."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from ippon.agent.tables.base import Base, RowNumber


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


class Event(Base):
    """Append-only: what happened, in order."""

    __tablename__ = "event"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(96), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Cursor(Base):
    """How far the node has been read."""

    __tablename__ = "cursor"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))
