"""What brokers ask for and what the venue answers: immutable values, integers inside (sen, units, milliseconds)."""

from datetime import date
from typing import NamedTuple, TypeAlias

from ippon.venue.book import BookOrder
from ippon.venue.listing import Security
from ippon.venue.words import Ended


class NewOrder(NamedTuple):
    """A limit order for the day. `security` is a code or a name of the list."""

    broker: str
    client_order_id: str
    buy: bool
    investor_id: str
    security: str
    platform_code: str
    quantity: int
    price: int


class CancelOrder(NamedTuple):
    """Take an order back; `original` is the client order id that it has now."""

    broker: str
    client_order_id: str
    original: str


class ReplaceOrder(NamedTuple):
    """Give an order another quantity or price; the quantity is the whole order's, what is filled included."""

    broker: str
    client_order_id: str
    original: str
    quantity: int
    price: int


Message: TypeAlias = NewOrder | CancelOrder | ReplaceOrder


class Order(BookOrder):
    """An order that was taken.

    Attributes:
        order_id: what the venue calls it, also on the ledger.
        client_order_id: what its broker calls it now.
        total: units of the whole order, what was filled under former ids included; filled = total − left.
        opened: units that were open when it got this order id.
        value: what was filled, units × sen, under former ids too.
        ended: why it is in no book any more; None while it is, or when it is filled.
    """

    __slots__ = (
        *("broker", "client_order_id", "custodian", "ended", "investor_id"),
        *("opened", "order_id", "security", "total", "value"),
    )

    def __init__(
        self,
        number: int,
        order_id: str,
        message: NewOrder,
        security: Security,
        custodian: str,
        owner: str | None,
    ) -> None:
        self.number = number
        self.order_id = order_id
        self.broker = message.broker
        self.client_order_id = message.client_order_id
        self.custodian = custodian
        self.investor_id = message.investor_id
        self.security = security
        self.buy = message.buy
        self.price = message.price
        self.total = self.opened = self.left = message.quantity
        self.owner = owner
        self.value = 0
        self.ended: Ended | None = None

    @property
    def filled(self) -> int:
        """Units, under this order id and those before it."""
        return self.total - self.left

    def renewed(self, number: int, order_id: str, message: ReplaceOrder) -> "Order":
        """The order that takes a new place for this one."""
        new = NewOrder(
            self.broker,
            message.client_order_id,
            self.buy,
            self.investor_id,
            self.security.code,
            self.security.platform_code,
            message.quantity - self.filled,
            message.price,
        )
        order = Order(number, order_id, new, self.security, self.custodian, self.owner)
        order.total, order.value = message.quantity, self.value
        return order


class Accepted(NamedTuple):
    """An order is in its book, before anything is filled."""

    order: Order
    at_millis: int


class Replaced(NamedTuple):
    """An order is as its broker wants it now.

    It is the same one, in its place, when only its quantity went down; otherwise another with an order id of its own.
    """

    order: Order
    former: Order
    original: str
    at_millis: int


class Cancelled(NamedTuple):
    """What was left of an order is in no book any more; the client ids are those of the broker's request, if any."""

    order: Order
    why: Ended
    client_order_id: str
    original: str | None
    at_millis: int


class Traded(NamedTuple):
    """A fill. Quantity in units, price in sen; what was left of each order after it, and its value (units × sen)."""

    execution_id: str
    trade_id: str
    sell: Order
    buy: Order
    quantity: int
    price: int
    sell_left: int
    buy_left: int
    sell_value: int
    buy_value: int
    at_millis: int
    trade_date: date


class Refused(NamedTuple):
    """A request came to nothing: code, the field at fault, and a sentence; `order` is the one that it was about."""

    message: Message
    code: str
    field: str | None
    reason: str
    order: Order | None
    at_millis: int


Event: TypeAlias = Accepted | Replaced | Cancelled | Traded | Refused
