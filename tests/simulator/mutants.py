"""Planted bugs, each one small change of the agents' own code; the simulator must find every one of them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from ippon.agent import decide, notices
from ippon.agent.announce import Announcements
from ippon.agent.decide import Decision, Facts, Never, RetryAt, RetryRules
from ippon.agent.fills import Fills
from ippon.agent.inbox import Inbox
from ippon.agent.settings import Timers
from ippon.agent.settle import Settle
from ippon.agent.starts import Promise, Starts
from ippon.model import TryCause

Mutant = Callable[[pytest.MonkeyPatch], None]


def retry(patch: pytest.MonkeyPatch) -> None:
    """A cause that passes by itself ends a fill for good."""

    def never(facts: Facts, code: str, now: datetime, rules: RetryRules, jitter: float) -> Decision:
        return Never(why=code)

    patch.setattr(decide, "_soon", never)


def generation(patch: pytest.MonkeyPatch) -> None:
    """A try after "short" comes under the client id of the one before, and the node gives the old result."""
    promise = Settle._promise

    def same(self: Settle, session: Session, buyer: str, batch: list[Any]) -> Promise:
        return promise(self, session, buyer, [SimpleNamespace(**{**row._asdict(), "generation": 0}) for row in batch])

    patch.setattr(Settle, "_promise", same)


def dedupe(patch: pytest.MonkeyPatch) -> None:
    """A row that was given before is taken for new."""

    def nothing(*_: Any) -> dict[str, Any]:
        return {}

    patch.setattr(Inbox, "_earlier", nothing)


def lease(patch: pytest.MonkeyPatch) -> None:
    """What a worker has taken stays its own, even when it shows no sign of life any more."""

    def never(_: Starts) -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC)

    patch.setattr(Starts, "_lapsed", never)


def unknown(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks the ledger about a fill whose try left a doubt."""

    def nobody(_: Fills) -> list[str]:
        return []

    patch.setattr(Fills, "_claim_unknown", nobody)


def notice(patch: pytest.MonkeyPatch) -> None:
    """Notices are read from the last number on, so one that is committed after a later one is never read."""
    patch.setattr(notices, "NOTICES_OVERLAP", 0)


def shortage(patch: pytest.MonkeyPatch) -> None:
    """What a buyer lacks is not written down."""

    def nothing(*_: Any) -> None:
        return None

    patch.setattr(notices, "note_shortages", nothing)


def announcement(patch: pytest.MonkeyPatch) -> None:
    """A buyer's coins come and nobody is told; the seller's timer has been taken out as well."""

    def nothing(*_: Any) -> int:
        return 0

    def never(facts: Facts, *_: Any) -> Decision:
        return RetryAt(at=datetime(2030, 1, 1, tzinfo=UTC), cause=TryCause.TIMER, why="mutant")

    patch.setattr(Announcements, "announce", nothing)
    patch.setattr(decide, "_waiting", never)


def clock(patch: pytest.MonkeyPatch) -> None:
    """The bug that the simulator found first: changes are never read far enough back."""
    fields = Timers.model_fields
    patch.setattr(Fills.sync, "__kwdefaults__", {"everything": False})
    sync = Fills.sync

    def short(self: Fills, *, everything: bool = False) -> int:
        return sync(self, everything=False)

    assert "clock_jump_seconds" in fields
    patch.setattr(Fills, "sync", short)


MUTANTS: Mapping[str, Mutant] = {
    one.__name__: one for one in (retry, unknown, lease, generation, notice, dedupe, shortage, announcement, clock)
}
