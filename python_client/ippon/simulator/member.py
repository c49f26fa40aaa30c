"""One node's inside: its vault, its own tables, what it has locked and what is pending, by its own clock."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ippon.errors import Refusal
from ippon.simulator.book import Book, Fields, Position, State, Transaction, party

SESSION, SIGNED, DROPPED, SETTLING = "SESSION", "SIGNED", "DROPPED", "SETTLING"
BUSY = (SESSION, SIGNED, SETTLING)
MAX_SELECTED_STATES = 500
SETTLEMENT_WINDOW = timedelta(seconds=180)
CLOCK_SKEW = timedelta(seconds=30)
SESSION_LIMIT = timedelta(seconds=120)


def refuse_unless(condition: bool, code: str, message: str, field: str | None = None) -> None:
    """Raises the refusal unless the condition holds."""
    if not condition:
        raise Refusal(message, code=code, field=field)


@dataclass(slots=True)
class Kept:
    """A state in a vault."""

    state: State
    recorded_at: datetime
    consumed_at: datetime | None = None
    consumed_by: str | None = None
    row: Fields | None = None
    """What a query answers, once one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What a flow of this node holds for a counterparty; `content` is what the notary may have been asked for."""

    run_id: str
    kind: str
    counterparty: str
    since: datetime
    deadline: datetime
    transaction_id: str | None = None
    execution_ids: tuple[str, ...] = ()
    inputs: tuple[State, ...] = ()
    content: Transaction | None = None


class Member:
    """A node; `clock` is its own, which may be wrong."""

    def __init__(self, name: str, book: Book, clock: Callable[[], datetime]) -> None:
        self.name = name
        self.book = book
        self.now = clock
        self.down = False
        self.sequence = 100
        self.recorded: dict[str, datetime] = {}
        self.kept: dict[str, Kept] = {}
        self.holdings: dict[Position, dict[str, State]] = {}
        self.fills: dict[str, Kept] = {}
        self.routes: dict[tuple[str, str], State] = {}
        self.instructions: dict[tuple[str, str], Kept] = {}
        self.investors: dict[str, Fields] = {}
        self.notices: list[Fields] = []
        self.hidden: dict[int, datetime] = {}
        self.row_delay: Callable[[], timedelta | None] = lambda: None
        self.told: dict[str, tuple[str, str, int | None]] = {}
        self.started: dict[tuple[str, str], tuple[Any, str]] = {}
        self.statement: dict[str, Fields] = {}
        self.notified: dict[str, Fields] = {}
        self.locks: dict[str, str] = {}
        self.pendings: dict[str, Pending] = {}
        self.lives: Callable[[str], bool] = lambda _: True
        """Whether a flow or responder of this run id is still there."""
        self._entered: set[str] = set()
        self._spent: dict[str, tuple[datetime, str]] = {}
        self._spent_by_recorded: set[str] = set()

    # ---- the vault

    def record(self, tx: Transaction) -> None:
        """Record a transaction that this node has checked, and its chain before it."""
        self.resolve(tx)
        self._enter(tx)
        if tx.transaction_id not in self.recorded:
            self.recorded[tx.transaction_id] = self.now()
            self._spent_by_recorded |= {state.ref for state in tx.inputs}
            for state in tx.outputs:
                self._note_recorded(state)

    def resolve(self, tx: Transaction) -> None:
        """Take in the chain behind a transaction: states that name this node come into its vault unasked."""
        for state in tx.inputs:
            if state.transaction_id not in self._entered:
                behind = self.book.transactions[state.transaction_id]
                self.resolve(behind)
                self._enter(behind)

    def _enter(self, tx: Transaction) -> None:
        if tx.transaction_id in self._entered:
            return
        self._entered.add(tx.transaction_id)
        now = self.now()
        for state in tx.inputs:
            self._spent[state.ref] = (now, tx.transaction_id)
            kept = self.kept.get(state.ref)
            if kept is not None:
                self._consume(kept)
        for state in tx.outputs:
            if self.name in state.owners or state.kind == "FundsRoute":
                self._keep(state, now)

    def _keep(self, state: State, now: datetime) -> None:
        kept = self.kept[state.ref] = Kept(state, now)
        if state.position is not None:
            self.holdings.setdefault(state.position, {})[state.ref] = state
        if state.ref in self._spent:
            self._consume(kept)

    def _consume(self, kept: Kept) -> None:
        kept.consumed_at, kept.consumed_by = self._spent[kept.state.ref]
        kept.row = None
        state = kept.state
        if state.position is not None:
            self.holdings[state.position].pop(state.ref, None)
        if state.kind == "FundsRoute" and state.data is not None:
            key = (state.data["custodian"], state.data["investor_id"])
            if self.routes.get(key) is state:
                del self.routes[key]

    def _note_recorded(self, state: State) -> None:
        kept, data = self.kept.get(state.ref), state.data
        if kept is None or data is None:
            return
        if state.kind == "Fill":
            self.fills.setdefault(data["execution_id"], kept)
        elif state.kind == "FundsRoute" and kept.consumed_by is None:
            self.routes[data["custodian"], data["investor_id"]] = state
        elif state.kind == "TrustInstruction":
            self.instructions.setdefault((data["custodian"], data["instruction_id"]), kept)

    def status(self, kept: Kept) -> str:
        """OPEN, SETTLED or BUSTED of a fill."""
        if kept.consumed_by is None:
            return "OPEN"
        return "BUSTED" if self.book.transactions[kept.consumed_by].command == "Bust" else "SETTLED"

    def unconsumed(self, states: Iterable[State]) -> bool:
        """Whether all of these are in this vault and unconsumed."""
        found = (self.kept.get(state.ref) for state in states)
        return all(kept is not None and kept.consumed_by is None for kept in found)

    # ---- holdings and locks

    def held(self, position: Position) -> int:
        """Units or yen, reserved or not."""
        return sum(state.size for state in self.holdings.get(position, {}).values())

    def available(self, position: Position, run_id: str) -> int:
        """Units or yen that nobody else has locked, and that are not signed away and not heard of since."""
        states = self.holdings.get(position, {})
        away = self._signed_away()
        return sum(s.size for ref, s in states.items() if self.locks.get(ref, run_id) == run_id and ref not in away)

    def _signed_away(self) -> set[str]:
        now = self.now()
        signed = (row for row in self.pendings.values() if row.kind == SIGNED and row.deadline > now)
        return {state.ref for row in signed for state in row.inputs}

    def reserve(self, position: Position, needed: int, run_id: str) -> list[State]:
        """Lock states worth `needed` or a little more, oldest first. Raises: Refusal SHORT_OF_…."""
        chosen: list[State] = []
        total = 0
        away = self._signed_away()
        for ref, state in self.holdings.get(position, {}).items():
            if total >= needed or len(chosen) == MAX_SELECTED_STATES:
                break
            if self.locks.get(ref, run_id) == run_id and ref not in away:
                chosen.append(state)
                total += state.size
        code = "SHORT_OF_COINS" if position.asset == "COINS" else "SHORT_OF_UNITS"
        refuse_unless(total >= needed, code, f"{position} must be {needed}, but only {total} are free.")
        self.locks.update((state.ref, run_id) for state in chosen)
        return chosen

    def release(self, run_id: str) -> None:
        """The flow has ended: nothing of it stays locked."""
        for ref in [ref for ref, owner in self.locks.items() if owner == run_id]:
            del self.locks[ref]

    # ---- what is pending

    def pend(self, run_id: str, kind: str, counterparty: str, deadline: datetime, **more: Any) -> None:
        """Note what a flow holds for a counterparty."""
        known = self.pendings.get(run_id)
        since = known.since if known else self.now()
        fills = more.pop("execution_ids", ()) or (known.execution_ids if known else ())
        self.pendings[run_id] = Pending(
            run_id=run_id,
            kind=kind,
            counterparty=counterparty,
            since=since,
            deadline=deadline,
            execution_ids=tuple(fills),
            **more,
        )

    def unpend(self, run_id: str) -> None:
        """Forget what a flow held."""
        self.pendings.pop(run_id, None)

    def unpend_unless_signed(self, run_id: str) -> None:
        """Forget it unless a signature is out."""
        known = self.pendings.get(run_id)
        if known is not None and known.kind not in (SIGNED, DROPPED):
            del self.pendings[run_id]

    def dropped(self, run_id: str) -> None:
        """The sender says that a transaction was dropped; a signature once given is watched all the same."""
        known = self.pendings.get(run_id)
        if known is None:
            return
        if known.kind not in (SIGNED, DROPPED) or not known.inputs:
            del self.pendings[run_id]
        else:
            self.pendings[run_id] = replace(known, kind=DROPPED)

    def pending(self) -> list[Pending]:
        """What is pending; a signed transaction that is recorded, or dead because an input is spent, is forgotten.

        As in Records.kt, only what is recorded here counts: one that came in another's chain is still asked after. What
        a flow held that was killed is forgotten past its deadline, unless it may have asked the notary.
        """
        now = self.now()
        for row in list(self.pendings.values()):
            decided = row.kind in (SIGNED, DROPPED) and row.transaction_id is not None and self._decided(row)
            unasked = row.kind == SESSION or (row.kind == SETTLING and row.content is None)
            if decided or (unasked and row.deadline < now and not self.lives(row.run_id)):
                del self.pendings[row.run_id]
        return sorted(self.pendings.values(), key=lambda row: row.deadline)

    def _decided(self, row: Pending) -> bool:
        spent = any(state.ref in self._spent_by_recorded for state in row.inputs)
        return spent or row.transaction_id in self.recorded

    def busy(self, run_id: str) -> set[str]:
        """Fills that another flow holds in a session or a settlement which is not over its deadline."""
        now = self.now()
        return {
            one
            for row in self.pending()
            if row.run_id != run_id and row.deadline > now and row.kind in BUSY
            for one in row.execution_ids
        }

    # ---- own tables

    def note(
        self,
        kind: str,
        execution_id: str,
        reason: str,
        counterparty: str,
        missing: int | None = None,
        investor_id: str | None = None,
    ) -> None:
        """Tell this side's own people something, once while nothing else comes between."""
        if kind != "FUNDS_ANNOUNCED" and self.told.get(execution_id) == (kind, reason, missing):
            return
        self.told[execution_id] = (kind, reason, missing)
        row = {"sequence": len(self.notices) + 1, "at": self.now(), "kind": kind, "execution_id": execution_id}
        about = {"reason": reason, "missing": missing, "investor_id": investor_id}
        self.notices.append({**row, **about, "counterparty": party(counterparty)})
        delay = self.row_delay()
        if delay is not None:
            # Its database transaction commits after that of a later row.
            self.hidden[len(self.notices)] = self.now() + delay

    def started_before(self, kind: str, business_id: str, content: object, code: str, field: str) -> str | None:
        """The transaction that a business id has become; a refusal if it stands for something else."""
        known = self.started.get((kind, business_id))
        if known is None:
            return None
        refuse_unless(known[0] == content, code, f"The id {business_id} stands for something else already.", field)
        return known[1]

    def investor(self, investor_id: str, field: str = "investor_id") -> Mapping[str, Any]:
        """An investor of this custodian. Raises: Refusal UNKNOWN_INVESTOR."""
        found = self.investors.get(investor_id)
        if found is None:
            raise Refusal(
                f"The investor id '{investor_id}' is not registered at {self.name}.",
                code="UNKNOWN_INVESTOR",
                field=field,
                where=self.name,
            )
        return found
