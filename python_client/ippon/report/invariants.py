"""The six invariants (docs/README.md) that a snapshot can prove, by their codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ippon.report.holdings import no_holding_below_zero, units_constant
from ippon.report.ledger import Ledger
from ippon.report.result import InvariantResult
from ippon.report.settlements import both_legs_or_none, settles_at_most_once
from ippon.report.snapshot import Snapshot
from ippon.report.trust import coins_equal_yen, one_issue_per_instruction

INVARIANTS: Mapping[str, Callable[[Ledger], InvariantResult]] = {
    "I1": coins_equal_yen,
    "I2": units_constant,
    "I3": settles_at_most_once,
    "I4": one_issue_per_instruction,
    "I5": no_holding_below_zero,
    "I6": both_legs_or_none,
}


def prove(snapshot: Snapshot) -> list[InvariantResult]:
    """Check every invariant; a pure function of the snapshot."""
    ledger = Ledger.of(snapshot)
    return [check(ledger) for check in INVARIANTS.values()]
