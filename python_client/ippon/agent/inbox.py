"""The inbox: files dropped into a folder become rows in the store, rows become flows, and each row gets its answer.

    file → journal (one transaction: file, rows, refusals, promised flows) → moved to `read/` → receipt
    row:  pending → accepted | refused;  duplicate: given before with the same content

What was received is written down before anything is answered or started; a file that comes twice does no harm.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ippon.agent.receipts import (
    ACCEPTED,
    DUPLICATE,
    PENDING,
    REFUSED,
    Receipt,
    read_receipt,
    wait_receipt,
    write_whole,
)
from ippon.agent.rowflows import RowFlows, answer
from ippon.agent.rowkinds import GIVEN, Given, Line, RowKind, given, read_csv, read_statement
from ippon.agent.starts import Starts
from ippon.agent.store import later, run_late
from ippon.agent.tables import InboxFile, InboxRow, words
from ippon.agent.tools import Tools
from ippon.errors import BadFile, BadRequest, IpponError, Refusal
from ippon.model import Row, is_ledger_id

__all__ = ["Inbox", "Receipt", "drop", "read_receipt", "wait_receipt"]

PAGE_ROWS = 200
_SAME_FILE = select(InboxFile).where(InboxFile.name == bindparam("its_name"), InboxFile.sha256 == bindparam("digest"))
_STANDING = GIVEN.where(
    InboxRow.kind == bindparam("its_kind"),
    InboxRow.row_id.in_(bindparam("ids", expanding=True)),
    InboxRow.status.in_(words((PENDING, ACCEPTED))),
)
_NEW_FILE = insert(InboxFile).returning(InboxFile.number)
_NEW = insert(InboxRow)
_NAME = re.compile(r"(?P<kind>[a-z]+)-[A-Za-z0-9._-]{1,100}\.(?P<suffix>csv|json)")


def drop(*, inbox_dir: Path, name: str, content: bytes) -> Path:
    """Put a file into an agent's inbox, whole or not at all."""
    inbox_dir.mkdir(parents=True, exist_ok=True)
    path = inbox_dir / name
    write_whole(path, content)
    return path


class Inbox:
    """Files of one agent; those that lie there together are read in the order of their kinds."""

    def __init__(self, tools: Tools, *, flows: RowFlows) -> None:
        self._tools = tools
        self._flows = flows
        self._kinds: Mapping[str, RowKind] = flows.kinds
        self._folder = tools.settings.inbox_dir
        self._released = False

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (
            self._folder,
            self._folder / "read",
            self._folder / "refused",
            self._tools.settings.receipts_dir,
        ):
            folder.mkdir(parents=True, exist_ok=True)

    def take(self, starts: Starts) -> int:
        """Journal every file that lies there; how many. At first rows are looked at that were put back to waiting."""
        if not self._released:
            # Not when the agent is made: a store that is locked just then must cost a step, not the process.
            with self._tools.store.write() as session:
                self._flows.release(session, starts)
            self._released = True
        order = list(self._kinds)
        found = [path for path in self._folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        ranked = sorted(found, key=lambda path: (_rank(order, path.name), path.name))
        return sum(self._take(path, starts) for path in ranked)

    # ---- files

    def _take(self, path: Path, starts: Starts) -> int:
        try:
            with path.open("rb") as stream:
                content = stream.read(self._tools.settings.limits.max_file_bytes + 1)
        except OSError as problem:
            self._tools.log.warning("file_unreadable", file=path.name, problem=type(problem).__name__)
            return 0
        status = self._journal(path.name[:200], content, starts)
        try:
            path.replace(self._folder / status / path.name)
        except FileNotFoundError:
            return 0  # another worker took it; the journal has it once
        return 1

    def _journal(self, name: str, content: bytes, starts: Starts) -> str:
        """Write a file down, once for a name and content; its status."""
        digest = hashlib.sha256(content).hexdigest()
        try:
            with self._tools.store.write() as session:
                known = session.scalars(_SAME_FILE, {"its_name": name, "digest": digest}).one_or_none()
                if known is not None:
                    known.version += 1  # its receipt is written anew
                    return known.status
                return self._write_down(session, name, content, digest, starts)
        except IntegrityError:
            return "read"  # another worker has just written the same file down

    def _write_down(self, session: Session, name: str, content: bytes, digest: str, starts: Starts) -> str:
        file = {"name": name, "sha256": digest, "read_at": self._tools.now(), "version": 1, "written": 0}
        try:
            kind, lines = self._read(name, content)
        except BadFile as problem:
            bad = {"kind": "", "status": "refused", "code": problem.code, "reason": problem.message}
            session.connection().execute(insert(InboxFile), {**file, **bad})
            self._tools.record(session, "file_refused", name, reason=problem.message)
            return "refused"
        (number,) = session.connection().execute(_NEW_FILE, {**file, "kind": kind.name, "status": "read"}).one()
        for first in range(0, len(lines), PAGE_ROWS):
            self._page(session, number, kind, lines[first : first + PAGE_ROWS])
        self._tools.record(session, "file_read", name, rows=len(lines), sha256=digest)
        self._flows.release(session, starts)
        return "read"

    def _read(self, name: str, content: bytes) -> tuple[RowKind, list[Line]]:
        limits = self._tools.settings.limits
        match = _NAME.fullmatch(name)
        kind = self._kinds.get(match["kind"]) if match else None
        if match is None or kind is None or match["suffix"] != kind.suffix:
            wanted = ", ".join(f"{kind.name}-*.{kind.suffix}" for kind in self._kinds.values())
            raise BadFile(f"This agent takes {wanted}, but the file is called '{name}'.")
        if len(content) > limits.max_file_bytes:
            raise BadFile(f"The file is larger than {limits.max_file_bytes} bytes; send it in parts.")
        read = read_csv if kind.suffix == "csv" else read_statement
        return kind, list(read(content, kind, limits))

    # ---- rows

    def _page(self, session: Session, file_number: int, kind: RowKind, lines: list[Line]) -> None:
        """Write down a run of rows with a few queries in all, not a few for each."""
        read = [self._read_row(file_number, kind, line) for line in lines]
        earlier = self._earlier(session, kind, [row.row_id for row, _, _ in read])
        kind.prefetch(session, [value for _, value, _ in read if value is not None])
        for row, value, problem in read:
            refusal = None
            try:
                if problem is not None or value is None:
                    raise problem or BadRequest("The row cannot be read.")
                self._judge(session, kind, row, value, earlier.get(row.row_id))
            except IpponError as error:
                row.status, refusal = REFUSED, error
                self._tell(session, row, error)
            later(session, _NEW, **row.columns(), promised=False, **answer(refusal))
            if row.status in (PENDING, ACCEPTED):
                earlier[row.row_id] = row
                kind.journaled(session, row, value)
        run_late(session)  # the next page looks for earlier rows
        session.flush()

    def _read_row(self, file_number: int, kind: RowKind, line: Line) -> tuple[Given, Row | None, IpponError | None]:
        # Nothing of a row that cannot be read: it may hold a name. Its file lies in `read/`.
        row = Given(file_number, line.number, kind.name, _id_in(line, kind), {}, PENDING)
        if line.problem is not None:
            return row, None, line.problem
        try:
            value = kind.read(line.columns)
        except IpponError as problem:
            return row, None, problem
        row.content = value.model_dump(mode="json")
        return row, value, None

    def _earlier(self, session: Session, kind: RowKind, row_ids: list[str]) -> dict[str, Given]:
        """The last row of each id that stands: accepted, or on its way."""
        return {row.row_id: row for row in given(session, _STANDING, {"its_kind": kind.name, "ids": row_ids})}

    def _judge(self, session: Session, kind: RowKind, row: Given, value: Row, earlier: Given | None) -> None:
        if earlier is not None and earlier.content == row.content:
            row.status, row.transaction_id = DUPLICATE, earlier.transaction_id
            return
        if earlier is not None and kind.reuse_code is not None:
            field = next(name for name in row.content if row.content[name] != earlier.content.get(name))
            raise Refusal(
                f"{kind.id_field} {row.row_id} was given before with {field} {earlier.content.get(field)}, "
                f"now with {row.content[field]}; the first stands.",
                code=kind.reuse_code,
                field=field,
            )
        kind.check(session, value)
        if kind.flow is None:
            row.status = ACCEPTED

    def _tell(self, session: Session, row: Given, refusal: IpponError) -> None:
        self._tools.record(session, "row_refused", f"{row.kind}:{row.row_id}", line=row.line, **refusal.to_wire())


def _id_in(line: Line, kind: RowKind) -> str:
    """The row's own id as far as it is one, else nothing."""
    found = str(line.columns.get(kind.id_field, ""))
    return found if is_ledger_id(found) else ""


def _rank(order: list[str], name: str) -> int:
    kind = name.partition("-")[0]
    return order.index(kind) if kind in order else len(order)
