"""What the seller's custodian reads, compares and reserves in a settlement (SellerSide.kt)."""

from collections.abc import Sequence
from datetime import date

from ippon.agent.decide import TOKYO
from ippon.simulator.book import COINS, Fields, Position, State
from ippon.simulator.buyer_side import BuyerSide, afford
from ippon.simulator.choose import Lack, Movement
from ippon.simulator.member import Member
from ippon.simulator.terms import (
    READY,
    Agreement,
    Line,
    OpenFill,
    line_result,
    net_changes,
    refused,
    settled,
    waiting,
    with_term,
)


class SellerSide:
    """What the seller's custodian reads, compares and reserves."""

    def __init__(self, member: Member, run_id: str) -> None:
        self.member = member
        self.run_id = run_id

    def read(self, execution_ids: Sequence[str]) -> tuple[list[OpenFill], list[Fields]]:
        """The fills that may be tried now, and the results of those that may not."""
        busy = self.member.busy(self.run_id)
        today = self.member.now().astimezone(TOKYO).date()
        ready, results = [], []
        for execution_id in execution_ids:
            found = self._read(execution_id, busy, today)
            if isinstance(found, OpenFill):
                ready.append(found)
            else:
                results.append(found)
        return ready, results

    def _read(self, name: str, busy: set[str], today: date) -> OpenFill | Fields:
        kept = self.member.fills.get(name)
        data = kept.state.data if kept else None
        if kept is None or data is None:
            return refused(name, "UNKNOWN_FILL", f"{name} is not on record here.")
        if data["seller_custodian"] != self.member.name:
            return refused(name, "MIXED_COUNTERPARTIES", f"{name} is settled by its seller's custodian.")
        status = self.member.status(kept)
        if status == "SETTLED":
            return settled(name, kept.consumed_by or "")
        if status == "BUSTED":
            ended = {"cause": "ALREADY_BUSTED", "transaction_id": kept.consumed_by, "message": f"{name} is busted."}
            return {"execution_id": name, "outcome": "BUSTED", **ended}
        if name in busy:
            return refused(name, "SESSION_BUSY", f"{name} is in another settlement already.")
        if date.fromisoformat(data["settle_date"]) > today:
            return waiting(name, "FUTU", "NOT_YET")
        investor = self.member.investor(data["seller_investor_id"], "seller_investor_id")
        return OpenFill(kept.state, (str(data["seller_investor_id"]), str(investor["coin_investor_id"])))

    def ready(self, asked: Sequence[OpenFill], lines: Sequence[Line]) -> list[OpenFill]:
        """Those that the buyer's side is ready for, with their terms."""
        by_id = {line.execution_id: line for line in lines}
        return [
            with_term(fill, by_id[fill.execution_id])
            for fill in asked
            if by_id[fill.execution_id].account and by_id[fill.execution_id].stand == READY
        ]

    def route_agrees(self, fill: OpenFill) -> bool:
        """Whether this node's copy of the buyer's route is the one named."""
        key = (str(fill.data["buyer_custodian"]), str(fill.data["buyer_investor_id"]))
        route = self.member.routes.get(key)
        data, term = (route.data if route else None), fill.term or {}
        named = (term["route_id"], term["route_version"])
        return data is not None and data["method"] == "COIN" and (data["route_id"], data["version"]) == named

    def agree(self, asked: Sequence[OpenFill], lines: Sequence[Line]) -> Agreement:
        """What the buyer's lines and this side's own units leave."""
        fills = self.ready(asked, lines)
        routed = [fill for fill in fills if self.route_agrees(fill)]
        movements = [Movement(fill.order, fill.execution_id, {self._sells(fill): fill.quantity}, {}) for fill in routed]
        inside, busy, short = afford(self.member, movements, self.run_id)
        others = [line_result(line) for line in lines if line.stand != READY]
        agreeing = {fill.execution_id for fill in routed}
        others += [
            waiting(fill.execution_id, "CONF", "ROUTE_CHANGED") for fill in fills if fill.execution_id not in agreeing
        ]
        others += [refused(one, "SESSION_BUSY", "What it needs is in another settlement.") for one in busy]
        names = set(inside)
        ready = [fill for fill in routed if fill.execution_id in names]
        return Agreement(ready, others + self.lacks(routed, short), [lack.execution_id for lack in short])

    def lacks(self, fills: Sequence[OpenFill], short: Sequence[Lack]) -> list[Fields]:
        """This side's own shortages, told to its own people."""
        buyers = {fill.execution_id: str(fill.data["buyer_custodian"]) for fill in fills}
        for lack in short:
            buyer, holder = buyers[lack.execution_id], lack.position.investor_id
            self.member.note("SHORTAGE", lack.execution_id, "LACK", buyer, lack.missing, holder)
        return [waiting(lack.execution_id, "LACK", "SHORT_OF_UNITS", missing=lack.missing) for lack in short]

    def _sells(self, fill: OpenFill) -> Position:
        return Position(self.member.name, fill.seller[0], str(fill.data["security_code"]))

    def agree_here(self, asked: Sequence[OpenFill], buyer: BuyerSide) -> Agreement:
        """Both sides here: units and coins of all positions in one choice."""
        lines = buyer.assess([fill.state for fill in asked])
        fills = self.ready(asked, lines)
        movements = []
        for fill in fills:
            changes = net_changes([fill])
            takes = {position: -size for position, size in changes.items() if size < 0}
            gives = {position: size for position, size in changes.items() if size > 0}
            movements.append(Movement(fill.order, fill.execution_id, takes, gives))
        inside, busy, short = afford(self.member, movements, self.run_id)
        coin_short = [lack for lack in short if lack.position.asset == COINS]
        unit_short = [lack for lack in short if lack.position.asset != COINS]
        buyer.note(lines, coin_short, [])
        others = [line_result(line) for line in lines if line.stand != READY]
        others += [refused(one, "SESSION_BUSY", "What it needs is in another settlement.") for one in busy]
        of_units = {lack.execution_id for lack in unit_short}
        for lack in coin_short:
            if lack.execution_id not in of_units:
                others.append(waiting(lack.execution_id, "MONY", "SHORT_OF_COINS", missing=lack.missing))
        others += self.lacks(fills, unit_short)
        names = set(inside)
        return Agreement([fill for fill in fills if fill.execution_id in names], others, sorted(of_units))

    def reserve(self, fills: Sequence[OpenFill], *, coins: bool) -> list[State]:
        """Lock what the fills take from this custodian's positions, net of what they bring them."""
        found: list[State] = []
        for position, change in net_changes(fills).items():
            if change < 0 and (position.asset == COINS) is coins and position.custodian == self.member.name:
                found += self.member.reserve(position, -change, self.run_id)
        return found
