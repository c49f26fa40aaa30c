"""What is handed into an agent (design law 13): settings, store, node, clock, randomness, log."""

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ippon.agent.settings import AgentSettings
from ippon.agent.store import Store, later
from ippon.agent.tables import Event
from ippon.node import Node

_EVENT = insert(Event)


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)


class Log(Protocol):
    """Where an agent writes what it does: events with named values, never tokens, names or addresses."""

    def info(self, event: str, **values: Any) -> Any:
        """Ordinary."""
        ...

    def warning(self, event: str, **values: Any) -> Any:
        """To be looked at."""
        ...

    def error(self, event: str, **values: Any) -> Any:
        """A fault of ours."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Everything that an agent works with.

    Attributes:
        operator: the node with the operator's token, for kill; None when this agent may not.
        worker: this worker's name among those that share the store.
    """

    settings: AgentSettings
    store: Store
    node: Node
    operator: Node | None
    clock: Clock
    random: Random
    worker: str
    log: Log

    def now(self) -> datetime:
        """UTC."""
        return self.clock.now()

    def record(self, session: Session, kind: str, subject: str, **detail: object) -> None:
        """Append to the event log, in the transaction that makes it true."""
        later(session, _EVENT, at=self.now(), kind=kind, subject=subject, detail=detail)
