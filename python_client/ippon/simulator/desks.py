"""I7, I8 and I11: what agents have written down, beside what the nodes say."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import literal_column, select

from ippon.agent.tables import (
    Attempt,
    Event,
    InboxRow,
    Outbox,
    Settlement,
    Shortage,
    Start,
    TrustOrder,
    VenueFill,
    VenueOrder,
)
from ippon.simulator.book import EXCHANGE, ISSUER
from ippon.simulator.day import CUSTODIANS, Day
from ippon.simulator.member import Kept
from ippon.simulator.world import ROLES, World

Rows = list[Mapping[str, Any]]
LEDGER = {"OPEN": None, "SETTLED": "settled", "BUSTED": "busted"}
OUTCOMES = {"settled": "SETTLED", "busted": "BUSTED"}
REASONS = {"SHORTAGE": "MONY", "COUNTERPARTY_SHORT": "CLAC", "ROUTE_NEEDED": "CONF"}
EVENTS_OF_A_TRY = ("received", "checked", "sending", "unknown", "waiting", "settled", "busted", "refused")


def rows(world: World, organisation: str, table: Any, *names: str, unless: tuple[str, ...] = ()) -> Rows:
    """Columns of an agent's table as plain rows; without those whose last column says one of `unless`."""
    query = _query(table, names, unless)
    return [dict(zip(names, row, strict=True)) for row in world.disks[organisation].read(query, unless)]


@cache
def _query(table: Any, names: tuple[str, ...], unless: tuple[str, ...]) -> str:
    # For the driver itself: entities, JSON and sessions cost time, and these are read again and again.
    columns = [table.__table__.c[name] for name in names]
    query = select(*columns).order_by(*table.__table__.primary_key)
    return str(query.where(columns[-1].not_in([literal_column("?")] * len(unless))) if unless else query)


class Desk:
    """A custodian's settlement table beside what its node and the other's say."""

    def __init__(self, world: World, custodian: str) -> None:
        self.name = custodian
        self.member = world.network.members[custodian]
        self.settlements = {
            row["execution_id"]: row
            for row in rows(
                world,
                custodian,
                Settlement,
                "execution_id",
                "side",
                "state",
                "reason",
                "missing",
                "tries",
                "transaction_id",
            )
        }
        self.attempts: dict[str, Rows] = defaultdict(list)
        for row in rows(world, custodian, Attempt, "execution_id", "number", "client_id", "outcome"):
            self.attempts[row["execution_id"]].append(row)
        self.shortages = {
            (row["execution_id"], row["asset"]): row
            for row in rows(world, custodian, Shortage, "execution_id", "asset", "state", "missing")
        }
        self.last = {row["execution_id"]: row for row in self.member.notices if row["kind"] != "FUNDS_ANNOUNCED"}
        self.lacked: dict[str, set[str]] = defaultdict(set)
        for row in self.member.notices:
            if row["kind"] == "SHORTAGE":
                self.lacked[row["execution_id"]].add("UNITS" if row["reason"] == "LACK" else "COINS")
        self.told = {name: world.network.members[name].told for name in CUSTODIANS}
        self.events = rows(world, custodian, Event, "number", "kind", "subject")

    def agrees(self) -> Iterator[str]:
        """I7: each fill of the node is on the desk, in the state that the ledger has, with its attempts."""
        for execution_id, kept in self.member.fills.items():
            row = self.settlements.get(execution_id)
            if row is None:
                yield f"{self.name} has {execution_id} on record and not on its desk"
                continue
            ended = LEDGER[self.member.status(kept)]
            if ended is not None and (row["state"], row["transaction_id"]) != (ended, kept.consumed_by):
                yield f"{self.name} shows {execution_id} as {row['state']}, the ledger says {ended}"
            if ended is None and row["state"] not in ("waiting", "received"):
                yield f"{self.name} shows {execution_id} as {row['state']}, the ledger says open"
            if ended is None and row["state"] == "received" and row["side"] != "BUY":
                yield f"{self.name} has never tried {execution_id}"
            yield from self._attempts(row, kept)
        for execution_id in self.settlements.keys() - self.member.fills.keys():
            yield f"{self.name} shows {execution_id}, which its node does not have"

    def _attempts(self, row: Mapping[str, Any], kept: Kept) -> Iterator[str]:
        tries = sorted(self.attempts[row["execution_id"]], key=lambda one: one["number"])
        name = f"{self.name} {row['execution_id']}"
        if [one["number"] for one in tries] != list(range(1, row["tries"] + 1)):
            yield f"{name}: {row['tries']} tries, but attempts {[one['number'] for one in tries]}"
        if any(one["outcome"] is None for one in tries):
            yield f"{name}: an attempt never ended"
        done = [one for one in tries if one["outcome"] == "SETTLED"]
        if done and self.member.status(kept) != "SETTLED":
            yield f"{name}: an attempt says settled, the ledger says {self.member.status(kept)}"
        if len({one["client_id"] for one in tries}) != len(tries):
            yield f"{name}: two attempts share a client id"

    def has_notices(self) -> Iterator[str]:
        """I8: a fill that waits says why, as its node last found it; amounts are told to their own side only."""
        for execution_id, row in self.settlements.items():
            kept = self.member.fills.get(execution_id)
            if kept is None or kept.consumed_by is not None:
                continue
            name = f"{self.name} {execution_id} ({row['side']} {row['state']} {row['reason']})"
            told = self.last.get(execution_id)
            own = row["reason"] in ("MONY", "LACK")
            if row["state"] == "waiting" and row["reason"] is None:
                yield f"{name} waits for nothing"
            if row["side"] == "BUY" and told is not None and row["reason"] != REASONS[told["kind"]]:
                yield f"{name} does not show what its node told: {told['kind']}"
            if own and told is not None:
                yield from self._amount(name, row, told)
            elif own or row["missing"] is not None:
                yield f"{name} shows {row['missing']} missing, and its node told nobody"
            for asset in self.lacked[execution_id]:
                if (execution_id, asset) not in self.shortages:
                    yield f"{name} has no shortage of {asset}, and its node told of one"
            if row["reason"] == "CMON" and self._buyer_told(execution_id) != "SHORTAGE":
                yield f"{name} waits for coins, and the buyer's side was told {self._buyer_told(execution_id)}"

    def _buyer_told(self, execution_id: str) -> str | None:
        buyer = (self.member.fills[execution_id].state.data or {})["buyer_custodian"]
        return self.told[buyer].get(execution_id, (None,))[0]

    def _amount(self, name: str, row: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
        if row["missing"] != told["missing"] or row["reason"] != told["reason"]:
            yield f"{name} shows {row['missing']} missing, its node last found {told['reason']} {told['missing']}"
        asset = "UNITS" if row["reason"] == "LACK" else "COINS"
        shortage = self.shortages.get((row["execution_id"], asset))
        if shortage is None or shortage["state"] == "covered":
            yield f"{name} is short, but no shortage is open"
        elif shortage["missing"] != row["missing"]:
            yield f"{name} lacks {row['missing']}, its shortage says {shortage['missing']}"

    def events_whole(self) -> Iterator[str]:
        """I11: numbered without a gap, each fill received first and ended once, one `sending` for each try."""
        if [row["number"] for row in self.events] != list(range(1, len(self.events) + 1)):
            yield f"{self.name}'s event log has gaps"
        kinds: dict[str, list[str]] = defaultdict(list)
        for row in self.events:
            if row["kind"] in EVENTS_OF_A_TRY:
                kinds[row["subject"]].append(row["kind"])
        for execution_id, row in self.settlements.items():
            told = kinds[execution_id]
            counts = Counter(told)
            if told[:1] != ["received"] or counts["received"] != 1:
                yield f"{self.name} {execution_id} begins with {told[:2]}"
            if counts["sending"] != row["tries"]:
                yield f"{self.name} {execution_id} was tried {row['tries']} times, {counts['sending']} are in the log"
            ends = counts["settled"] + counts["busted"]
            if ends != (row["state"] in OUTCOMES) or (ends and told[-1] != row["state"]):
                yield f"{self.name} {execution_id} is {row['state']}, its log ends with {told[-2:]}"


def venue(world: World, day: Day) -> Iterator[str]:
    """The exchange: each fill of the day has its answer, as the node's table has it; orders are filled as fills say."""
    notified = world.network.members[EXCHANGE].notified
    fills = {
        row["execution_id"]: row
        for row in rows(
            world,
            EXCHANGE,
            VenueFill,
            "execution_id",
            "state",
            "transaction_id",
            "quantity",
            "sell_order_id",
            "buy_order_id",
        )
    }
    for execution_id in day.fill_ids:
        row, known = fills.get(execution_id), notified.get(execution_id)
        said = (row["state"], row["transaction_id"]) if row else None
        want = ("refused", None) if known is None else (known["status"].lower(), known["transaction_id"])
        if said != want:
            yield f"the venue shows {execution_id} as {said}, its node as {want}"
    taken: Counter[str] = Counter()
    for row in fills.values():
        if row["state"] in ("pending", "unknown", "notified"):
            taken.update({row["sell_order_id"]: row["quantity"], row["buy_order_id"]: row["quantity"]})
    for order in rows(world, EXCHANGE, VenueOrder, "order_id", "filled"):
        if order["filled"] != taken[order["order_id"]]:
            yield f"{order['order_id']} is filled {order['filled']}, its fills take {taken[order['order_id']]}"


def work_is_over(world: World, name: str) -> Iterator[str]:
    """No flow is promised or remembered, no message waits, no row is without its answer."""
    for row in rows(world, name, Start, "client_id", "state", unless=("forgotten",)):
        yield f"{name}'s {row['client_id']} is {row['state']}"
    for row in rows(world, name, Outbox, "operation", "state", unless=("delivered", "dropped")):
        yield f"{name}'s {row['operation']} is {row['state']}"
    for row in rows(world, name, InboxRow, "kind", "row_id", "status", unless=("accepted", "refused", "duplicate")):
        yield f"{name}'s {row['kind']} {row['row_id']} has no answer"
    if world.bridges[name].flows:
        yield f"{name}'s node still keeps {sorted(world.bridges[name].flows)[:3]}"
    issuer = world.network.members[ISSUER]
    if ROLES[name] in ("custodian", "coin"):
        for row in rows(world, name, TrustOrder, "custodian", "instruction_id", "status"):
            kept = issuer.instructions.get((row["custodian"], row["instruction_id"]))
            over_there = kept is not None and kept.consumed_by is not None
            if over_there != (row["status"] in ("EXECUTED", "REJECTED", "EXPIRED", "CANCELLED")):
                yield f"{name} shows the instruction {row['instruction_id']} as {row['status']}"
