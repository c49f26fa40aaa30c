"""What must be true when the faults have stopped: I1 to I6 by the proof's own code, the rest here (I9 is not ours).

I7 desk, attempts and ledger agree · I8 every waiting fill has its notice · I10 nothing stays reserved
I11 the event log is whole · I12 nothing is left that could settle
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from ippon.agent.decide import TOKYO
from ippon.report.invariants import prove
from ippon.simulator.book import COINS
from ippon.simulator.buyer_side import BuyerSide
from ippon.simulator.day import CUSTODIANS, Day
from ippon.simulator.desks import Desk, venue, work_is_over
from ippon.simulator.member import DROPPED, SETTLING, SIGNED, Member
from ippon.simulator.seller_side import SellerSide
from ippon.simulator.snapshots import snapshot
from ippon.simulator.terms import OpenFill
from ippon.simulator.world import ROLES, World


def violations(world: World, day: Day) -> list[str]:
    """Everything that is not as it must be; empty when all is well."""
    found = [f"step: {problem}" for problem in world.problems]
    for result in prove(snapshot(world, day.bank)):
        found += [f"{result.code} {one.culprit}: {one.message}" for one in result.violations]
    return found + list(unfinished(world, day))


def unfinished(world: World, day: Day) -> Iterator[str]:
    """I7, I8, I10, I11, I12: what is on its way, or will never come."""
    for name in ROLES:
        yield from (f"I7 {line}" for line in work_is_over(world, name))
        yield from (f"I10 {line}" for line in _reserved(world.network.members[name]))
    yield from (f"I12 {name} could settle {one}" for name, one in settleable(world))
    for custodian in CUSTODIANS:
        desk = Desk(world, custodian)
        yield from (f"I7 {line}" for line in desk.agrees())
        yield from (f"I8 {line}" for line in desk.has_notices())
        yield from (f"I11 {line}" for line in desk.events_whole())
    yield from (f"I7 {line}" for line in venue(world, day))


def over(world: World, day: Day) -> bool:
    """Whether nothing is on its way any more and nothing is left to do."""
    return world.network.quiet() and next(unfinished(world, day), None) is None


# ---- I12


def settleable(world: World) -> Iterator[tuple[str, str]]:
    """Fills that the ledger would settle now: seller's custodian and execution id."""
    for custodian in CUSTODIANS:
        seller = world.network.members[custodian]
        today = seller.now().astimezone(TOKYO).date()
        groups: dict[str, list[OpenFill]] = defaultdict(list)
        for kept in seller.fills.values():
            data = kept.state.data or {}
            due = date.fromisoformat(str(data["settle_date"])) <= today
            if kept.consumed_by is None and data["seller_custodian"] == custodian and due:
                investor = str(data["seller_investor_id"])
                account = (investor, str(seller.investors[investor]["coin_investor_id"]))
                groups[data["buyer_custodian"]].append(OpenFill(kept.state, account))
        for buyer, fills in sorted(groups.items()):
            for one in _would_settle(seller, world.network.members[buyer], fills):
                yield custodian, one


def _would_settle(seller: Member, buyer: Member, fills: list[OpenFill]) -> list[str]:
    """Whether any one alone would: the order in which they are tried must not matter. Notes nothing."""
    side, other = SellerSide(seller, "check"), BuyerSide(buyer, seller.name, "check")
    found = []
    for fill in side.ready(fills, other.assess([fill.state for fill in fills])):
        term = fill.term or {}
        units = sum(
            state.size
            for position, states in seller.holdings.items()
            if position[:3] == (seller.name, fill.seller[0], fill.data["security_code"])
            for state in states.values()
        )
        coins = sum(
            state.size
            for position, states in buyer.holdings.items()
            if position[:3] == (buyer.name, term["buyer_coin_id"], COINS)
            for state in states.values()
        )
        if units >= fill.quantity and coins >= fill.amount:
            found.append(fill.execution_id)
    return found


# ---- I10


def _reserved(member: Member) -> Iterator[str]:
    for ref in member.locks:
        yield f"{member.name} has {ref[-8:]} locked by a flow that is over"
    for row in member.pending():
        notarised = any(member.book.spent.get(state.ref) == row.transaction_id for state in row.inputs)
        kept = row.content is not None and row.content.transaction_id in member.book.spent.values()
        # A signature that is only watched, and what a killed flow of our own asked the notary for, reserve nothing.
        watched = row.kind == DROPPED or (row.kind == SIGNED and member.name not in CUSTODIANS)
        left = row.kind == SETTLING and row.deadline < member.now()
        if notarised or kept or not (watched or left):
            yield f"{member.name} has {row.kind} for {', '.join(row.execution_ids)} pending"
