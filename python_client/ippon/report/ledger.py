"""A snapshot read as a ledger: holdings, fills, instructions, and what each transaction changes.

Written from the specification and not from the Kotlin contracts, so that the two can disagree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from ippon.report.snapshot import NodeVault, OutputRow, Role, Snapshot, TransactionRow, organisation_of

HOLDING_TYPES = ("SecurityToken", "Coin")


class Position(NamedTuple):
    """One account in one asset. `asset` is `units <code>` or `coins`; `issuer` the registrar or the coin issuer."""

    custodian: str
    investor_id: str
    asset: str
    issuer: str

    def __str__(self) -> str:
        return f"{self.asset} of {self.investor_id} at {self.custodian} ({self.issuer})"


@dataclass(frozen=True)
class Fill:
    """One execution as its state says. Yen and units."""

    ref: str
    execution_id: str
    venue: str
    security_code: str
    registrar: str
    quantity: int
    unit_price: Decimal
    amount: int
    seller: tuple[str, str]
    buyer: tuple[str, str]
    coin_issuer: str


@dataclass(frozen=True)
class Instruction:
    """One trust instruction as its state says. Yen."""

    ref: str
    instruction_id: str
    custodian: str
    investor_id: str
    amount: int
    issuer: str


@dataclass(frozen=True)
class Violation:
    """Something that must not be; `culprit` is the id by which an operator finds it."""

    culprit: str
    message: str


def holder_of(data: Mapping[str, Any], side: str = "") -> tuple[str, str]:
    """(custodian's organisation, investor id) of a holding, or of one `side` of a fill (`seller_`, `buyer_`)."""
    return organisation_of(str(data[f"{side}custodian"])), str(data[f"{side}investor_id"])


def holding_of(row_type: str, data: Mapping[str, Any]) -> tuple[Position, int] | None:
    """Position and size of a holding state; None for any other."""
    if row_type == "SecurityToken":
        issuer = organisation_of(str(data["registrar"]))
        return Position(*holder_of(data), f"units {data['security_code']}", issuer), int(data["units"])
    if row_type == "Coin":
        return Position(*holder_of(data), "coins", organisation_of(str(data["issuer"]))), int(data["amount"])
    return None


def fill_of(ref: str, data: Mapping[str, Any]) -> Fill:
    """A fill state."""
    return Fill(
        ref=ref,
        execution_id=str(data["execution_id"]),
        venue=organisation_of(str(data["venue"])),
        security_code=str(data["security_code"]),
        registrar=organisation_of(str(data["registrar"])),
        quantity=int(data["quantity"]),
        unit_price=Decimal(str(data["unit_price"])),
        amount=int(data["amount"]),
        seller=holder_of(data, "seller_"),
        buyer=holder_of(data, "buyer_"),
        coin_issuer=organisation_of(str(data["coin_issuer"])),
    )


def instruction_of(ref: str, data: Mapping[str, Any]) -> Instruction:
    """A trust instruction state."""
    custodian, investor_id = holder_of(data)
    return Instruction(
        ref=ref,
        instruction_id=str(data["instruction_id"]),
        custodian=custodian,
        investor_id=investor_id,
        amount=int(data["amount"]),
        issuer=organisation_of(str(data["issuer"])),
    )


def sum_by_position(holdings: Iterable[tuple[Position, int]]) -> dict[Position, int]:
    """Sizes added up; positions that come to zero are left out."""
    totals: dict[Position, int] = defaultdict(int)
    for position, size in holdings:
        totals[position] += size
    return {position: size for position, size in totals.items() if size}


@dataclass
class Ledger:
    """The nodes' records merged by transaction id.

    `conflicts` are transactions that two nodes record differently; `outputs` is every state ever made, by ref;
    `spenders` says which transactions consume a ref (more than one is a double spend).
    """

    snapshot: Snapshot
    transactions: dict[str, TransactionRow] = field(default_factory=dict)
    outputs: dict[str, OutputRow] = field(default_factory=dict)
    spenders: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    conflicts: list[Violation] = field(default_factory=list)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Ledger:
        """Merge a snapshot."""
        ledger = cls(snapshot)
        first: dict[str, str] = {}
        for name, node in snapshot.nodes.items():
            for tx in node.transactions:
                ledger._add(name, tx, first)
        for tx in ledger.transactions.values():
            ledger.outputs.update({output.ref: output for output in tx.outputs})
            for ref in tx.inputs:
                ledger.spenders[ref].append(tx.transaction_id)
        return ledger

    def _add(self, name: str, tx: TransactionRow, first: dict[str, str]) -> None:
        known = self.transactions.setdefault(tx.transaction_id, tx)
        first.setdefault(tx.transaction_id, name)
        if _content(known) != _content(tx):
            message = f"{first[tx.transaction_id]} and {name} record the transaction differently"
            self.conflicts.append(Violation(tx.transaction_id, message))

    def nodes(self, role: Role) -> list[tuple[str, NodeVault]]:
        """Nodes of one role, by name."""
        return [(name, node) for name, node in self.snapshot.nodes.items() if role in node.roles]

    def custodian(self, organisation: str) -> NodeVault | None:
        """The custodian node of an organisation."""
        found = (node for _, node in self.nodes("custodian") if organisation_of(node.organisation) == organisation)
        return next(found, None)

    def with_command(self, kind: str, output_type: str | None = None) -> Iterator[TransactionRow]:
        """Transactions with a command of this simple name and, when given, an output of this type."""
        for tx in self.transactions.values():
            made = output_type is None or any(output.type == output_type for output in tx.outputs)
            if made and any(command.kind == kind for command in tx.commands):
                yield tx

    def inputs(self, tx: TransactionRow) -> list[OutputRow]:
        """The consumed states that the snapshot knows; `missing_inputs` has the others."""
        return [self.outputs[ref] for ref in tx.inputs if ref in self.outputs]

    def missing_inputs(self, tx: TransactionRow) -> list[str]:
        """Refs of consumed states that no node's record explains."""
        return [ref for ref in tx.inputs if ref not in self.outputs]

    def changes(self, tx: TransactionRow) -> dict[Position, int]:
        """What the transaction adds to each position, or takes from it."""
        made = [holding_of(row.type, row.data) for row in tx.outputs]
        gone = [holding_of(row.type, row.data) for row in self.inputs(tx)]
        return sum_by_position(
            [(held[0], held[1]) for held in made if held] + [(held[0], -held[1]) for held in gone if held]
        )


def vault_holdings(node: NodeVault, row_type: str) -> list[tuple[str, Position, int]]:
    """Unconsumed holdings of one type that are this organisation's concern: (ref, position, size).

    A vault may also show states of others that came with a chain; nobody tells it when those are consumed.
    """
    organisation = organisation_of(node.organisation)
    found = []
    for row in node.states:
        held = holding_of(row.type, row.data) if row.type == row_type and row.status == "UNCONSUMED" else None
        if held and organisation in (held[0].custodian, held[0].issuer):
            found.append((row.ref, held[0], held[1]))
    return found


def _content(tx: TransactionRow) -> tuple[object, ...]:
    return (
        sorted(tx.inputs),
        [(output.ref, output.type, output.data) for output in tx.outputs],
        [(command.name, command.data) for command in tx.commands],
    )
