"""Reaching into a snapshot to change one thing; each tampering returns the culprit that the proof must name."""

from collections.abc import Callable
from typing import Any

from ippon.report.snapshot import Snapshot, StatementLine, StateRow, TransactionRow
from unit.report_world import honest_day


def state(snapshot: Snapshot, node: str, **wanted: Any) -> StateRow:
    """The first state whose data has these values (`type`, `status` of the row; `investor` of its holder)."""
    for row in snapshot.nodes[node].states:
        facts = {**row.data, "type": row.type, "status": row.status}
        facts["investor"] = row.data.get("investor_id")
        if all(facts.get(name) == value for name, value in wanted.items()):
            return row
    raise AssertionError(f"{node} has no state {wanted}")


def transaction(snapshot: Snapshot, node: str, kind: str, number: int = 0) -> TransactionRow:
    """The n-th transaction of a node with a command of this kind, in the order of the day."""
    order = list(honest_day().transactions)
    found = [tx for tx in snapshot.nodes[node].transactions if any(one.kind == kind for one in tx.commands)]
    return sorted(found, key=lambda tx: order.index(tx.transaction_id))[number]


def everywhere(snapshot: Snapshot, kind: str, change: Callable[[TransactionRow], None], number: int = 0) -> str:
    """Change every node's copy of a transaction, as one who has hold of all of them would."""
    tx_id = next(
        transaction(snapshot, node, kind, number).transaction_id
        for node in ("custodian-b", "custodian-a", "asset")
        if any(one.kind == kind for tx in snapshot.nodes[node].transactions for one in tx.commands)
    )
    for node in snapshot.nodes.values():
        for tx in node.transactions:
            if tx.transaction_id == tx_id:
                change(tx)
    return tx_id


def line(snapshot: Snapshot, line_id: str) -> StatementLine:
    return next(one for one in snapshot.statements[0].lines if one.line_id == line_id)


def set_output(index: int, **values: Any) -> Callable[[TransactionRow], None]:
    def change(tx: TransactionRow) -> None:
        tx.outputs[index].data.update(values)

    return change
