"""One pass over everything that an agent has to do, again and again; each pass may break anywhere and be done anew.

    step   inbox → what runs → what the node says, if something may be new → what is due → receipts

Files are journaled and receipts written also while the node is away.
"""

from datetime import datetime, timedelta

from ippon.agent.asset import AssetKeeper
from ippon.agent.coin import CoinIssuer
from ippon.agent.custodian import Custodian
from ippon.agent.decide import growing
from ippon.agent.due import Look
from ippon.agent.exchange import Exchange
from ippon.agent.inbox import Inbox
from ippon.agent.receipts import Receipts
from ippon.agent.role import RoleWork
from ippon.agent.rowflows import HANDLER as ROWS
from ippon.agent.starts import Starts
from ippon.agent.tools import Tools
from ippon.errors import BadSettings, IpponError, Unavailable
from ippon.model import Role, organisation

FIRST_PAUSE = timedelta(milliseconds=50)
LONGEST_PAUSE = timedelta(seconds=2)


class Agent:
    """One organisation's agent. Not to be shared between threads."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._look = Look(tools)
        self._role = role_of(tools, self._look)
        self._starts = Starts(tools, handlers={ROWS: self._role.flows, **self._role.handlers})
        self._inbox = Inbox(tools, flows=self._role.flows)
        self._receipts = Receipts(tools)
        self._pace = Pace()
        # At the beginning nothing is known: everything is asked (law 6).
        self._changed = True
        self._asked_all_at: datetime | None = None
        self._troubles = 0
        self._rest_until: datetime | None = None
        self._inbox.prepare()

    def step(self, *, changed: bool = False) -> bool:
        """Do everything that can be done now; whether the node took part in it.

        Args:
            changed: the node's sequence has moved since the last step.
        """
        self._changed |= changed
        try:
            self._inbox.take(self._starts)
            return self._with_node(woken=changed)
        finally:
            if self._look.perhaps_receipts():
                self._receipts.flush()

    def _with_node(self, *, woken: bool) -> bool:
        now = self._tools.now()
        if self._rest_until is not None and now < self._rest_until and not woken:
            return False
        try:
            everything = self._whole_due(now)
            if everything:
                self._check_node()
            if self._look.afresh().starts:
                self._changed |= self._starts.advance() > 0
            self._ask(everything=everything)
            if self._role.act(self._starts, self._look.again()):
                self._starts.advance()
        except IpponError as problem:
            self._trouble(problem)
            return False
        if self._troubles:
            self._tools.log.info("node_back", after_tries=self._troubles)
        self._troubles, self._rest_until = 0, None
        return True

    def _whole_due(self, now: datetime) -> bool:
        pause = timedelta(seconds=self._tools.settings.timers.reconcile_seconds)
        return self._asked_all_at is None or now >= self._asked_all_at + pause

    def _ask(self, *, everything: bool) -> None:
        now = self._tools.now()
        if not everything and not (self._changed and self._pace.may(now)):
            return
        new = self._role.ask(everything=everything)
        # Only an answer in full counts: if the node goes away in the middle, all is asked again.
        self._changed = False
        self._pace.asked(now, new=new > 0)
        if everything:
            self._asked_all_at = now

    def _check_node(self) -> None:
        """An agent that was pointed at another organisation's node must not touch it."""
        name = self._tools.node.node().name
        if organisation(name) != self._tools.settings.organisation:
            raise BadSettings(f"The agent is {self._tools.settings.organisation}'s, but the node is {name}.")

    def _trouble(self, problem: IpponError) -> None:
        """The node is away, or answers nonsense; rest a little, and ask everything when it is back."""
        timers = self._tools.settings.timers
        if self._troubles == 0 or not isinstance(problem, Unavailable):
            self._tools.log.warning("node_trouble", code=problem.code, message=problem.message)
        wait = growing(
            timers.transient_base_seconds,
            timers.transient_cap_seconds,
            doublings=self._troubles,
            jitter=self._tools.random.random(),
        )
        self._troubles += 1
        self._rest_until = self._tools.now() + wait
        self._changed, self._asked_all_at = True, None


class Pace:
    """How soon the node is asked again: at once after a quiet time, more and more slowly while nothing is new.

    Queries are flows on the node; were their ends to move its sequence, each question would call for the next.
    """

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE
        self._next: datetime | None = None

    def may(self, now: datetime) -> bool:
        """Whether it may be asked now."""
        return self._next is None or now >= self._next

    def asked(self, now: datetime, *, new: bool) -> None:
        """It was asked."""
        self._pause = FIRST_PAUSE if new else min(self._pause * 2, LONGEST_PAUSE)
        self._next = now + self._pause


def role_of(tools: Tools, look: Look) -> RoleWork:
    """The behaviour of the settings' role."""
    match tools.settings.role:
        case Role.EXCHANGE:
            return Exchange(tools)
        case Role.CUSTODIAN:
            return Custodian(tools, look)
        case Role.ASSET:
            return AssetKeeper(tools)
        case Role.COIN:
            return CoinIssuer(tools)
