"""What a broker is told: one report an event and order, the same for files, JSON lines and FIX."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from ippon.model import utc_text
from ippon.venue.calendar import moment
from ippon.venue.listing import yen_text
from ippon.venue.orders import (
    Accepted,
    Cancelled,
    Event,
    Message,
    NewOrder,
    Order,
    Refused,
    Replaced,
    ReplaceOrder,
    Traded,
)
from ippon.venue.words import Ended


class ReportKind(StrEnum):
    """What happened."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"


class Report(NamedTuple):
    """One event as one order's broker sees it. Quantities in units, prices in sen.

    Attributes:
        order: None when a request named none.
        left: units still open right after the event; filled: units filled by then.
        action: NEW, CANCEL or REPLACE, for a refused request; message: the request itself.
    """

    broker: str
    kind: ReportKind
    at_millis: int
    order: Order | None
    client_order_id: str
    original: str | None = None
    left: int = 0
    filled: int = 0
    value: int = 0
    fill: Traded | None = None
    action: str | None = None
    code: str | None = None
    field: str | None = None
    reason: str | None = None
    message: Message | None = None

    def values(self) -> dict[str, Any]:
        """Named values for a line of CSV or JSON; what does not apply is None."""
        order, fill = self.order, self.fill
        return {
            "at": utc_text(moment(self.at_millis)),
            "event": self.kind.value,
            "broker": self.broker,
            "client_order_id": self.client_order_id,
            "original_client_order_id": self.original,
            "order_id": order.order_id if order else None,
            "side": None if order is None else "BUY" if order.buy else "SELL",
            "investor_id": order.investor_id if order else None,
            "security_code": order.security.code if order else None,
            "unit_price": yen_text(order.price) if order else None,
            "filled": self.filled if order else None,
            "left": self.left if order else None,
            "execution_id": fill.execution_id if fill else None,
            "trade_id": fill.trade_id if fill else None,
            "fill_quantity": fill.quantity if fill else None,
            "fill_price": yen_text(fill.price) if fill else None,
            "code": self.code,
            "field": self.field,
            "reason": self.reason,
        }


COLUMNS = (
    *("at", "event", "broker", "client_order_id", "original_client_order_id", "order_id", "side", "investor_id"),
    *("security_code", "unit_price", "filled", "left", "execution_id", "trade_id", "fill_quantity", "fill_price"),
    *("code", "field", "reason"),
)


def reports_of(event: Event) -> Iterator[Report]:
    """One report; two for a fill, the seller's first. To be asked before the next request changes the orders."""
    if isinstance(event, Traded):
        # In a fill's event the orders have gone on; what was so then is in the event.
        yield _filled(event, event.sell, event.sell_left, event.sell_value)
        yield _filled(event, event.buy, event.buy_left, event.buy_value)
    elif isinstance(event, Accepted):
        order = event.order
        yield Report(
            order.broker, ReportKind.ACCEPTED, event.at_millis, order, order.client_order_id, left=order.opened
        )
    elif isinstance(event, Replaced):
        yield _replaced(event)
    elif isinstance(event, Cancelled):
        yield _cancelled(event)
    else:
        yield _refused(event)


def _filled(fill: Traded, order: Order, left: int, value: int) -> Report:
    return Report(
        order.broker,
        ReportKind.FILLED,
        fill.at_millis,
        order,
        order.client_order_id,
        left=left,
        filled=order.total - left,
        value=value,
        fill=fill,
    )


def _replaced(event: Replaced) -> Report:
    order = event.order
    left = order.left if order is event.former else order.opened
    return Report(
        order.broker,
        ReportKind.REPLACED,
        event.at_millis,
        order,
        order.client_order_id,
        event.original,
        left=left,
        filled=order.total - left,
        value=event.former.value,
    )


def _cancelled(event: Cancelled) -> Report:
    order = event.order
    kind = ReportKind.EXPIRED if event.why is Ended.DAY_OVER else ReportKind.CANCELLED
    return Report(
        order.broker,
        kind,
        event.at_millis,
        order,
        event.client_order_id,
        event.original,
        filled=order.filled,
        value=order.value,
        code="SELF_TRADE" if event.why is Ended.SELF_TRADE else None,
        reason="it would have met an order of its own side" if event.why is Ended.SELF_TRADE else None,
    )


def _refused(event: Refused) -> Report:
    message, order = event.message, event.order
    action = "NEW" if isinstance(message, NewOrder) else "REPLACE" if isinstance(message, ReplaceOrder) else "CANCEL"
    return Report(
        message.broker,
        ReportKind.REFUSED,
        event.at_millis,
        order,
        message.client_order_id,
        None if isinstance(message, NewOrder) else message.original,
        left=0 if order is None or order.ended else order.left,
        filled=order.filled if order else 0,
        value=order.value if order else 0,
        action=action,
        code=event.code,
        field=event.field,
        reason=event.reason,
        message=message,
    )
