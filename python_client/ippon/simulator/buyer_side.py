"""What the buyer's custodian says of fills out of its own records (BuyerSide.kt, Affordable.kt)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ippon.simulator.book import COINS, Position, State
from ippon.simulator.choose import Lack, Movement, choose
from ippon.simulator.member import DROPPED, Member
from ippon.simulator.terms import HELD, READY, REFUSED, SHORT, Line


def afford(member: Member, movements: Sequence[Movement], run_id: str) -> tuple[list[str], list[str], list[Lack]]:
    """Who can settle now, who only waits for another settlement to end, and what the rest lacks."""
    positions = list(dict.fromkeys(position for movement in movements for position in movement.takes))
    inside, _ = choose(movements, {position: member.available(position, run_id) for position in positions})
    if len(inside) == len(movements):
        return inside, [], []
    names = set(inside)
    outside = [movement.execution_id for movement in movements if movement.execution_id not in names]
    later = {position: max(0, member.held(position) - _on_the_way(member, position, run_id)) for position in positions}
    out = set(outside)
    short = [lack for lack in choose(movements, later)[1] if lack.execution_id in out]
    lacking = {lack.execution_id for lack in short}
    return inside, [one for one in outside if one not in lacking], short


def _on_the_way(member: Member, position: Position, run_id: str) -> int:
    """What other settlements on their way will take from a position, in units or yen."""
    total, now = 0, member.now()
    side, size = ("buyer", "amount") if position.asset == COINS else ("seller", "quantity")
    counted: set[str] = set()
    for row in member.pendings.values():
        if row.run_id == run_id or row.kind == DROPPED or row.deadline <= now:
            continue
        for execution_id in row.execution_ids:
            kept = member.fills.get(execution_id)
            if kept is None or kept.consumed_by is not None or execution_id in counted:
                continue
            data = kept.state.data or {}
            if data[f"{side}_custodian"] != position.custodian or _account(member, data, side, position) is False:
                continue
            counted.add(execution_id)
            total += data[size]
    return total


def _account(member: Member, data: Mapping[str, str], side: str, position: Position) -> bool:
    investor = data[f"{side}_investor_id"]
    if position.asset == COINS:
        known = member.investors.get(investor)
        return known is not None and known["coin_investor_id"] == position.investor_id
    return investor == position.investor_id and data["security_code"] == position.asset


class BuyerSide:
    """What the buyer's custodian says of fills out of its own records."""

    def __init__(self, member: Member, seller: str, run_id: str) -> None:
        self.member = member
        self.seller = seller
        self.run_id = run_id

    def assess(self, states: Iterable[State]) -> list[Line]:
        """Everything but money."""
        busy = self.member.busy(self.run_id)
        return [self._assess(state, busy) for state in states]

    def _assess(self, state: State, busy: set[str]) -> Line:
        data = state.data or {}
        name = str(data["execution_id"])
        kept = self.member.fills.get(name)
        if kept is None:
            return Line(name, REFUSED, "UNKNOWN_FILL", f"{name} is not on record here.")
        if kept.state.ref != state.ref:
            return Line(name, REFUSED, "DUPLICATE_FILL", f"{name} is on record as another fill.")
        status = self.member.status(kept)
        if status != "OPEN":
            return Line(name, REFUSED, f"ALREADY_{status}", f"{name} is {status}.")
        if name in busy:
            return Line(name, REFUSED, "SESSION_BUSY", f"{name} is in another settlement already.")
        return self._route(state, name)

    def _route(self, state: State, name: str) -> Line:
        buyer = str((state.data or {})["buyer_investor_id"])
        investor = self.member.investors.get(buyer)
        if investor is None:
            return Line(name, REFUSED, "UNKNOWN_INVESTOR", f"{buyer} is not registered here.")
        route = self.route(buyer)
        if route is None:
            return Line(name, HELD, "ROUTE_MISSING", f"{buyer} has no funds route in force.", fill=state)
        if route["method"] != "COIN":
            return Line(name, HELD, "ROUTE_BANK", f"{buyer} pays by bank.", fill=state)
        account = (buyer, str(investor["coin_investor_id"]), str(route["route_id"]), int(route["version"]))
        return Line(name, READY, account=account, fill=state)

    def route(self, buyer: str) -> Mapping[str, str] | None:
        """The route in force."""
        route = self.member.routes.get((self.member.name, buyer))
        return route.data if route else None

    def with_money(self, lines: list[Line]) -> tuple[list[Line], list[Lack]]:
        """Which of the ready fills their buyers can pay, and what the others lack, in yen."""
        movements = [_pays(self.member.name, line) for line in lines if line.stand == READY]
        _, busy, lacks = afford(self.member, movements, self.run_id)
        short = {lack.execution_id for lack in lacks}
        told = []
        for line in lines:
            if line.execution_id in short:
                line = replace(line, stand=SHORT)
            elif line.execution_id in busy:
                line = replace(
                    line, stand=REFUSED, cause="SESSION_BUSY", message="Its coins are in another settlement."
                )
            told.append(line)
        return told, lacks

    def note(self, lines: Sequence[Line], short: Sequence[Lack], lacking: Iterable[str]) -> None:
        """Tell this side's people what holds fills up."""
        for lack in short:
            holder = lack.position.investor_id
            self.member.note("SHORTAGE", lack.execution_id, "MONY", self.seller, lack.missing, holder)
        for line in lines:
            if line.stand == HELD and line.fill is not None:
                buyer = (line.fill.data or {})["buyer_investor_id"]
                self.member.note("ROUTE_NEEDED", line.execution_id, "CONF", self.seller, investor_id=buyer)
        for execution_id in lacking:
            self.member.note("COUNTERPARTY_SHORT", execution_id, "CLAC", self.seller)


def _pays(custodian: str, line: Line) -> Movement:
    data, account = (line.fill.data if line.fill else None) or {}, line.account or ("", "", "", 0)
    order = (data["settle_date"], data["executed_at"], line.execution_id)
    return Movement(order, line.execution_id, {Position(custodian, account[1], COINS): int(data["amount"])}, {})
