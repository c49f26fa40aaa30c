"""The word to the seller's side when a short buyer's coins have come.

An announcement says "these may settle now". It is made when the investor's free coins cover the fill, fills taken in
the order in which they settle; so it is made once for a top-up that suffices, and not for one that does not.
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ippon.agent.decide import growing
from ippon.agent.ledger import Ledger
from ippon.agent.outbox import Outbox
from ippon.agent.settle import Settle
from ippon.agent.shortages import ANNOUNCED, COVERED, OPEN
from ippon.agent.tables import Settlement, Shortage
from ippon.agent.tools import Tools
from ippon.model import Asset, Side, TryCause


class Announcements:
    """Tells sellers' custodians, or this agent itself, that a short buyer's coins have come."""

    def __init__(self, tools: Tools, *, ledger: Ledger, outbox: Outbox, settle: Settle) -> None:
        self._tools = tools
        self._ledger = ledger
        self._outbox = outbox
        self._settle = settle

    def announce(self) -> int:
        """Look at the coins of every short buyer; how many fills were announced, or woken where both sides are ours."""
        buyers = self._short_buyers()
        if not buyers:
            return 0
        coin_ids = {investor.investor_id: investor.coin_id for investor in self._ledger.investors(buyers)}
        organisation = self._tools.settings.organisation
        announced = 0
        for buyer in sorted(buyers):
            coins = self._ledger.balances(
                asset=Asset.COINS, investor_id=coin_ids.get(buyer, buyer), custodian=organisation
            )
            total, free = sum(coin.total for coin in coins), sum(coin.free for coin in coins)
            with self._tools.store.write() as session:
                announced += self._cover(session, buyer, total=total, free=free)
        return announced

    def _short_buyers(self) -> set[str]:
        with self._tools.store.read() as session:
            short = select(Shortage.investor_id).where(Shortage.asset == Asset.COINS, Shortage.state != COVERED)
            return set(session.scalars(short.distinct()))

    def _cover(self, session: Session, buyer: str, *, total: int, free: int) -> int:
        ready: dict[str, list[str]] = defaultdict(list)
        announced = 0
        for shortage, fill in self._short_fills(session, buyer):
            affordable = fill.amount <= free
            if shortage.state == ANNOUNCED and fill.amount > total:
                shortage.state = OPEN  # what came went into another fill
                continue
            if affordable and self._due(shortage):
                self._mark(session, shortage)
                announced += 1
                if fill.side == Side.BOTH:
                    self._settle.wake(fill, TryCause.ANNOUNCEMENT)
                else:
                    ready[fill.seller_custodian].append(fill.execution_id)
            if affordable or shortage.state == ANNOUNCED:
                total, free = total - fill.amount, free - fill.amount
        for custodian, ids in sorted(ready.items()):
            self._outbox.add_ids(
                session, operation="announce_funds", destination=custodian, field="execution_ids", ids=ids
            )
        return announced

    def _short_fills(self, session: Session, buyer: str) -> Sequence[tuple[Shortage, Settlement]]:
        found = (
            select(Shortage, Settlement)
            .join(Settlement, Settlement.execution_id == Shortage.execution_id)
            .where(Shortage.asset == Asset.COINS, Shortage.state != COVERED, Shortage.investor_id == buyer)
            .order_by(Settlement.settle_date, Settlement.executed_at, Settlement.execution_id)
            .with_for_update()
        )
        return [(shortage, fill) for shortage, fill in session.execute(found)]

    def _due(self, shortage: Shortage) -> bool:
        """Not announced yet, or so long ago that the word may have gone unheard."""
        if shortage.announced_at is None:
            return True
        timers = self._tools.settings.timers
        first = timers.transient_base_seconds if shortage.state == OPEN else timers.transient_cap_seconds
        cap = max(timers.transient_cap_seconds, timers.retry_cap_seconds)
        wait = growing(first, cap, doublings=shortage.announcements - 1, jitter=0)
        return self._tools.now() >= shortage.announced_at + wait

    def _mark(self, session: Session, shortage: Shortage) -> None:
        shortage.state, shortage.announced_at = ANNOUNCED, self._tools.now()
        shortage.announcements += 1
        cause = TryCause.ANNOUNCEMENT.value
        self._tools.record(session, "announced", shortage.execution_id, investor_id=shortage.investor_id, cause=cause)
