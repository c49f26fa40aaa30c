"""What the player of a day does and sees: inboxes to drop files into, and how things stand. Real or a test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ippon.model import DeskState, InstructionStatus
from ippon.report.day import AttemptRow


@dataclass(frozen=True, kw_only=True)
class RowStand:
    """One row of a file: `pending`, `accepted`, `refused` or `duplicate`."""

    line: int
    id: str | None
    status: str
    code: str | None = None
    field: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileStand:
    """What became of a dropped file; `refused` means as a whole, with code and reason and without rows."""

    status: str
    code: str | None = None
    reason: str | None = None
    rows: Sequence[RowStand] = ()

    @property
    def pending(self) -> int:
        """Rows not yet decided."""
        return sum(row.status == "pending" for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class FillStand:
    """A fill on the desk of its seller's custodian. Yen and units."""

    execution_id: str
    state: DeskState
    security_code: str
    quantity: int
    unit_price: str
    amount: int
    seller_custodian: str
    seller_investor_id: str
    buyer_custodian: str
    buyer_investor_id: str
    reason: str | None = None
    cause: str | None = None
    missing: int | None = None
    tries: int = 0
    received_at: datetime | None = None
    settled_at: datetime | None = None
    transaction_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One balance of one investor; `asset` is COINS or a security code."""

    custodian: str
    investor_id: str
    asset: str
    total: int


class Floor(Protocol):
    """The organisations of a network, by their keys (`custodian-a`)."""

    def drop(self, member: str, name: str, content: bytes) -> None:
        """Put a file into a member's inbox."""
        ...

    def receipt(self, member: str, name: str) -> FileStand | None:
        """What the member's agent says of a file; None until it has been read."""
        ...

    def instructions(self, member: str, ids: Sequence[str]) -> Mapping[str, InstructionStatus]:
        """Those of these trust instructions that are on a custodian's ledger, by id."""
        ...

    def fills(self) -> Mapping[str, FillStand]:
        """Every fill, as its seller's custodian sees it, by execution id."""
        ...

    def attempts(self, fill: FillStand) -> list[AttemptRow]:
        """The tries to settle a fill."""
        ...

    def shortages(self, member: str) -> Mapping[str, int]:
        """Yen that a custodian has been told its buyers lack, by execution id."""
        ...

    def holdings(self) -> list[Holding]:
        """All balances at all custodians."""
        ...

    def trouble(self) -> str | None:
        """A sentence when an agent has died."""
        ...
