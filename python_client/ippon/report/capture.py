"""Takes a snapshot: reads every node's vault through its bridge, with reader tokens, and the statement files.

Only `states` and `transactions` are read. `pending` tells when nothing is on its way, and counting the states again
afterwards that nothing has moved meanwhile, so that what five nodes say is said of one moment. (The nodes' change
sequence would not do: reading may move it.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from ippon.errors import BadFile
from ippon.node import Node, rows
from ippon.report.snapshot import NodeVault, Role, Snapshot, Statement, StateRow, TransactionRow

TYPES = ("Fill", "SecurityToken", "Coin", "FundsRoute", "TrustInstruction")
STATUSES = ("ALL", "UNCONSUMED")
MAX_IDS_PER_QUERY = 100
QUIET_TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.5
DROPPED = "DROPPED"
"""Signed here, and given up by who proposed it: it is watched for a while, but nothing is on its way."""


@dataclass(frozen=True)
class Source:
    """One node to read: its short name, X.500 name and roles, and a `Node` that holds a reader token."""

    name: str
    organisation: str
    roles: tuple[Role, ...]
    node: Node


def capture(
    sources: Sequence[Source],
    statements: Callable[[], Iterable[Path]],
    *,
    quiet_timeout_seconds: float = QUIET_TIMEOUT_SECONDS,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Snapshot:
    """Read all nodes while nothing moves; when it never comes to rest in time, the snapshot says `quiet: false`.

    `statements` finds the bank's files; it is asked last, since no coin is issued before its line has come.
    """
    deadline = monotonic() + quiet_timeout_seconds
    while True:
        late = monotonic() >= deadline
        if late or not _anything_pending(sources):
            vaults = _read_vaults(sources)
            still = all(_counts(source.node) == _counted(vaults[source.name]) for source in sources)
            if still or late:
                files = [read_statement(path) for path in sorted(statements())]
                taken_at = now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
                return Snapshot(taken_at=taken_at, quiet=still and not late, nodes=vaults, statements=files)
        sleep(_POLL_SECONDS)


def read_statement(path: Path) -> Statement:
    """A statement file as the bank sent it; BadFile when it is none."""
    try:
        return Statement.model_validate_json(path.read_text(encoding="utf-8")).model_copy(update={"file": path.name})
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise BadFile(f"{path} is no statement of the trust account: {error}", where=str(path)) from error


def _read_vaults(sources: Sequence[Source]) -> dict[str, NodeVault]:
    states = {source.name: _states(source.node) for source in sources}
    known = {_transaction_of(row.ref) for found in states.values() for row in found}
    known |= {row.consumed_by for found in states.values() for row in found if row.consumed_by}
    ids = sorted(known)
    return {
        source.name: NodeVault(
            organisation=source.organisation,
            roles=list(source.roles),
            states=states[source.name],
            # Every node is asked for every id: who has not recorded what he should have is part of the proof.
            transactions=_transactions(source.node, ids),
        )
        for source in sources
    }


def _states(node: Node) -> list[StateRow]:
    found = {}
    for row_type in TYPES:
        for row in rows(node, "states", {"type": row_type, "status": "ALL"}):
            state = StateRow.model_validate(row)
            found[state.ref] = state
    return list(found.values())


def _transactions(node: Node, ids: Sequence[str]) -> list[TransactionRow]:
    found = []
    for start in range(0, len(ids), MAX_IDS_PER_QUERY):
        asked = {"transaction_ids": list(ids[start : start + MAX_IDS_PER_QUERY])}
        found += [TransactionRow.model_validate(row) for row in rows(node, "transactions", asked)]
    return found


def _transaction_of(ref: str) -> str:
    return ref.rpartition(":")[0]


def _counts(node: Node) -> dict[tuple[str, str], int]:
    """How many states of each type a node has now: whatever moves changes one of these."""
    first = {"page": 1, "size": 1}
    return {
        (row_type, status): node.query("states", {"type": row_type, "status": status, **first}).total
        for row_type in TYPES
        for status in STATUSES
    }


def _counted(vault: NodeVault) -> dict[tuple[str, str], int]:
    """The same, of what was read."""
    types = [(row.type, row.status) for row in vault.states]
    return {
        (row_type, status): sum(found[0] == row_type and status in ("ALL", found[1]) for found in types)
        for row_type in TYPES
        for status in STATUSES
    }


def _anything_pending(sources: Sequence[Source]) -> bool:
    return any(row["kind"] != DROPPED for source in sources for row in rows(source.node, "pending", {}))
