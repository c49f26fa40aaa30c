"""The buyer's custodian: an investor's cash has come, so new coins are ordered against it, once.

    cash-*.csv           a line of the broker's bank → instruct_trust `TI-<line id>`
    instructions-*.csv   an instruction by hand      → instruct_trust

Each instruction is then followed on the ledger until it is executed, rejected, cancelled or expired.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ippon.agent.ledger import Ledger
from ippon.agent.receipts import ACCEPTED, REFUSED
from ippon.agent.rowflows import RowFlows
from ippon.agent.rowkinds import GIVEN, Flow, Given, RowKind, given
from ippon.agent.starts import Ending
from ippon.agent.tables import InboxRow, TrustOrder, word
from ippon.agent.tools import Tools
from ippon.errors import BadRequest, IpponError, Refusal
from ippon.model import (
    MAX_ID_LENGTH,
    CashLine,
    Instruction,
    InstructionOrder,
    InstructionStatus,
    organisation,
    utc_text,
)

CASH, HAND = "cash", "hand"
PENDING, NEVER = "PENDING", "REFUSED"
_OPEN = select(TrustOrder.instruction_id).where(TrustOrder.status == word(InstructionStatus.OPEN))


class TrustOrders:
    """Trust instructions of one custodian."""

    def __init__(self, tools: Tools, *, ledger: Ledger) -> None:
        self._tools = tools
        self._ledger = ledger
        self._page_orders: dict[str, TrustOrder] = {}

    def kinds(self) -> tuple[RowKind, RowKind]:
        """The files that order coins."""
        after = (("investors", "investor_id"),)
        cash = RowKind(
            name="cash",
            model=CashLine,
            id_field="line_id",
            reuse_code="STATEMENT_LINE_DIFFERS",
            after=after,
            parse=_parse_cash,
            prefetch=lambda session, lines: self._prefetch(session, [_cash_id(line.line_id) for line in lines]),
            check=lambda _, line: self._check(_cash_id(line.line_id), line),
            journaled=lambda session, row, line: self._keep(session, row, _cash_id(line.line_id), line, CASH),
            flow=lambda session, rows: self._instruct(session, _cash_id(rows[0].row_id)),
            prefetch_ends=lambda session, rows: self._orders(session, [_cash_id(row.row_id) for row in rows]),
            accepted=lambda session, row, ending: self._instructed(session, _cash_id(row.row_id), ending),
            refused=lambda session, row, error: self._never(session, _cash_id(row.row_id), error),
        )
        by_hand = RowKind(
            name="instructions",
            model=InstructionOrder,
            id_field="instruction_id",
            reuse_code="INSTRUCTION_ID_REUSED",
            after=after,
            prefetch=lambda session, orders: self._prefetch(session, [order.instruction_id for order in orders]),
            check=lambda _, order: self._check(order.instruction_id, order),
            journaled=lambda session, row, order: self._keep(session, row, order.instruction_id, order, HAND),
            flow=lambda session, rows: self._instruct(session, rows[0].row_id),
            prefetch_ends=lambda session, rows: self._orders(session, [row.row_id for row in rows]),
            accepted=lambda session, row, ending: self._instructed(session, row.row_id, ending),
            refused=lambda session, row, error: self._never(session, row.row_id, error),
        )
        return cash, by_hand

    def sync(self, flows: RowFlows) -> int:
        """Ask what became of open instructions; how many are open no more."""
        with self._tools.store.look() as connection:
            ids = list(connection.scalars(_OPEN))
        own = self._tools.settings.organisation
        found = [
            instruction
            for instruction in self._ledger.instructions(ids)
            if organisation(instruction.custodian) == own and instruction.status is not InstructionStatus.OPEN
        ]
        if not found:
            return 0
        with self._tools.store.write() as session:
            held = self._orders(session, [instruction.instruction_id for instruction in found])
            followed = sum(self._follow(session, flows, instruction) for instruction in found)
            del held
            return followed

    # ---- on the way to the ledger

    def _orders(self, session: Session, instruction_ids: Sequence[str]) -> Sequence[TrustOrder]:
        own = self._tools.settings.organisation
        ids = TrustOrder.instruction_id.in_(instruction_ids)
        return list(session.scalars(select(TrustOrder).where(TrustOrder.custodian == own, ids)))

    def _order(self, session: Session, instruction_id: str) -> TrustOrder | None:
        return session.get(TrustOrder, (self._tools.settings.organisation, instruction_id))

    def _prefetch(self, session: Session, instruction_ids: Sequence[str]) -> None:
        self._page_orders = {order.instruction_id: order for order in self._orders(session, instruction_ids)}

    def _check(self, instruction_id: str, order: CashLine | InstructionOrder) -> None:
        known = self._page_orders.get(instruction_id)
        if known is not None and known.status != NEVER:
            raise Refusal(
                f"The instruction {instruction_id} is there already, for {known.amount} yen of {known.investor_id}; "
                f"this one is for {order.amount} yen of {order.investor_id}.",
                code="INSTRUCTION_ID_REUSED",
                field="line_id" if isinstance(order, CashLine) else "instruction_id",
            )

    def _keep(
        self, session: Session, row: Given, instruction_id: str, order: CashLine | InstructionOrder, source: str
    ) -> None:
        now = self._tools.now()
        valid = timedelta(hours=self._tools.settings.timers.instruction_valid_hours)
        kept = self._page_orders.get(instruction_id)
        if kept is None:
            kept = TrustOrder(custodian=self._tools.settings.organisation, instruction_id=instruction_id)
            self._page_orders[instruction_id] = kept
            session.add(kept)
        # One that was refused before comes anew, with whatever content.
        kept.investor_id, kept.amount, kept.source, kept.status = order.investor_id, order.amount, source, PENDING
        kept.line_id = row.row_id if source == CASH else None
        # Fixed now: a repetition of the start must be the very same instruction.
        kept.expires_at = now.replace(microsecond=0) + valid
        kept.tries, kept.created_at, kept.changed_at = 0, now, now

    def _instruct(self, session: Session, instruction_id: str) -> Flow:
        order = session.get_one(TrustOrder, (self._tools.settings.organisation, instruction_id))
        arguments = {
            "instruction_id": instruction_id,
            "investor_id": order.investor_id,
            "amount": order.amount,
            "expires_at": utc_text(order.expires_at),
        }
        return Flow(
            business_id=f"instruct:{instruction_id}", operation="instruct_trust", arguments=arguments, lane="instruct"
        )

    def _instructed(self, session: Session, instruction_id: str, ending: Ending) -> None:
        order = session.get_one(TrustOrder, (self._tools.settings.organisation, instruction_id))
        order.status, order.transaction_id = InstructionStatus.OPEN, ending.text("transaction_id")
        order.changed_at = self._tools.now()
        self._tools.record(session, "instructed", instruction_id, investor_id=order.investor_id, amount=order.amount)

    def _never(self, session: Session, instruction_id: str, error: IpponError) -> None:
        order = session.get_one(TrustOrder, (self._tools.settings.organisation, instruction_id))
        order.status, order.reason, order.changed_at = NEVER, error.message, self._tools.now()

    # ---- on the ledger

    def _follow(self, session: Session, flows: RowFlows, found: Instruction) -> int:
        order = self._order(session, found.instruction_id)
        if order is None or order.status != InstructionStatus.OPEN:
            return 0
        order.status, order.reason, order.changed_at = found.status, found.reason, self._tools.now()
        self._tools.record(
            session, found.status.value.lower(), found.instruction_id, amount=found.amount, reason=found.reason
        )
        if found.status in (InstructionStatus.REJECTED, InstructionStatus.EXPIRED):
            self._tell_row(session, flows, order, found)
        return 1

    def _tell_row(self, session: Session, flows: RowFlows, order: TrustOrder, found: Instruction) -> None:
        """Who asked for the coins learns from the receipt that they will not come."""
        kind, row_id = (CASH, order.line_id) if order.source == CASH else ("instructions", order.instruction_id)
        asked = (InboxRow.kind == kind, InboxRow.row_id == row_id, InboxRow.status == ACCEPTED)
        error = Refusal(
            found.reason or f"The instruction {found.instruction_id} is {found.status.value.lower()}.",
            code=f"INSTRUCTION_{found.status.value}",
            field="amount" if found.status is InstructionStatus.REJECTED else None,
            where=organisation(found.issuer),
        )
        for row in given(session, GIVEN.where(*asked)):
            flows.finish(session, row, REFUSED, error=error)


def _cash_id(line_id: str) -> str:
    return f"TI-{line_id}"


def _parse_cash(columns: Mapping[str, Any]) -> CashLine:
    line = CashLine.model_validate(columns)
    if len(_cash_id(line.line_id)) > MAX_ID_LENGTH:
        raise BadRequest(f"line_id must leave room for TI- within {MAX_ID_LENGTH} characters.", field="line_id")
    return line
