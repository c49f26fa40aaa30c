"""Kotlin's text of a command becomes data."""

import pytest

from ippon.report.kotlin_text import read_command
from ippon.report.snapshot import CommandRow


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (
            "Settle(terms=[SettleTerm(executionId=rt1-EX-1, routeVersion=1), SettleTerm(executionId=EX:2)])",
            {
                "terms": [
                    {"execution_id": "rt1-EX-1", "route_version": "1"},
                    {"execution_id": "EX:2"},
                ]
            },
        ),
        ("Bust(executionIds=[EX-1, EX-2], reason=wrong)", {"execution_ids": ["EX-1", "EX-2"], "reason": "wrong"}),
        ("Redeem(redemptionId=RD-1, amountRedeemed=120)", {"redemption_id": "RD-1", "amount_redeemed": "120"}),
        ("Transfer(transferId=)", {"transfer_id": ""}),
        ("Settle(terms=[])", {"terms": []}),
        ("org.ippon.contracts.fill.FillCommand$Notify@1f", {}),
        ("", {}),
    ],
)
def test_text_becomes_data(text: str, data: object) -> None:
    assert read_command(text) == data
    assert CommandRow.model_validate({"name": "X", "data": text}).data == data


def test_a_free_text_cannot_reach_the_ids_before_it() -> None:
    data = read_command("Bust(executionIds=[EX-1], reason=see (a), executionIds=[EX-9])")
    assert isinstance(data, dict)
    assert data["execution_ids"] == ["EX-1"]


def test_structured_data_is_left_alone() -> None:
    assert read_command({"terms": []}) == {"terms": []}


def test_bottomless_nesting_is_refused() -> None:
    with pytest.raises(ValueError, match="nested"):
        read_command("A(a=" * 20)
