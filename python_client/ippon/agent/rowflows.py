"""Rows of inbox files on their way: promised as flows once no earlier row holds them up, answered when those end."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ippon.agent.receipts import ACCEPTED, PENDING, REFUSED
from ippon.agent.rowkinds import Flow, RowKind
from ippon.agent.starts import Ending, Starts
from ippon.agent.tables import InboxFile, InboxRow, Start
from ippon.agent.tools import Tools
from ippon.errors import IpponError

HANDLER = "inbox"
PAGE_FLOWS = 200


class RowFlows:
    """The rows of one agent."""

    relaunch = True
    """Every operation that a row asks for is done once per business id by the node itself."""

    def __init__(self, tools: Tools, *, kinds: Iterable[RowKind]) -> None:
        self._tools = tools
        self.kinds: Mapping[str, RowKind] = {kind.name: kind for kind in kinds}

    def release(self, session: Session, starts: Starts) -> None:
        """Promise the flows of rows that wait for no other row any more."""
        waiting = select(InboxRow).where(InboxRow.status == PENDING, InboxRow.promised.is_(False))
        rows = list(session.scalars(waiting.order_by(InboxRow.number)))
        if not rows:
            return
        unfinished = self._unfinished(session)
        by_file: dict[int, list[InboxRow]] = {}
        for row in rows:
            holds = ((name, str(row.content.get(field))) for name, field in self.kinds[row.kind].after)
            if all(unfinished.get(hold, row.number) >= row.number for hold in holds):
                by_file.setdefault(row.file_number, []).append(row)
        batches: list[list[InboxRow]] = []
        for ready in by_file.values():
            size = self.kinds[ready[0].kind].batch
            batches += [ready[first : first + size] for first in range(0, len(ready), size)]
        self._promise(session, starts, batches)

    def prefetch(self, session: Session, starts: Sequence[Start]) -> Sequence[object]:
        """See `Handler`."""
        numbers = [number for start in starts for number in start.subject["rows"]]
        rows = list(session.scalars(select(InboxRow).where(InboxRow.number.in_(numbers))))
        files = select(InboxFile).where(InboxFile.number.in_({row.file_number for row in rows}))
        held: list[object] = [*rows, *session.scalars(files)]
        for name in dict.fromkeys(row.kind for row in rows):
            held += self.kinds[name].prefetch_ends(session, [row for row in rows if row.kind == name])
        return held

    def ended(self, starts: Starts, session: Session, start: Start, ending: Ending) -> None:
        """See `Handler`."""
        rows = [session.get_one(InboxRow, number) for number in sorted(start.subject["rows"])]
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

    def _goes_on(self, starts: Starts, session: Session, start: Start, row: InboxRow, error: IpponError) -> bool:
        return bool(self.kinds[row.kind].failed(session, row, error)) or starts.again(session, start, error)

    def accept(self, session: Session, row: InboxRow, ending: Ending) -> None:
        """The row is done."""
        row.transaction_id = ending.text("transaction_id")
        self.finish(session, row, ACCEPTED)
        self.kinds[row.kind].accepted(session, row, ending)

    def refuse(self, session: Session, row: InboxRow, error: IpponError) -> None:
        """The row will not be done."""
        self.finish(session, row, REFUSED, error=error)
        self.kinds[row.kind].refused(session, row, error)

    def finish(self, session: Session, row: InboxRow, status: str, *, error: IpponError | None = None) -> None:
        """Give a row its answer, and have the receipt written anew."""
        answer(row, status, error)
        session.get_one(InboxFile, row.file_number).version += 1
        if error is not None:
            self._tools.record(session, "row_refused", f"{row.kind}:{row.row_id}", line=row.line, **error.to_wire())

    def _unfinished(self, session: Session) -> dict[tuple[str, str], int]:
        held = {name for kind in self.kinds.values() for name, _ in kind.after}
        first = (
            select(InboxRow.kind, InboxRow.row_id, func.min(InboxRow.number))
            .where(InboxRow.kind.in_(held), InboxRow.status == PENDING)
            .group_by(InboxRow.kind, InboxRow.row_id)
        )
        return {(kind, row_id): number for kind, row_id, number in session.execute(first)} if held else {}

    def _promise(self, session: Session, starts: Starts, batches: Sequence[list[InboxRow]]) -> None:
        for first in range(0, len(batches), PAGE_FLOWS):
            page = [(self._flow(session, rows), rows) for rows in batches[first : first + PAGE_FLOWS]]
            last = starts.generations(session, [flow.business_id for flow, _ in page])
            for flow, rows in page:
                starts.promise(
                    session,
                    business_id=flow.business_id,
                    generation=last.get(flow.business_id, 0) + 1,
                    operation=flow.operation,
                    arguments=flow.arguments,
                    handler=HANDLER,
                    lane=flow.lane,
                    subject={"rows": [row.number for row in rows]},
                )
                for row in rows:
                    row.promised = True
            session.flush()

    def _flow(self, session: Session, rows: Sequence[InboxRow]) -> Flow:
        flow_of = self.kinds[rows[0].kind].flow
        if flow_of is None:
            raise ValueError(f"a row of {rows[0].kind} is accepted when it is written down and has no flow")
        return flow_of(session, rows)


def answer(row: InboxRow, status: str, error: IpponError | None) -> None:
    """Write an answer into a row."""
    row.status = status
    row.code, row.field, row.reason = (error.code, error.field, error.message) if error else (None, None, None)
    if row.field is not None:
        # The node names the argument at fault, `lines[0].reference`; the file has a column of that name.
        row.field = row.field.rpartition(".")[2][:64]
