"""The coin issuer's agent: coins are issued for money that the trust account's own statement shows, and no other.

statement-*.json                         → record_statement
open instruction, line of its amount     → issue_coins
open instruction, line of another amount → reject_instruction, naming both amounts
open instruction, no line                → waits; past its time → expire_instruction
signed, and past its deadline unseen     → ask_outcome
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ippon.agent.decide import growing
from ippon.agent.due import Due
from ippon.agent.handler import Begun
from ippon.agent.ledger import Ledger
from ippon.agent.outbox import HANDLER as OUTBOX
from ippon.agent.outbox import Outbox
from ippon.agent.overdue import Overdue
from ippon.agent.rowflows import RowFlows
from ippon.agent.rowkinds import Flow, Given, RowKind
from ippon.agent.starts import Ending, Handler, Promise, Starts
from ippon.agent.tables import TrustLine, TrustOrder
from ippon.agent.tools import Tools
from ippon.model import Instruction, InstructionStatus, StatementLine, organisation

HANDLER = "trust"
ISSUE, REJECT, EXPIRE = "issue", "reject", "expire"
OPERATIONS = {ISSUE: "issue_coins", REJECT: "reject_instruction", EXPIRE: "expire_instruction"}
ENDS = {
    ISSUE: InstructionStatus.EXECUTED,
    REJECT: InstructionStatus.REJECTED,
    EXPIRE: InstructionStatus.EXPIRED,
}
LINE_TAKEN = "STATEMENT_LINE_USED"
IDS_AT_ONCE = 500
_KNOWN = select(TrustOrder.custodian, TrustOrder.instruction_id, TrustOrder.status)


class CoinIssuer:
    """See the module."""

    relaunch = True
    """An instruction is consumed by its end: the node does none of these twice."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._ledger = Ledger(tools.node, tools.log)
        statement = RowKind(
            name="statement",
            model=StatementLine,
            id_field="line_id",
            suffix="json",
            reuse_code="STATEMENT_LINE_DIFFERS",
            batch=100,
            flow=_record,
            prefetch_ends=lambda session, rows: self._kept(session, [row.row_id for row in rows]),
            accepted=self._keep_row,
        )
        self.flows = RowFlows(tools, kinds=(statement,))
        self._outbox = Outbox(tools)
        self._overdue = Overdue(tools, ledger=self._ledger, outbox=self._outbox, reclaims=False)
        self._outbox.after = {"ask_outcome": self._overdue.asked}
        self.handlers: Mapping[str, Handler] = {HANDLER: self, OUTBOX: self._outbox}
        self._lines_read = False

    # ---- what is so

    def ask(self, *, everything: bool) -> int:
        """See `RoleWork`."""
        if everything:
            self._overdue.look()
        new = 0 if self._lines_read else self._read_lines()
        instructions = list(self._ledger.all_instructions())
        with self._tools.store.look() as connection:
            known = {(custodian, name): status for custodian, name, status in connection.execute(_KNOWN)}
        moved = [
            one for one in instructions if known.get((organisation(one.custodian), one.instruction_id)) != one.status
        ]
        if not moved:
            return new
        with self._tools.store.write() as session:
            return new + sum(self._follow(session, instruction) for instruction in moved)

    def _read_lines(self) -> int:
        """The statement as the node has it, once after each start: later lines come through the inbox."""
        lines = list(self._ledger.statement())
        with self._tools.store.write() as session:
            held = self._kept(session, [line.line_id for line in lines])
            for line in lines:
                self._keep(session, line)
            del held
        self._lines_read = True
        return len(lines)

    def _kept(self, session: Session, line_ids: Sequence[str]) -> Sequence[TrustLine]:
        found: list[TrustLine] = []
        for first in range(0, len(line_ids), IDS_AT_ONCE):
            some = line_ids[first : first + IDS_AT_ONCE]
            found += session.scalars(select(TrustLine).where(TrustLine.line_id.in_(some)))
        return found

    def _keep_row(self, session: Session, row: Given, _: Ending) -> None:
        self._keep(session, StatementLine.model_validate(row.content))

    def _keep(self, session: Session, line: StatementLine) -> None:
        known = session.get(TrustLine, line.line_id)
        if known is None:
            session.add(TrustLine(**line.model_dump()))
        else:
            known.used_by = line.used_by or known.used_by

    def _follow(self, session: Session, found: Instruction) -> int:
        custodian = organisation(found.custodian)
        known = session.get(TrustOrder, (custodian, found.instruction_id))
        now = self._tools.now()
        if known is None:
            session.add(
                TrustOrder(
                    custodian=custodian,
                    instruction_id=found.instruction_id,
                    investor_id=found.investor_id,
                    amount=found.amount,
                    source="ledger",
                    status=found.status.value,
                    reason=found.reason,
                    expires_at=found.expires_at,
                    tries=0,
                    created_at=now,
                    changed_at=now,
                )
            )
            self._tools.record(session, "instruction", found.instruction_id, custodian=custodian, amount=found.amount)
            return 1
        if known.status == found.status:
            return 0
        known.status, known.reason, known.changed_at = found.status, found.reason or known.reason, now
        return 1

    # ---- what to do

    def act(self, starts: Starts, due: Due) -> int:
        """See `RoleWork`."""
        asked = self._outbox.dispatch(starts) if due.messages else 0
        return asked + (self._pay(starts) if due.payable else 0)

    def _pay(self, starts: Starts) -> int:
        now = self._tools.now()
        undecided = select(TrustOrder).where(
            TrustOrder.status == InstructionStatus.OPEN,
            TrustOrder.doing.is_(None),
            (TrustOrder.next_try_at.is_(None)) | (TrustOrder.next_try_at <= now),
        )
        undecided = undecided.order_by(TrustOrder.created_at, TrustOrder.instruction_id)
        with self._tools.store.write() as session:
            orders = list(session.scalars(undecided.with_for_update(skip_locked=True)))
            lines = self._lines(session, [order.instruction_id for order in orders])
            decisions = [(order, self._decide(order, lines.get(order.instruction_id, []))) for order in orders]
            decided = [(order, decision) for order, decision in decisions if decision is not None]
            last = starts.generations(session, [_business_id(decision[0], order) for order, decision in decided])
            starts.promise(session, [self._promise(order, *decision, last) for order, decision in decided])
            return len(decided)

    def _lines(self, session: Session, references: Sequence[str]) -> dict[str, list[TrustLine]]:
        """Lines of the statement by the instruction that they name."""
        found: dict[str, list[TrustLine]] = {}
        for first in range(0, len(references), IDS_AT_ONCE):
            some = references[first : first + IDS_AT_ONCE]
            named = select(TrustLine).where(TrustLine.reference.in_(some)).order_by(TrustLine.line_id)
            for line in session.scalars(named):
                found.setdefault(line.reference, []).append(line)
        return found

    def _decide(
        self, order: TrustOrder, named: Sequence[TrustLine]
    ) -> tuple[str, dict[str, Any], TrustLine | None] | None:
        """What to do about an open instruction: issue, reject or expire with its arguments; None: wait for its line."""
        base = {"custodian": order.custodian, "instruction_id": order.instruction_id}
        lines = [
            line
            for line in named
            if line.used_by is None and line.amount > 0 and organisation(line.custodian) == order.custodian
        ]
        for line in lines:
            if line.amount == order.amount:
                return ISSUE, {**base, "line_id": line.line_id}, line
        if lines:
            reason = (
                f"The trust account received {lines[0].amount} yen (statement line {lines[0].line_id}), "
                f"but the instruction orders {order.amount} yen."
            )
            return REJECT, {**base, "reason": reason}, lines[0]
        if order.expires_at <= self._tools.now():
            return EXPIRE, base, None
        return None

    def _promise(
        self,
        order: TrustOrder,
        doing: str,
        arguments: Mapping[str, Any],
        line: TrustLine | None,
        last: Mapping[str, int],
    ) -> Promise:
        order.doing, order.line_id = doing, line.line_id if line else None
        if doing == REJECT:
            order.reason = arguments["reason"]
        business_id = _business_id(doing, order)
        return Promise(
            business_id=business_id,
            generation=last.get(business_id, 0) + 1,
            operation=OPERATIONS[doing],
            arguments=arguments,
            handler=HANDLER,
            lane=f"{HANDLER}:{order.custodian}",
            subject={"custodian": order.custodian, "instruction_id": order.instruction_id},
        )

    def prefetch(self, session: Session, starts: Sequence[Begun]) -> Sequence[object]:
        """See `Handler`."""
        ids = [start.subject["instruction_id"] for start in starts]
        orders = list(session.scalars(select(TrustOrder).where(TrustOrder.instruction_id.in_(ids))))
        return [*orders, *self._kept(session, [order.line_id for order in orders if order.line_id is not None])]

    def finish_together(self, starts: Starts, session: Session) -> None:
        """See `Handler`."""

    def ended(self, _: Starts, session: Session, start: Begun, ending: Ending) -> None:
        """See `Handler`."""
        order = session.get_one(TrustOrder, (start.subject["custodian"], start.subject["instruction_id"]))
        doing, order.doing = order.doing, None
        order.changed_at = self._tools.now()
        line = session.get(TrustLine, order.line_id) if order.line_id else None
        if ending.error is None and doing is not None:
            order.status, order.transaction_id = ENDS[doing], ending.text("transaction_id")
            if doing == ISSUE and line is not None:
                line.used_by = order.instruction_id
            detail = {"custodian": order.custodian, "amount": order.amount, "reason": order.reason}
            self._tools.record(session, ENDS[doing].value.lower(), order.instruction_id, **detail)
            return
        error = ending.error
        if error is not None and error.code == LINE_TAKEN and line is not None:
            line.used_by = "?"
        order.reason = error.message if error else None
        order.tries += 1
        timers = self._tools.settings.timers
        wait = growing(
            timers.transient_base_seconds, timers.transient_cap_seconds, doublings=order.tries - 1, jitter=0.0
        )
        order.next_try_at = self._tools.now() + wait
        told = {"custodian": order.custodian, "code": error.code if error else None, "reason": order.reason}
        self._tools.record(session, "instruction_held", order.instruction_id, doing=doing, **told)


def _business_id(doing: str, order: TrustOrder) -> str:
    # Two custodians may use one id, and their names do not belong into a client id.
    custodian = hashlib.sha256(order.custodian.encode()).hexdigest()[:16]
    return f"{doing}:{custodian}:{order.instruction_id}"


def _record(_: Session, rows: Sequence[Given]) -> Flow:
    names = ("line_id", "value_date", "amount", "reference", "custodian")
    lines = [{name: row.content[name] for name in names} for row in rows]
    digest = hashlib.sha256("\n".join(row.row_id for row in rows).encode()).hexdigest()[:32]
    return Flow(
        business_id=f"statement:{digest}",
        operation="record_statement",
        arguments={"lines": lines},
        lane="statement",
    )
