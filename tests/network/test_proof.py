"""The proof over what the real nodes hold: it passes, and it fails on copies that somebody has touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ippon.report.invariants import INVARIANTS, prove
from ippon.report.ledger import Ledger
from ippon.report.snapshot import Snapshot, StateRow, TransactionRow
from network.conftest import Day


def test_every_invariant_holds_on_the_real_ledger(day: Day) -> None:
    assert day.snapshot.quiet
    assert [(one.code, one.violations) for one in prove(day.snapshot) if not one.passed] == []
    assert [one.passed for one in day.played.report.proof] == [True] * 6


def test_the_proof_is_of_this_day_too(day: Day) -> None:
    figures = {figure.name: figure.value for one in prove(day.snapshot) for figure in one.figures}
    assert figures["settled"] >= 19
    assert figures["busted"] >= 1
    assert figures["yen_in_trust"] == figures["outstanding"] + figures["not_issued"] + figures["to_return"]
    assert figures["to_return"] >= 450_000
    assert figures["not_issued"] >= 12_345


def first_state(snapshot: Snapshot, node: str, row_type: str, status: str) -> StateRow:
    return next(row for row in snapshot.nodes[node].states if (row.type, row.status) == (row_type, status))


def everywhere(snapshot: Snapshot, tx_id: str) -> list[TransactionRow]:
    return [tx for node in snapshot.nodes.values() for tx in node.transactions if tx.transaction_id == tx_id]


def settlement(day: Day, name: str) -> str:
    """The transaction that settled a fill of the day."""
    found = next(fill.transaction_id for fill in day.played.report.fills if fill.execution_id == day.id(name))
    assert found
    return found


def coin_grows(snapshot: Snapshot, day: Day) -> str:
    row = first_state(snapshot, "custodian-a", "Coin", "UNCONSUMED")
    row.data["amount"] += 1
    return row.ref


def statement_differs(snapshot: Snapshot, day: Day) -> str:
    wanted = day.id("TI-CL-0001")
    line = next(line for one in snapshot.statements for line in one.lines if line.reference == wanted)
    line.amount -= 1
    return wanted


def token_grows(snapshot: Snapshot, day: Day) -> str:
    row = first_state(snapshot, "asset", "SecurityToken", "UNCONSUMED")
    row.data["units"] += 1
    return str(row.data["security_code"])


def token_vanishes(snapshot: Snapshot, day: Day) -> str:
    row = first_state(snapshot, "custodian-b", "SecurityToken", "UNCONSUMED")
    snapshot.nodes["custodian-b"].states.remove(row)
    return row.ref


def settled_fill_reopens(snapshot: Snapshot, day: Day) -> str:
    row = next(
        row
        for row in snapshot.nodes["custodian-a"].states
        if row.type == "Fill" and row.data["execution_id"] == day.id("EX-0001")
    )
    row.status = "UNCONSUMED"
    return day.id("EX-0001")


def fill_settles_twice(snapshot: Snapshot, day: Day) -> str:
    tx_id = settlement(day, "EX-0002")
    for node in snapshot.nodes.values():
        copies = [tx.model_copy(deep=True) for tx in node.transactions if tx.transaction_id == tx_id]
        for copy in copies:
            copy.transaction_id = "0" * 64
            node.transactions.append(copy)
    return day.id("EX-0002")


def issues_twice(snapshot: Snapshot, day: Day) -> str:
    wanted = day.id("TI-CL-0002")
    row = next(
        row
        for row in snapshot.nodes["coin"].states
        if row.type == "TrustInstruction" and row.data["instruction_id"] == wanted
    )
    node = snapshot.nodes["coin"]
    copy = next(tx for tx in node.transactions if row.ref in tx.inputs).model_copy(deep=True)
    copy.transaction_id = "0" * 64
    copy.outputs[0].ref = f"{copy.transaction_id}:0"
    node.transactions.append(copy)
    return wanted


def coin_below_zero(snapshot: Snapshot, day: Day) -> str:
    row = first_state(snapshot, "coin", "Coin", "UNCONSUMED")
    row.data["amount"] = -row.data["amount"]
    return row.ref


def spent_coin_returns(snapshot: Snapshot, day: Day) -> str:
    row = first_state(snapshot, "coin", "Coin", "CONSUMED")
    row.status = "UNCONSUMED"
    return row.ref


def one_leg_only(snapshot: Snapshot, day: Day) -> str:
    tx_id = settlement(day, "EX-0018")
    for tx in everywhere(snapshot, tx_id):
        tx.outputs = [output for output in tx.outputs if output.type != "Coin"]
    return tx_id


def custodians_disagree(snapshot: Snapshot, day: Day) -> str:
    tx_id = settlement(day, "EX-0015")
    tx = next(tx for tx in snapshot.nodes["custodian-b"].transactions if tx.transaction_id == tx_id)
    next(output for output in tx.outputs if output.type == "Coin").data["amount"] += 1
    return tx_id


def buyer_has_no_record(snapshot: Snapshot, day: Day) -> str:
    tx_id = settlement(day, "EX-0015")
    node = snapshot.nodes["custodian-b"]
    node.transactions = [tx for tx in node.transactions if tx.transaction_id != tx_id]
    return tx_id


Tamper = Callable[[Snapshot, Day], Any]
TAMPERING: list[tuple[str, Tamper]] = [
    ("I1", coin_grows),
    ("I1", statement_differs),
    ("I2", token_grows),
    ("I2", token_vanishes),
    ("I3", settled_fill_reopens),
    ("I3", fill_settles_twice),
    ("I4", issues_twice),
    ("I5", coin_below_zero),
    ("I5", spent_coin_returns),
    ("I6", one_leg_only),
    ("I6", custodians_disagree),
    ("I6", buyer_has_no_record),
]


@pytest.mark.parametrize(("code", "tamper"), TAMPERING, ids=lambda one: getattr(one, "__name__", str(one)))
def test_a_touched_copy_of_the_real_ledger_fails(day: Day, code: str, tamper: Tamper) -> None:
    copy = day.snapshot.model_copy(deep=True)
    culprit = tamper(copy, day)
    proof = INVARIANTS[code](Ledger.of(copy))
    assert not proof.passed
    named = [f"{one.culprit} {one.message}" for one in proof.violations]
    assert any(culprit in one for one in named), named
