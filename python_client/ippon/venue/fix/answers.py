"""FIX messages out of the venue's reports: ExecutionReport, OrderCancelReject, TradeCaptureReport, rejects."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType

from fixcore.message import Group
from fixcore.message import Message as FixMessage

from ippon.errors import IpponError
from ippon.venue.calendar import moment
from ippon.venue.fix import tags
from ippon.venue.fix.entry import TAG_OF
from ippon.venue.listing import SEN_PER_YEN, yen_text
from ippon.venue.orders import NewOrder, Order, Traded
from ippon.venue.reports import Report, ReportKind
from ippon.venue.words import Ended

MAX_TEXT = 400
ORD_REJ_REASONS = MappingProxyType(
    {
        **{"UNKNOWN_SECURITY": "1", "MARKET_CLOSED": "2", "TOO_LARGE_ORDER": "3", "CLIENT_ORDER_ID_REUSED": "6"},
        **{"NOT_A_LOT": "13", "UNSUPPORTED_FIELD": "11", "UNSUPPORTED_VALUE": "11"},
    }
)
CXL_REJ_REASONS = MappingProxyType({"ORDER_ENDED": "0", "UNKNOWN_ORDER": "1", "CLIENT_ORDER_ID_REUSED": "6"})
OTHER = "99"
EXEC_TYPES = MappingProxyType(
    {
        ReportKind.ACCEPTED: "0",
        ReportKind.REPLACED: "5",
        ReportKind.FILLED: "F",
        ReportKind.CANCELLED: "4",
        ReportKind.EXPIRED: "C",
        ReportKind.REFUSED: "8",
    }
)


class Answer(FixMessage):
    """A message of the day's stream of reports.

    Attributes:
        cursor: (day, number): how much of the stream has been said with it; None: it is not of the stream.
        stored: whether it has a sequence number and is in the session's store.
    """

    __slots__ = ("cursor", "stored")

    def __init__(self, msg_type: str, cursor: tuple[str, int] | None = None) -> None:
        super().__init__()
        self.header.set(tags.MSG_TYPE, msg_type)
        self.cursor = cursor
        self.stored = False

    def put(self, fields: dict[int, str | None]) -> "Answer":
        """Set fields; None leaves one out."""
        for tag, value in fields.items():
            if value is not None:
                self.set_field(tag, plain(value))
        return self


def answer_of(report: Report, *, exec_id: str, settle_date: date, cursor: tuple[str, int]) -> Answer:
    """An ExecutionReport, or an OrderCancelReject for a cancel or replacement that was refused."""
    if report.kind is ReportKind.REFUSED and report.action != "NEW":
        return _cancel_reject(report, cursor)
    order, message = report.order, report.message
    new = message if isinstance(message, NewOrder) else None
    quantity = (report.filled + report.left) if report.left else (order.total if order else new.quantity if new else 0)
    buy = order.buy if order else bool(new and new.buy)
    return Answer(tags.EXECUTION_REPORT, cursor).put(
        {
            tags.ORDER_ID: order.order_id if order else "NONE",
            tags.EXEC_ID: exec_id,
            tags.EXEC_TYPE: EXEC_TYPES[report.kind],
            tags.ORD_STATUS: _status(report),
            tags.CL_ORD_ID: report.client_order_id,
            tags.ORIG_CL_ORD_ID: report.original,
            tags.ACCOUNT: order.investor_id if order else new.investor_id if new else None,
            tags.SYMBOL: order.security.code if order else new.security if new else "NONE",
            tags.INSTR_REGISTRY: order.security.platform_code if order else new.platform_code if new else None,
            tags.SIDE: tags.BUY if buy else tags.SELL,
            tags.ORDER_QTY: str(quantity),
            tags.ORD_TYPE: tags.LIMIT,
            tags.PRICE: yen_text(order.price if order else new.price if new else 0),
            tags.LEAVES_QTY: str(report.left),
            tags.CUM_QTY: str(report.filled),
            tags.AVG_PX: average(report.value, report.filled),
            tags.TRANSACT_TIME: time_text(report.at_millis),
            tags.ORD_REJ_REASON: ORD_REJ_REASONS.get(report.code or "", OTHER) if order is None else None,
            tags.TEXT: said(report.code, report.field, report.reason),
            **(_fill_fields(report.fill, settle_date) if report.fill else {}),
        }
    )


def status_answer(order: Order, *, client_order_id: str, exec_id: str, at_millis: int) -> Answer:
    """How an order stands, for a request that was sent again."""
    return Answer(tags.EXECUTION_REPORT).put(
        {
            tags.ORDER_ID: order.order_id,
            tags.EXEC_ID: exec_id,
            tags.EXEC_TYPE: "I",
            tags.ORD_STATUS: standing(order),
            tags.CL_ORD_ID: client_order_id,
            tags.ACCOUNT: order.investor_id,
            tags.SYMBOL: order.security.code,
            tags.SIDE: tags.BUY if order.buy else tags.SELL,
            tags.ORDER_QTY: str(order.total),
            tags.PRICE: yen_text(order.price),
            tags.LEAVES_QTY: str(0 if order.ended else order.left),
            tags.CUM_QTY: str(order.filled),
            tags.AVG_PX: average(order.value, order.filled),
            tags.TRANSACT_TIME: time_text(at_millis),
            tags.TEXT: "You have sent this before; this is how the order stands.",
        }
    )


def refusal_answer(
    fix: FixMessage, problem: IpponError, *, exec_id: str, order: Order | None, at_millis: int
) -> Answer:
    """The answer to an order message that could not be read: message, field and reason in it."""
    text = said(problem.code, problem.field, problem.message)
    ids: dict[int, str | None] = {
        tags.CL_ORD_ID: fix.get(tags.CL_ORD_ID),
        tags.ORDER_ID: order.order_id if order else "NONE",
        tags.TRANSACT_TIME: time_text(at_millis),
        tags.TEXT: text,
    }
    if fix.msg_type != tags.NEW_ORDER_SINGLE:
        ids |= {
            tags.ORIG_CL_ORD_ID: fix.get(tags.ORIG_CL_ORD_ID),
            tags.ORD_STATUS: standing(order) if order else "8",
            tags.CXL_REJ_RESPONSE_TO: "1" if fix.msg_type == tags.ORDER_CANCEL_REQUEST else "2",
            tags.CXL_REJ_REASON: CXL_REJ_REASONS.get(problem.code, OTHER),
        }
        return Answer(tags.ORDER_CANCEL_REJECT).put(ids)
    zero = {tags.LEAVES_QTY: "0", tags.CUM_QTY: "0", tags.AVG_PX: "0"}
    reason = ORD_REJ_REASONS.get(problem.code, OTHER)
    return Answer(tags.EXECUTION_REPORT).put(
        {
            **ids,
            **zero,
            tags.EXEC_ID: exec_id,
            tags.EXEC_TYPE: "8",
            tags.ORD_STATUS: "8",
            tags.SYMBOL: fix.get(tags.SYMBOL) or "NONE",
            tags.SIDE: fix.get(tags.SIDE),
            tags.ORD_REJ_REASON: reason,
        }
    )


def business_reject(fix: FixMessage, text: str) -> Answer:
    """The answer to a message of a type that the venue does not take."""
    return Answer(tags.BUSINESS_MESSAGE_REJECT).put(
        {
            tags.REF_SEQ_NUM: fix.get(tags.MSG_SEQ_NUM),
            tags.REF_MSG_TYPE: fix.msg_type,
            tags.BUSINESS_REJECT_REASON: "3",
            tags.TEXT: text,
        }
    )


def trade_capture(fill: Traded, *, settle_date: date, cursor: tuple[str, int]) -> Answer:
    """The drop copy of a fill: everything that `fills-*.csv` says."""
    answer = Answer(tags.TRADE_CAPTURE_REPORT, cursor).put(
        {
            tags.TRADE_REPORT_ID: fill.execution_id,
            tags.PREVIOUSLY_REPORTED: "N",
            tags.EXEC_ID: fill.execution_id,
            tags.TRD_MATCH_ID: fill.trade_id,
            tags.SYMBOL: fill.sell.security.code,
            tags.INSTR_REGISTRY: fill.sell.security.platform_code,
            tags.TRANSACT_TIME: time_text(fill.at_millis),
            **{tag: text for tag, text in _fill_fields(fill, settle_date).items() if tag != tags.SECONDARY_EXEC_ID},
        }
    )
    for code, order in ((tags.SELL, fill.sell), (tags.BUY, fill.buy)):
        side = Group()
        side.set_field(tags.SIDE, code)
        side.set_field(tags.ORDER_ID, order.order_id)
        side.add_group(tags.NO_PARTY_IDS, custodian_party(order))
        side.set_field(tags.ACCOUNT, plain(order.investor_id))
        answer.add_group(tags.NO_SIDES, side)
    return answer


def custodian_party(order: Order) -> Group:
    """Who settles an order, as a party of its own role."""
    party = Group()
    party.set_field(tags.PARTY_ID, plain(order.custodian))
    party.set_field(tags.PARTY_ID_SOURCE, tags.PARTY_ID_SOURCE_OWN)
    party.set_field(tags.PARTY_ROLE, tags.PARTY_ROLE_CUSTODIAN)
    return party


def plain(text: str) -> str:
    """Text that FIX can carry: no separator, Latin-1 only."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[:MAX_TEXT])
    return shown.encode("latin-1", errors="replace").decode("latin-1")


def time_text(at_millis: int) -> str:
    """A UTCTimestamp with milliseconds."""
    at = moment(at_millis)
    return at.strftime("%Y%m%d-%H:%M:%S.") + f"{at.microsecond // 1000:03}"


def average(value: int, quantity: int) -> str:
    """Yen of four decimals out of units × sen; 0 for nothing."""
    if not quantity:
        return "0"
    yen = Decimal(value) / Decimal(quantity * SEN_PER_YEN)
    return str(yen.quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN))


def said(code: str | None, field: str | None, reason: str | None) -> str | None:
    """Code, reason and field in one line."""
    if code is None:
        return None
    tag = TAG_OF.get(field or "")
    at = f" (field {field}{f', tag {tag}' if tag else ''})" if field else ""
    return f"{code}: {reason}{at}"


def standing(order: Order) -> str:
    """OrdStatus of an order now."""
    if order.ended is not None:
        return "C" if order.ended is Ended.DAY_OVER else "4"
    if not order.left:
        return "2"
    return "1" if order.filled else "0"


def _status(report: Report) -> str:
    if report.kind in (ReportKind.CANCELLED, ReportKind.EXPIRED, ReportKind.REFUSED):
        return EXEC_TYPES[report.kind]
    if not report.left:
        return "2"
    return "1" if report.filled else "0"


def _cancel_reject(report: Report, cursor: tuple[str, int]) -> Answer:
    order = report.order
    return Answer(tags.ORDER_CANCEL_REJECT, cursor).put(
        {
            tags.ORDER_ID: order.order_id if order else "NONE",
            tags.CL_ORD_ID: report.client_order_id,
            tags.ORIG_CL_ORD_ID: report.original,
            tags.ORD_STATUS: standing(order) if order else "8",
            tags.CXL_REJ_RESPONSE_TO: "1" if report.action == "CANCEL" else "2",
            tags.CXL_REJ_REASON: CXL_REJ_REASONS.get(report.code or "", OTHER),
            tags.TRANSACT_TIME: time_text(report.at_millis),
            tags.TEXT: said(report.code, report.field, report.reason),
        }
    )


def _fill_fields(fill: Traded, settle_date: date) -> dict[int, str | None]:
    return {
        tags.SECONDARY_EXEC_ID: fill.execution_id,
        tags.LAST_QTY: str(fill.quantity),
        tags.LAST_PX: yen_text(fill.price),
        tags.GROSS_TRADE_AMT: str(fill.quantity * fill.price // SEN_PER_YEN),
        tags.TRADE_DATE: f"{fill.trade_date:%Y%m%d}",
        tags.SETTL_DATE: f"{settle_date:%Y%m%d}",
    }
