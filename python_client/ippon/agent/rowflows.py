"""Rows of inbox files on their way: promised as flows once no earlier row holds them up, answered when those end."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from ippon.agent.handler import Begun
from ippon.agent.receipts import ACCEPTED, PENDING, REFUSED
from ippon.agent.rowkinds import GIVEN, Flow, Given, RowKind, given
from ippon.agent.starts import Ending, Promise, Starts
from ippon.agent.store import later, run_late
from ippon.agent.tables import InboxFile, InboxRow, word
from ippon.agent.tools import Tools
from ippon.errors import IpponError

HANDLER = "inbox"
PAGE_FLOWS = 200
_PENDING = InboxRow.status == word(PENDING)
_WAITING = GIVEN.where(_PENDING, InboxRow.promised.is_(False))
_THESE = GIVEN.where(InboxRow.number.in_(bindparam("numbers", expanding=True)))
_FIRST_UNFINISHED = (
    select(InboxRow.kind, InboxRow.row_id, func.min(InboxRow.number))
    .where(InboxRow.kind.in_(bindparam("kinds", expanding=True)), _PENDING)
    .group_by(InboxRow.kind, InboxRow.row_id)
)
_ONE = update(InboxRow).where(InboxRow.__table__.c.number == bindparam("its_number"))
_FILE = InboxFile.__table__.c
_CHANGED = update(InboxFile).where(_FILE.number == bindparam("its_file")).values(version=_FILE.version + 1)


class RowFlows:
    """The rows of one agent."""

    relaunch = True
    """Every operation that a row asks for is done once per business id by the node itself."""

    def __init__(self, tools: Tools, *, kinds: Iterable[RowKind]) -> None:
        self._tools = tools
        self.kinds: Mapping[str, RowKind] = {kind.name: kind for kind in kinds}
        self._held: dict[int, Given] = {}

    def release(self, session: Session, starts: Starts) -> None:
        """Promise the flows of rows that wait for no other row any more."""
        run_late(session)  # answers given in this transaction
        rows = given(session, _WAITING)
        if not rows:
            return
        unfinished = self._unfinished(session)
        by_file: dict[int, list[Given]] = {}
        for row in rows:
            holds = ((name, str(row.content.get(field))) for name, field in self.kinds[row.kind].after)
            if all(unfinished.get(hold, row.number) >= row.number for hold in holds):
                by_file.setdefault(row.file_number, []).append(row)
        batches: list[list[Given]] = []
        for ready in by_file.values():
            size = self.kinds[ready[0].kind].batch
            batches += [ready[first : first + size] for first in range(0, len(ready), size)]
        self._promise(session, starts, batches)

    def prefetch(self, session: Session, starts: Sequence[Begun]) -> Sequence[object]:
        """See `Handler`."""
        numbers = [number for start in starts for number in start.subject["rows"]]
        self._held = {row.number: row for row in given(session, _THESE, {"numbers": numbers})}
        held: list[object] = []
        for name in dict.fromkeys(row.kind for row in self._held.values()):
            held += self.kinds[name].prefetch_ends(session, [row for row in self._held.values() if row.kind == name])
        return held

    def ended(self, starts: Starts, session: Session, start: Begun, ending: Ending) -> None:
        """See `Handler`."""
        rows = [self._held[number] for number in sorted(start.subject["rows"])]
        if ending.error is None:
            for row in rows:
                self.accept(session, row, ending)
        elif self._goes_on(starts, session, start, rows[0], ending.error):
            return
        elif len(rows) > 1:
            # One of them is at fault, and only alone will it say so.
            self._promise(session, starts, [[row] for row in rows])
        else:
            self.refuse(session, rows[0], ending.error)

    def finish_together(self, starts: Starts, session: Session) -> None:
        """See `Handler`: what waited for these rows waits no more."""
        self.release(session, starts)

    def _goes_on(self, starts: Starts, session: Session, start: Begun, row: Given, error: IpponError) -> bool:
        return bool(self.kinds[row.kind].failed(session, row, error)) or starts.again(session, start, error)

    def accept(self, session: Session, row: Given, ending: Ending) -> None:
        """The row is done."""
        row.transaction_id = ending.text("transaction_id")
        self.finish(session, row, ACCEPTED)
        self.kinds[row.kind].accepted(session, row, ending)

    def refuse(self, session: Session, row: Given, error: IpponError) -> None:
        """The row will not be done."""
        self.finish(session, row, REFUSED, error=error)
        self.kinds[row.kind].refused(session, row, error)

    def finish(self, session: Session, row: Given, status: str, *, error: IpponError | None = None) -> None:
        """Give a row its answer, and have the receipt written anew."""
        values = {"status": status, "transaction_id": row.transaction_id, **answer(error)}
        later(session, _ONE, its_number=row.number, **values)
        later(session, _CHANGED, its_file=row.file_number)
        if error is not None:
            self._tools.record(session, "row_refused", f"{row.kind}:{row.row_id}", line=row.line, **error.to_wire())

    def _unfinished(self, session: Session) -> dict[tuple[str, str], int]:
        held = sorted({name for kind in self.kinds.values() for name, _ in kind.after})
        if not held:
            return {}
        first = session.connection().execute(_FIRST_UNFINISHED, {"kinds": held})
        return {(kind, row_id): number for kind, row_id, number in first}

    def _promise(self, session: Session, starts: Starts, batches: Sequence[list[Given]]) -> None:
        for first in range(0, len(batches), PAGE_FLOWS):
            page = [(self._flow(session, rows), rows) for rows in batches[first : first + PAGE_FLOWS]]
            last = starts.generations(session, [flow.business_id for flow, _ in page])
            starts.promise(
                session,
                [
                    Promise(
                        business_id=flow.business_id,
                        generation=last.get(flow.business_id, 0) + 1,
                        operation=flow.operation,
                        arguments=flow.arguments,
                        handler=HANDLER,
                        lane=flow.lane,
                        subject={"rows": [row.number for row in rows]},
                    )
                    for flow, rows in page
                ],
            )
            promised = [{"its_number": row.number, "promised": True} for _, rows in page for row in rows]
            session.connection().execute(_ONE, promised)

    def _flow(self, session: Session, rows: Sequence[Given]) -> Flow:
        flow_of = self.kinds[rows[0].kind].flow
        if flow_of is None:
            raise ValueError(f"a row of {rows[0].kind} is accepted when it is written down and has no flow")
        return flow_of(session, rows)


def answer(error: IpponError | None) -> dict[str, str | None]:
    """What a row says of the error that it was refused with."""
    if error is None:
        return {"code": None, "field": None, "reason": None}
    # The node names the argument at fault, `lines[0].reference`; the file has a column of that name.
    field = error.field.rpartition(".")[2][:64] if error.field is not None else None
    return {"code": error.code, "field": field, "reason": error.message}
