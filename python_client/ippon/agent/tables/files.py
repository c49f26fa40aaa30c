"""What came in files: the files and rows themselves, and what a role keeps of them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ippon.agent.tables.base import Base, RowNumber


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
        Index("inbox_row_waiting", "status", "promised"),
    )


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
    filled: Mapped[int] = mapped_column(BigInteger)
    """Units that fills on their way or on the ledger take of it."""


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
    changed_at: Mapped[datetime]

    __table_args__ = (Index("venue_fill_state", "state"),)
