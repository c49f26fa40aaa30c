"""The custodian's agent. As seller's: settles, waits, retries. As buyer's: shows shortages, orders coins, sends word.

ask   fills → notices → instructions → announcements → what wakes waiting sales → what is over its deadline
act   fills in doubt → the ledger's word; ready fills → settle flows; messages → flows
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ippon.agent.announce import Announcements
from ippon.agent.due import Due, Look
from ippon.agent.fills import Fills
from ippon.agent.investors import InvestorFiles
from ippon.agent.ledger import Ledger
from ippon.agent.notices import Notices
from ippon.agent.outbox import HANDLER as OUTBOX
from ippon.agent.outbox import Outbox
from ippon.agent.overdue import Overdue
from ippon.agent.rowflows import RowFlows
from ippon.agent.settle import Settle
from ippon.agent.settlerows import HANDLER as SETTLE
from ippon.agent.starts import Handler, Starts
from ippon.agent.tools import Tools
from ippon.agent.trust import TrustOrders
from ippon.agent.wakes import Wakes


class Custodian:
    """See the module."""

    def __init__(self, tools: Tools, look: Look) -> None:
        self._tools = tools
        self._store_look = look
        ledger = Ledger(tools.node, tools.log)
        self._outbox = Outbox(tools)
        self._settle = Settle(tools)
        self._notices = Notices(tools, ledger=ledger, settle=self._settle)
        self._fills = Fills(tools, ledger=ledger, settle=self._settle, notices=self._notices)
        self._wakes = Wakes(tools, ledger=ledger, settle=self._settle)
        self._trust = TrustOrders(tools, ledger=ledger)
        self._announcements = Announcements(tools, ledger=ledger, outbox=self._outbox, settle=self._settle)
        self._overdue = Overdue(tools, ledger=ledger, outbox=self._outbox, reclaims=True)
        self._outbox.after = {"ask_outcome": self._overdue.asked, "reclaim_coins": self._overdue.reclaimed}
        files = InvestorFiles(tools, outbox=self._outbox)
        self.flows = RowFlows(tools, kinds=(files.investors(), files.routes(), *self._trust.kinds(), *files.others()))
        self.handlers: Mapping[str, Handler] = {SETTLE: self._settle, OUTBOX: self._outbox}
        self._looked_at: datetime | None = None

    def ask(self, *, everything: bool) -> int:
        """See `RoleWork`."""
        new = self._fills.sync(everything=everything)
        if everything:
            new += self._fills.reconcile()
        new += self._notices.sync()
        due = self._store_look.again()
        if due.instructed:
            new += self._trust.sync(self.flows)
        if due.short:
            new += self._announcements.announce()
        if due.lacking:
            new += self._wakes.units()
        if due.unrouted:
            new += self._wakes.routes()
        return new

    def act(self, starts: Starts, due: Due) -> int:
        """See `RoleWork`."""
        self._look()
        if due.late:
            self._fills.mark_failing()
        resolved = self._fills.resolve() if due.doubts else 0
        promised = self._settle.gather(starts) if due.ready or resolved else 0
        return promised + (self._outbox.dispatch(starts) if due.messages else 0)

    def _look(self) -> None:
        """Nothing happens when something hangs, so this goes by the clock alone."""
        now = self._tools.now()
        pause = timedelta(seconds=self._tools.settings.timers.pending_poll_seconds)
        if self._looked_at is None or now >= self._looked_at + pause:
            self._looked_at = now
            self._overdue.look()
