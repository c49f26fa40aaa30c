"""The custodian's files about its investors: who they are, how they pay, and what they move or redeem.

investors-*.csv     → register_investors, many at once
routes-*.csv        → register_funds_route or withdraw_funds_route, then share_funds_routes with each other custodian
transfers-*.csv     → transfer_security
redemptions-*.csv   → redeem_coins
reversals-*.csv     → accept_reversal
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from ippon.agent.outbox import Outbox
from ippon.agent.rowkinds import Flow, Given, RowKind
from ippon.agent.starts import Ending
from ippon.agent.tools import Tools
from ippon.model import Investor, LedgerId, RedemptionOrder, Row, TransferOrder

OF_INVESTOR = ("investors", "investor_id")


class RouteMethodOrder(StrEnum):
    """How an investor will pay from now on; WITHDRAW: no longer at all."""

    COIN = "COIN"
    BANK = "BANK"
    WITHDRAW = "WITHDRAW"


class RouteOrder(Row):
    """A funds route to register, replace or withdraw."""

    investor_id: LedgerId
    institution_code: LedgerId
    method: RouteMethodOrder


class ReversalOrder(Row):
    """A fill that reverses an earlier one and that this custodian accepts."""

    execution_id: LedgerId
    reverses: LedgerId


class InvestorFiles:
    """Row kinds of a custodian, beside the trust instructions."""

    def __init__(self, tools: Tools, *, outbox: Outbox) -> None:
        self._tools = tools
        self._outbox = outbox

    def investors(self) -> RowKind:
        """Which investors are ours."""
        return RowKind(
            name="investors",
            model=Investor,
            id_field="investor_id",
            optional=frozenset({"coin_investor_id"}),
            after=(OF_INVESTOR,),
            batch=self._tools.settings.limits.max_investors_per_flow,
            flow=_register,
        )

    def routes(self) -> RowKind:
        """How they pay."""
        return RowKind(
            name="routes",
            model=RouteOrder,
            id_field="investor_id",
            # One after the other for one investor: each replaces the one before.
            after=(OF_INVESTOR, ("routes", "investor_id")),
            flow=_route,
            accepted=self._share,
        )

    def others(self) -> tuple[RowKind, ...]:
        """What they move, redeem and accept."""
        transfers = RowKind(
            name="transfers",
            model=TransferOrder,
            id_field="transfer_id",
            reuse_code="TRANSFER_ID_REUSED",
            after=(("investors", "from_investor_id"),),
            flow=_transfer,
        )
        redemptions = RowKind(
            name="redemptions",
            model=RedemptionOrder,
            id_field="redemption_id",
            reuse_code="REDEMPTION_ID_REUSED",
            after=(OF_INVESTOR,),
            flow=_redeem,
        )
        reversals = RowKind(name="reversals", model=ReversalOrder, id_field="execution_id", flow=_accept)
        return transfers, redemptions, reversals

    def _share(self, session: Session, row: Given, _: Ending) -> None:
        """Each other custodian hears of it apart: one that is down keeps nobody else waiting."""
        for custodian in self._tools.settings.other_custodians:
            self._outbox.add_ids(
                session,
                operation="share_funds_routes",
                destination=custodian,
                field="investor_ids",
                ids=[row.row_id],
            )


def _given(row: Given) -> dict[str, Any]:
    return {name: value for name, value in row.content.items() if value is not None}


def _register(_: Session, rows: Sequence[Given]) -> Flow:
    digest = hashlib.sha256("\n".join(row.row_id for row in rows).encode()).hexdigest()[:32]
    return Flow(
        business_id=f"investors:{digest}",
        operation="register_investors",
        arguments={"investors": [_given(row) for row in rows]},
        lane="investors",
    )


def _route(_: Session, rows: Sequence[Given]) -> Flow:
    row = rows[0]
    withdraws = row.content["method"] == RouteMethodOrder.WITHDRAW
    return Flow(
        # A route has no id of its own in the file: the row is what asks, and asks once.
        business_id=f"route:{row.row_id}:{row.number}",
        operation="withdraw_funds_route" if withdraws else "register_funds_route",
        arguments={"investor_id": row.row_id} if withdraws else row.content,
        lane="routes",
    )


def _transfer(_: Session, rows: Sequence[Given]) -> Flow:
    content = rows[0].content
    return Flow(
        business_id=f"transfer:{content['transfer_id']}",
        operation="transfer_security",
        arguments=content,
        lane=f"transfer:{content['to_custodian']}",
    )


def _redeem(_: Session, rows: Sequence[Given]) -> Flow:
    content = rows[0].content
    return Flow(
        business_id=f"redeem:{content['redemption_id']}", operation="redeem_coins", arguments=content, lane="redeem"
    )


def _accept(_: Session, rows: Sequence[Given]) -> Flow:
    content = rows[0].content
    return Flow(
        business_id=f"accept:{content['execution_id']}",
        operation="accept_reversal",
        arguments=content,
        lane="accept",
    )
