"""I3 and I6: fills and the transactions that settle them, recomputed from the fills as the venue signed them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ippon.report.ledger import Fill, Ledger, Position, Violation, fill_of, holder_of, sum_by_position
from ippon.report.result import InvariantResult, figure, result
from ippon.report.snapshot import StateRow, TransactionRow, organisation_of

TERM_IDS = ("seller_token_id", "buyer_token_id", "seller_coin_id", "buyer_coin_id")


def settles_at_most_once(ledger: Ledger) -> InvariantResult:
    """I3."""
    copies = _fill_copies(ledger)
    violations: list[Violation] = []
    ends: Counter[str] = Counter()
    refs_by_id: dict[tuple[str, str], set[str]] = defaultdict(set)
    for ref, held in copies.items():
        fill = fill_of(ref, next(iter(held.values())).data)
        refs_by_id[fill.venue, fill.execution_id].add(ref)
        violations += list(_custodians_hold_it(ledger, fill, held))
        end, wrong = _end_of(ledger, fill, held)
        ends[end] += 1
        violations += wrong
    for (venue, execution_id), refs in refs_by_id.items():
        if len(refs) > 1:
            violations.append(
                Violation(execution_id, f"{venue} has it on the ledger {len(refs)} times: {sorted(refs)}")
            )
    settled = Counter(term for tx in ledger.with_command("Settle") for term in _terms(tx))
    violations += [Violation(one, f"{times} settlements name it") for one, times in settled.items() if times > 1]
    figures = [
        figure("fills", "Fills on the ledger", "台帳上の約定", len(copies), "fills"),
        figure("settled", "Settled", "決済済", ends["settled"], "fills"),
        figure("busted", "Busted", "取消", ends["busted"], "fills"),
        figure("open", "Open", "未決済", ends["open"], "fills"),
    ]
    return result("I3", figures, violations)


def both_legs_or_none(ledger: Ledger) -> InvariantResult:
    """I6."""
    settlements = list(ledger.with_command("Settle"))
    ids = {tx.transaction_id for tx in settlements}
    violations = [conflict for conflict in ledger.conflicts if conflict.culprit in ids]
    accounts: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    yen = fills_settled = 0
    recorded = {name: {tx.transaction_id for tx in node.transactions} for name, node in ledger.snapshot.nodes.items()}
    for tx in settlements:
        fills = [fill_of(row.ref, row.data) for row in ledger.inputs(tx) if row.type == "Fill"]
        fills_settled += len(fills)
        yen += sum(fill.amount for fill in fills)
        violations += list(_is_as_fills_say(ledger, tx, fills))
        violations += list(_everybody_has_it(ledger, tx, fills, recorded))
        for fill in fills:
            violations += list(_one_account_each(fill, _terms(tx).get(fill.execution_id), accounts))
    figures = [
        figure("settlements", "Settlement transactions", "決済取引", len(settlements), "transactions"),
        figure("fills_settled", "Fills in them", "決済された約定", fills_settled, "fills"),
        figure("yen_exchanged", "Yen exchanged, gross", "受渡金額(グロス)", yen, "yen"),
    ]
    return result("I6", figures, violations)


def _fill_copies(ledger: Ledger) -> dict[str, dict[str, StateRow]]:
    """Ref to the custodians' copies of the fill, by custodian node."""
    copies: dict[str, dict[str, StateRow]] = defaultdict(dict)
    for name, node in ledger.nodes("custodian"):
        for row in node.states:
            if row.type == "Fill" and organisation_of(node.organisation) in _custodians(row):
                copies[row.ref][name] = row
    return copies


def _custodians(row: StateRow) -> tuple[str, str]:
    return holder_of(row.data, "seller_")[0], holder_of(row.data, "buyer_")[0]


def _custodians_hold_it(ledger: Ledger, fill: Fill, held: Mapping[str, StateRow]) -> Iterator[Violation]:
    wanted = {fill.seller[0], fill.buyer[0]}
    there = {organisation_of(ledger.snapshot.nodes[name].organisation) for name in held}
    for organisation in sorted(wanted - there):
        yield Violation(fill.execution_id, f"{organisation} does not have the fill")
    if len({str(sorted(row.data.items())) for row in held.values()}) > 1:
        yield Violation(fill.execution_id, f"{' and '.join(held)} hold different fills under one reference")


def _end_of(ledger: Ledger, fill: Fill, held: Mapping[str, StateRow]) -> tuple[str, list[Violation]]:
    """How the fill ended, and everything about that end that cannot be."""
    spenders = ledger.spenders.get(fill.ref, [])
    if len(spenders) > 1:
        return "settled", [Violation(fill.execution_id, f"it is consumed {len(spenders)} times: {sorted(spenders)}")]
    violations = []
    for name, row in held.items():
        if (row.status == "CONSUMED") != bool(spenders):
            by = f"{spenders[0]} consumes it" if spenders else "no transaction consumes it"
            violations.append(Violation(fill.execution_id, f"{name} holds it as {row.status.lower()}, but {by}"))
        elif row.consumed_by and row.consumed_by not in spenders:
            message = f"{name} says {row.consumed_by} consumed it, the transactions say {spenders[0]}"
            violations.append(Violation(fill.execution_id, message))
    if not spenders:
        return "open", violations
    tx = ledger.transactions[spenders[0]]
    if fill.execution_id in _terms(tx):
        return "settled", violations
    if fill.execution_id in _busted(tx):
        return "busted", violations
    message = f"{tx.transaction_id} consumes it and neither settles nor busts it"
    return "open", [*violations, Violation(fill.execution_id, message)]


def _terms(tx: TransactionRow) -> dict[str, Mapping[str, Any]]:
    """Execution id to its settlement term."""
    terms = [term for command in tx.commands if command.kind == "Settle" for term in command.data.get("terms", [])]
    return {str(term["execution_id"]): term for term in terms}


def _busted(tx: TransactionRow) -> set[str]:
    named = [one for command in tx.commands if command.kind == "Bust" for one in command.data.get("execution_ids", [])]
    return {str(one) for one in named}


def _is_as_fills_say(ledger: Ledger, tx: TransactionRow, fills: list[Fill]) -> Iterator[Violation]:
    terms = _terms(tx)
    if terms.keys() != {fill.execution_id for fill in fills}:
        yield Violation(
            tx.transaction_id, f"it names {sorted(terms)}, but consumes {sorted(f.execution_id for f in fills)}"
        )
        return
    for fill in fills:
        if fill.unit_price * fill.quantity != fill.amount:
            yield Violation(fill.execution_id, f"{fill.quantity:,} × {fill.unit_price} is not {fill.amount:,} yen")
    expected = sum_by_position(move for fill in fills for move in _moves(fill, terms[fill.execution_id]))
    actual = ledger.changes(tx)
    for position in sorted(expected.keys() | actual.keys()):
        if expected.get(position, 0) != actual.get(position, 0):
            message = (
                f"{tx.transaction_id} changes the {position} by {actual.get(position, 0):+,}, "
                f"its fills say {expected.get(position, 0):+,}"
            )
            yield Violation(_fill_at(fills, terms, position) or tx.transaction_id, message)


def _moves(fill: Fill, term: Mapping[str, Any]) -> Iterable[tuple[Position, int]]:
    """The four changes that one fill makes."""
    seller, buyer = fill.seller[0], fill.buyer[0]
    units, registrar, issuer = f"units {fill.security_code}", fill.registrar, fill.coin_issuer
    return (
        (Position(seller, str(term["seller_token_id"]), units, registrar), -fill.quantity),
        (Position(buyer, str(term["buyer_token_id"]), units, registrar), fill.quantity),
        (Position(buyer, str(term["buyer_coin_id"]), "coins", issuer), -fill.amount),
        (Position(seller, str(term["seller_coin_id"]), "coins", issuer), fill.amount),
    )


def _fill_at(fills: list[Fill], terms: Mapping[str, Mapping[str, Any]], position: Position) -> str | None:
    """The one fill that moves this position, if it is one: the best name for what is wrong."""
    movers = [
        fill.execution_id for fill in fills if position in {one for one, _ in _moves(fill, terms[fill.execution_id])}
    ]
    return movers[0] if len(movers) == 1 else None


def _everybody_has_it(
    ledger: Ledger, tx: TransactionRow, fills: list[Fill], recorded: Mapping[str, set[str]]
) -> Iterator[Violation]:
    concerned = {who for fill in fills for who in (fill.seller[0], fill.buyer[0], fill.registrar, fill.coin_issuer)}
    for name, node in ledger.snapshot.nodes.items():
        if organisation_of(node.organisation) in concerned and tx.transaction_id not in recorded[name]:
            ids = ", ".join(fill.execution_id for fill in fills)
            yield Violation(tx.transaction_id, f"{name} has not recorded the settlement of {ids}")


def _one_account_each(
    fill: Fill, term: Mapping[str, Any] | None, accounts: dict[tuple[str, str, str], dict[str, str]]
) -> Iterator[Violation]:
    """An investor's token and coin account may have other ids than the venue's, but always the same ones."""
    if term is None:
        return
    for field in TERM_IDS:
        side, kind, _ = field.split("_")
        custodian, investor = fill.seller if side == "seller" else fill.buyer
        seen = accounts[custodian, investor, kind]
        seen.setdefault(str(term[field]), fill.execution_id)
        if len(seen) > 1:
            message = f"the {kind} account of {investor} at {custodian} is {' and '.join(seen)}"
            yield Violation(fill.execution_id, message)
