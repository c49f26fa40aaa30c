"""Runs the flows of all nodes, a suspension at a time, and carries their messages, late and out of order when told to.

A flow is a generator. Where it yields, a real one suspends: there it may be held up, lose the other side of its
session (`SessionEnd`), or be killed for good (`FlowKilled`). Its result is what it returns.
"""

import heapq
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from ippon.errors import IpponError, Refusal
from ippon.simulator.book import Book, Fields, Transaction
from ippon.simulator.faults import Faults
from ippon.simulator.member import CLOCK_SKEW, SESSION_LIMIT, SIGNED, Member

TALK, NOTARY, RECORD = "talk", "notary", "record"
Flow = Generator[str, None, Fields]
Steps = Generator[str, None, None]
Check = Callable[[Transaction], None]


class SessionEnd(Exception):
    """The other side of a session is gone."""


class FlowKilled(BaseException):
    """The flow ends here for good, and none of its own code runs any more."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One flow of one node; `error` or `result` once it has ended."""

    run_id: str
    name: str
    member: Member
    flow: Flow | None = None
    result: Fields | None = None
    error: Fields | None = None
    not_before: datetime | None = None


@dataclass(order=True, slots=True)
class _Message:
    at: datetime
    number: int
    act: Callable[[], None] = field(compare=False)


class Network:
    """All nodes, the notary's clock, and what is on its way between them."""

    def __init__(self, *, book: Book, now: Callable[[], datetime], random: Random, faults: Faults) -> None:
        self.book = book
        self.now = now
        self.random = random
        self.faults = faults
        self.members: dict[str, Member] = {}
        self.running: dict[str, Run] = {}
        self.responders: dict[str, Responder] = {}
        self.moved: Callable[[Member], None] = lambda _: None
        self.trace: Callable[[str], None] = lambda _: None
        self._messages: list[_Message] = []
        self._runs = 0

    def run_id(self) -> str:
        """A new one, in the form of a UUID."""
        self._runs += 1
        return f"00000000-0000-4000-8000-{self._runs:012x}"

    # ---- flows

    def start(self, member: Member, name: str, make: Callable[[Run], Flow]) -> Run:
        """Start a flow; it runs at once unless something holds it up."""
        run = Run(run_id=self.run_id(), name=name, member=member)
        run.flow = make(run)
        self.running[run.run_id] = run
        self._advance(run)
        return run

    def turn(self) -> bool:
        """Deliver what is due and move every flow that can move; whether anything happened."""
        now, busy = self.now(), False
        while self._messages and self._messages[0].at <= now:
            busy = True
            heapq.heappop(self._messages).act()
        for run in list(self.running.values()):
            if run.run_id in self.running and not run.member.down:
                busy |= self._advance(run)
        return busy

    def quiet(self) -> bool:
        """Whether nothing runs and nothing is on its way."""
        return not self.running and not self._messages

    def _advance(self, run: Run) -> bool:
        if run.not_before is not None and self.now() < run.not_before:
            return False
        run.not_before = None
        while run.run_id in self.running and run.flow is not None:
            try:
                where = next(run.flow)
                delay = self.faults.delay(run.name, where)
                if where == TALK and self.faults.happens("session_broken"):
                    run.flow.throw(SessionEnd("the other side ended the session"))
                elif self.faults.kills(run.name, where):
                    self.kill(run.run_id, "lost")
                elif delay is not None:
                    run.not_before = self.now() + delay
                    return True
            except StopIteration as end:
                self._end(run, result=end.value)
            except SessionEnd as end:
                self._end(run, error=Refusal(str(end), code="COUNTERPARTY_FAILED"))
            except IpponError as problem:
                self._end(run, error=problem)
        return True

    def _end(self, run: Run, *, result: Fields | None = None, error: IpponError | None = None) -> None:
        run.result, run.error, run.flow = result, error.to_wire() if error else None, None
        del self.running[run.run_id]
        run.member.release(run.run_id)
        self.trace(f"flow {run.member.name} {run.name} {error.code if error else 'done'}")
        self.moved(run.member)

    def kill(self, run_id: str, why: str = "killed") -> bool:
        """End a flow or a responder for good; whether there was one."""
        run, responder = self.running.get(run_id), self.responders.get(run_id)
        if responder is not None:
            responder.ended()
            self.trace(f"kill {responder.member.name} responder")
            return True
        if run is None or run.flow is None:
            return False
        with suppress(FlowKilled, StopIteration):
            run.flow.throw(FlowKilled())
        self._end(run, error=Refusal(f"The flow was {why}.", code="INTERNAL"))
        return True

    # ---- messages

    def post(self, act: Callable[[], None]) -> None:
        """Have something done at another node: at once, or later and in another order. Corda's queues lose nothing."""
        delay = self.faults.late()
        if delay is None:
            act()
            return
        self._push(self.now() + delay, act)

    def again(self, act: Callable[[], None]) -> None:
        """Try a message once more in a while: its node is down."""
        self._push(self.now() + timedelta(seconds=2), act)

    def _push(self, at: datetime, act: Callable[[], None]) -> None:
        self._runs += 1
        heapq.heappush(self._messages, _Message(at, self._runs, act))


class Responder:
    """The other end of a delivery at one node."""

    def __init__(self, network: Network, member: Member, sender: str) -> None:
        self.network = network
        self.member = member
        self.sender = sender
        self.run_id = network.run_id()
        self.alive = True
        network.responders[self.run_id] = self

    def reach(self) -> None:
        """Raises: SessionEnd when nobody is there."""
        if self.member.down or not self.alive:
            raise SessionEnd(f"{self.member.name} ended the session.")

    def accept(self, tx: Transaction, check: Check, *, execution_ids: tuple[str, ...], signs: bool) -> None:
        """Check a transaction, and sign it where this node must. Raises: its refusal, SessionEnd."""
        self.reach()
        self.member.resolve(tx)
        try:
            check(tx)
        except IpponError as refusal:
            raise refusal.at(self.member.name) from None
        if not signs or not tx.inputs:
            return
        until = tx.window[1] if tx.window else self.member.now() + SESSION_LIMIT
        self.member.pend(
            self.run_id,
            SIGNED,
            self.sender,
            until + CLOCK_SKEW,
            transaction_id=tx.transaction_id,
            execution_ids=execution_ids,
            inputs=tx.inputs,
        )

    def tell(self, tx: Transaction | None, recorded: Check | None = None) -> None:
        """The verdict: record it, or None: it was dropped."""

        def hear() -> None:
            if not self.alive:
                return
            if self.member.down:
                self.network.again(hear)
                return
            if tx is None:
                self.member.dropped(self.run_id)
            else:
                fresh = tx.transaction_id not in self.member.recorded
                self.member.record(tx)
                if fresh and recorded is not None:
                    recorded(tx)
                self.member.unpend(self.run_id)
            self.ended()

        self.network.post(hear)

    def broken(self) -> None:
        """The sender died: what is signed stays watched, anything else is forgotten."""

        def hear() -> None:
            if self.alive:
                self.member.unpend_unless_signed(self.run_id)
                self.ended()

        self.network.post(hear)

    def ended(self) -> None:
        """The flow is over: its locks are free."""
        if self.alive:
            self.alive = False
            del self.network.responders[self.run_id]
            self.member.release(self.run_id)
            self.network.moved(self.member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A responder, what it checks, whether it must sign, and what it writes down when it records."""

    responder: Responder
    check: Check = lambda _: None
    signs: bool = False
    recorded: Check | None = None


def deliver(
    network: Network,
    run: Run,
    tx: Transaction,
    rounds: list[list[Receiver]],
    *,
    execution_ids: tuple[str, ...] = (),
    before_notary: Callable[[], None] = lambda: None,
    before_recording: Callable[[], None] = lambda: None,
    on_recorded: Check = lambda _: None,
) -> Steps:
    """DeliverTransaction.kt: ask all, the notary, record here, tell all. Raises: Refusal when anybody declines."""
    asked: list[Receiver] = []
    try:
        for receivers in rounds:
            asked += receivers
            for one in receivers:
                yield TALK
                one.responder.accept(tx, one.check, execution_ids=execution_ids, signs=one.signs)
        if tx.inputs or tx.window:
            before_notary()
            yield NOTARY
            network.book.notarise(tx, network.now())
            yield RECORD
        before_recording()
    except SessionEnd as end:
        _tell_all(asked, None)
        raise Refusal(str(end), code="COUNTERPARTY_FAILED") from end
    except IpponError:
        _tell_all(asked, None)
        raise
    except BaseException:
        for one in asked:
            one.responder.broken()
        raise
    if tx.transaction_id not in run.member.recorded:
        run.member.record(tx)
        on_recorded(tx)
    _tell_all(asked, tx)


def _tell_all(asked: list[Receiver], tx: Transaction | None) -> None:
    for one in asked:
        one.responder.tell(tx, one.recorded)


Operation = Callable[..., Flow]
Arguments = Mapping[str, Any]
