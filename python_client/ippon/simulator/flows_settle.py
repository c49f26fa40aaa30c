"""SettleFills as a flow, FinishEarlier before it, and SettleAsBuyer beside it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ippon.errors import Refusal
from ippon.simulator.book import COINS, ISSUER, REGISTRAR, Fields, Position, State, Transaction, holding
from ippon.simulator.buyer_side import BuyerSide
from ippon.simulator.choose import Lack
from ippon.simulator.member import (
    CLOCK_SKEW,
    SESSION,
    SESSION_LIMIT,
    SETTLEMENT_WINDOW,
    SETTLING,
    refuse_unless,
)
from ippon.simulator.network import TALK, Flow, Network, Receiver, Responder, Run, SessionEnd, deliver
from ippon.simulator.seller_side import SellerSide
from ippon.simulator.terms import (
    Agreement,
    Line,
    OpenFill,
    net_changes,
    refused,
    refused_result,
    review,
    settled,
    window,
)

MAX_FILLS = 50
MAX_QUERY_ROUNDS = 5
Results = Generator[str, None, list[Fields]]


@dataclass
class _Buyer:
    """The buyer's custodian in one settlement."""

    side: BuyerSide
    responder: Responder
    lines: list[Line] = field(default_factory=list)
    short: list[Lack] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    coins: list[State] = field(default_factory=list)

    def answer(self, fills: Sequence[OpenFill]) -> list[Line]:
        """Which of these are ready; what is missing does not travel."""
        self.responder.reach()
        self.lines, self.short = self.side.with_money(self.side.assess([fill.state for fill in fills]))
        self.asked |= {line.execution_id for line in self.lines if line.fill is not None}
        return self.lines

    def decide(self, agreed: Agreement) -> None:
        """Tell this side's own people what is missing, and reserve the coins of what settles."""
        self.responder.reach()
        member = self.side.member
        self.side.note(self.lines, self.short, [one for one in agreed.lacking if one in self.asked])
        if not agreed.ready:
            self.responder.ended()
            return
        ids = [fill.execution_id for fill in agreed.ready]
        try:
            # Another settlement of them may have reserved since they were asked about.
            busy = sorted(member.busy(self.responder.run_id).intersection(ids))
            refuse_unless(not busy, "SESSION_BUSY", f"{busy} are in another settlement already.", "execution_id")
            for position, change in net_changes(agreed.ready).items():
                if position.custodian == member.name and position.asset == COINS and change < 0:
                    self.coins += member.reserve(position, -change, self.responder.run_id)
        except Refusal:
            self.responder.ended()
            raise
        member.pend(
            self.responder.run_id, SESSION, self.side.seller, member.now() + SESSION_LIMIT, execution_ids=tuple(ids)
        )

    def check(self, tx: Transaction) -> None:
        """SignAsBuyer: the review, the route in force, and exactly the coins reserved."""
        member = self.side.member
        review(member, tx)
        for term in tx.data["terms"]:
            route = self.side.route(term["buyer_token_id"])
            now = (route["route_id"], route["version"]) if route and route["method"] == "COIN" else None
            same = now == (term["route_id"], term["route_version"])
            refuse_unless(same, "ROUTE_CHANGED", f"The route in force is {now}.", "terms")
        mine = {s.ref for s in tx.inputs if s.position and s.position.asset == COINS and member.name in s.owners}
        refuse_unless(mine == {s.ref for s in self.coins}, "UNEXPECTED_STATE", "Not the coins reserved.", "coins")


def settle_fills(network: Network, run: Run, *, execution_ids: Sequence[str]) -> Flow:
    """See SettleFills.kt."""
    distinct = len(set(execution_ids)) == len(execution_ids)
    refuse_unless(distinct and 1 <= len(execution_ids) <= MAX_FILLS, "TOO_MANY", "1 to 50 ids", "execution_ids")
    _finish_earlier(network, run, execution_ids)
    side = SellerSide(run.member, run.run_id)
    fills, results = side.read(execution_ids)
    if fills:
        buyers = {str(fill.data["buyer_custodian"]) for fill in fills}
        refuse_unless(len(buyers) == 1, "MIXED_COUNTERPARTIES", "There must be one buyer's custodian.", "execution_ids")
        buyer = buyers.pop()
        if buyer == run.member.name:
            agreed = side.agree_here(fills, BuyerSide(run.member, buyer, run.run_id))
            results += yield from _attempt(network, run, side, agreed, None)
        else:
            results += yield from _settle_with(network, run, side, buyer, fills)
    by_id = {result["execution_id"]: result for result in results}
    return {"results": [by_id[one] for one in execution_ids]}


def _finish_earlier(network: Network, run: Run, execution_ids: Sequence[str]) -> None:
    """Ask the notary again for what an earlier settlement of these fills, cut off for good, may have asked it for."""
    wanted, now = set(execution_ids), run.member.now()
    for row in list(run.member.pendings.values()):
        if row.kind != SETTLING or row.deadline >= now or not wanted & set(row.execution_ids):
            continue
        if row.content is not None and row.content.transaction_id not in run.member.recorded:
            try:
                network.book.notarise(row.content, network.now())
                run.member.record(row.content)
            except Refusal:
                pass  # never notarised, and cannot be
        run.member.unpend(row.run_id)


def _settle_with(network: Network, run: Run, side: SellerSide, name: str, fills: list[OpenFill]) -> Results:
    """With another custodian; a session that ends is the result of every fill that was on the way."""
    member = network.members[name]
    responder = Responder(network, member, run.member.name)
    buyer = _Buyer(BuyerSide(member, run.member.name, responder.run_id), responder)
    try:
        yield TALK
        agreed = _agree_with(network, run, side, buyer, fills)
        yield TALK
        if agreed.ready:
            return (yield from _attempt(network, run, side, agreed, buyer))
        buyer.decide(agreed)
        return agreed.others
    except (SessionEnd, Refusal) as problem:
        responder.broken()
        if not _notary_asked(run):
            run.member.unpend(run.run_id)
        code = problem.code if isinstance(problem, Refusal) else "COUNTERPARTY_FAILED"
        return [refused(fill.execution_id, code, str(problem)) for fill in fills]
    except BaseException:
        responder.broken()
        raise


def _notary_asked(run: Run) -> bool:
    row = run.member.pendings.get(run.run_id)
    return row is not None and row.content is not None


def _agree_with(network: Network, run: Run, side: SellerSide, buyer: _Buyer, fills: list[OpenFill]) -> Agreement:
    """Questions until neither side takes anything more out."""
    agreed, asked = Agreement(fills, [], []), fills
    for _ in range(MAX_QUERY_ROUNDS - 1):
        lines = buyer.answer(asked)
        stale = [fill for fill in side.ready(asked, lines) if not side.route_agrees(fill)]
        for fill in stale:
            route = buyer.side.member.routes.get((buyer.side.member.name, str(fill.data["buyer_investor_id"])))
            if route is not None:
                run.member.record(network.book.transactions[route.transaction_id])
        found = side.agree(asked, lines)
        now = {fill.execution_id for fill in asked}
        others = [one for one in agreed.others if one["execution_id"] not in now]
        agreed = Agreement(found.ready, others + found.others, agreed.lacking + found.lacking)
        if not found.lacking:
            return agreed
        asked = [fill for fill in asked if fill.execution_id not in agreed.lacking]
        if not asked:
            return agreed
    return agreed


def _attempt(network: Network, run: Run, side: SellerSide, agreed: Agreement, buyer: _Buyer | None) -> Results:
    """Reserve, sign, settle; a refusal on the way is the result of every fill that was on the way."""
    if not agreed.ready:
        return agreed.others
    try:
        if buyer is not None:
            buyer.decide(agreed)
            coins = buyer.coins
        else:
            coins = side.reserve(agreed.ready, coins=True)
        done = yield from _settle(network, run, side, agreed.ready, coins, buyer)
    except Refusal as problem:
        if buyer is not None:
            buyer.responder.broken()
        run.member.unpend(run.run_id)
        done = [refused_result(fill.execution_id, problem) for fill in agreed.ready]
    return done + agreed.others


def _settle(
    network: Network, run: Run, side: SellerSide, fills: list[OpenFill], coins: list[State], buyer: _Buyer | None
) -> Results:
    member = run.member
    tokens = side.reserve(fills, coins=False)
    ids = tuple(sorted(fill.execution_id for fill in fills))
    other = buyer.side.member.name if buyer else member.name
    member.pend(run.run_id, SETTLING, other, member.now() + SESSION_LIMIT + SETTLEMENT_WINDOW, execution_ids=ids)
    fills = sorted(fills, key=lambda fill: fill.execution_id)
    tx = _plan(network, fills, tokens + coins, window(member, fills))
    review(member, tx)
    rounds = [[Receiver(responder=buyer.responder, check=buyer.check, signs=True)]] if buyer else []
    signing = []
    for name in (REGISTRAR, ISSUER):
        signer = network.members[name]
        responder = Responder(network, signer, member.name)
        signing.append(Receiver(responder=responder, check=lambda t, m=signer: review(m, t), signs=True))  # type: ignore[misc]
    rounds.append(signing)

    def before_notary() -> None:
        until = (tx.window[1] if tx.window else member.now()) + CLOCK_SKEW
        more = {"transaction_id": tx.transaction_id, "content": tx}
        member.pend(run.run_id, SETTLING, member.name, until, **more)

    yield from deliver(
        network,
        run,
        tx,
        rounds,
        execution_ids=ids,
        before_notary=before_notary,
        on_recorded=lambda _: member.unpend(run.run_id),
    )
    return [settled(fill.execution_id, tx.transaction_id) for fill in fills]


def _plan(network: Network, fills: list[OpenFill], spent: list[State], times: tuple[datetime, datetime]) -> Transaction:
    """The one transaction that follows from fills, terms and inputs; each position ends in one output or none."""
    sizes: dict[Position, int] = {}
    for state in spent:
        if state.position is not None:
            sizes[state.position] = sizes.get(state.position, 0) + state.size
    for position, change in net_changes(fills).items():
        sizes[position] = sizes.get(position, 0) + change
    for position, size in sizes.items():
        refuse_unless(size >= 0, "UNEXPECTED_STATE", f"The {position} would fall to {size}.", "inputs")
    return network.book.build(
        "Settle",
        {"terms": [fill.term for fill in fills]},
        inputs=(*(fill.state for fill in fills), *spent),
        outputs=tuple(holding(position, size) for position, size in sorted(sizes.items()) if size),
        window=times,
    )
