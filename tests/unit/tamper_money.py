"""Tampering with coins, instructions and the trust account (I1, I4)."""

from collections.abc import Callable

from ippon.report.snapshot import Snapshot
from unit.report_tampering import everywhere, line, set_output, state, transaction


def more_coins_at_the_issuer(snapshot: Snapshot) -> str:
    row = state(snapshot, "coin", type="Coin", status="UNCONSUMED", amount=380)
    row.data["amount"] = 381
    return "Coin Issuer"


def coins_missing_at_a_custodian(snapshot: Snapshot) -> str:
    row = state(snapshot, "custodian-b", type="Coin", status="UNCONSUMED", amount=600)
    snapshot.nodes["custodian-b"].states.remove(row)
    return row.ref


def coins_marked_as_spent(snapshot: Snapshot) -> str:
    state(snapshot, "coin", type="Coin", status="UNCONSUMED", amount=100).status = "CONSUMED"
    return "Coin Issuer"


def statement_line_smaller(snapshot: Snapshot) -> str:
    line(snapshot, "ST-TI-1").amount = 999
    return "TI-1"


def statement_line_larger(snapshot: Snapshot) -> str:
    line(snapshot, "ST-TI-2").amount = 2_000
    return "TI-2"


def statement_line_gone(snapshot: Snapshot) -> str:
    snapshot.statements[0].lines.remove(line(snapshot, "ST-TI-1"))
    return "TI-1"


def statement_line_of_another_custodian(snapshot: Snapshot) -> str:
    line(snapshot, "ST-TI-1").custodian = "Custodian A"
    return "TI-1"


def money_left_the_account(snapshot: Snapshot) -> str:
    theft = line(snapshot, "ST-LOST").model_copy(update={"line_id": "ST-THEFT", "amount": -50})
    snapshot.statements[0].lines.append(theft)
    return "ST-THEFT"


def redemption_paid_twice(snapshot: Snapshot) -> str:
    snapshot.statements[0].lines.append(line(snapshot, "ST-RD-1").model_copy(update={"line_id": "ST-RD-1b"}))
    return "ST-RD-1b"


def redemption_paid_too_much(snapshot: Snapshot) -> str:
    line(snapshot, "ST-RD-1").amount = -121
    return "ST-RD-1"


def two_statements_differ(snapshot: Snapshot) -> str:
    second = snapshot.statements[0].model_copy(deep=True)
    next(one for one in second.lines if one.line_id == "ST-LOST").amount = 5_000
    snapshot.statements.append(second)
    return "ST-LOST"


def coins_without_an_instruction(snapshot: Snapshot) -> str:
    return everywhere(snapshot, "Execute", lambda tx: tx.inputs.clear())


def issued_twice(snapshot: Snapshot) -> str:
    for node in ("coin", "custodian-b"):
        copy = transaction(snapshot, node, "Execute").model_copy(deep=True)
        copy.transaction_id = "0" * 64
        copy.outputs[0].ref = f"{copy.transaction_id}:0"
        snapshot.nodes[node].transactions.append(copy)
    return "TI-1"


def issued_more_than_instructed(snapshot: Snapshot) -> str:
    everywhere(snapshot, "Execute", set_output(0, amount=1_001))
    return "TI-1"


def executed_instruction_still_open(snapshot: Snapshot) -> str:
    state(snapshot, "coin", instruction_id="TI-2").status = "UNCONSUMED"
    return "TI-2"


def open_instruction_without_end(snapshot: Snapshot) -> str:
    for node in ("coin", "custodian-a"):
        tx = transaction(snapshot, node, "Reject")
        snapshot.nodes[node].transactions.remove(tx)
    return "IN-3"


TAMPERING: dict[str, list[Callable[[Snapshot], str]]] = {
    "I1": [
        more_coins_at_the_issuer,
        coins_missing_at_a_custodian,
        coins_marked_as_spent,
        statement_line_smaller,
        statement_line_larger,
        statement_line_gone,
        statement_line_of_another_custodian,
        money_left_the_account,
        redemption_paid_twice,
        redemption_paid_too_much,
        two_statements_differ,
    ],
    "I4": [
        coins_without_an_instruction,
        issued_twice,
        issued_more_than_instructed,
        executed_instruction_still_open,
        open_instruction_without_end,
    ],
}
