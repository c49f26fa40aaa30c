"""Who sees what: what one node's store lets its operator read of deals that are not its own. Pure functions.

A *thing* is a state, a command or a transaction's envelope (signers, references, times). It is *own* when the node has
a part in it, *foreign* when it lies on the node's disk only because it belongs to the chain of something that the node
received. `foreign_fills_visible` counts the fills of others that a node can read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ippon.model import organisation
from ippon.report.allowed import AllowList, RoleList
from ippon.report.stored import Store, StoredTransaction

ENVELOPE = "Transaction"
FILL = "Fill"
SETTLE = "FillCommand.Settle"
NOTARY = "notary"
_PARTIES = {
    FILL: ("venue", "seller.custodian", "buyer.custodian"),
    "SecurityToken": ("holder.custodian", "security.registrar"),
    "Coin": ("holder.custodian", "issuer"),
    "FundsRoute": ("holder.custodian",),
    "TrustInstruction": ("holder.custodian", "issuer"),
}
"""Who has a part in a state: fields that name them. A type that is not here has nobody, and is foreign to all."""
_SETTLERS = ("security.registrar", "coin_issuer")
"""Who has a part in a fill once it has signed for its exchange."""
_KIND_ORDER = ("FillCommand", "TrustInstructionCommand", "SecurityTokenCommand", "CoinCommand", "FundsRouteCommand")


class FieldSeen(BaseModel):
    """A field of a foreign thing: how often it can be read, and how many different values that is."""

    thing: str
    field: str
    times: int
    values: int
    why: str


class Fault(BaseModel):
    """Something readable that may not be."""

    node: str
    what: str
    message: str


class NodeSight(BaseModel):
    """What one node can read. `own` and `foreign` count transactions by kind."""

    node: str
    organisation: str
    roles: list[str]
    recorded: int
    only_stored: int
    own: dict[str, int]
    foreign: dict[str, int]
    own_fills: int
    foreign_fills_visible: int
    fields: list[FieldSeen]
    tables: dict[str, int]
    faults: list[Fault]


@dataclass(frozen=True)
class Thing:
    """One readable thing of a transaction, flattened: field → its values."""

    transaction: str
    type: str
    fields: Mapping[str, tuple[str, ...]]
    own: bool


def see(node: str, *, name: str, roles: tuple[str, ...], store: Store, allowed: AllowList) -> NodeSight:
    """What the node `node`, of the organisation `name` (X.500), can read in its store, and what of it is at fault."""
    chain = _Chain(store, organisation(name))
    things = [thing for transaction in store.transactions for thing in chain.things(transaction)]
    mine = allowed.of(roles)
    faults = [
        *_undecoded(store),
        *_chain_faults(store, chain, mine),
        *_thing_faults(things, mine),
        *_table_faults(store, allowed, mine, notary=NOTARY in roles),
        *_attachment_faults(store, allowed),
    ]
    fills = [thing for thing in things if thing.type == FILL]
    envelopes = [(thing.own, chain.by_id[thing.transaction]) for thing in things if thing.type == ENVELOPE]
    return NodeSight(
        node=node,
        organisation=organisation(name),
        roles=list(roles),
        recorded=sum(one.recorded for one in store.transactions),
        only_stored=sum(not one.recorded for one in store.transactions),
        own=dict(sorted(Counter(kind_of(one) for own, one in envelopes if own).items())),
        foreign=dict(sorted(Counter(kind_of(one) for own, one in envelopes if not own).items())),
        own_fills=sum(thing.own for thing in fills),
        foreign_fills_visible=sum(not thing.own for thing in fills),
        fields=_fields(things, mine),
        tables={table.name: table.rows for table in store.tables if table.rows},
        faults=[Fault(node=node, what=what, message=message) for what, message in dict.fromkeys(faults)],
    )


def kind_of(transaction: StoredTransaction) -> str:
    """A transaction by the command that it is made for: a settlement moves coins too, but it is a settlement."""
    types = [command.type for command in transaction.commands]
    for family in _KIND_ORDER:
        for one in types:
            if one.startswith(f"{family}."):
                return one
    return " + ".join(sorted(types)) or "undecoded"


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(`holder.investor_id`, value) for every leaf; a list's elements share the name `terms[]`."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from flatten(one, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from flatten(one, f"{prefix}[]")
    elif value is not None:
        yield prefix, str(value)


class _Chain:
    """The transactions of one store, seen from one organisation."""

    def __init__(self, store: Store, organisation_name: str) -> None:
        self._me = organisation_name
        self.by_id = {one.id: one for one in store.transactions}
        self._settled_by_me = {
            ref
            for one in store.transactions
            if any(command.type == SETTLE and self._among(command.signers) for command in one.commands)
            for ref in one.inputs
        }

    def things(self, transaction: StoredTransaction) -> Iterator[Thing]:
        """All that can be read in a transaction."""
        own = self.own(transaction)
        for index, output in enumerate(transaction.outputs):
            part = self._has_part(output.type, output.data, f"{transaction.id}:{index}")
            yield Thing(transaction.id, output.type, _grouped(output.data), part)
        for command in transaction.commands:
            yield Thing(transaction.id, command.type, _grouped(command.data), own)
        envelope = transaction.model_dump(
            include={"id", "signatures", "inputs", "references", "notary", "time_window", "attachments"}
        )
        envelope["signers"] = sorted({signer for command in transaction.commands for signer in command.signers})
        yield Thing(transaction.id, ENVELOPE, _grouped(envelope), own)

    def own(self, transaction: StoredTransaction) -> bool:
        """Whether we sign it, or have a part in what it makes or ends."""
        if any(self._among(command.signers) for command in transaction.commands):
            return True
        refs = [f"{transaction.id}:{index}" for index in range(len(transaction.outputs))]
        return any(self._has_part_in(ref) for ref in (*refs, *transaction.inputs))

    def ancestors(self, ids: Iterable[str]) -> set[str]:
        """These and all that they come from."""
        found: set[str] = set()
        waiting = list(ids)
        while waiting:
            one = waiting.pop()
            if one not in found and one in self.by_id:
                found.add(one)
                waiting += [ref.rpartition(":")[0] for ref in (*self.by_id[one].inputs, *self.by_id[one].references)]
        return found

    def _has_part_in(self, ref: str) -> bool:
        transaction, _, index = ref.rpartition(":")
        outputs = self.by_id[transaction].outputs if transaction in self.by_id else ()
        if int(index) >= len(outputs):
            return False
        return self._has_part(outputs[int(index)].type, outputs[int(index)].data, ref)

    def _has_part(self, type_: str, data: Mapping[str, Any], ref: str) -> bool:
        fields = dict(flatten(data))
        names = [*_PARTIES.get(type_, ()), *(_SETTLERS if ref in self._settled_by_me and type_ == FILL else ())]
        return self._among(fields.get(name, "") for name in names)

    def _among(self, names: Iterable[str]) -> bool:
        return any(organisation(name) == self._me for name in names)


def _grouped(data: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for field, value in flatten(data):
        grouped[field].append(value)
    return {field: tuple(values) for field, values in grouped.items()}


def _fields(things: Iterable[Thing], mine: RoleList) -> list[FieldSeen]:
    values: dict[tuple[str, str], list[str]] = defaultdict(list)
    for thing in things:
        if not thing.own:
            for field, found in thing.fields.items():
                values[thing.type, field] += found
    entries = mine.foreign | mine.told
    return [
        FieldSeen(
            thing=type_,
            field=field,
            times=len(found),
            values=len(set(found)),
            why=entries[type_].why if type_ in entries else "",
        )
        for (type_, field), found in sorted(values.items())
    ]


Named = tuple[str, str]


def _undecoded(store: Store) -> Iterator[Named]:
    for one in store.transactions:
        if one.undecoded:
            yield "UNDECODED", f"Transaction {one.id} cannot be read, so nobody knows what it tells: {one.undecoded}"


def _chain_faults(store: Store, chain: _Chain, mine: RoleList) -> Iterator[Named]:
    """What was recorded must be own or told on purpose; what is only stored, the origin of something recorded."""
    reached = chain.ancestors(one.id for one in store.transactions if one.recorded)
    for one in store.transactions:
        told = bool(one.commands) and all(command.type in mine.told for command in one.commands)
        if one.recorded and not chain.own(one) and not told:
            yield "RECORDED", f"{kind_of(one)} {one.id} is recorded here, but this node has no part in it."
        if one.id not in reached:
            yield "NO_CHAIN", f"{kind_of(one)} {one.id} is stored here, but nothing recorded here comes from it."


def _thing_faults(things: Iterable[Thing], mine: RoleList) -> Iterator[Named]:
    for thing in things:
        if thing.own:
            if thing.type not in mine.own:
                yield (
                    "OWN_TYPE",
                    f"A {thing.type} (transaction {thing.transaction}) is nothing for a node of this role.",
                )
            continue
        entry = mine.foreign.get(thing.type) or mine.told.get(thing.type)
        if entry is None:
            yield "FOREIGN_TYPE", f"A {thing.type} of others can be read (transaction {thing.transaction})."
            continue
        for field in sorted(set(thing.fields) - entry.fields):
            yield "FOREIGN_FIELD", f"{thing.type}.{field} of others can be read (transaction {thing.transaction})."


def _table_faults(store: Store, allowed: AllowList, mine: RoleList, *, notary: bool) -> Iterator[Named]:
    for table in store.tables:
        if not table.rows or table.name in allowed.bookkeeping | mine.tables:
            continue
        entry = allowed.notary.get(table.name) if notary else None
        if entry is None:
            yield "TABLE", f"Table {table.name} has {table.rows} rows, but is no table of this role."
            continue
        for column in sorted({column.name for column in table.columns} - entry.columns):
            yield "COLUMN", f"Table {table.name} has a column {column} that a notary has no use for."


def _attachment_faults(store: Store, allowed: AllowList) -> Iterator[Named]:
    for one in store.attachments:
        if one.file_name not in allowed.attachments.file_names:
            yield (
                "ATTACHMENT",
                f"Attachment {one.id} ({one.file_name}) holds {len(one.entries)} entries that nobody asked for.",
            )
