"""One trading day of the venue: every book, every check, every id. Pure: time comes in with each call.

Order ids, execution ids and trade ids count up within the day and name it:

    ODST-20260701-O00000034               the 34th order id of the day
    ODST-20260701-M00000012-O00000034     the 12th match, made when order 34 came (in a call: the later of the two)
    ODST-20260701-T00000012               its trade
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

from ippon.errors import Refusal
from ippon.venue.book import Book, Match
from ippon.venue.listing import Security, yen_text
from ippon.venue.orders import (
    Accepted,
    Cancelled,
    CancelOrder,
    Event,
    Message,
    NewOrder,
    Order,
    Refused,
    Replaced,
    ReplaceOrder,
    Traded,
)
from ippon.venue.words import Cancels, Ended, Phase, SelfTrade


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What holds for every security.

    Attributes:
        id_prefix: the venue's MIC, before every id.
        max_orders_per_day: order ids that a day may have; later orders are refused.
        max_amount_yen: largest quantity × price of one order.
    """

    id_prefix: str = "ODST"
    self_trade: SelfTrade = SelfTrade.INVESTOR
    self_trade_cancels: Cancels = Cancels.NEWEST
    max_orders_per_day: int = 5_000_000
    max_amount_yen: int = 100_000_000_000


@dataclass(slots=True)
class _Listed:
    """A security and its book."""

    security: Security
    book: Book[Order]
    last: int = field(default=0)
    """Price of its last fill, sen; the reference price before the first."""


class Market:
    """See the module. One phase holds for all securities."""

    def __init__(
        self, *, day: date, securities: Iterable[Security], brokers: Mapping[str, str], rules: Rules | None = None
    ) -> None:
        self.day = day
        self.phase = Phase.CLOSED
        self._rules = rules or Rules()
        self.prefix = f"{self._rules.id_prefix}-{day:%Y%m%d}"
        self.brokers = dict(brokers)
        cancels = self._rules.self_trade_cancels
        listed = [_Listed(one, Book(cancels=cancels), one.reference) for one in securities]
        self._by_code = {one.security.code: one for one in listed}
        self._by_name = {name: one for one in listed for name in one.security.names} | self._by_code
        self._by_client_id: dict[tuple[str, str], Order] = {}
        self._orders = self._matches = 0

    @property
    def matches(self) -> int:
        """Fills so far."""
        return self._matches

    def book(self, security_code: str) -> Book[Order]:
        """The book of a security, to look at."""
        return self._by_code[security_code].book

    def order_of(self, broker: str, client_order_id: str) -> Order | None:
        """The order that a broker's id has led to; None when the id is new."""
        return self._by_client_id.get((broker, client_order_id))

    def submit(self, message: Message, at_millis: int) -> list[Event]:
        """What came of a request, in the order in which it came about. Never raises for what the request says."""
        try:
            if type(message) is NewOrder:
                return self._new(message, at_millis)
            if type(message) is CancelOrder:
                return self._cancel(message, at_millis)
            assert isinstance(message, ReplaceOrder)  # noqa: S101
            return self._replace(message, at_millis)
        except Refusal as refusal:
            about = None if isinstance(message, NewOrder) else self.order_of(message.broker, message.original)
            return [Refused(message, refusal.code, refusal.field, refusal.message, about, at_millis)]

    def enter(self, phase: Phase, at_millis: int) -> list[Event]:
        """Begin a phase: a call that ends is matched, a day that ends lets its orders expire."""
        events: list[Event] = []
        if self.phase is Phase.CALL and phase is not Phase.CALL:
            for listed in self._by_code.values():
                self._uncross(listed, at_millis, events)
        if phase is Phase.CLOSED:
            for listed in self._by_code.values():
                for order in list(chain(listed.book.bids(), listed.book.asks())):
                    listed.book.remove(order)
                    self._end(order, Ended.DAY_OVER, at_millis, events)
        self.phase = phase
        return events

    # ---- requests

    def _new(self, message: NewOrder, at_millis: int) -> list[Event]:
        broker = message.broker
        custodian = self.brokers.get(broker)
        if custodian is None:
            raise Refusal(f"There is no broker '{broker}'.", code="UNKNOWN_BROKER", field="broker")
        self._may_enter()
        self._new_client_id(broker, message.client_order_id)
        listed = self._by_name.get(message.security)
        if listed is None:
            text = f"The security must be one of {sorted(self._by_code)}, but is '{message.security}'."
            raise Refusal(text, code="UNKNOWN_SECURITY", field="security_code")
        security = listed.security
        if message.platform_code != security.platform_code:
            text = f"{security.code} lives on platform {security.platform_code}, not on '{message.platform_code}'."
            raise Refusal(text, code="UNKNOWN_PLATFORM", field="platform_code")
        self._terms(security, message.quantity, message.price)
        order = Order(*self._next_id(), message, security, custodian, self._owner(message, custodian))
        self._by_client_id[broker, message.client_order_id] = order
        events: list[Event] = [Accepted(order, at_millis)]
        self._place(listed, order, at_millis, events)
        return events

    def _cancel(self, message: CancelOrder, at_millis: int) -> list[Event]:
        if self.phase is Phase.CLOSED:
            raise Refusal("The venue is closed.", code="MARKET_CLOSED")
        order = self._open_order(message.broker, message.original)
        self._new_client_id(message.broker, message.client_order_id)
        self._by_code[order.security.code].book.remove(order)
        order.ended = Ended.ASKED
        self._by_client_id[message.broker, message.client_order_id] = order
        return [Cancelled(order, Ended.ASKED, message.client_order_id, message.original, at_millis)]

    def _replace(self, message: ReplaceOrder, at_millis: int) -> list[Event]:
        self._may_enter()
        former = self._open_order(message.broker, message.original)
        self._new_client_id(message.broker, message.client_order_id)
        self._terms(former.security, message.quantity, message.price)
        if message.quantity <= former.filled:
            text = f"{former.filled} units of {former.order_id} are filled; the quantity must be more."
            raise Refusal(text, code="ALREADY_FILLED", field="quantity")
        listed = self._by_code[former.security.code]
        order = former
        if message.price == former.price and message.quantity <= former.total:
            former.left -= former.total - message.quantity
            former.total = message.quantity
            former.client_order_id = message.client_order_id
        else:
            order = former.renewed(*self._next_id(), message)
            listed.book.remove(former)
            former.ended = Ended.REPLACED
        # Whoever asks for it by its former name is told the present one.
        self._by_client_id[message.broker, message.original] = order
        self._by_client_id[message.broker, message.client_order_id] = order
        events: list[Event] = [Replaced(order, former, message.original, at_millis)]
        if order is not former:
            self._place(listed, order, at_millis, events)
        return events

    # ---- checks

    def _may_enter(self) -> None:
        if self.phase is not Phase.CONTINUOUS and self.phase is not Phase.CALL:
            raise Refusal(f"No orders are taken now: {self.phase.value}.", code="MARKET_CLOSED")

    def _new_client_id(self, broker: str, client_order_id: str) -> None:
        if (broker, client_order_id) in self._by_client_id:
            text = f"The client order id '{client_order_id}' was given before; the first stands."
            raise Refusal(text, code="CLIENT_ORDER_ID_REUSED", field="client_order_id")

    def _open_order(self, broker: str, original: str) -> Order:
        order = self.order_of(broker, original)
        if order is None:
            text = f"{broker} has no order '{original}'."
            raise Refusal(text, code="UNKNOWN_ORDER", field="original_client_order_id")
        if order.client_order_id != original:
            text = f"'{original}' is called '{order.client_order_id}' now."
            raise Refusal(text, code="UNKNOWN_ORDER", field="original_client_order_id")
        if not order.left or order.ended is not None:
            why = order.ended.value if order.ended else "filled"
            text = f"{order.order_id} is not open any more: {why}."
            raise Refusal(text, code="ORDER_ENDED", field="original_client_order_id")
        return order

    def _terms(self, security: Security, quantity: int, price: int) -> None:
        if quantity <= 0 or quantity % security.lot:
            text = f"The quantity must be a multiple of {security.lot} units, so that every fill makes whole yen"
            raise Refusal(f"{text}, but is {quantity}.", code="NOT_A_LOT", field="quantity")
        if not security.lowest <= price <= security.highest:
            span = f"{yen_text(security.lowest)} to {yen_text(security.highest)}"
            raise Refusal(
                f"The price must be {span} yen, but is {yen_text(price)}.", code="PRICE_LIMIT", field="unit_price"
            )
        if price % security.tick:
            text = f"The price must be a multiple of {yen_text(security.tick)} yen, but is {yen_text(price)}."
            raise Refusal(text, code="NOT_A_TICK", field="unit_price")
        if quantity * price > self._rules.max_amount_yen * 100:
            text = f"quantity × price must be at most {self._rules.max_amount_yen} yen."
            raise Refusal(text, code="TOO_LARGE_ORDER", field="quantity")

    # ---- ids, places, fills

    def _next_id(self) -> tuple[int, str]:
        if self._orders >= self._rules.max_orders_per_day:
            text = f"The day has had its {self._rules.max_orders_per_day} orders."
            raise Refusal(text, code="TOO_MANY_ORDERS")
        self._orders += 1
        return self._orders, f"{self.prefix}-O{self._orders:08}"

    def _owner(self, message: NewOrder, custodian: str) -> str | None:
        kind = self._rules.self_trade
        if kind is SelfTrade.INVESTOR:
            return f"{custodian}|{message.investor_id}"
        return message.broker if kind is SelfTrade.BROKER else None

    def _place(self, listed: _Listed, order: Order, at_millis: int, events: list[Event]) -> None:
        if self.phase is Phase.CALL:
            listed.book.rest(order)
            return
        cancelled: list[Order] = []
        matches = listed.book.add(order, cancelled)
        if matches:
            self._trade(listed, matches, at_millis, events)
        for gone in cancelled:
            self._end(gone, Ended.SELF_TRADE, at_millis, events)

    def _uncross(self, listed: _Listed, at_millis: int, events: list[Event]) -> None:
        cancelled: list[Order] = []
        matches = listed.book.uncross(tick=listed.security.tick, reference=listed.last, cancelled=cancelled)
        for gone in cancelled:
            self._end(gone, Ended.SELF_TRADE, at_millis, events)
        self._trade(listed, matches, at_millis, events)

    def _trade(self, listed: _Listed, matches: list[Match[Order]], at_millis: int, events: list[Event]) -> None:
        prefix, day, number = self.prefix, self.day, self._matches
        for sell, buy, quantity, price, sell_left, buy_left in matches:
            number += 1
            newer = sell.number if sell.number > buy.number else buy.number
            execution_id = f"{prefix}-M{number:08}-O{newer:08}"
            trade_id = f"{prefix}-T{number:08}"
            sell.value += quantity * price
            buy.value += quantity * price
            listed.last = price
            terms = (quantity, price, sell_left, buy_left, sell.value, buy.value)
            events.append(Traded(execution_id, trade_id, sell, buy, *terms, at_millis, day))
        self._matches = number

    def _end(self, order: Order, why: Ended, at_millis: int, events: list[Event]) -> None:
        order.ended = why
        events.append(Cancelled(order, why, order.client_order_id, None, at_millis))
