"""Scalar types and rows: what is taken, what is refused and how it says so."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ippon.model import (
    FillNotice,
    FillRow,
    LedgerId,
    Side,
    StatementLine,
    UnitPrice,
    Units,
    UtcTime,
    Whole,
    Yen,
    organisation,
    utc_text,
)
from unit.agent_world import fill_values


def taken(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        taken(kind, value)
    return caught.value.errors()[0]["msg"]


@pytest.mark.parametrize("value", ["A", "EX-2026.07_01:1", "0" * 64])
def test_ids(value: str) -> None:
    assert taken(LedgerId, value) == value


@pytest.mark.parametrize("value", ["", "-A", "A B", "é", "A" * 65, "A\n", "株"])
def test_bad_ids(value: str) -> None:
    assert "must be 1 to 64 letters" in refusal(LedgerId, value)


@pytest.mark.parametrize(("text", "value"), [("1", 1), (7, 7), ("9223372036854775807", 2**63 - 1)])
def test_whole_figures(text: object, value: int) -> None:
    assert taken(Yen, text) == value
    assert taken(Units, text) == value


@pytest.mark.parametrize("value", [1.0, "1.0", "+1", " 1", "1 ", "01", "1_000", "1e3", True, None, "９", 2**63])
def test_no_figures(value: object) -> None:
    refusal(Yen, value)


def test_signs() -> None:
    assert taken(Whole, "-5") == -5
    assert "more than zero" in refusal(Yen, "0")
    assert "more than zero" in refusal(Units, -1)


@pytest.mark.parametrize("value", ["1000.00", "0.01", Decimal("12.30")])
def test_prices(value: object) -> None:
    price = taken(UnitPrice, value)
    assert isinstance(price, Decimal)
    assert TypeAdapter(UnitPrice).dump_python(price, mode="json") == f"{price:.2f}"


@pytest.mark.parametrize("value", ["1000", "1000.0", "1000.000", "-1.00", "0.00", "1,000.00", 1.5, "1e3", "NaN", ""])
def test_bad_prices(value: object) -> None:
    assert "exactly two decimals" in refusal(UnitPrice, value)


def test_times_are_utc() -> None:
    tokyo = datetime(2026, 7, 1, 9, 15, 0, 123456, timezone(timedelta(hours=9)))
    assert taken(UtcTime, tokyo) == tokyo
    assert taken(UtcTime, tokyo).tzinfo is UTC
    assert utc_text(tokyo) == "2026-07-01T00:15:00.123Z"
    assert "time zone" in refusal(UtcTime, "2026-07-01T00:15:00")


def test_organisation_of_a_name() -> None:
    assert organisation("O=Custodian A, L=Tokyo, C=JP") == "Custodian A"
    assert organisation("L=Tokyo, O=Custodian A, C=JP") == "Custodian A"
    assert organisation(" Custodian A ") == "Custodian A"


def error_of(**changes: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        FillNotice.model_validate(fill_values(1, **changes))
    first = caught.value.errors()[0]
    return first["type"], first["msg"]


def test_a_fill_as_the_node_takes_it() -> None:
    fill = FillNotice.model_validate(fill_values(1))
    arguments = fill.arguments()
    assert arguments["unit_price"] == "1000.00"
    assert arguments["quantity"] == 10
    assert arguments["executed_at"] == "2026-07-01T00:00:01.000Z"
    assert "reverses" not in arguments
    json.dumps(arguments)


def test_quantity_times_price_is_the_amount() -> None:
    kind, message = error_of(amount=10_001)
    assert kind == "amount_mismatch"
    assert "10 × 1000.00 = 10000 yen, but is 10001" in message


def test_quantity_times_price_is_whole_yen() -> None:
    kind, message = error_of(quantity=2, unit_price="1000.33", amount=2001)
    assert kind == "not_whole_yen"
    assert "2000.66 yen" in message


@given(st.integers(1, 10**12), st.integers(1, 10**6))
def test_amounts_are_exact_however_large(quantity: int, price: int) -> None:
    values = fill_values(1, quantity=quantity, unit_price=f"{price}.00", amount=quantity * price)
    assert FillNotice.model_validate(values).amount == quantity * price
    values["amount"] = str(quantity * price + 1)
    with pytest.raises(ValidationError, match="must be"):
        FillNotice.model_validate(values)


def test_large_products_do_not_round() -> None:
    # 28 digits of a decimal context would take this for whole.
    kind, _ = error_of(quantity=10**18 + 1, unit_price="99999999999999.99", amount=1)
    assert kind == "not_whole_yen"


def row_of(seller: str, buyer: str) -> FillRow:
    values = fill_values(1, seller_custodian=seller, buyer_custodian=buyer)
    own = {"venue": "E", "registrar": "R", "coin_issuer": "C", "ref": "T:0", "status": "OPEN"}
    times = {"recorded_at": "2026-07-01T00:00:00Z", "changed_at": "2026-07-01T00:00:00Z"}
    return FillRow.model_validate({**values, **own, **times, "news_to_us": 1})


def test_whose_side_a_fill_is() -> None:
    a, b = "O=Custodian A, L=Tokyo, C=JP", "O=Custodian B, L=Tokyo, C=JP"
    assert row_of(a, b).side_of("Custodian A") is Side.SELL
    assert row_of(b, a).side_of("Custodian A") is Side.BUY
    assert row_of(a, a).side_of("Custodian A") is Side.BOTH
    assert row_of(a, b).side_of("Custodian C") is None


@pytest.mark.parametrize(
    ("changes", "pays"),
    [({}, True), ({"used_by": "TI-1"}, False), ({"amount": -5}, False), ({"custodian": "Custodian B"}, False)],
)
def test_which_line_pays(changes: dict[str, object], pays: bool) -> None:
    line = {"line_id": "L1", "value_date": "2026-07-01", "amount": 5, "reference": "TI-1", "custodian": "Custodian A"}
    assert StatementLine.model_validate({**line, **changes}).pays_for("O=Custodian A, L=Tokyo, C=JP") is pays


def test_values_do_not_change() -> None:
    fill = FillNotice.model_validate(fill_values(1))
    with pytest.raises(ValidationError):
        fill.quantity = 5  # type: ignore[misc]
