"""Each invariant holds on an honest day and fails, naming the culprit, on copies that somebody has touched."""

from collections.abc import Callable

import pytest

from ippon.report.invariants import INVARIANTS, prove
from ippon.report.ledger import Ledger
from ippon.report.snapshot import Snapshot
from unit import tamper_ledger, tamper_money
from unit.report_tampering import line
from unit.report_world import A, B, World, coin, fill, honest_day, settle, term, token


def test_an_honest_day_passes_everything() -> None:
    results = prove(honest_day().snapshot())
    assert [one.code for one in results] == ["I1", "I2", "I3", "I4", "I5", "I6"]
    assert [(one.code, one.violations) for one in results if not one.passed] == []


def test_figures_say_where_every_yen_is() -> None:
    figures = {one.name: one.value for one in prove(honest_day().snapshot())[0].figures}
    assert figures == {
        "outstanding": 1_080,
        "issued": 1_200,
        "redeemed": 120,
        "yen_in_trust": 1_580,
        "backing": 1_080,
        "not_issued": 50,
        "to_return": 450,
        "redeemed_unpaid": 0,
        "coins_custodian-a": 380,
        "coins_custodian-b": 700,
    }


def test_coins_redeemed_and_not_paid_stay_in_trust() -> None:
    world = honest_day()
    world.statement = [line for line in world.statement if line["line_id"] != "ST-RD-1"]
    proof = prove(world.snapshot())[0]
    assert proof.passed
    assert {one.name: one.value for one in proof.figures}["redeemed_unpaid"] == 120


def test_fills_are_counted_by_their_end() -> None:
    figures = {one.name: one.value for one in prove(honest_day().snapshot())[2].figures}
    assert figures == {"fills": 4, "settled": 2, "busted": 1, "open": 1}


def test_an_empty_network_proves_itself() -> None:
    assert all(one.passed for one in prove(World().snapshot()))


TAMPERING = {**tamper_money.TAMPERING, **tamper_ledger.TAMPERING}


@pytest.mark.parametrize(
    ("code", "tamper"),
    [pytest.param(code, one, id=f"{code}-{one.__name__}") for code, many in TAMPERING.items() for one in many],
)
def test_a_touched_copy_fails_and_names_the_culprit(code: str, tamper: Callable[[Snapshot], str]) -> None:
    snapshot = honest_day().snapshot()
    culprit = tamper(snapshot)
    proof = INVARIANTS[code](Ledger.of(snapshot))
    assert not proof.passed
    assert culprit in [one.culprit for one in proof.violations]


def test_more_violations_than_are_shown_are_counted() -> None:
    snapshot = honest_day().snapshot()
    lines = [line(snapshot, "ST-LOST").model_copy(update={"line_id": f"X-{n}", "amount": -1}) for n in range(30)]
    snapshot.statements[0].lines += lines
    proof = prove(snapshot)[0]
    assert len(proof.violations) == 10
    assert proof.violation_count == 31


def test_one_settlement_of_two_fills_is_checked_as_a_whole() -> None:
    """a1 sells to b1 and buys back from b1 in one transaction: coins net to 50, and only that much moves."""
    world = honest_day()
    forth = world.tx("notify EX-5", [("FillCommand.Notify", {})], [], [fill("EX-5", (A, "a1"), (B, "b1"), 3)])[0]
    back = world.tx("notify EX-6", [("FillCommand.Notify", {})], [], [fill("EX-6", (B, "b1"), (A, "a1"), 2)])[0]
    snapshot = world.snapshot()
    refs = {
        (row.type, row.data["investor_id"]): row.ref
        for node in ("custodian-a", "custodian-b")
        for row in snapshot.nodes[node].states
        if row.status == "UNCONSUMED" and row.type in ("Coin", "SecurityToken")
    }
    terms = [term("EX-5", "a1", "b1", "coin-b1"), term("EX-6", "b1", "a1") | {"seller_coin_id": "coin-b1"}]
    units = [refs["SecurityToken", "a1"], refs["SecurityToken", "b1"]]
    world.tx(
        "settle both",
        settle(*terms),
        [forth, back, *units, refs["Coin", "coin-b1"], refs["Coin", "a1"]],
        [token(A, "a1", 89), token(B, "b1", 9), coin(B, "coin-b1", 550), coin(A, "a1", 430)],
    )
    assert [one.code for one in prove(world.snapshot()) if not one.passed] == []
