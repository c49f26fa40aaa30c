"""Reading the node: what it has recorded since last time, and what it says of single fills (law 6)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, insert, select, update

from ippon.agent.tables import Cursor
from ippon.agent.tools import Log
from ippon.model import (
    Balance,
    FillRow,
    Instruction,
    NoticeRow,
    NotifiedRow,
    PendingRow,
    Route,
    Row,
    StatementLine,
    organisation,
    utc_text,
)
from ippon.model import Investor as InvestorRow
from ippon.node import MAX_PAGE_SIZE, Json, Node, rows

IDS_AT_ONCE = 100
MAX_REMEMBERED = 5_000
"""Fills whose rows are kept in memory, a few kilobytes each."""
NOTICES_OVERLAP = 50
_STEP = timedelta(milliseconds=1)

_CURSOR = Cursor.__table__.c
_VALUE = select(_CURSOR.value).where(_CURSOR.name == bindparam("its_name"))
_ONE = update(Cursor).where(_CURSOR.name == bindparam("its_name"))

AnyRow = TypeVar("AnyRow", bound=Row)


class Ledger:
    """Typed reading of one node. A row that cannot be read is logged and left out: it must not hold up the others."""

    def __init__(self, node: Node, log: Log) -> None:
        self._node = node
        self._log = log
        self._read: dict[str, tuple[Mapping[str, object], FillRow]] = {}

    def fills_since(self, moment: datetime | None) -> Iterator[FillRow]:
        """Fills changed after a moment, oldest change first; some may come more than once.

        Pages are taken by time and not by number, because a fill that changes meanwhile moves to the end of the list.
        """
        after, page = moment, 1
        while True:
            since = {} if after is None else {"changed_after": utc_text(after)}
            found = self._node.query("fills", {**since, "page": page, "size": MAX_PAGE_SIZE}).rows
            fills = list(self._fills(found))
            yield from fills
            if len(found) < MAX_PAGE_SIZE:
                return
            newest = fills[-1].changed_at - _STEP if fills else None
            forward = newest is not None and (after is None or newest > after)
            after, page = (newest, 1) if forward else (after, page + 1)

    def fills(self, execution_ids: Iterable[str]) -> list[FillRow]:
        """Fills by id; those that the node does not have are left out."""
        left = iter(dict.fromkeys(execution_ids))
        found: list[FillRow] = []
        while chunk := list(islice(left, IDS_AT_ONCE)):
            found += self._fills(rows(self._node, "fills", {"execution_ids": chunk}))
        return found

    def notified(self, execution_ids: Iterable[str]) -> list[NotifiedRow]:
        """Exchange: fills in the node's own table, by id."""
        return list(self._by_ids(NotifiedRow, "notified", "execution_ids", execution_ids))

    def instructions(self, instruction_ids: Iterable[str]) -> list[Instruction]:
        """Trust instructions by id."""
        return list(self._by_ids(Instruction, "instructions", "instruction_ids", instruction_ids))

    def all_instructions(self) -> Iterator[Instruction]:
        """All trust instructions that the node has on record."""
        return self._all(Instruction, "instructions", {})

    def statement(self) -> Iterator[StatementLine]:
        """Coin issuer: the trust account's statement as the node has it."""
        return self._all(StatementLine, "statement", {})

    def routes(self, investor_ids: Iterable[str]) -> list[Route]:
        """Funds routes in force of these investors, of whatever custodian."""
        return list(self._by_ids(Route, "routes", "investor_ids", investor_ids))

    def investors(self, investor_ids: Iterable[str]) -> list[InvestorRow]:
        """This custodian's investors by id."""
        return list(self._by_ids(InvestorRow, "investors", "investor_ids", investor_ids))

    def pending(self) -> list[PendingRow]:
        """What the node has reserved or signed and not yet seen recorded or dropped."""
        return list(self._all(PendingRow, "pending", {}))

    def notices_since(self, sequence: int) -> Iterator[NoticeRow]:
        """Notices after a number, in order."""
        after = sequence
        while True:
            arguments = {"after": after, "page": 1, "size": MAX_PAGE_SIZE}
            found = self._node.query("notices", arguments).rows
            yield from self._typed(NoticeRow, found)
            numbers = [row["sequence"] for row in found if isinstance(row.get("sequence"), int)]
            if len(found) < MAX_PAGE_SIZE or not numbers:
                return
            after = max(numbers)

    def balances(self, *, asset: str, investor_id: str, custodian: str) -> list[Balance]:
        """What an investor of a custodian holds: one row per security, or per issuer of coins."""
        found = self._all(Balance, "balances", {"asset": asset, "investor_id": investor_id})
        return [row for row in found if organisation(row.custodian) == organisation(custodian)]

    def _fills(self, found: Iterable[Mapping[str, object]]) -> Iterator[FillRow]:
        """Most of what is read again is word for word as it was, and is not taken apart again."""
        if len(self._read) > MAX_REMEMBERED:
            self._read.clear()
        for row in found:
            name = str(row.get("execution_id"))
            before = self._read.get(name)
            if before is not None and before[0] == row:
                yield before[1]
                continue
            for fill in self._typed(FillRow, [row]):
                self._read[name] = (row, fill)
                yield fill

    def _all(self, kind: type[AnyRow], name: str, arguments: Json) -> Iterator[AnyRow]:
        return self._typed(kind, rows(self._node, name, arguments))

    def _by_ids(self, kind: type[AnyRow], name: str, field: str, ids: Iterable[str]) -> Iterator[AnyRow]:
        left = iter(dict.fromkeys(ids))
        while chunk := list(islice(left, IDS_AT_ONCE)):
            yield from self._all(kind, name, {field: chunk})

    def _typed(self, kind: type[AnyRow], found: Iterable[object]) -> Iterator[AnyRow]:
        for row in found:
            try:
                yield kind.model_validate(row)
            except ValidationError as problem:
                first = problem.errors()[0]
                field = ".".join(str(part) for part in first["loc"])
                self._log.error("row_unreadable", kind=kind.__name__, field=field, problem=first["msg"])


def cursor(connection: Connection, name: str) -> str | None:
    """How far something was read."""
    return connection.scalar(_VALUE, {"its_name": name})


def set_cursor(connection: Connection, name: str, value: str) -> None:
    """Write down how far something was read."""
    if connection.execute(_ONE, {"its_name": name, "value": value}).rowcount == 0:
        connection.execute(insert(Cursor), {"name": name, "value": value})
