"""Orders out of FIX messages: field by field, nothing guessed. What an order says and the venue does not do is refused.

A message may have the tags below and no other, so that no instruction is dropped in silence. The engine has by then
checked the message against the dictionary of FIX 4.4.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from fixcore.message import Message as FixMessage

from ippon.errors import BadRequest, Refusal
from ippon.venue.fix import tags
from ippon.venue.flow import read_row
from ippon.venue.orders import Message, Order

_COMMON = {tags.CL_ORD_ID, tags.SIDE, tags.SYMBOL, tags.ACCOUNT, tags.TRANSACT_TIME, tags.INSTR_REGISTRY}
_TERMS = {tags.ORDER_QTY, tags.PRICE, tags.ORD_TYPE, tags.TIME_IN_FORCE, tags.CURRENCY, tags.HANDL_INST}
TAKEN: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        tags.NEW_ORDER_SINGLE: frozenset(_COMMON | _TERMS),
        tags.ORDER_CANCEL_REQUEST: frozenset(_COMMON | {tags.ORIG_CL_ORD_ID, tags.ORDER_ID, tags.ORDER_QTY}),
        tags.ORDER_CANCEL_REPLACE_REQUEST: frozenset(_COMMON | _TERMS | {tags.ORIG_CL_ORD_ID, tags.ORDER_ID}),
    }
)
ONLY: Mapping[int, frozenset[str]] = MappingProxyType(
    {
        tags.ORD_TYPE: frozenset({tags.LIMIT}),
        tags.TIME_IN_FORCE: frozenset({tags.DAY}),
        tags.CURRENCY: frozenset({tags.JPY}),
        tags.HANDL_INST: frozenset({"1"}),
    }
)
"""Values that the venue does; any other is refused."""
ACTIONS = MappingProxyType(
    {
        tags.NEW_ORDER_SINGLE: "NEW",
        tags.ORDER_CANCEL_REQUEST: "CANCEL",
        tags.ORDER_CANCEL_REPLACE_REQUEST: "REPLACE",
    }
)
COLUMN = MappingProxyType(
    {
        tags.CL_ORD_ID: "client_order_id",
        tags.ORIG_CL_ORD_ID: "original_client_order_id",
        tags.SIDE: "side",
        tags.ACCOUNT: "investor_id",
        tags.SYMBOL: "security_code",
        tags.INSTR_REGISTRY: "platform_code",
        tags.ORDER_QTY: "quantity",
        tags.PRICE: "unit_price",
    }
)
"""The field of spec §3 behind a tag."""
TAG_OF = MappingProxyType({column: tag for tag, column in COLUMN.items()})
_QUANTITY = re.compile(r"([0-9]{1,18})(?:\.0*)?")
_PRICE = re.compile(r"([0-9]{1,15})(?:\.([0-9]{0,2})0*)?")
_TIME = re.compile(r"([0-9]{8}-[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?")
_SIDES = MappingProxyType({tags.BUY: "BUY", tags.SELL: "SELL"})


def read_order(fix: FixMessage, *, broker: str) -> Message:
    """The request of a NewOrderSingle, OrderCancelRequest or OrderCancelReplaceRequest of a broker's session.

    Raises: Refusal or BadRequest with the column at fault as field.
    """
    taken = TAKEN[fix.msg_type]
    for tag, value in fix.body.items():
        if tag not in taken:
            raise Refusal(f"Tag {tag} is not taken here.", code="UNSUPPORTED_FIELD", field=f"tag {tag}")
        if tag in ONLY and value not in ONLY[tag]:
            allowed = " or ".join(sorted(ONLY[tag]))
            raise Refusal(f"Tag {tag} must be {allowed}.", code="UNSUPPORTED_VALUE", field=f"tag {tag}")
    _check_time(fix.get(tags.TRANSACT_TIME))
    action = ACTIONS[fix.msg_type]
    values = {"action": action, "broker": broker}
    values |= {column: fix.get(tag) for tag, column in COLUMN.items() if tag in fix}
    values["side"] = _SIDES.get(fix.get(tags.SIDE), fix.get(tags.SIDE))
    values["quantity"] = _quantity(fix.get(tags.ORDER_QTY)) if tags.ORDER_QTY in fix else ""
    values["unit_price"] = _price(fix.get(tags.PRICE)) if tags.PRICE in fix else ""
    return read_row(values).message()


def check_original(fix: FixMessage, order: Order) -> None:
    """What a cancel or replacement says of its order must be so; a Refusal names the column that differs."""
    found = {
        tags.SIDE: tags.BUY if order.buy else tags.SELL,
        tags.ACCOUNT: order.investor_id,
        tags.INSTR_REGISTRY: order.security.platform_code,
        tags.ORDER_ID: order.order_id,
    }
    for tag, value in found.items():
        if tag in fix and fix.get(tag) != value:
            field = COLUMN.get(tag, "order_id")
            raise Refusal(f"{field} is not that of {order.order_id}.", code="ORDER_MISMATCH", field=field)
    if tags.SYMBOL in fix and fix.get(tags.SYMBOL) not in (order.security.code, *order.security.names):
        text = f"{order.order_id} is for {order.security.code}."
        raise Refusal(text, code="ORDER_MISMATCH", field="security_code")


def _quantity(text: str) -> str:
    match = _QUANTITY.fullmatch(text)
    if not match:
        raise BadRequest(f"quantity must be whole units, but is '{text[:40]}'.", field="quantity")
    return str(int(match[1]))


def _price(text: str) -> str:
    match = _PRICE.fullmatch(text)
    if not match:
        raise BadRequest(f"unit_price must be yen with at most two decimals, but is '{text[:40]}'.", field="unit_price")
    return f"{int(match[1])}.{(match[2] or ''):0<2}"


def _check_time(text: str) -> None:
    match = _TIME.fullmatch(text)
    try:
        if match:
            datetime.strptime(match[1], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
            return
    except ValueError:
        pass
    raise BadRequest(f"TransactTime must be UTC as 20260701-00:15:00, but is '{text[:40]}'.", field="tag 60")
