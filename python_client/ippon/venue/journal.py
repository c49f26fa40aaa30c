"""What the venue took, written down before it is acted on. Played again it makes the same day, fill for fill.

A journal is a file of requests like any other (`ippon venue replay` takes it).
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Self

from ippon.errors import IpponError, StoreError
from ippon.venue.flow import COLUMNS, read_flow, write_flow
from ippon.venue.orders import Message


class Journal:
    """One trading day's requests, in the order in which they were taken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def read(self) -> list[tuple[int, Message]]:
        """(milliseconds, request) of all that was taken before; a line torn by a crash was never acted on and goes.

        Raises: StoreError when a whole line cannot be read.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._path, len(whole))
        found = []
        try:
            for line in read_flow(whole, max_bytes=None) if whole else ():
                if line.message is None or line.at_millis is None:
                    raise line.problem or StoreError("it has no time", where=f"line {line.number}")
                found.append((line.at_millis, line.message))
        except IpponError as problem:
            raise StoreError(f"The journal {self._path} is damaged: {problem.where}: {problem.message}") from problem
        return found

    def append(self, requests: Sequence[tuple[int, Message]]) -> None:
        """On the disk when this returns."""
        file = self._file or self._open()
        file.write(write_flow(requests, header=False).encode())
        file.flush()
        os.fsync(file.fileno())

    def close(self) -> None:
        """Let the file go."""
        if self._file:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> BinaryIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = file = self._path.open("ab")
        if not file.tell():
            file.write(",".join(COLUMNS).encode() + b"\n")
        return file
