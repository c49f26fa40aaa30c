"""What a kind of work does when one of its flows has ended, and how a flow can end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.orm import Session

from ippon.errors import IpponError

if TYPE_CHECKING:
    from ippon.agent.starts import Starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a flow ended: a result, or an error."""

    result: Mapping[str, Any] | None = None
    error: IpponError | None = None

    def text(self, name: str) -> str | None:
        """A text of the result."""
        value = (self.result or {}).get(name)
        return value if isinstance(value, str) else None


@dataclass(slots=True)
class Begun:
    """A flow on its way, as its `Start` says; a value: changing it writes nothing."""

    number: int
    client_id: str
    business_id: str
    generation: int
    operation: str
    arguments: dict[str, Any]
    handler: str
    lane: str
    subject: dict[str, Any]
    state: str
    lease_owner: str | None
    lease_until: datetime | None


class Handler(Protocol):
    """What a kind of work does when one of its flows has ended."""

    relaunch: bool
    """Whether a flow that the node has lost is simply started again under its client id."""

    def prefetch(self, session: Session, starts: Sequence[Begun]) -> Sequence[object]:
        """Read in a few queries what `ended` will need of these; held until their transaction is over."""
        ...

    def ended(self, starts: "Starts", session: Session, start: Begun, ending: Ending) -> None:
        """Write down what the ending means, in the transaction that ends the start. Must not talk to anybody."""
        ...

    def finish_together(self, starts: "Starts", session: Session) -> None:
        """After the last of those that end in one transaction."""
        ...
