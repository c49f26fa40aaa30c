"""The asset node lies when it is to sign: the settlement comes to nothing, and all who had signed hear so at once."""

from __future__ import annotations

from functools import partial

import pytest

from liars.stage import HONEST, LIAR, Stage, eventually

LIES = [
    ("OTHER_BYTES", "MISSING_SIGNATURE", "Asset Registrar must sign"),
    ("OTHER_KEY", "MISSING_SIGNATURE", "Asset Registrar must sign"),
    ("NONSENSE", "MISSING_SIGNATURE", "Asset Registrar must sign"),
    ("NO_SIGNATURE", "MISSING_SIGNATURE", "is not signed by all who must"),
    ("HANGS_UP", "COUNTERPARTY_FAILED", "ended its session without an answer"),
    ("BABBLES", "COUNTERPARTY_FAILED", "ended its session without an answer"),
]


@pytest.mark.parametrize(("lie", "cause", "says"), LIES, ids=[one[0] for one in LIES])
def test_a_registrar_when_it_does_not_sign_what_it_was_shown_gets_nothing_notarised(
    stage: Stage, lie: str, cause: str, says: str
) -> None:
    with stage.truth_after(seller=HONEST) as fill:
        stage.liars.tell("asset", "PlanRegistrarLie", lie)
        result = stage.settle(fill, seller=HONEST)
        assert (result["outcome"], result["cause"]) == ("REFUSED", cause), result
        assert says in result["message"]


def test_a_registrar_when_it_signs_and_never_records_undoes_nothing(stage: Stage) -> None:
    fill = stage.fill(seller=HONEST)
    stage.liars.tell("asset", "PlanRegistrarLie", "NEVER_RECORDS")
    transaction_id = stage.settles(fill, seller=HONEST)
    assert not stage.recorded("asset", transaction_id)
    for member in (HONEST, LIAR, "coin"):
        eventually(partial(stage.recorded, member, transaction_id))
    # Its register is behind until it asks, which its agent would do by itself.
    assert stage.run("asset", "ask_outcome", transaction_id=transaction_id)["outcome"] == "RECORDED"
    stage.settles(stage.fill(seller=HONEST), seller=HONEST)
