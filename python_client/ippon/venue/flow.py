"""Order flow as CSV: what brokers send, what the journal keeps, what a replay plays. One line a request.

    at,action,broker,client_order_id,original_client_order_id,side,investor_id,security_code,platform_code,quantity,unit_price

NEW needs all but the original; CANCEL broker, id and original; REPLACE also quantity and price. `at` is UTC with
milliseconds; a replay and the journal need it, a file that is dropped at a running venue may leave it out.
A line that cannot be read is a refusal that names line, field and reason, and nothing else of the file is lost.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from ippon.errors import BadFile, BadRequest, IpponError
from ippon.model import LedgerId, OrderSide, Row, UnitPrice, Units, UtcTime, utc_text
from ippon.venue.calendar import millis, moment
from ippon.venue.listing import sen, yen_text
from ippon.venue.orders import CancelOrder, Message, NewOrder, ReplaceOrder
from ippon.venue.words import Action

COLUMNS = (
    *("at", "action", "broker", "client_order_id", "original_client_order_id", "side", "investor_id"),
    *("security_code", "platform_code", "quantity", "unit_price"),
)
NEEDED = {
    Action.NEW: ("side", "investor_id", "security_code", "platform_code", "quantity", "unit_price"),
    Action.CANCEL: ("original_client_order_id",),
    Action.REPLACE: ("original_client_order_id", "quantity", "unit_price"),
}
MAX_FILE_BYTES = 64_000_000
MAX_LINE_CHARACTERS = 4_096
MAX_NAME_LENGTH = 128


class FlowRow(Row):
    """A request as it crosses the border. `security_code` may hold a name of the list (the report allows both)."""

    at: UtcTime | None = None
    action: Action
    broker: LedgerId
    client_order_id: LedgerId
    original_client_order_id: LedgerId | None = None
    side: OrderSide | None = None
    investor_id: LedgerId | None = None
    security_code: str | None = None
    platform_code: LedgerId | None = None
    quantity: Units | None = None
    unit_price: UnitPrice | None = None

    @model_validator(mode="after")
    def _whole(self) -> "FlowRow":
        for name in NEEDED[self.action]:
            if getattr(self, name) is None:
                raise PydanticCustomError("needed", "{name}|must be given for {action}", _of(name, self.action))
        security = self.security_code or ""
        if len(security) > MAX_NAME_LENGTH or not security.isprintable() or security != security.strip():
            raise PydanticCustomError("needed", "{name}|must be at most 128 plain characters", _of("security_code"))
        return self

    def message(self) -> Message:
        """The same for the market."""
        if self.action is Action.CANCEL:
            return CancelOrder(self.broker, self.client_order_id, str(self.original_client_order_id))
        price, quantity = sen(self.unit_price) if self.unit_price else 0, self.quantity or 0
        if self.action is Action.REPLACE:
            original = str(self.original_client_order_id)
            return ReplaceOrder(self.broker, self.client_order_id, original, quantity, price)
        texts = (str(self.investor_id), str(self.security_code), str(self.platform_code))
        return NewOrder(self.broker, self.client_order_id, self.side is OrderSide.BUY, *texts, quantity, price)


class FlowLine(NamedTuple):
    """A line of a file: its number (the header is 1), when, and the request or why it is none."""

    number: int
    at_millis: int | None
    message: Message | None
    problem: IpponError | None


def read_flow(content: bytes, *, max_bytes: int | None = MAX_FILE_BYTES) -> Iterator[FlowLine]:
    """The lines of a file, UTF-8 or Shift_JIS; BadFile when it has no usable header."""
    if max_bytes is not None and len(content) > max_bytes:
        raise BadFile(f"The file is larger than {max_bytes} bytes; send it in parts.")
    lines = _text(content).split("\n")
    header = _header(lines[0].rstrip("\r"))
    for number, line in enumerate(lines[1:], start=2):
        if line.strip("\r"):
            yield _line(number, line.rstrip("\r"), header)


def read_lines(stream: Iterable[bytes]) -> Iterator[FlowLine]:
    """The same of a stream that goes on, line by line; UTF-8."""
    header: list[str] | None = None
    for number, raw in enumerate(stream, start=1):
        line = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").rstrip("\r\n")
        if header is None:
            header = _header(line)
        elif line:
            yield _line(number, line, header)


def read_row(values: Mapping[str, Any]) -> FlowRow:
    """A request out of named values, blank ones left out; BadRequest names the field at fault."""
    given = {name: value for name, value in values.items() if value not in ("", None)}
    try:
        return FlowRow.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        if first["type"] == "needed":
            field, _, reason = first["msg"].partition("|")
        else:
            field = str(first["loc"][-1]) if first["loc"] else "the line"
            reason = "must be given" if first["type"] == "missing" else first["msg"]
        raise BadRequest(f"{field} {reason}.", field=field) from problem


def write_flow(requests: Iterable[tuple[int, Message]], *, header: bool = True) -> str:
    """(milliseconds, request) as lines; what `read_flow` reads."""
    lines = [",".join(COLUMNS)] if header else []
    lines += [_written(at_millis, message) for at_millis, message in requests]
    return "\n".join(lines) + "\n" if lines else ""


def _written(at_millis: int, message: Message) -> str:
    at = utc_text(moment(at_millis))
    if isinstance(message, CancelOrder):
        return f"{at},CANCEL,{message.broker},{message.client_order_id},{message.original},,,,,,"
    price = yen_text(message.price)
    if isinstance(message, ReplaceOrder):
        ids = f"{message.broker},{message.client_order_id},{message.original}"
        return f"{at},REPLACE,{ids},,,,,{message.quantity},{price}"
    out = io.StringIO()
    side = "BUY" if message.buy else "SELL"
    cells = (at, "NEW", message.broker, message.client_order_id, "", side, message.investor_id)
    csv.writer(out, lineterminator="").writerow(
        (*cells, message.security, message.platform_code, message.quantity, price)
    )
    return out.getvalue()


def _header(line: str) -> list[str]:
    try:
        header = [name.strip() for name in next(csv.reader([line]), [])]
    except csv.Error:
        header = []
    if not {"action", "broker", "client_order_id"} <= set(header) or len(set(header)) != len(header):
        raise BadFile(f"The header must have each of {', '.join(COLUMNS)} once, but is '{line[:200]}'.")
    return header


def _line(number: int, line: str, header: Sequence[str]) -> FlowLine:
    try:
        if len(line) > MAX_LINE_CHARACTERS or "\0" in line:
            raise BadRequest(f"The line must have at most {MAX_LINE_CHARACTERS} characters and no NUL.")
        try:
            cells = next(csv.reader([line], strict=True))
        except csv.Error as problem:
            raise BadRequest(f"The line cannot be read: {problem}.") from problem
        if len(cells) != len(header):
            raise BadRequest(f"The line must have {len(header)} columns, but has {len(cells)}.")
        row = read_row(dict(zip(header, (cell.strip() for cell in cells), strict=True)))
        return FlowLine(number, millis(row.at) if row.at else None, row.message(), None)
    except IpponError as problem:
        return FlowLine(number, None, None, problem.at(f"line {number}"))


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp932")
    except UnicodeDecodeError as problem:
        raise BadFile(f"The file is neither UTF-8 nor Shift_JIS: byte {problem.start} cannot be read.") from problem


def _of(name: str, action: str = "") -> dict[str, Any]:
    return {"name": name, "action": action}
