"""Rows of the venue's files: how they are read, the flows that they ask for, and what does not fit."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ippon.agent.rowkinds import Flow, Given
from ippon.errors import Refusal
from ippon.model import FillNotice, LedgerId, Row, organisation


class BustOrder(Row):
    """A fill to withdraw, and why."""

    execution_id: LedgerId
    reason: str


def parse_fill(columns: Mapping[str, Any]) -> FillNotice:
    """A row of a fills file."""
    plain = {name: value for name, value in columns.items() if name not in ("reverses", "reversal_reason")}
    if "reverses" in columns or "reversal_reason" in columns:
        named = {"reverses": "execution_id", "reversal_reason": "reason"}
        plain["reverses"] = {named[name]: columns[name] for name in named if name in columns}
    return FillNotice.model_validate(plain)


def notify(_: Session, rows: Sequence[Given]) -> Flow:
    """The flow that puts a fill on the ledger."""
    fill = rows[0].content
    custodians = "|".join(organisation(fill[name]) for name in ("seller_custodian", "buyer_custodian"))
    # A custodian that is down holds up the notices that it must get, and no other.
    return Flow(
        business_id=f"notify:{fill['execution_id']}",
        operation="notify_fill",
        arguments={name: value for name, value in fill.items() if value is not None},
        lane=f"notify:{custodians}"[:300],
    )


def bust(_: Session, rows: Sequence[Given]) -> Flow:
    """The flow that withdraws one."""
    content = rows[0].content
    return Flow(business_id=f"bust:{content['execution_id']}", operation="bust_fill", arguments=content, lane="bust")


def same(what: str, field: str, told: str, ordered: str, order_id: str) -> None:
    """Raises: Refusal unless the fill says what its order says."""
    if told != ordered:
        raise mismatch(field, f"{what} is '{told}', but '{ordered}' in the order {order_id}")


def mismatch(field: str, problem: str) -> Refusal:
    """A fill that does not fit its order."""
    return Refusal(f"{field}: {problem}.", code="ORDER_MISMATCH", field=field)
