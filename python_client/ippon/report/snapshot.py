"""A snapshot: what each node's vault holds, and the trust account's statement as the bank sent it.

The proof reads nothing else. All yen and units are integers; refs are `<transaction id>:<index>`; a reader that does
not trust this program may take the JSON and do the sums again.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ippon.errors import BadFile
from ippon.report.kotlin_text import read_command

NAMES_REMEMBERED = 1024
Role = Literal["exchange", "asset", "coin", "custodian"]


class _Row(BaseModel):
    # A newer bridge may say more than this program reads.
    model_config = ConfigDict(extra="ignore")


class StateRow(_Row):
    """One state of a node's vault."""

    ref: str
    type: str
    status: Literal["UNCONSUMED", "CONSUMED"]
    recorded_at: str | None = None
    consumed_at: str | None = None
    consumed_by: str | None = None
    locked: bool = False
    data: dict[str, Any]


class OutputRow(_Row):
    """One output of a transaction."""

    ref: str
    type: str
    data: dict[str, Any]


class CommandRow(_Row):
    """One command of a transaction; a node that tells its data as Kotlin's text is understood too."""

    name: str
    data: Annotated[dict[str, Any], BeforeValidator(read_command)] = Field(default_factory=dict)
    signers: list[str] = Field(default_factory=list)

    @property
    def kind(self) -> str:
        """The command's simple name, such as `Settle` or `Issue`."""
        return _last_part(self.name)


class TransactionRow(_Row):
    """One transaction as a node has recorded it."""

    transaction_id: str
    inputs: list[str]
    outputs: list[OutputRow]
    commands: list[CommandRow]
    time_window: dict[str, Any] | None = None
    notary: str | None = None
    signers: list[str] = Field(default_factory=list)


class NodeVault(_Row):
    """What one node holds. `organisation` is its X.500 name; one organisation may run several roles."""

    organisation: str
    roles: list[Role]
    states: list[StateRow]
    transactions: list[TransactionRow]


class StatementLine(_Row):
    """One line of the trust account; `amount` in yen, below zero when paid out."""

    line_id: str
    value_date: str
    amount: int
    reference: str
    custodian: str


class Statement(_Row):
    """One statement file."""

    account: str
    lines: list[StatementLine]
    file: str = ""


class Snapshot(_Row):
    """Everything the proof is about. `quiet`: nothing moved on any node while it was read."""

    taken_at: str
    quiet: bool = True
    nodes: dict[str, NodeVault]
    statements: list[Statement]

    def save(self, path: Path) -> None:
        """Write it as JSON, for its owner's eyes: it is what five organisations' vaults hold."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1))

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """Read what `save` wrote. Raises: BadFile when it is none."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadFile(f"{path} cannot be read: {error}", where=str(path)) from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise BadFile(f"{path} is no snapshot: {field}: {first['msg']}", where=str(path), field=field) from error


@lru_cache(maxsize=NAMES_REMEMBERED)
def _last_part(name: str) -> str:
    return re.split(r"[.$]", name)[-1]


@lru_cache(maxsize=NAMES_REMEMBERED)
def organisation_of(name: str) -> str:
    """`Custodian A` out of `O=Custodian A, L=Tokyo, C=JP`, and out of `Custodian A`."""
    found = re.search(r"(?:^|,)\s*O=([^,]+)", name)
    return found.group(1).strip() if found else name.strip()
