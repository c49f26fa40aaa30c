"""The word to the seller's side when a short buyer's coins have come.

An announcement says "these may settle now". It is made when the investor's free coins cover the fill, fills taken in
the order in which they settle; so it is made once for a top-up that suffices, and not for one that does not.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ippon.agent.decide import growing
from ippon.agent.ledger import Ledger
from ippon.agent.outbox import Outbox
from ippon.agent.settle import Settle
from ippon.agent.shortages import ANNOUNCED, OPEN
from ippon.agent.tables import Settlement, Shortage, word, words
from ippon.agent.tools import Tools
from ippon.model import Asset, Balance, Side, TryCause

_SHORT_OF_COINS = (Shortage.asset == word(Asset.COINS), Shortage.state.in_(words((OPEN, ANNOUNCED))))
_SHORT_BUYERS = select(Shortage.investor_id).where(*_SHORT_OF_COINS).distinct()
_SHORT_FILLS = (
    select(Shortage, Settlement)
    .join(Settlement, Settlement.execution_id == Shortage.execution_id)
    .where(*_SHORT_OF_COINS, Shortage.investor_id.in_(bindparam("buyers", expanding=True)))
    .order_by(Settlement.settle_date, Settlement.executed_at, Settlement.execution_id)
    .with_for_update()
)


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
        coins = {
            buyer: self._ledger.balances(
                asset=Asset.COINS, investor_id=coin_ids.get(buyer, buyer), custodian=organisation
            )
            for buyer in sorted(buyers)
        }
        with self._tools.store.write() as session:
            short = self._short_fills(session, buyers)
            ready: dict[str, list[str]] = defaultdict(list)
            announced = sum(self._cover(session, short[buyer], found, ready) for buyer, found in coins.items())
            for custodian, ids in sorted(ready.items()):
                self._outbox.add_ids(
                    session, operation="announce_funds", destination=custodian, field="execution_ids", ids=ids
                )
            return announced

    def _short_buyers(self) -> set[str]:
        with self._tools.store.look() as connection:
            return set(connection.scalars(_SHORT_BUYERS))

    def _cover(
        self,
        session: Session,
        short: Sequence[tuple[Shortage, Settlement]],
        coins: Sequence[Balance],
        ready: dict[str, list[str]],
    ) -> int:
        """Give out one buyer's coins to his fills; those to announce go into `ready` by seller's custodian."""
        total, free = sum(coin.total for coin in coins), sum(coin.free for coin in coins)
        announced = 0
        for shortage, fill in short:
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
        return announced

    def _short_fills(
        self, session: Session, buyers: Collection[str]
    ) -> Mapping[str, Sequence[tuple[Shortage, Settlement]]]:
        by_buyer: dict[str, list[tuple[Shortage, Settlement]]] = defaultdict(list)
        for shortage, fill in session.execute(_SHORT_FILLS, {"buyers": sorted(buyers)}):
            by_buyer[shortage.investor_id].append((shortage, fill))
        return by_buyer

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
