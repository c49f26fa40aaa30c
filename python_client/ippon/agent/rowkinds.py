"""Reading rows out of inbox files: which kinds there are, and a row that cannot be read refused by field and reason."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ippon.agent.settings import Limits
from ippon.agent.starts import Ending
from ippon.agent.tables import InboxRow
from ippon.errors import BadFile, BadRequest, IpponError, Refusal
from ippon.model import Row

MODEL_CODES = {
    "amount_mismatch": ("AMOUNT_MISMATCH", "amount"),
    "not_whole_yen": ("NOT_WHOLE_YEN", "unit_price"),
}
"""Causes that our models name themselves, and the column at fault."""


@dataclass(slots=True)
class Given:
    """A row of a file as it was given, and its answer so far; see `InboxRow`. A value: changing it writes nothing."""

    file_number: int
    line: int
    kind: str
    row_id: str
    content: dict[str, Any]
    status: str
    transaction_id: str | None = None
    number: int = 0
    """None yet while it is new."""

    def columns(self) -> dict[str, Any]:
        """Of a new row."""
        return {name: getattr(self, name) for name in _NAMES if name != "number"}


_NAMES = [field.name for field in fields(Given)]
GIVEN = select(*(getattr(InboxRow, name) for name in _NAMES)).order_by(InboxRow.number)


def given(session: Session, rows: Select[*tuple[Any, ...]], values: Mapping[str, Any] | None = None) -> list[Given]:
    """The rows that a narrower `GIVEN` finds."""
    return [Given(*row) for row in session.connection().execute(rows, values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The flow that rows ask for."""

    business_id: str
    operation: str
    arguments: Mapping[str, Any]
    lane: str


def _nothing(*_: object) -> None:
    return None


def _none_held(*_: object) -> Sequence[object]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKind:
    """One kind of inbox file.

    Attributes:
        name: the file's prefix: `fills` for `fills-*.csv`.
        model: what a row is.
        id_field: the column that names the row.
        optional: columns that may be absent.
        suffix: csv or json.
        parse: columns → value, where it is not simply the model's own reading.
        reuse_code: the refusal of an id that was given with other content; None: that is allowed, or the node's to say.
        after: (kind, own column): rows of that kind with that id, given before, are finished first.
        batch: rows of one file that may share a flow.
        flow: the flow that rows of one batch ask for; None: the row is accepted when it is written down.
        prefetch: reads what `check` and `journaled` need for a run of values, in a few queries.
        prefetch_ends: reads what `accepted`, `failed` and `refused` need for a run of rows; held until they are done.
        check: raises the refusal of a value that can be seen to be wrong here. Must change nothing.
        journaled: runs when the row is written down.
        accepted: runs when its flow has succeeded.
        failed: runs when its flow was refused; True: this kind finishes the row by itself, later.
        refused: runs when the row is refused for good.
    """

    name: str
    model: type[Row]
    id_field: str
    optional: frozenset[str] = frozenset()
    suffix: str = "csv"
    parse: Callable[[Mapping[str, Any]], Row] | None = None
    reuse_code: str | None = None
    after: tuple[tuple[str, str], ...] = ()
    batch: int = 1
    flow: Callable[[Session, Sequence[Given]], Flow] | None = None
    prefetch: Callable[[Session, Sequence[Any]], None] = _nothing
    prefetch_ends: Callable[[Session, Sequence[Given]], Sequence[object]] = _none_held
    check: Callable[[Session, Any], None] = _nothing
    journaled: Callable[[Session, Given, Any], None] = _nothing
    accepted: Callable[[Session, Given, Ending], None] = _nothing
    failed: Callable[[Session, Given, IpponError], bool | None] = _nothing
    refused: Callable[[Session, Given, IpponError], None] = _nothing

    @property
    def columns(self) -> frozenset[str]:
        """All columns that a file of this kind may have."""
        return (frozenset(self.model.model_fields) | self.optional) - {"used_by"}

    def read(self, columns: Mapping[str, Any]) -> Row:
        """A row's value; raises a refusal that names the column at fault."""
        given = {name: value for name, value in columns.items() if value not in ("", None)}
        try:
            return self.parse(given) if self.parse else self.model.model_validate(given)
        except ValidationError as problem:
            raise _refusal(problem) from problem


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number, its columns, and why they could not even be told apart."""

    number: int
    columns: Mapping[str, Any]
    problem: IpponError | None = None


def read_csv(content: bytes, kind: RowKind, limits: Limits) -> Iterator[Line]:
    """The lines of a CSV file in UTF-8 with a header row.

    Each physical line is a row: no id, code or figure holds a line break, and so a quote left open spoils one row only.

    Raises: BadFile when there is no usable header or the file is too long.
    """
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    header = _header(lines[0], kind)
    if len(lines) - 1 > limits.max_rows_per_file + 1:
        raise BadFile(f"The file has more than {limits.max_rows_per_file} rows; send it in parts.")
    for number, raw in enumerate(lines[1:], start=2):
        raw = raw.rstrip(b"\r")
        if raw.strip():
            yield _csv_line(number, raw, header, limits)


def read_statement(content: bytes, kind: RowKind, limits: Limits) -> Iterator[Line]:
    """The lines of a trust account's statement: `{"account": …, "lines": [{…}]}`; numbers count from 1."""
    try:
        statement = json.loads(content.decode("utf-8"), parse_float=str)
    except ValueError as problem:
        raise BadFile(f"The file is not JSON in UTF-8: {problem}") from problem
    lines = statement.get("lines") if isinstance(statement, dict) else None
    if not isinstance(lines, list) or not isinstance(statement.get("account"), str):
        raise BadFile('The file must be like {"account": "…", "lines": [{…}]}.')
    if len(lines) > limits.max_rows_per_file:
        raise BadFile(f"The file has more than {limits.max_rows_per_file} lines; send it in parts.")
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, dict):
            yield Line(number, {}, BadRequest("A line must be a JSON object."))
            continue
        unknown = sorted(set(line) - kind.columns)
        refusal = BadRequest(f"A line has no '{unknown[0][:64]}'.", field=unknown[0][:64]) if unknown else None
        yield Line(number, line, refusal)


def _header(raw: bytes, kind: RowKind) -> list[str]:
    try:
        header = next(csv.reader([raw.rstrip(b"\r").decode("utf-8")], strict=True))
    except (UnicodeDecodeError, csv.Error, StopIteration) as problem:
        raise BadFile(f"The header of a {kind.name} file cannot be read: it must be CSV in UTF-8.") from problem
    header = [name.strip() for name in header]
    missing = sorted(kind.columns - kind.optional - set(header))
    # By place: a file without a header has somebody's data here.
    unknown = [place for place, name in enumerate(header, start=1) if name not in kind.columns]
    if missing or unknown or len(set(header)) != len(header):
        wanted = ",".join(name for name in _ordered(kind))
        raise BadFile(
            f"The header of a {kind.name} file must be {wanted}; "
            f"missing: {missing or 'none'}, unknown: {f'columns {unknown}' if unknown else 'none'}."
        )
    return header


def _ordered(kind: RowKind) -> list[str]:
    fields = [name for name in kind.model.model_fields if name in kind.columns]
    return [*fields, *sorted(kind.columns - set(fields))]


def _csv_line(number: int, raw: bytes, header: list[str], limits: Limits) -> Line:
    if len(raw) > limits.max_line_characters:
        return Line(number, {}, BadRequest(f"The row is longer than {limits.max_line_characters} bytes."))
    try:
        cells = next(csv.reader([raw.decode("utf-8")], strict=True))
    except UnicodeDecodeError:
        return Line(number, {}, BadRequest("The row is not UTF-8."))
    except (csv.Error, StopIteration) as problem:
        return Line(number, {}, BadRequest(f"The row is not CSV: {problem}"))
    if len(cells) != len(header):
        return Line(number, {}, BadRequest(f"The row has {len(cells)} columns, the header {len(header)}."))
    if any("\x00" in cell for cell in cells):
        return Line(number, {}, BadRequest("The row has NUL characters."))
    return Line(number, dict(zip(header, (cell.strip() for cell in cells), strict=True)))


def _refusal(problem: ValidationError) -> Refusal:
    first = problem.errors()[0]
    if first["type"] in MODEL_CODES:
        code, field = MODEL_CODES[first["type"]]
        return Refusal(f"{field}: {first['msg']}.", code=code, field=field)
    column = str(first["loc"][-1]) if first["loc"] else None
    reason = "must be given" if first["type"] == "missing" else first["msg"]
    return BadRequest(f"{column or 'The row'} {reason}.", field=column)
