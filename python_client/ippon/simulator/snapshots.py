"""The model's vaults as the proof reads real ones, so that I1 to I6 are checked by the very same code."""

from ippon.model import utc_text
from ippon.report.snapshot import (
    CommandRow,
    NodeVault,
    OutputRow,
    Snapshot,
    Statement,
    StatementLine,
    StateRow,
    TransactionRow,
)
from ippon.simulator.book import EXCHANGE, ISSUER, REGISTRAR, Fields, State, Transaction, party
from ippon.simulator.member import Kept
from ippon.simulator.world import ROLES, World


def snapshot(world: World, bank: list[Fields]) -> Snapshot:
    """What every node has recorded, and the bank's own lines. Not validated: it is ours, and there is much of it."""
    rows = {name: _transaction(tx) for name, tx in world.book.transactions.items()}
    states: dict[tuple[str, str | None], StateRow] = {}
    nodes = {}
    for name, role in ROLES.items():
        member = world.network.members[name]
        kept = [one for one in member.kept.values() if name in one.state.owners]
        nodes[name] = NodeVault.model_construct(
            organisation=party(name),
            roles=[role],
            states=[_state(one, states) for one in kept],
            transactions=[rows[one] for one in member.recorded],
        )
    lines = [StatementLine.model_construct(**line) for line in bank]
    statement = Statement.model_construct(account="TRUST", lines=lines, file="")
    return Snapshot.model_construct(taken_at=utc_text(world.moment), quiet=True, nodes=nodes, statements=[statement])


def content(state: State) -> Fields:
    """A state's fields, parties by their X.500 names."""
    found = state.content()
    for name in ("custodian", "seller_custodian", "buyer_custodian"):
        if name in found:
            found[name] = party(found[name]) if not found[name].startswith("O=") else found[name]
    if state.kind == "Fill":
        found |= {"venue": party(EXCHANGE), "registrar": party(REGISTRAR), "coin_issuer": party(ISSUER)}
    elif state.kind == "TrustInstruction":
        found |= {"issuer": party(ISSUER), "expires_at": utc_text(found["expires_at"])}
    return found


def _state(kept: Kept, known: dict[tuple[str, str | None], StateRow]) -> StateRow:
    """A row, which the vaults that agree on it share."""
    key = (kept.state.ref, kept.consumed_by)
    if key not in known:
        known[key] = StateRow.model_construct(
            ref=kept.state.ref,
            type=kept.state.kind,
            status="UNCONSUMED" if kept.consumed_by is None else "CONSUMED",
            consumed_by=kept.consumed_by,
            data=content(kept.state),
        )
    return known[key]


def _transaction(tx: Transaction) -> TransactionRow:
    outputs = [OutputRow.model_construct(ref=one.ref, type=one.kind, data=content(one)) for one in tx.outputs]
    # All fields are given: a default that a factory makes costs more than the row.
    return TransactionRow.model_construct(
        transaction_id=tx.transaction_id,
        inputs=[state.ref for state in tx.inputs],
        outputs=outputs,
        commands=[CommandRow.model_construct(name=tx.command, data=dict(tx.data), signers=[])],
        signers=[],
    )
