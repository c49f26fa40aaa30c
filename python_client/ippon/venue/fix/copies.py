"""Rows out of a drop copy: orders out of ExecutionReports, fills out of TradeCaptureReports, or a refusal by field."""

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

from fixcore.message import Group
from fixcore.message import Message as FixMessage
from pydantic import ValidationError

from ippon.errors import BadRequest
from ippon.model import FillNotice, Row
from ippon.model import Order as OrderRow
from ippon.venue.fix import tags

_DAY = re.compile(r"[0-9]{8}")
_SIDES = {tags.BUY: "BUY", tags.SELL: "SELL"}
TELLS_ORDER = frozenset({"0", "5"})
"""Execution types that tell of an order under a new id: New, Replaced."""
TELLS_FILL = frozenset({"F", "1", "2", "G", "H"})
"""Those that tell of a fill, its correction or its bust, which the TradeCaptureReport tells with both sides."""
Value = TypeVar("Value", bound=Row)


def read_fill(fix: FixMessage) -> FillNotice:
    """The fill of a TradeCaptureReport; BadRequest names the field at fault."""
    for tag in (tags.TRADE_REPORT_TRANS_TYPE, tags.TRADE_REPORT_TYPE):
        if fix.get(tag, "0") != "0":
            raise BadRequest("Only new fills are taken: a bust is another record.", field=f"tag {tag}")
    sides = {side.get_field(tags.SIDE): side for side in fix.get_groups(tags.NO_SIDES)}
    if set(sides) != {tags.BUY, tags.SELL} or len(fix.get_groups(tags.NO_SIDES)) != len(sides):
        raise BadRequest("The report must have one side that sells and one that buys.", field="NoSides(552)")
    if fix.get(tags.TRADE_REPORT_ID) != fix.get(tags.EXEC_ID):
        raise BadRequest("TradeReportID(571) and ExecID(17) must both be the execution id.", field="execution_id")
    values: dict[str, Any] = {
        "execution_id": fix.get(tags.EXEC_ID),
        "trade_id": fix.get(tags.TRD_MATCH_ID),
        "platform_code": fix.get(tags.INSTR_REGISTRY),
        "security_code": fix.get(tags.SYMBOL),
        "quantity": fix.get(tags.LAST_QTY),
        "unit_price": fix.get(tags.LAST_PX),
        "amount": fix.get(tags.GROSS_TRADE_AMT),
        "trade_date": _date(fix, tags.TRADE_DATE),
        "settle_date": _date(fix, tags.SETTL_DATE),
        "executed_at": _time(fix.get(tags.TRANSACT_TIME)),
    }
    for code, order, who in ((tags.SELL, "sell", "seller"), (tags.BUY, "buy", "buyer")):
        side = sides[code]
        values[f"{order}_order_id"] = _in(side, tags.ORDER_ID)
        values[f"{who}_investor_id"] = _in(side, tags.ACCOUNT)
        values[f"{who}_custodian"] = _custodian(side.get_groups(tags.NO_PARTY_IDS))
    return _model(FillNotice, values)


def read_order_row(fix: FixMessage) -> OrderRow:
    """The order of an ExecutionReport, with what is open of it under its id; BadRequest names the field at fault."""
    return _model(
        OrderRow,
        {
            "order_id": fix.get(tags.ORDER_ID),
            "side": _SIDES.get(fix.get(tags.SIDE), fix.get(tags.SIDE)),
            "custodian": _custodian(fix.get_groups(tags.NO_PARTY_IDS)),
            "investor_id": fix.get(tags.ACCOUNT),
            "security_code": fix.get(tags.SYMBOL),
            "platform_code": fix.get(tags.INSTR_REGISTRY),
            "quantity": fix.get(tags.LEAVES_QTY),
            "unit_price": fix.get(tags.PRICE),
        },
    )


def _model(kind: type[Value], values: dict[str, Any]) -> Value:
    try:
        return kind.model_validate({name: value for name, value in values.items() if value != ""})
    except ValidationError as problem:
        first = problem.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else {"not_whole_yen": "unit_price"}.get(first["type"], "amount")
        reason = "must be given" if first["type"] == "missing" else first["msg"]
        raise BadRequest(f"{field} {reason}.", field=field) from problem


def _custodian(parties: list[Group]) -> str:
    found = [_in(party, tags.PARTY_ID) for party in parties if _in(party, tags.PARTY_ROLE) == tags.PARTY_ROLE_CUSTODIAN]
    if len(found) != 1:
        raise BadRequest(f"There must be one party of role 28 (custodian), but are {len(found)}.", field="custodian")
    return found[0]


def _in(group: Group, tag: int) -> str:
    return dict(group.items()).get(tag, "")


def _date(fix: FixMessage, tag: int) -> str:
    text = fix.get(tag)
    if not _DAY.fullmatch(text):
        raise BadRequest(f"Tag {tag} must be a day as 20260701, but is '{text[:20]}'.", field=f"tag {tag}")
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _time(text: str) -> datetime:
    for form in ("%Y%m%d-%H:%M:%S.%f", "%Y%m%d-%H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise BadRequest(f"TransactTime must be UTC as 20260701-00:15:00.123, but is '{text[:30]}'.", field="executed_at")
