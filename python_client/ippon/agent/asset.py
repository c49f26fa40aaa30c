"""The registrar's agent: issues securities out of files of positions.

positions-*.csv                       → issue_security, one flow a row
signed, and past its deadline unseen  → ask_outcome: the register must not miss a settlement that it has signed
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from ippon.agent.due import Due
from ippon.agent.ledger import Ledger
from ippon.agent.outbox import HANDLER as OUTBOX
from ippon.agent.outbox import Outbox
from ippon.agent.overdue import Overdue
from ippon.agent.rowflows import RowFlows
from ippon.agent.rowkinds import Flow, Given, RowKind
from ippon.agent.starts import Handler, Starts
from ippon.agent.tools import Tools
from ippon.model import Position


class AssetKeeper:
    """See the module."""

    def __init__(self, tools: Tools) -> None:
        ledger = Ledger(tools.node, tools.log)
        positions = RowKind(
            name="positions", model=Position, id_field="issue_id", reuse_code="ISSUE_ID_REUSED", flow=_issue
        )
        self.flows = RowFlows(tools, kinds=(positions,))
        self._outbox = Outbox(tools)
        self._overdue = Overdue(tools, ledger=ledger, outbox=self._outbox, reclaims=False)
        self._outbox.after = {"ask_outcome": self._overdue.asked}
        self.handlers: Mapping[str, Handler] = {OUTBOX: self._outbox}

    def ask(self, *, everything: bool) -> int:
        """See `RoleWork`."""
        return self._overdue.look() if everything else 0

    def act(self, starts: Starts, due: Due) -> int:
        """See `RoleWork`."""
        return self._outbox.dispatch(starts) if due.messages else 0


def _issue(_: Session, rows: Sequence[Given]) -> Flow:
    content = rows[0].content
    return Flow(
        business_id=f"position:{content['issue_id']}",
        operation="issue_security",
        arguments=content,
        lane=f"issue:{content['custodian']}",
    )
