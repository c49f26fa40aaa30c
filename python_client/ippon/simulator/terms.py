"""What two custodians say to each other in a settlement, the results of a try, and what every signer checks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from ippon.agent.decide import TOKYO
from ippon.errors import Refusal
from ippon.simulator.book import COINS, ISSUER, REGISTRAR, Fields, Position, State, Transaction
from ippon.simulator.member import CLOCK_SKEW, SETTLEMENT_WINDOW, Member, refuse_unless

READY, SHORT, HELD, REFUSED = "READY", "SHORT", "HELD", "REFUSED"


@dataclass(frozen=True, slots=True)
class OpenFill:
    """A fill that may settle, with the accounts and the route that both sides vouch for once they agree."""

    state: State
    seller: tuple[str, str]
    term: Mapping[str, str | int] | None = None

    @property
    def data(self) -> Mapping[str, object]:
        """The fill's fields; organisations by their short names."""
        return self.state.data or {}

    @property
    def execution_id(self) -> str:
        """Its id."""
        return str(self.data["execution_id"])

    @property
    def quantity(self) -> int:
        """Units."""
        return _integer(self.data["quantity"])

    @property
    def amount(self) -> int:
        """Yen."""
        return _integer(self.data["amount"])

    @property
    def order(self) -> tuple[object, ...]:
        """By settle date, time executed, id."""
        return (self.data["settle_date"], self.data["executed_at"], self.execution_id)


@dataclass(frozen=True, slots=True)
class Line:
    """The buyer's word on one fill."""

    execution_id: str
    stand: str
    cause: str | None = None
    message: str = ""
    account: tuple[str, str, str, int] | None = None
    fill: State | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who goes into the transaction, the results of the others, and which of those lack units here."""

    ready: list[OpenFill]
    others: list[Fields]
    lacking: list[str]


def net_changes(fills: Iterable[OpenFill]) -> dict[Position, int]:
    """Each holder's change, summed over the fills."""
    changes: dict[Position, int] = defaultdict(int)
    for fill in fills:
        data, term = fill.data, fill.term or {}
        seller, buyer = str(data["seller_custodian"]), str(data["buyer_custodian"])
        security = str(data["security_code"])
        changes[Position(seller, str(term["seller_token_id"]), security)] -= fill.quantity
        changes[Position(buyer, str(term["buyer_token_id"]), security)] += fill.quantity
        changes[Position(buyer, str(term["buyer_coin_id"]), COINS)] -= fill.amount
        changes[Position(seller, str(term["seller_coin_id"]), COINS)] += fill.amount
    return {position: change for position, change in changes.items() if change}


def review(member: Member, tx: Transaction) -> None:
    """What every signer checks of a settlement out of its own records. Raises: Refusal."""
    now, window = member.now(), tx.window
    in_time = window is not None and window[0] - CLOCK_SKEW <= now < window[1]
    in_time = in_time and window is not None and window[1] <= now + SETTLEMENT_WINDOW + CLOCK_SKEW
    refuse_unless(in_time, "WRONG_TIME_WINDOW", f"The time-window must hold {now}.", "time_window")
    mine = [state for state in tx.inputs if member.name in state.owners]
    refuse_unless(member.unconsumed(mine), "NOT_ON_REGISTER", "An input is not unconsumed here.", "inputs")
    if member.name in (REGISTRAR, ISSUER):
        return
    for state in tx.inputs:
        if state.kind == "Fill":
            kept = member.fills.get(str((state.data or {})["execution_id"]))
            first = kept is not None and kept.state.ref == state.ref
            refuse_unless(first, "DUPLICATE_FILL", "The fill is not the first of its id here.", "execution_id")


def window(member: Member, fills: Iterable[OpenFill]) -> tuple[datetime, datetime]:
    """From a little before now until a few minutes after, and never before the settle date."""
    now = member.now()
    days = (date.fromisoformat(str(fill.data["settle_date"])) for fill in fills)
    opens = max(datetime(day.year, day.month, day.day, tzinfo=TOKYO) for day in days)
    return max(opens, now - CLOCK_SKEW), now + SETTLEMENT_WINDOW


def settled(name: str, transaction_id: str) -> Fields:
    """A result."""
    return {"execution_id": name, "outcome": "SETTLED", "transaction_id": transaction_id, "message": "It has settled."}


def waiting(name: str, reason: str, cause: str, *, missing: int | None = None) -> Fields:
    """A result."""
    row = {"execution_id": name, "outcome": "WAITING", "reason": reason, "cause": cause, "message": cause}
    return row if missing is None else {**row, "missing": missing}


def refused(name: str, cause: str, message: str) -> Fields:
    """A result."""
    return {"execution_id": name, "outcome": "REFUSED", "cause": cause, "message": message}


def refused_result(name: str, problem: Refusal) -> Fields:
    """Both sides had enough when they were asked: whoever is short at reserving has lost a race and tries again."""
    lost = problem.code in ("SHORT_OF_COINS", "SHORT_OF_UNITS")
    return refused(name, "SESSION_BUSY" if lost else problem.code, problem.message)


def line_result(line: Line) -> Fields:
    """What the buyer's word means for a fill that is not ready."""
    if line.stand == SHORT:
        return waiting(line.execution_id, "CMON", "SHORT_OF_COINS")
    if line.stand == HELD:
        return waiting(line.execution_id, "CONF", line.cause or "ROUTE_MISSING")
    return refused(line.execution_id, line.cause or "COUNTERPARTY_FAILED", line.message)


def with_term(fill: OpenFill, line: Line) -> OpenFill:
    """The fill with both sides' accounts."""
    account = line.account or ("", "", "", 0)
    term: dict[str, str | int] = {
        "execution_id": fill.execution_id,
        "seller_token_id": fill.seller[0],
        "seller_coin_id": fill.seller[1],
        "buyer_token_id": account[0],
        "buyer_coin_id": account[1],
        "route_id": account[2],
        "route_version": account[3],
    }
    return replace(fill, term=term)


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return value
