"""What a role adds to an agent: the files that it takes, what it asks its node, and what it does about the answers."""

from collections.abc import Mapping
from typing import Protocol

from ippon.agent.due import Due
from ippon.agent.rowflows import RowFlows
from ippon.agent.starts import Handler, Starts


class RoleWork(Protocol):
    """One role's own behaviour; everything in it may be done again at any time."""

    flows: RowFlows
    """The rows of its inbox files."""
    handlers: Mapping[str, Handler]
    """What ends its flows, beside those of rows."""

    def ask(self, *, everything: bool) -> int:
        """Ask the node what is so (law 6), about all that is open when `everything`; how much was new."""
        ...

    def act(self, starts: Starts, due: Due) -> int:
        """Promise the flows of what is due; how many."""
        ...
