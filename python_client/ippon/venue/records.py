"""What the venue tells the exchange agent, as that agent takes it: rows of orders-*.csv and fills-*.csv.

Each row is built as the model's own value, so that a row that the agent or the ledger could not take is never written.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeGuard

from ippon.errors import Internal
from ippon.model import FillNotice, OrderSide
from ippon.model import Order as OrderRow
from ippon.venue.calendar import moment
from ippon.venue.listing import SEN_PER_YEN
from ippon.venue.orders import Accepted, Event, Order, Replaced, Traded

ORDER_COLUMNS = tuple(OrderRow.model_fields)
FILL_COLUMNS = tuple(name for name in FillNotice.model_fields if name != "reverses")


def order_row(order: Order) -> OrderRow:
    """An order under its order id; its quantity is what was open when it got that id."""
    return OrderRow(
        order_id=order.order_id,
        side=OrderSide.BUY if order.buy else OrderSide.SELL,
        custodian=order.custodian,
        investor_id=order.investor_id,
        security_code=order.security.code,
        quantity=order.opened,
        unit_price=_price(order.price),
        platform_code=order.security.platform_code,
    )


def fill_notice(fill: Traded, settle_date: date) -> FillNotice:
    """A fill as `notify_fill` takes it."""
    amount, rest = divmod(fill.quantity * fill.price, SEN_PER_YEN)
    if rest:
        # Lots and ticks make this impossible; a fill that no ledger takes must not leave in silence.
        raise Internal(f"{fill.execution_id} makes no whole yen.", field="unit_price")
    return FillNotice(
        execution_id=fill.execution_id,
        trade_id=fill.trade_id,
        sell_order_id=fill.sell.order_id,
        buy_order_id=fill.buy.order_id,
        platform_code=fill.sell.security.platform_code,
        security_code=fill.sell.security.code,
        quantity=fill.quantity,
        unit_price=_price(fill.price),
        amount=amount,
        seller_custodian=fill.sell.custodian,
        seller_investor_id=fill.sell.investor_id,
        buyer_custodian=fill.buy.custodian,
        buyer_investor_id=fill.buy.investor_id,
        trade_date=fill.trade_date,
        executed_at=moment(fill.at_millis),
        settle_date=settle_date,
    )


def opened_orders(events: Iterable[Event]) -> list[Order]:
    """Orders that got an order id."""
    return [event.order for event in events if isinstance(event, Accepted) or _renewed(event)]


def orders_csv(rows: Iterable[OrderRow]) -> bytes:
    """The file, header included."""
    return _csv(ORDER_COLUMNS, (row.model_dump(mode="json") for row in rows))


def fills_csv(notices: Iterable[FillNotice]) -> bytes:
    """The file, header included."""
    return _csv(FILL_COLUMNS, (notice.model_dump(mode="json", exclude={"reverses"}) for notice in notices))


def _renewed(event: Event) -> TypeGuard[Replaced]:
    return isinstance(event, Replaced) and event.order is not event.former


def _csv(columns: Sequence[str], rows: Iterable[dict[str, object]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _price(price: int) -> Decimal:
    return Decimal(price).scaleb(-2)
