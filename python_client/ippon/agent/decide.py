"""Whether and when a fill is tried again: one pure function, no clock, no store, no node.

    decide(facts, event, now=…, rules=…, jitter=…) → RetryNow | RetryAt | Never, each with its why

| event                                    | decision                                                          |
|------------------------------------------|-------------------------------------------------------------------|
| `Arrived`, settle day come               | now (received)                                                    |
| `Arrived`, settle day to come            | at the start of that day, Tokyo (received)                        |
| `Woken` by announcement, units, route …  | now                                                               |
| `Answered` WAITING, woken meanwhile      | now: the try may have looked before the event                     |
| `Answered` WAITING FUTU                  | at the start of its day                                           |
| `Answered` WAITING, anything else        | at the growing timer, which is only the backstop of the events    |
| `Answered` REFUSED / `Broke`, on the way | soon, growing: the cause passes by itself                         |
| … the flow was lost with its node        | now (restart)                                                     |
| … as a whole, of several fills           | now, in halves (split), down to the culprit                       |
| … alone, for a final cause               | never                                                             |
| … alone, for another cause               | soon, and after `max_refusals` in a row never                     |
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from ippon.agent.settings import Limits, Timers
from ippon.model import Outcome, Reason, TryCause

TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")
"""Japan has one zone and no summer time."""
MAX_DOUBLINGS = 30

TRANSIENT = frozenset(
    {
        *("BRIDGE_DOWN", "BRIDGE_TIMEOUT", "NODE_DOWN", "NODE_TIMEOUT", "BAD_ANSWER"),
        *("COUNTERPARTY_FAILED", "SESSION_BUSY", "WRONG_TIME_WINDOW", "NOTARY_CONFLICT"),
        *("ROUTE_CHANGED", "ROUTE_CONFLICT", "UNKNOWN_FILL", "ALREADY_SETTLED", "ALREADY_BUSTED", "NOT_YET"),
        # The register has heard of a settlement that this side has not: what it spent was not ours to spend again.
        *("SHORT_OF_COINS", "SHORT_OF_UNITS", "NOT_ON_REGISTER"),
    }
)
"""Causes that pass by themselves; trying again is the cure, however often."""

DOOR = frozenset({"NO_TOKEN", "FORBIDDEN", "NO_SUCH_OPERATION", "TOO_LARGE"})
"""Our own door's no: an operator must mend it, and no fill is to blame."""

FINAL = frozenset(
    {
        *("NOT_ACCEPTED_PARTY", "UNKNOWN_PARTY", "UNKNOWN_PLATFORM", "UNKNOWN_SECURITY", "BAD_REQUEST"),
        *("DUPLICATE_FILL", "EXECUTION_ID_REUSED", "ORDER_PROOF_MISMATCH", "MIXED_COUNTERPARTIES"),
        *("CONTRACT_REFUSED", "WRONG_NOTARY", "WRONG_ACCOUNT", "MISSING_SIGNATURE"),
        *("UNEXPECTED_STATE", "UNEXPECTED_COMMAND", "UNEXPECTED_ATTACHMENT"),
    }
)
"""Causes that no repetition changes."""

WORK_PASSES = DOOR | {
    *("BRIDGE_DOWN", "BRIDGE_TIMEOUT", "NODE_DOWN", "NODE_TIMEOUT", "BAD_ANSWER", "INTERNAL", "FLOW_UNKNOWN"),
    *("COUNTERPARTY_FAILED", "SESSION_BUSY", "WRONG_TIME_WINDOW", "NOTARY_CONFLICT", "ROUTE_CONFLICT"),
    "NOT_ON_REGISTER",
}
"""Causes after which work other than a settlement is started again."""

UNCERTAIN = (TRANSIENT | DOOR | {"INTERNAL", "FLOW_UNKNOWN"}) - {"SESSION_BUSY", "NOT_YET"}
"""Causes after which only the ledger can say whether the fill has settled."""

LOST = "FLOW_UNKNOWN"
"""The node knows nothing of a flow that it had started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """The settings that decisions depend on, in seconds."""

    retry_base_seconds: float
    retry_cap_seconds: float
    transient_base_seconds: float
    transient_cap_seconds: float
    max_refusals: int

    @classmethod
    def of(cls, timers: Timers, limits: Limits) -> "RetryRules":
        """Out of an agent's settings."""
        return cls(
            retry_base_seconds=timers.retry_base_seconds,
            retry_cap_seconds=timers.retry_cap_seconds,
            transient_base_seconds=timers.transient_base_seconds,
            transient_cap_seconds=timers.transient_cap_seconds,
            max_refusals=limits.max_refusals,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What counts of a settlement row.

    Attributes:
        settle_date: first day, Tokyo, on which it may settle.
        waits: tries in a row that ended in waiting without an event between.
        refusals: tries in a row that were refused or broke.
        wake_cause: an event that came while the last try was running.
    """

    settle_date: date
    waits: int = 0
    refusals: int = 0
    wake_cause: TryCause | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """The fill is new here."""


@dataclass(frozen=True, slots=True)
class Woken:
    """Something happened that may let the fill settle."""

    cause: TryCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A try ended with a result that leaves the fill open; batch = fills of the try that ended in this same way."""

    outcome: Outcome
    reason: Reason | None = None
    cause: str | None = None
    batch: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """A try ended without a result, and the ledger shows the fill open and nothing pending for it."""

    code: str
    batch: int = 1


Happening = Arrived | Woken | Answered | Broke


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNow:
    """Try at once; with `largest_batch`, among at most so many fills."""

    cause: TryCause
    why: str
    largest_batch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAt:
    """Try at a time unless an event comes before."""

    at: datetime
    cause: TryCause
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """Do not try again by yourself."""

    why: str


Decision = RetryNow | RetryAt | Never


def decide(facts: Facts, event: Happening, *, now: datetime, rules: RetryRules, jitter: float) -> Decision:
    """The decision; `jitter` from 0 up to, not including, 1 shortens a timer by at most half."""
    match event:
        case Arrived():
            return _arrived(facts, now)
        case Woken(cause=cause):
            return RetryNow(cause=cause, why=f"{cause.value} came")
        case Answered(outcome=Outcome.WAITING, reason=reason):
            return _waiting(facts, reason, now, rules, jitter)
        case Answered(cause=code, batch=batch):
            return _refused(facts, code or "INTERNAL", batch, now, rules, jitter)
        case Broke(code=code, batch=batch):
            return _refused(facts, code, batch, now, rules, jitter)


def settle_day_start(day: date) -> datetime:
    """The first moment of a day in Tokyo, UTC."""
    return datetime.combine(day, time(), TOKYO).astimezone(UTC)


def growing(base_seconds: float, cap_seconds: float, *, doublings: int, jitter: float) -> timedelta:
    """The base × 2^doublings up to the cap, shortened by up to half so that the many do not come at once."""
    full = min(cap_seconds, base_seconds * 2 ** min(max(doublings, 0), MAX_DOUBLINGS))
    return timedelta(seconds=full * (1 - jitter / 2))


def passes_by_itself(code: str) -> bool:
    """Whether work other than a settlement, refused with this code, is started again."""
    return code in WORK_PASSES


def _arrived(facts: Facts, now: datetime) -> Decision:
    opens = settle_day_start(facts.settle_date)
    if opens > now:
        return RetryAt(at=opens, cause=TryCause.RECEIVED, why=f"settles from {facts.settle_date}")
    return RetryNow(cause=TryCause.RECEIVED, why="new")


def _waiting(facts: Facts, reason: Reason | None, now: datetime, rules: RetryRules, jitter: float) -> Decision:
    if facts.wake_cause is not None:
        return RetryNow(cause=facts.wake_cause, why=f"{facts.wake_cause.value} came while it was tried")
    opens = settle_day_start(facts.settle_date)
    if reason is Reason.FUTU and opens > now:
        return RetryAt(at=opens, cause=TryCause.TIMER, why=f"settles from {facts.settle_date}")
    wait = growing(rules.retry_base_seconds, rules.retry_cap_seconds, doublings=facts.waits, jitter=jitter)
    return RetryAt(at=now + wait, cause=TryCause.TIMER, why=f"waits for {reason.value if reason else 'an event'}")


def _refused(facts: Facts, code: str, batch: int, now: datetime, rules: RetryRules, jitter: float) -> Decision:
    if code == LOST:
        return RetryNow(cause=TryCause.RESTART, why="its flow was lost with its node")
    if code in TRANSIENT or code in DOOR:
        return _soon(facts, code, now, rules, jitter)
    if batch > 1:
        half = (batch + 1) // 2
        return RetryNow(cause=TryCause.SPLIT, why=f"{batch} fills were refused together: {code}", largest_batch=half)
    if code in FINAL:
        return Never(why=f"{code} does not pass by itself")
    if facts.refusals + 1 >= rules.max_refusals:
        return Never(why=f"refused {facts.refusals + 1} times in a row: {code}")
    return _soon(facts, code, now, rules, jitter)


def _soon(facts: Facts, code: str, now: datetime, rules: RetryRules, jitter: float) -> Decision:
    if facts.wake_cause is not None:
        return RetryNow(cause=facts.wake_cause, why=f"{facts.wake_cause.value} came while it was tried")
    base, cap = rules.transient_base_seconds, rules.transient_cap_seconds
    wait = growing(base, cap, doublings=facts.refusals, jitter=jitter)
    return RetryAt(at=now + wait, cause=TryCause.TIMER, why=f"{code} may pass")
