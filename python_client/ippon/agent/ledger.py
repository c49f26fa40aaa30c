"""Reading the node: what it has recorded since last time, and what it says of single fills (law 6)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy.orm import Session

from ippon.agent.tables import Cursor
from ippon.errors import BadAnswer
from ippon.model import Balance, FillRow, Instruction, NoticeRow, NotifiedRow, PendingRow, Route, Row, organisation, utc_text
from ippon.model import Investor as InvestorRow
from ippon.node import MAX_PAGE_SIZE, Json, Node, rows

IDS_AT_ONCE = 100
NOTICES_OVERLAP = 50
_STEP = timedelta(milliseconds=1)

AnyRow = TypeVar("AnyRow", bound=Row)


class Ledger:
    """Typed reading of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def fills_since(self, moment: datetime | None) -> Iterator[FillRow]:
        """Fills changed after a moment, oldest change first; some may come more than once.

        Pages are taken by time and not by number, because a fill that changes meanwhile moves to the end of the list.
        """
        after, page = moment, 1
        while True:
            arguments = {"page": page, "size": MAX_PAGE_SIZE}
            if after is not None:
                arguments["changed_after"] = utc_text(after)  # type: ignore[assignment]
            found = [_typed(FillRow, row) for row in self._node.query("fills", arguments).rows]
            yield from found
            if len(found) < MAX_PAGE_SIZE:
                return
            newest = found[-1].changed_at - _STEP
            after, page = (newest, 1) if after is None or newest > after else (after, page + 1)

    def fills(self, execution_ids: Iterable[str]) -> list[FillRow]:
        """Fills by id; those that the node does not have are left out."""
        return list(self._by_ids(FillRow, "fills", "execution_ids", execution_ids))

    def notified(self, execution_ids: Iterable[str]) -> list[NotifiedRow]:
        """Exchange: fills in the node's own table, by id."""
        return list(self._by_ids(NotifiedRow, "notified", "execution_ids", execution_ids))

    def instructions(self, instruction_ids: Iterable[str]) -> list[Instruction]:
        """Trust instructions by id."""
        return list(self._by_ids(Instruction, "instructions", "instruction_ids", instruction_ids))

    def all_instructions(self) -> Iterator[Instruction]:
        """All trust instructions that the node has on record."""
        return self._all(Instruction, "instructions", {})

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
            found = [_typed(NoticeRow, row) for row in self._node.query("notices", arguments).rows]
            yield from found
            if len(found) < MAX_PAGE_SIZE:
                return
            after = found[-1].sequence

    def balances(self, *, asset: str, investor_id: str, custodian: str) -> list[Balance]:
        """What an investor of a custodian holds: one row per security, or per issuer of coins."""
        found = self._all(Balance, "balances", {"asset": asset, "investor_id": investor_id})
        return [row for row in found if organisation(row.custodian) == organisation(custodian)]

    def _all(self, kind: type[AnyRow], name: str, arguments: Json) -> Iterator[AnyRow]:
        return (_typed(kind, row) for row in rows(self._node, name, arguments))

    def _by_ids(self, kind: type[AnyRow], name: str, field: str, ids: Iterable[str]) -> Iterator[AnyRow]:
        for chunk in batched(dict.fromkeys(ids), IDS_AT_ONCE):
            yield from self._all(kind, name, {field: list(chunk)})


def cursor(session: Session, name: str) -> str | None:
    """How far something was read."""
    row = session.get(Cursor, name)
    return row.value if row else None


def set_cursor(session: Session, name: str, value: str) -> None:
    """Write down how far something was read."""
    session.merge(Cursor(name=name, value=value))


def own_only(found: Sequence[Balance], security_code: str) -> int:
    """Free units of one security among an investor's balances."""
    return sum(balance.free for balance in found if balance.security_code == security_code)


def _typed(kind: type[AnyRow], row: object) -> AnyRow:
    try:
        return kind.model_validate(row)
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadAnswer(f"A row of the node is no {kind.__name__}: {field} {first['msg']}", field=field) from problem
