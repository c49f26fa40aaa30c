"""The report of a day: one data model, shown as HTML, as JSON and on the terminal.

Yen and units are integers, prices decimal strings, times ISO-8601 UTC, durations seconds. Ids stand as on the ledger,
with the run's prefix; `short` takes it off for people.
"""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from ippon.report.result import InvariantResult


class AttemptRow(BaseModel):
    """One try to settle a fill. `cause`: what made it begin."""

    number: int
    cause: str
    outcome: str | None
    reason: str | None = None
    missing: int | None = None
    seconds: float | None = None


class FillReport(BaseModel):
    """What became of one fill. `outcome`: the desk's state at the end; `seconds`: from receipt to settlement."""

    execution_id: str
    security_code: str
    quantity: int
    unit_price: str
    amount: int
    seller: str
    buyer: str
    outcome: str
    reason: str | None = None
    cause: str | None = None
    expected: str
    surprises: list[str] = []
    tries: int = 0
    attempts: list[AttemptRow] = []
    seconds: float | None = None
    transaction_id: str | None = None


class RefusedRow(BaseModel):
    """A row, or a whole file (line 0), that an agent or a node refused, or saw to be a repetition (`duplicate`)."""

    file: str
    line: int
    id: str | None = None
    status: str
    field: str | None = None
    code: str | None = None
    reason: str | None = None
    expected: bool = True


class BalanceRow(BaseModel):
    """One investor's holding before the first fill and at the end; `asset` is COINS or a security code."""

    custodian: str
    investor_id: str
    asset: str
    before: int
    after: int

    @property
    def change(self) -> int:
        """What the day brought or took."""
        return self.after - self.before


class StepRow(BaseModel):
    """One step of the day's script, and how long it took."""

    title: str
    title_ja: str
    seconds: float


class DayReport(BaseModel):
    """A day, played and proved. `surprises`: everything that was not as the script expects, in sentences."""

    name: str
    run: str
    day: date
    started_at: datetime
    ended_at: datetime
    directory: str
    fills: list[FillReport]
    refused: list[RefusedRow]
    balances: list[BalanceRow]
    steps: list[StepRow]
    proof: list[InvariantResult]
    quiet: bool
    snapshot: str
    memory_bytes: int | None = None
    surprises: list[str] = []

    @property
    def passed(self) -> bool:
        """Whether every invariant holds and everything came as expected."""
        return not self.surprises and all(one.passed for one in self.proof)

    @property
    def prefix(self) -> str:
        """What this run's ids begin with."""
        return f"r{self.run}-"

    def short(self, text: str | None) -> str:
        """A text without the run's prefix."""
        return (text or "").replace(self.prefix, "")
