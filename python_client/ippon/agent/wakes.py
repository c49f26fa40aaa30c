"""What lets a waiting sale be tried again: its units have come, or its buyer's funds route has."""

from collections import defaultdict

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ippon.agent.ledger import Ledger
from ippon.agent.settle import Settle
from ippon.agent.settlerows import SELLING
from ippon.agent.tables import Moment, Settlement, word, words
from ippon.agent.tools import Tools
from ippon.model import Asset, Balance, DeskState, Reason, Route, RouteMethod, TryCause, organisation

_FOR_REASON = (Settlement.state == word(DeskState.WAITING), Settlement.reason == bindparam("why"))
_WAITING = select(Settlement).where(
    *_FOR_REASON, Settlement.side.in_(words(SELLING)), Settlement.next_try_at > bindparam("now", type_=Moment())
)
_STILL = (
    select(Settlement)
    .where(Settlement.execution_id.in_(bindparam("ids", expanding=True)), *_FOR_REASON)
    .order_by(Settlement.settle_date, Settlement.executed_at, Settlement.execution_id)
    .with_for_update()
)
ROUTE_CAUSES = ("ROUTE_MISSING", "ROUTE_BANK", "ROUTE_CHANGED")


class Wakes:
    """Compares waiting sales with balances and routes on the node."""

    def __init__(self, tools: Tools, *, ledger: Ledger, settle: Settle) -> None:
        self._tools = tools
        self._ledger = ledger
        self._settle = settle

    def wake(self, execution_ids: list[str], cause: TryCause) -> int:
        """Try these now."""
        if not execution_ids:
            return 0
        with self._tools.store.write() as session:
            rows = session.scalars(select(Settlement).where(Settlement.execution_id.in_(execution_ids)))
            return sum(self._wake(session, row, cause) for row in rows)

    def units(self) -> int:
        """Try the sales whose investor now has the units; how many."""
        lacking = self._waiting(Reason.LACK)
        holders: dict[str, list[Balance]] = {
            investor: self._ledger.balances(
                asset=Asset.UNITS, investor_id=investor, custodian=self._tools.settings.organisation
            )
            for investor in sorted({row.seller_investor_id for row in lacking})
        }
        if not holders:
            return 0
        with self._tools.store.write() as session:
            free: dict[tuple[str, str], int] = defaultdict(int)
            for investor, balances in holders.items():
                for balance in balances:
                    free[investor, balance.security_code or ""] += balance.free
            return sum(self._cover(session, row, free) for row in self._again(session, Reason.LACK, lacking))

    def routes(self) -> int:
        """Try the sales whose buyer's coin route is new here; how many."""
        unrouted = self._waiting(Reason.CONF)
        buyers = sorted({row.buyer_investor_id for row in unrouted if row.cause in ROUTE_CAUSES})
        if not buyers:
            return 0
        routes = {(organisation(route.custodian), route.investor_id): route for route in self._ledger.routes(buyers)}
        with self._tools.store.write() as session:
            return sum(
                self._route(session, row, routes.get((organisation(row.buyer_custodian), row.buyer_investor_id)))
                for row in self._again(session, Reason.CONF, unrouted)
            )

    def _waiting(self, reason: Reason) -> list[Settlement]:
        with self._tools.store.read() as session:
            return list(session.scalars(_WAITING, {"why": reason.value, "now": self._tools.now()}))

    def _again(self, session: Session, reason: Reason, before: list[Settlement]) -> list[Settlement]:
        ids = [row.execution_id for row in before]
        return list(session.scalars(_STILL, {"ids": ids, "why": reason.value}))

    def _cover(self, session: Session, row: Settlement, free: dict[tuple[str, str], int]) -> int:
        key = (row.seller_investor_id, row.security_code)
        have = free[key]
        if have < row.quantity:
            row.units_seen = None
            return 0
        free[key] -= row.quantity
        if row.units_seen == have:
            return 0  # tried with just these units; something else holds them, and the timer goes on
        row.units_seen = have
        return self._wake(session, row, TryCause.UNITS)

    def _route(self, session: Session, row: Settlement, route: Route | None) -> int:
        if row.cause not in ROUTE_CAUSES or route is None or route.method is not RouteMethod.COIN:
            return 0
        if row.route_seen == route.edition:
            return 0
        row.route_seen = route.edition
        return self._wake(session, row, TryCause.ROUTE)

    def _wake(self, session: Session, row: Settlement, cause: TryCause) -> int:
        if not self._settle.wake(row, cause):
            return 0
        self._tools.record(session, "woken", row.execution_id, cause=cause.value)
        return 1
