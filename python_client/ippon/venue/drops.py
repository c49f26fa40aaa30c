"""Files to the exchange agent: `orders-*.csv` and `fills-*.csv`, numbered without a gap, each kept here as well.

    orders-ODST-20260701-00000001-00000240.csv      order rows 1 to 240 of the day
    fills-ODST-20260701-00000001-00000087.csv

A file is written here first and then put into the agent's inbox. After a crash the day is played again from the
journal: what was sent must come out the same, byte for byte, and what was not sent is sent. The last file is put into
the inbox again; the agent knows a file that comes twice.
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from ippon.errors import StoreError
from ippon.model import Row

Value = TypeVar("Value", bound=Row)
_RANGE = re.compile(r"-(\d{8,})-(\d{8,})\.csv")


class Drops(Generic[Value]):
    """The files of one kind and day."""

    def __init__(
        self,
        *,
        kind: str,
        prefix: str,
        kept_dir: Path,
        inbox_dir: Path | None,
        max_rows: int,
        write: Callable[[Sequence[Value]], bytes],
    ) -> None:
        self._stem = f"{kind}-{prefix}"
        self._kept, self._inbox = kept_dir, inbox_dir
        self._max_rows = max_rows
        self._write = write
        self._next = 1

    def restore(self, rows: Sequence[Value]) -> None:
        """Go on after a restart, given all rows of the day so far.

        Raises: StoreError when they are not what was sent before.
        """
        self._kept.mkdir(parents=True, exist_ok=True)
        last: Path | None = None
        for path in sorted(self._kept.glob(f"{self._stem}-*.csv"), key=_first):
            match = _RANGE.search(path.name)
            first, until = (int(match[1]), int(match[2])) if match else (0, 0)
            if first != self._next or path.read_bytes() != self._write(rows[first - 1 : until]):
                raise StoreError(
                    f"{path} was sent, but the journal makes other rows {first} to {until} now. "
                    "Were hours, lists or the version changed within the day? Put them back."
                )
            self._next, last = until + 1, path
        if last is not None:
            self._hand_over(last.name, last.read_bytes())
        self.put(rows[self._next - 1 :])

    def put(self, rows: Sequence[Value]) -> int:
        """Send rows; how many files that made."""
        files = 0
        for start in range(0, len(rows), self._max_rows):
            part = rows[start : start + self._max_rows]
            name = f"{self._stem}-{self._next:08}-{self._next + len(part) - 1:08}.csv"
            content = self._write(part)
            write_whole(self._kept / name, content)
            self._hand_over(name, content)
            self._next += len(part)
            files += 1
        return files

    def _hand_over(self, name: str, content: bytes) -> None:
        if self._inbox is not None:
            write_whole(self._inbox / name, content)


def _first(path: Path) -> int:
    match = _RANGE.search(path.name)
    return int(match[1]) if match else 0


def write_whole(path: Path, content: bytes) -> None:
    """A file that is there whole or not at all, under a hidden name until then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
