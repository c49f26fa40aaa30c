"""Where in a fill's way a fault may strike, and whom: every point, every process, every fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from chaos.faults import FAULTS, Fault, Process
from chaos.stage import BUYER, SELLER

SETTLEMENT = "org.ippon.custodian.settlement"


@dataclass(frozen=True)
class Point:
    """A place in the protocol: `node` stands still when it enters `method`; by then it is as `told` says."""

    name: str
    node: str
    method: str
    told: str


POINTS = (
    Point(
        "notice sent", SELLER, "org.ippon.custodian.fill.ReceiveFill.check", "the fill has come, nobody has checked it"
    ),
    Point("checked", BUYER, f"{SETTLEMENT}.BuyerSide.withMoney", "the buyer's side is asked for coins"),
    Point("buyer answered", SELLER, f"{SETTLEMENT}.SellerSide.agree", "nothing is reserved"),
    Point("reserved", SELLER, "org.ippon.core.settlement.SettlementPlan.build", "units and coins are reserved"),
    Point("signed by seller", BUYER, f"{SETTLEMENT}.SignAsBuyer.check", "the buyer's side has the transaction"),
    Point(
        "signed by buyer", "asset", "org.ippon.asset.SignSettlementAsAsset.check", "the registrar has the transaction"
    ),
    Point("signed by registrar", "asset", "org.ippon.core.ReceiveDelivery.pend", "its signature is made, not yet sent"),
    Point("signed by issuer", "coin", "org.ippon.core.ReceiveDelivery.pend", "its signature is made, not yet sent"),
    Point("notary to be asked", SELLER, f"{SETTLEMENT}.SettlementDelivery.beforeNotary", "all four have signed"),
    Point("notarised", SELLER, f"{SETTLEMENT}.SettlementDelivery.onRecorded", "recorded nowhere for good"),
    Point("recorded by some", "coin", "org.ippon.core.RecordsKt.recordChecked", "the seller's side has recorded"),
    Point("registrar to record", "asset", "org.ippon.core.RecordsKt.recordChecked", "the seller's side has recorded"),
)

MEMBERS = ("exchange", "asset", "coin", SELLER, BUYER)


@dataclass(frozen=True)
class Case:
    """One fill with one fault in its way."""

    number: int
    point: Point
    process: Process
    fault: Fault

    def __str__(self) -> str:
        """As a test id."""
        return f"{self.number:02d}-{self.fault}-{self.process}-at-{self.point.name}".replace(" ", "_")


def all_cases() -> list[Case]:
    """Each fault on the node that stands at each point; and on every other process, at points taken in turn."""
    others = [Process("node", "notary"), Process("node", "exchange")]
    others += [Process(kind, member) for kind in ("bridge", "agent") for member in MEMBERS]
    turn = _turns()
    cases: list[tuple[Point, Process, Fault]] = []
    for fault in FAULTS:
        cases += [(point, Process("node", point.node), fault) for point in POINTS]
        cases += [(next(turn), process, fault) for process in others]
    return [Case(number, *case) for number, case in enumerate(cases, start=1)]


def sample(day: date, size: int) -> list[Case]:
    """A few cases, others each day; among them always the registrar's node killed when the notary has signed."""
    cases = all_cases()
    always = [one for one in cases if one.point.name == "registrar to record" and one.fault == "kill"]
    first = day.toordinal() * size
    rotating = [cases[(first + step * 7) % len(cases)] for step in range(size)]
    return list(dict.fromkeys([*always, *rotating]))


def _turns() -> Iterator[Point]:
    while True:
        yield from POINTS
