"""Fills: what a venue says (FillNotice), what a custodian's node has on record (FillRow), and how settling went."""

from datetime import date
from decimal import Decimal
from typing import Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from ippon.model.base import (
    Amount,
    LedgerId,
    Party,
    Row,
    SecurityCode,
    TransactionId,
    UnitPrice,
    Units,
    UtcTime,
    Yen,
    organisation,
)
from ippon.model.words import DeskState, FillStatus, NoticeKind, OrderSide, Outcome, Reason, Side

MAX_REASON_LENGTH = 255


def check_amount(*, quantity: int, unit_price: Decimal, amount: int) -> None:
    """Law 12: quantity × price is whole yen and equals the amount.

    Raises:
        PydanticCustomError: `not_whole_yen` or `amount_mismatch`, with the sum in its text.
    """
    # In hundredths of a yen, as integers: a decimal context would round the product of two large figures.
    hundredths = int(unit_price.scaleb(2)) * quantity
    product, rest = divmod(hundredths, 100)
    if rest:
        raise PydanticCustomError(
            "not_whole_yen",
            "{quantity} × {unit_price} makes {product} yen, which is not whole",
            {"quantity": quantity, "unit_price": str(unit_price), "product": f"{product}.{rest:02}"},
        )
    if product != amount:
        raise PydanticCustomError(
            "amount_mismatch",
            "the amount must be {quantity} × {unit_price} = {product} yen, but is {amount}",
            {"quantity": quantity, "unit_price": str(unit_price), "product": str(product), "amount": amount},
        )


class Reversal(Row):
    """Names the settled execution that a fill reverses, and why."""

    execution_id: LedgerId
    reason: str


class Order(Row):
    """An order as its broker gave it to the venue; quantity in units, unit price is the limit in yen."""

    order_id: LedgerId
    side: OrderSide
    custodian: Party
    investor_id: LedgerId
    security_code: SecurityCode
    quantity: Units
    unit_price: UnitPrice
    platform_code: LedgerId


class FillNotice(Row):
    """One execution as the venue tells it, the arguments of `notify_fill`; amount in yen = quantity × unit price."""

    execution_id: LedgerId
    trade_id: LedgerId
    sell_order_id: LedgerId
    buy_order_id: LedgerId
    platform_code: LedgerId
    security_code: SecurityCode
    quantity: Units
    unit_price: UnitPrice
    amount: Yen
    seller_custodian: Party
    seller_investor_id: LedgerId
    buyer_custodian: Party
    buyer_investor_id: LedgerId
    trade_date: date
    executed_at: UtcTime
    settle_date: date
    token_transaction_id: TransactionId | None = None
    reverses: Reversal | None = None

    @model_validator(mode="after")
    def _money(self) -> Self:
        check_amount(quantity=self.quantity, unit_price=self.unit_price, amount=self.amount)
        return self

    def arguments(self) -> dict[str, object]:
        """The JSON of `notify_fill`; absent parts are left out."""
        return self.model_dump(mode="json", exclude_none=True)


class FillRow(Row):
    """A fill as a custodian's node has it on record (`query fills`)."""

    execution_id: LedgerId
    venue: Party
    platform_code: LedgerId
    security_code: SecurityCode
    registrar: Party
    quantity: Units
    unit_price: UnitPrice
    amount: Yen
    seller_custodian: Party
    seller_investor_id: LedgerId
    buyer_custodian: Party
    buyer_investor_id: LedgerId
    coin_issuer: Party
    trade_date: date
    executed_at: UtcTime
    settle_date: date
    trade_id: str | None = None
    sell_order_id: str | None = None
    buy_order_id: str | None = None
    reverses: str | None = None
    ref: str
    status: FillStatus
    ended_by: str | None = None
    recorded_at: UtcTime
    changed_at: UtcTime

    @model_validator(mode="after")
    def _money(self) -> Self:
        check_amount(quantity=self.quantity, unit_price=self.unit_price, amount=self.amount)
        return self

    def side_of(self, custodian: str) -> Side | None:
        """Which side the organisation keeps; None when it is no party to the fill."""
        sells = organisation(self.seller_custodian) == organisation(custodian)
        buys = organisation(self.buyer_custodian) == organisation(custodian)
        if sells and buys:
            return Side.BOTH
        return Side.SELL if sells else Side.BUY if buys else None


class NoticeRow(Row):
    """What a custodian's node tells its own side (`query notices`); missing in yen, or units when reason is LACK."""

    sequence: int
    at: UtcTime
    kind: NoticeKind
    execution_id: LedgerId
    reason: Reason | None = None
    missing: Amount | None = None
    investor_id: LedgerId | None = None
    counterparty: str | None = None


class SettlementResult(Row):
    """What one try did for one fill (`settle_fills`); missing in yen (MONY) or units (LACK), one's own only."""

    execution_id: LedgerId
    outcome: Outcome
    reason: Reason | None = None
    cause: str | None = None
    missing: Amount | None = None
    transaction_id: str | None = None
    message: str = ""


class PendingRow(Row):
    """What a node has reserved or signed and not yet seen recorded or dropped (`query pending`)."""

    run_id: str
    kind: str
    transaction_id: str | None = None
    counterparty: str
    deadline: UtcTime
    since: UtcTime
    execution_ids: tuple[str, ...] = ()


class NotifiedRow(Row):
    """A fill in the exchange node's own table (`query notified`)."""

    execution_id: LedgerId
    transaction_id: str
    status: str
    notified_at: UtcTime
    ended_by: str | None = None


DESK_STATE_OF_LEDGER = {FillStatus.SETTLED: DeskState.SETTLED, FillStatus.BUSTED: DeskState.BUSTED}
