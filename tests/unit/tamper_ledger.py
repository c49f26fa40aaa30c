"""Tampering with units, fills, holdings and settlements (I2, I3, I5, I6)."""

from collections.abc import Callable

from ippon.report.snapshot import Snapshot, TransactionRow
from unit.report_tampering import everywhere, set_output, state, transaction
from unit.report_world import A, coin


def more_units_on_the_register(snapshot: Snapshot) -> str:
    state(snapshot, "asset", type="SecurityToken", status="UNCONSUMED", units=90).data["units"] = 91
    return "ZA101"


def units_missing_at_a_custodian(snapshot: Snapshot) -> str:
    row = state(snapshot, "custodian-b", type="SecurityToken", status="UNCONSUMED", units=8)
    snapshot.nodes["custodian-b"].states.remove(row)
    return row.ref


def units_with_another_size_at_a_custodian(snapshot: Snapshot) -> str:
    row = state(snapshot, "custodian-a", type="SecurityToken", status="UNCONSUMED", units=90)
    row.data["units"] = 89
    return row.ref


def settlement_makes_units(snapshot: Snapshot) -> str:
    return everywhere(snapshot, "Settle", set_output(1, units=11))


def issue_of_fewer_units(snapshot: Snapshot) -> str:
    for node in ("asset", "custodian-a"):
        transaction(snapshot, node, "Issue").outputs[0].data["units"] = 99
    return "ZA101"


def fill_open_after_settlement(snapshot: Snapshot) -> str:
    state(snapshot, "custodian-a", execution_id="EX-1").status = "UNCONSUMED"
    return "EX-1"


def fill_consumed_by_nothing(snapshot: Snapshot) -> str:
    for node in ("custodian-a", "custodian-b"):
        state(snapshot, node, execution_id="EX-4").status = "CONSUMED"
    return "EX-4"


def fill_consumed_by_another_transaction(snapshot: Snapshot) -> str:
    other = transaction(snapshot, "custodian-b", "Settle", 1).transaction_id
    state(snapshot, "custodian-b", execution_id="EX-1").consumed_by = other
    return "EX-1"


def settled_twice(snapshot: Snapshot) -> str:
    for node in ("custodian-a", "custodian-b", "asset", "coin"):
        copy = transaction(snapshot, node, "Settle").model_copy(deep=True)
        copy.transaction_id = "0" * 64
        copy.outputs = []
        snapshot.nodes[node].transactions.append(copy)
    return "EX-1"


def two_fills_of_one_id(snapshot: Snapshot) -> str:
    for node in ("custodian-a", "custodian-b"):
        copy = state(snapshot, node, execution_id="EX-4").model_copy(deep=True, update={"ref": "0" * 64 + ":0"})
        snapshot.nodes[node].states.append(copy)
    return "EX-4"


def bust_of_another_fill(snapshot: Snapshot) -> str:
    everywhere(snapshot, "Bust", lambda tx: tx.commands[0].data.update(execution_ids=["EX-9"]))
    return "EX-3"


def fill_known_to_one_custodian(snapshot: Snapshot) -> str:
    row = state(snapshot, "custodian-b", execution_id="EX-4")
    snapshot.nodes["custodian-b"].states.remove(row)
    return "EX-4"


def custodians_hold_different_fills(snapshot: Snapshot) -> str:
    state(snapshot, "custodian-b", execution_id="EX-4").data["amount"] = 5
    return "EX-4"


def holding_below_zero(snapshot: Snapshot) -> str:
    row = state(snapshot, "custodian-a", type="Coin", status="UNCONSUMED")
    row.data["amount"] = -1
    return row.ref


def output_of_nothing(snapshot: Snapshot) -> str:
    return everywhere(snapshot, "Settle", set_output(2, amount=0)) + ":2"


def vault_has_more_than_its_transactions(snapshot: Snapshot) -> str:
    state(snapshot, "custodian-b", type="Coin", status="UNCONSUMED", investor="b2").data["amount"] = 101
    return "coins of b2 at Custodian B (Coin Issuer)"


def spent_state_still_there(snapshot: Snapshot) -> str:
    row = state(snapshot, "asset", type="SecurityToken", status="CONSUMED", units=100)
    row.status = "UNCONSUMED"
    return row.ref


def spent_twice(snapshot: Snapshot) -> str:
    ref = state(snapshot, "coin", type="Coin", status="CONSUMED", amount=200).ref
    everywhere(snapshot, "Redeem", lambda tx: tx.inputs.append(ref))
    return ref


def consumed_state_rewritten(snapshot: Snapshot) -> str:
    row = state(snapshot, "coin", type="Coin", status="CONSUMED", amount=200)
    row.data["amount"] = 201
    return row.ref


def state_without_a_transaction(snapshot: Snapshot) -> str:
    row = state(snapshot, "asset", type="SecurityToken", status="CONSUMED", units=10)
    row.ref = "E" * 64 + ":0"
    return row.ref


def consumes_what_nobody_made(snapshot: Snapshot) -> str:
    return everywhere(snapshot, "Redeem", lambda tx: tx.inputs.append("F" * 64 + ":0"))


def redemption_differs_at_the_issuer(snapshot: Snapshot) -> str:
    tx = transaction(snapshot, "coin", "Redeem")
    tx.outputs[0].data["amount"] = 381
    return tx.transaction_id


def coins_did_not_move(snapshot: Snapshot) -> str:
    def without_coins(tx: TransactionRow) -> None:
        tx.outputs = [one for one in tx.outputs if one.type != "Coin"]
        tx.inputs = tx.inputs[:2]

    everywhere(snapshot, "Settle", without_coins)
    return "EX-1"


def units_did_not_move(snapshot: Snapshot) -> str:
    everywhere(snapshot, "Settle", lambda tx: (set_output(0, units=100)(tx), tx.outputs.pop(1), None)[2])
    return "EX-1"


def one_yen_short(snapshot: Snapshot) -> str:
    everywhere(snapshot, "Settle", set_output(2, amount=499))
    return "EX-1"


def coins_to_somebody_else(snapshot: Snapshot) -> str:
    other = coin(A, "a7", 500)[1]
    return everywhere(snapshot, "Settle", set_output(2, **other))


def fill_says_another_price(snapshot: Snapshot) -> str:
    for node in ("custodian-a", "custodian-b"):
        notify = [tx for tx in snapshot.nodes[node].transactions if tx.outputs and tx.outputs[0].type == "Fill"]
        for tx in notify:
            if tx.outputs[0].data["execution_id"] == "EX-1":
                tx.outputs[0].data["unit_price"] = "50.01"
    return "EX-1"


def settles_a_fill_it_does_not_consume(snapshot: Snapshot) -> str:
    return everywhere(snapshot, "Settle", lambda tx: tx.commands[0].data["terms"][0].update(execution_id="EX-4"))


def custodians_record_different_settlements(snapshot: Snapshot) -> str:
    tx = transaction(snapshot, "custodian-b", "Settle")
    tx.outputs[2].data["amount"] = 400
    return tx.transaction_id


def settlement_unknown_to_the_buyer(snapshot: Snapshot) -> str:
    tx = transaction(snapshot, "custodian-b", "Settle")
    snapshot.nodes["custodian-b"].transactions.remove(tx)
    return tx.transaction_id


def settlement_unknown_to_the_registrar(snapshot: Snapshot) -> str:
    tx = transaction(snapshot, "asset", "Settle", 1)
    snapshot.nodes["asset"].transactions.remove(tx)
    return tx.transaction_id


def second_coin_account(snapshot: Snapshot) -> str:
    def other_account(tx: TransactionRow) -> None:
        tx.commands[0].data["terms"][0]["seller_coin_id"] = "b1-too"
        tx.outputs[2].data["investor_id"] = "b1-too"

    everywhere(snapshot, "Settle", other_account, 1)
    return "EX-2"


TAMPERING: dict[str, list[Callable[[Snapshot], str]]] = {
    "I2": [
        more_units_on_the_register,
        units_missing_at_a_custodian,
        units_with_another_size_at_a_custodian,
        settlement_makes_units,
        issue_of_fewer_units,
    ],
    "I3": [
        fill_open_after_settlement,
        fill_consumed_by_nothing,
        fill_consumed_by_another_transaction,
        settled_twice,
        two_fills_of_one_id,
        bust_of_another_fill,
        fill_known_to_one_custodian,
        custodians_hold_different_fills,
    ],
    "I5": [
        holding_below_zero,
        output_of_nothing,
        vault_has_more_than_its_transactions,
        spent_state_still_there,
        spent_twice,
        consumed_state_rewritten,
        state_without_a_transaction,
        consumes_what_nobody_made,
        redemption_differs_at_the_issuer,
    ],
    "I6": [
        coins_did_not_move,
        units_did_not_move,
        one_yen_short,
        coins_to_somebody_else,
        fill_says_another_price,
        settles_a_fill_it_does_not_consume,
        custodians_record_different_settlements,
        settlement_unknown_to_the_buyer,
        settlement_unknown_to_the_registrar,
        second_coin_account,
    ],
}
