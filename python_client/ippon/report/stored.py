"""What a node's database holds, read from a copy of its file by the store reader, a JVM program of this repository.

Nothing of the node is asked: this is what whoever has the disk can read, vault or not, recorded or only stored.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from ippon.errors import StoreError
from ippon.model import Row
from ippon_network.parts import java_home, present

COPY_TRIES = 5
READ_TIMEOUT_SECONDS = 300.0
_PAUSE_SECONDS = 1.0
# A short run on a small heap: the optimising compiler would cost more than it saves.
_JVM_OPTIONS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class StoredState(Row):
    """An output: its class, and every field that it has."""

    type: str
    data: dict[str, Any]


class StoredCommand(Row):
    """A command: its class, its fields and who must sign."""

    type: str
    data: dict[str, Any]
    signers: tuple[str, ...]


class StoredTransaction(Row):
    """One row of `node_transactions`. `recorded`: checked and recorded here, and not only stored as part of a chain."""

    id: str
    recorded: bool
    undecoded: str | None = None
    signatures: tuple[str, ...] = ()
    commands: tuple[StoredCommand, ...] = ()
    inputs: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    outputs: tuple[StoredState, ...] = ()
    notary: str | None = None
    time_window: Mapping[str, str | None] = Field(default_factory=dict)
    attachments: tuple[str, ...] = ()


class StoredAttachment(Row):
    """An attachment and the names of its entries."""

    id: str
    file_name: str | None
    uploader: str | None
    entries: tuple[str, ...]


class Column(Row):
    """A column and H2's name of its type."""

    name: str
    type: str


class StoredTable(Row):
    """A table and how many rows it has."""

    name: str
    rows: int
    columns: tuple[Column, ...]


class Found(Row):
    """In how many rows of a column a text was found; `text` is its place in the list that was asked for."""

    text: int
    table: str
    column: str
    rows: int


class Store(Row):
    """All of one node's database."""

    h2: str
    tables: tuple[StoredTable, ...]
    transactions: tuple[StoredTransaction, ...]
    attachments: tuple[StoredAttachment, ...]
    found: tuple[Found, ...]
    values: Mapping[str, tuple[str | None, ...]] = Field(default_factory=dict)


def read_store(
    database: Path,
    *,
    reader: Path,
    wanted: Sequence[str] = (),
    values: Sequence[str] = (),
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run,
    sleep: Callable[[float], None] = time.sleep,
) -> Store:
    """Copy a node's database, live or not, and read the copy; StoreError when no copy can be read.

    Args:
        database: the node's `persistence.mv.db`.
        reader: ippon-store-reader.jar.
        wanted: texts to look for everywhere. They may be secrets: they go by standard input and come back as numbers.
        values: columns, `TABLE.COLUMN`, whose values are wanted too.
        run: starts the reader.
        sleep: waits between tries.
    """
    if not database.is_file():
        raise StoreError(
            f"There is no node's database {database}: make the network with 'ippon network up', or name its folder by "
            "IPPON_NETWORK_DIR.",
            where=str(database),
        )
    command = [str(java_home() / "bin" / "java"), *_JVM_OPTIONS, "-jar", str(present(reader))]
    problem = "it was never tried"
    with tempfile.TemporaryDirectory(prefix="ippon-store-") as folder:
        copy = Path(folder) / database.name
        for _ in range(COPY_TRIES):
            # What was written while we copied may have left the copy without a whole last chunk: then once more.
            shutil.copyfile(database, copy)
            done = run(
                [*command, str(copy), *values],
                input="\n".join(wanted),
                capture_output=True,
                text=True,
                timeout=READ_TIMEOUT_SECONDS,
                check=False,
            )
            if done.returncode == 0:
                return parse(done.stdout, database)
            problem = done.stderr.strip()[-500:]
            sleep(_PAUSE_SECONDS)
    raise StoreError(f"No copy of {database} could be read in {COPY_TRIES} tries: {problem}", where=str(database))


def parse(text: str, database: Path) -> Store:
    """The reader's document; StoreError when it is none."""
    try:
        return Store.model_validate_json(text)
    except ValidationError as error:
        raise StoreError(
            f"What the store reader says of {database} cannot be understood: {error.errors()[0]['msg']}. "
            "Is it of this build? Run 'make build'.",
            where=str(database),
        ) from error
