"""One organisation's desk beside its node: I7, I8, I10 and I11 of the things that must always be true.

I7   desk, attempts and ledger agree, and nothing is `unknown`; of what ended after the store was put back to a backup,
     the ledger alone may tell
I8   every waiting fill of a short investor has its notice, with the amount that is missing
I10  nothing is reserved without an open settlement
I11  the event log has no gap, and tells every end that the desk shows

An organisation can check itself only: this needs its own store and a reader token of its own node.
"""

from __future__ import annotations

from collections.abc import Iterator

from ippon.agent.again import RESTORED
from ippon.agent.store import Store
from ippon.agent.view import AttemptView, EventView, SettlementView, attempts, events, notices, settlements
from ippon.model import Asset, DeskState, FillStatus, NoticeKind, Outcome, Reason, Side
from ippon.node import Node, rows

PAGE = 1_000
ENDS = {FillStatus.SETTLED: DeskState.SETTLED, FillStatus.BUSTED: DeskState.BUSTED}
SELLING = (Side.SELL, Side.BOTH)
SHORT = (Reason.MONY, Reason.LACK)


def desk_faults(store: Store, node: Node, *, organisation: str) -> list[str]:
    """Everything on a custodian's desk that is not as it must be, in sentences; call it when nothing is on its way."""
    desk = _all_settlements(store)
    log = _all_events(store)
    found = [*_agrees(store, node, desk, log), *_noticed(store, desk), *_reserved(node), *_told(desk, log)]
    return [f"{organisation}: {one}" for one in found]


def _all_settlements(store: Store) -> list[SettlementView]:
    found: list[SettlementView] = []
    while page := settlements(store, limit=PAGE, offset=len(found)):
        found += page
    return found


def _all_events(store: Store) -> list[EventView]:
    found: list[EventView] = []
    while page := events(store, after=found[-1].number if found else 0, limit=PAGE):
        found += page
    return found


def _agrees(store: Store, node: Node, desk: list[SettlementView], log: list[EventView]) -> Iterator[str]:
    learnt = _learnt(log)
    ledger = {str(row["execution_id"]): row for row in rows(node, "fills", {})}
    shown = {one.execution_id: one for one in desk}
    for execution_id in sorted(ledger.keys() ^ shown.keys()):
        where = "the ledger" if execution_id in ledger else "the desk"
        yield f"I7 {execution_id} is on {where} only"
    for execution_id in sorted(ledger.keys() & shown.keys()):
        row, one = ledger[execution_id], shown[execution_id]
        end = ENDS.get(FillStatus(row["status"]))
        if (end is not None and one.state is not end) or (end is None and one.state in ENDS.values()):
            yield f"I7 {execution_id} is {row['status']} on the ledger, {one.state} on the desk"
        elif end is not None and one.transaction_id != row["ended_by"]:
            yield f"I7 {execution_id} ended by {row['ended_by']}, by {one.transaction_id} on the desk"
        if one.state in (DeskState.UNKNOWN, DeskState.SENDING):
            yield f"I7 {execution_id} is still {one.state}"
        if one.side in SELLING:
            yield from _tried(one, attempts(store, execution_id=execution_id), learnt=execution_id in learnt)


def _learnt(log: list[EventView]) -> set[str]:
    """Whose end was told after the store had been put back to a backup: the tries may have been lost with it."""
    restored = [one.number for one in log if one.kind == RESTORED]
    if not restored:
        return set()
    return {one.subject for one in log if one.kind == DeskState.SETTLED.value and one.number > restored[0]}


def _tried(one: SettlementView, tries: list[AttemptView], *, learnt: bool) -> Iterator[str]:
    if [attempt.number for attempt in tries] != list(range(1, one.tries + 1)):
        yield f"I7 {one.execution_id} has {one.tries} tries on the desk, {[a.number for a in tries]} in the log"
    for attempt in tries:
        if attempt.ended_at is None:
            yield f"I7 try {attempt.number} of {one.execution_id} has no end"
    settled = [attempt.number for attempt in tries if attempt.outcome is Outcome.SETTLED]
    if one.state is DeskState.SETTLED and settled != [one.tries] and not (learnt and not settled):
        yield f"I7 {one.execution_id} is settled, but of its {one.tries} tries {settled or 'none'} say so"


def _noticed(store: Store, desk: list[SettlementView]) -> Iterator[str]:
    told = set()
    after = 0
    while page := notices(store, after=after, limit=PAGE):
        told |= {(one.execution_id, one.reason, one.missing) for one in page if one.kind is NoticeKind.SHORTAGE}
        after = page[-1].sequence
    for one in desk:
        waits = one.state is DeskState.WAITING and one.reason in SHORT
        if waits and (one.execution_id, one.reason, one.missing) not in told:
            yield f"I8 {one.execution_id} waits for {one.missing} ({one.reason}) without a notice of that amount"


def _reserved(node: Node) -> Iterator[str]:
    open_ids = {str(name) for row in rows(node, "pending", {}) for name in row["execution_ids"]}
    for asset in Asset:
        for row in rows(node, "balances", {"asset": asset.value}):
            if row["reserved"] and not open_ids:
                yield f"I10 {row['reserved']} {asset.value} of {row['investor_id']} are reserved without a settlement"


def _told(desk: list[SettlementView], log: list[EventView]) -> Iterator[str]:
    if [one.number for one in log] != list(range(1, len(log) + 1)):
        yield "I11 the event log has a gap"
    ends = {(one.subject, one.kind) for one in log}
    for one in desk:
        if one.state in ENDS.values() and (one.execution_id, one.state.value) not in ends:
            yield f"I11 {one.execution_id} is {one.state}, but the event log does not tell of it"
