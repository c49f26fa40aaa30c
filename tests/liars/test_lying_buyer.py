"""Custodian B buys and lies to the seller's custodian A, which ends the try with the reason, and nothing has moved."""

from __future__ import annotations

import pytest

from liars.stage import HONEST, LIAR, Stage

BEFORE_IT_SAW_ANYTHING = [
    ("OTHER_FILL", "REFUSED", "COUNTERPARTY_FAILED", "The answer must be about"),
    ("NO_ACCOUNT", "REFUSED", "COUNTERPARTY_FAILED", "must name its accounts"),
    ("OTHER_ROUTE", "WAITING", "ROUTE_CHANGED", "not yet here in its version"),
    ("NO_COINS", "REFUSED", "UNEXPECTED_STATE", "would fall to"),
    ("OTHER_HOLDERS_COINS", "REFUSED", "UNEXPECTED_STATE", "would fall to"),
    ("OWN_COINS", "REFUSED", "UNEXPECTED_STATE", "would fall to"),
    ("COINS_BESIDE", "REFUSED", "CONTRACT_REFUSED", "may move only what its fills name"),
    ("HANGS_UP", "REFUSED", "COUNTERPARTY_FAILED", ""),
]
"""The seller's side sees these before it shows its transaction to anybody."""

WHEN_IT_WAS_TO_SIGN = [
    ("OTHER_KEY", "MISSING_SIGNATURE", "its signature does not fit"),
    ("OTHER_BYTES", "MISSING_SIGNATURE", "its signature does not fit"),
    ("NO_SIGNATURE", "MISSING_SIGNATURE", "must be signed by [Custodian B] first"),
    ("SPENT_COINS", "NOT_ON_REGISTER", "must be unconsumed in the records of Coin Issuer"),
]
"""The buyer's side is shown the transaction first; what it does not sign, or may not spend, goes no further."""


def heard(stage: Stage) -> list[str]:
    """The transactions that have reached the liar."""
    return list(stage.liars.tell(LIAR, "HeardAsBuyer"))


@pytest.mark.parametrize(
    ("lie", "outcome", "cause", "says"), BEFORE_IT_SAW_ANYTHING, ids=[one[0] for one in BEFORE_IT_SAW_ANYTHING]
)
def test_a_buyer_when_it_lies_before_the_transaction_is_never_shown_one(
    stage: Stage, lie: str, outcome: str, cause: str, says: str
) -> None:
    with stage.truth_after(seller=HONEST) as fill:
        before = heard(stage)
        stage.liars.tell(LIAR, "PlanBuyerLie", lie, f"{stage.prefix}O")
        result = stage.settle(fill, seller=HONEST)
        assert (result["outcome"], result["cause"]) == (outcome, cause), result
        assert says in result["message"]
        assert heard(stage) == before
        stage.rest()


@pytest.mark.parametrize(("lie", "cause", "says"), WHEN_IT_WAS_TO_SIGN, ids=[one[0] for one in WHEN_IT_WAS_TO_SIGN])
def test_a_buyer_when_it_lies_about_the_transaction_gets_nothing_notarised(
    stage: Stage, lie: str, cause: str, says: str
) -> None:
    with stage.truth_after(seller=HONEST) as fill:
        before = heard(stage)
        stage.liars.tell(LIAR, "PlanBuyerLie", lie)
        result = stage.settle(fill, seller=HONEST)
        assert (result["outcome"], result["cause"]) == ("REFUSED", cause), result
        assert says in result["message"]
        (shown,) = [one for one in heard(stage) if one not in before]
        assert not [member.key for member in stage.local.members if stage.recorded(member.key, shown)]
