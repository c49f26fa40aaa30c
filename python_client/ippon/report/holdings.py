"""I2 and I5: units and coins, each vault against the transactions that every node together has recorded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from ippon.report.ledger import HOLDING_TYPES, Ledger, Position, Violation, holding_of, sum_by_position, vault_holdings
from ippon.report.result import InvariantResult, figure, result
from ippon.report.snapshot import NodeVault, TransactionRow, organisation_of

Security = tuple[str, str]


def units_constant(ledger: Ledger) -> InvariantResult:
    """I2."""
    issued: Counter[Security] = Counter()
    violations: list[Violation] = []
    for tx in ledger.transactions.values():
        change = _units_change(ledger, tx)
        if any(command.kind == "Issue" for command in tx.commands):
            issued.update(change)
        else:
            violations += [
                Violation(tx.transaction_id, f"it changes the units of {code} by {size:+,} and is no issue")
                for (code, _), size in change.items()
            ]
    held: Counter[Security] = Counter()
    for _, node in ledger.nodes("asset"):
        for _, position, size in vault_holdings(node, "SecurityToken"):
            held[_security(position)] += size
        violations += list(_custodians_agree(ledger, node))
    for security in sorted(issued.keys() | held.keys()):
        if issued[security] != held[security]:
            message = f"{issued[security]:,} units were issued, the register of {security[1]} has {held[security]:,}"
            violations.append(Violation(security[0], message))
    figures = [
        figure(f"units_{code}", f"Units of {code}", f"{code} の口数", size, "units")
        for (code, _), size in sorted(held.items())
    ]
    return result("I2", figures, violations)


def no_holding_below_zero(ledger: Ledger) -> InvariantResult:
    """I5."""
    violations = [conflict for conflict in ledger.conflicts if not _is_settlement(ledger, conflict.culprit)]
    violations += list(_sizes_above_zero(ledger))
    for tx in ledger.transactions.values():
        violations += [
            Violation(tx.transaction_id, f"it consumes {ref}, which no recorded transaction made")
            for ref in ledger.missing_inputs(tx)
        ]
    for ref, spenders in ledger.spenders.items():
        if len(spenders) > 1:
            violations.append(Violation(ref, f"it is consumed {len(spenders)} times, by {', '.join(sorted(spenders))}"))
    rebuilt = _rebuilt(ledger)
    for name, node in ledger.snapshot.nodes.items():
        violations += list(_vault_is_rebuilt(ledger, name, node, rebuilt))
    lowest = min(rebuilt.values(), default=0)
    figures = [
        figure("positions", "Positions above zero", "残高のある口座", len(rebuilt), "positions"),
        figure("lowest", "Lowest of them", "最小残高", lowest, "yen or units"),
        figure("transactions", "Transactions read", "読んだ取引", len(ledger.transactions), "transactions"),
    ]
    return result("I5", figures, violations)


def _units_change(ledger: Ledger, tx: TransactionRow) -> dict[Security, int]:
    change: dict[Security, int] = defaultdict(int)
    for position, size in ledger.changes(tx).items():
        if position.asset != "coins":
            change[_security(position)] += size
    return {security: size for security, size in change.items() if size}


def _security(position: Position) -> Security:
    return position.asset.removeprefix("units "), position.issuer


def _custodians_agree(ledger: Ledger, asset_node: NodeVault) -> Iterator[Violation]:
    registrar = organisation_of(asset_node.organisation)
    register: dict[str, dict[str, int]] = defaultdict(dict)
    for ref, position, size in vault_holdings(asset_node, "SecurityToken"):
        register[position.custodian][ref] = size
    for name, node in ledger.nodes("custodian"):
        organisation = organisation_of(node.organisation)
        own = {
            ref: size
            for ref, position, size in vault_holdings(node, "SecurityToken")
            if position.issuer == registrar and position.custodian == organisation
        }
        theirs = register.pop(organisation, {})
        for ref in sorted(own.keys() | theirs.keys()):
            if own.get(ref) != theirs.get(ref):
                message = f"{name} holds {own.get(ref, 0):,} units in it, the register says {theirs.get(ref, 0):,}"
                yield Violation(ref, message)
    for organisation, units in register.items():
        yield Violation(organisation, f"{sum(units.values()):,} units are with a custodian whose vault was not read")


def _sizes_above_zero(ledger: Ledger) -> Iterator[Violation]:
    rows = [(row.ref, row.type, row.data) for row in ledger.outputs.values()]
    rows += [(row.ref, row.type, row.data) for node in ledger.snapshot.nodes.values() for row in node.states]
    for ref, row_type, data in rows:
        held = holding_of(row_type, data)
        if held and held[1] <= 0:
            yield Violation(ref, f"{held[0]} is {held[1]:,}")


def _rebuilt(ledger: Ledger) -> dict[Position, int]:
    """Every position out of the transactions alone."""
    totals: Counter[Position] = Counter()
    for tx in ledger.transactions.values():
        for position, size in ledger.changes(tx).items():
            totals[position] += size
    return {position: size for position, size in totals.items() if size}


def _vault_is_rebuilt(ledger: Ledger, name: str, node: NodeVault, rebuilt: dict[Position, int]) -> Iterator[Violation]:
    organisation = organisation_of(node.organisation)
    expected = {
        position: size for position, size in rebuilt.items() if organisation in (position.custodian, position.issuer)
    }
    held = [one for kind in HOLDING_TYPES for one in vault_holdings(node, kind)]
    vault = sum_by_position((position, size) for _, position, size in held)
    for position in sorted(expected.keys() | vault.keys()):
        if expected.get(position, 0) != vault.get(position, 0):
            message = f"{name} has {vault.get(position, 0):,}, its transactions come to {expected.get(position, 0):,}"
            yield Violation(str(position), message)
    for ref, _, _ in held:
        if ledger.spenders.get(ref):
            yield Violation(ref, f"{name} has it as unconsumed, but {ledger.spenders[ref][0]} consumes it")
    yield from _rows_are_outputs(ledger, name, node)


def _rows_are_outputs(ledger: Ledger, name: str, node: NodeVault) -> Iterator[Violation]:
    """Consumed states too must be what a transaction made: a past that was rewritten shows here."""
    for row in node.states:
        held, made = holding_of(row.type, row.data), ledger.outputs.get(row.ref)
        if held and (made is None or holding_of(made.type, made.data) != held):
            what = f"made {made.data}" if made else "is not on record"
            yield Violation(row.ref, f"{name} holds {held[1]:,} {held[0]} in it, but its transaction {what}")


def _is_settlement(ledger: Ledger, transaction_id: str) -> bool:
    return any(command.kind == "Settle" for command in ledger.transactions[transaction_id].commands)
