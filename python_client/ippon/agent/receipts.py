"""Receipts: what became of every row of a file, in a file of its own and as values."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ippon.agent.tables import InboxFile, InboxRow
from ippon.agent.tools import Tools
from ippon.errors import BadAnswer, WaitOver
from ippon.model import Row, UtcTime

PENDING, ACCEPTED, REFUSED, DUPLICATE = "pending", "accepted", "refused", "duplicate"
STATUSES = (PENDING, ACCEPTED, REFUSED, DUPLICATE)


class ReceiptRow(Row):
    """What became of one row; line counts from 1, the header's line included."""

    line: int
    id: str
    status: Literal["pending", "accepted", "refused", "duplicate"]
    code: str | None = None
    field: str | None = None
    reason: str | None = None
    transaction_id: str | None = None


class Receipt(Row):
    """What became of one file: `read`, or `refused` as a whole with code and reason."""

    file: str
    kind: str
    sha256: str
    read_at: UtcTime
    status: Literal["read", "refused"]
    code: str | None = None
    reason: str | None = None
    counts: dict[str, int]
    rows: tuple[ReceiptRow, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether no row is pending."""
        return self.counts.get(PENDING, 0) == 0


def receipt_of(file: InboxFile, rows: list[InboxRow]) -> Receipt:
    """The receipt of a file out of the store."""
    counts = Counter(row.status for row in rows)
    return Receipt.model_validate(
        {
            "file": file.name,
            "kind": file.kind,
            "sha256": file.sha256,
            "read_at": file.read_at,
            "status": file.status,
            "code": file.code,
            "reason": file.reason,
            "counts": {status: counts[status] for status in STATUSES},
            "rows": [
                {
                    "line": row.line,
                    "id": row.row_id,
                    "status": row.status,
                    "code": row.code,
                    "field": row.field,
                    "reason": row.reason,
                    "transaction_id": row.transaction_id,
                }
                for row in rows
            ],
        }
    )


def receipt_path(receipts_dir: Path, name: str) -> Path:
    """Where the receipt of a file lies."""
    return receipts_dir / f"{name}.receipt.json"


def read_receipt(*, receipts_dir: Path, name: str) -> Receipt | None:
    """The receipt of a file; None while there is none."""
    path = receipt_path(receipts_dir, name)
    try:
        return Receipt.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except ValueError as problem:
        raise BadAnswer(f"The receipt {path} cannot be read: {problem}") from problem


def wait_receipt(
    *,
    receipts_dir: Path,
    name: str,
    timeout_seconds: float,
    until: Literal["finished", "read"] = "finished",
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Receipt:
    """The receipt, once there is one (`read`) or none of its rows is pending (`finished`); WaitOver after the time."""
    give_up = monotonic() + timeout_seconds
    while True:
        receipt = read_receipt(receipts_dir=receipts_dir, name=name)
        if receipt is not None and (until == "read" or receipt.finished):
            return receipt
        if monotonic() >= give_up:
            state = "is not there" if receipt is None else f"has {receipt.counts[PENDING]} rows pending"
            raise WaitOver(f"The receipt of {name} {state} after {timeout_seconds} s.")
        sleep(0.1)


def write_whole(path: Path, content: bytes) -> None:
    """A file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


class Receipts:
    """Writes the receipts of files whose rows have changed."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._rest_until: dict[int, datetime] = {}

    def flush(self) -> int:
        """Write what is due; how many. A file that is not finished is written once in a while, not at every row."""
        stale = select(InboxFile.number).where(InboxFile.version > InboxFile.written).order_by(InboxFile.number)
        with self._tools.store.read() as session:
            due = [number for number in session.scalars(stale) if not self._rests(session, number)]
        for number in due:
            self._write(number)
        return len(due)

    def _rests(self, session: Session, number: int) -> bool:
        if self._rest_until.get(number, self._tools.now()) <= self._tools.now():
            return False
        pending = select(InboxRow.number).where(InboxRow.file_number == number, InboxRow.status == PENDING)
        return session.scalars(pending.limit(1)).first() is not None

    def _write(self, number: int) -> None:
        with self._tools.store.read() as session:
            file = session.get_one(InboxFile, number)
            rows = session.scalars(select(InboxRow).where(InboxRow.file_number == number).order_by(InboxRow.line))
            receipt = receipt_of(file, list(rows))
        path = receipt_path(self._tools.settings.receipts_dir, file.name)
        write_whole(path, receipt.model_dump_json(indent=1).encode())
        # A large file's receipt takes its time to write.
        pause = self._tools.settings.timers.receipt_seconds * (1 + len(receipt.rows) // 500)
        self._rest_until[number] = self._tools.now() + timedelta(seconds=pause)
        with self._tools.store.write() as session:
            session.execute(update(InboxFile).where(InboxFile.number == number).values(written=file.version))
