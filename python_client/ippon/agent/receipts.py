"""Receipts: what became of every row of a file, in a file of its own and as values."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, exists, select, update

from ippon.agent.tables import InboxFile, InboxRow, word
from ippon.agent.tools import Tools
from ippon.errors import BadAnswer, WaitOver
from ippon.model import Row, UtcTime

PENDING, ACCEPTED, REFUSED, DUPLICATE = "pending", "accepted", "refused", "duplicate"
STATUSES = (PENDING, ACCEPTED, REFUSED, DUPLICATE)


_ANSWER = (InboxRow.code, InboxRow.field, InboxRow.reason, InboxRow.transaction_id)
_STALE = select(InboxFile.__table__).where(InboxFile.version > InboxFile.written).order_by(InboxFile.number)
_ROWS = (
    select(InboxRow.file_number, InboxRow.line, InboxRow.row_id, InboxRow.status, *_ANSWER)
    .where(InboxRow.file_number.in_(bindparam("files", expanding=True)))
    .order_by(InboxRow.file_number, InboxRow.line)
)
_UNFINISHED = select(exists().where(InboxRow.file_number == bindparam("its_file"), InboxRow.status == word(PENDING)))
_ONE = update(InboxFile).where(InboxFile.__table__.c.number == bindparam("its_number"))


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


def receipt_of(file: Any, rows: Sequence[Any]) -> Receipt:
    """The receipt of an `InboxFile` and its `InboxRow`s, or of their columns."""
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
        with self._tools.store.look() as connection:
            due = [file for file in connection.execute(_STALE) if not self._rests(connection, file.number)]
            if not due:
                return 0
            rows: dict[int, list[Any]] = {file.number: [] for file in due}
            for row in connection.execute(_ROWS, {"files": list(rows)}):
                rows[row.file_number].append(row)
        for file in due:
            self._write(file, rows[file.number])
        marks = [{"its_number": file.number, "written": file.version} for file in due]
        with self._tools.store.write() as session:
            session.connection().execute(_ONE, marks)
        return len(due)

    def _rests(self, connection: Connection, number: int) -> bool:
        if self._rest_until.get(number, self._tools.now()) <= self._tools.now():
            return False
        return bool(connection.scalar(_UNFINISHED, {"its_file": number}))

    def _write(self, file: Any, rows: Sequence[Any]) -> None:
        receipt = receipt_of(file, rows)
        path = receipt_path(self._tools.settings.receipts_dir, file.name)
        write_whole(path, receipt.model_dump_json(indent=1).encode())
        # A large file's receipt takes its time to write.
        pause = self._tools.settings.timers.receipt_seconds * (1 + len(receipt.rows) // 500)
        self._rest_until[file.number] = self._tools.now() + timedelta(seconds=pause)
