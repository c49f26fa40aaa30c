"""The venue's agent: takes orders, fills and busts, and has each good fill on the ledger once.

    orders-*.csv   kept, to check fills against
    fills-*.csv    checked against both orders and the venue's lists → notify_fill
    busts-*.csv    bust_fill, after the fill's own notice has ended

A fill whose notice failed is in doubt until the node's own table says whether it is on the ledger.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from ippon.agent.due import Due
from ippon.agent.ledger import Ledger
from ippon.agent.receipts import ACCEPTED
from ippon.agent.rowflows import RowFlows
from ippon.agent.rowkinds import GIVEN, Given, RowKind, given
from ippon.agent.starts import Ending, Handler, Starts
from ippon.agent.store import later
from ippon.agent.tables import InboxRow, Start, VenueFill, VenueOrder
from ippon.agent.tools import Tools
from ippon.agent.venuerows import BustOrder, bust, mismatch, notify, parse_fill, same
from ippon.errors import IpponError, Refusal
from ippon.model import FillNotice, NotifiedRow, Order, OrderSide, organisation

PENDING, UNKNOWN, NOTIFIED, REFUSED, BUSTED = "pending", "unknown", "notified", "refused", "busted"
HOLDS_QUANTITY = (PENDING, UNKNOWN, NOTIFIED)
REUSED = "EXECUTION_ID_REUSED"
MAX_RESOLVED_AT_ONCE = 500
_NEW_ORDER = insert(VenueOrder)
_NEW_FILL = insert(VenueFill)
_ONE_FILL = update(VenueFill).where(VenueFill.__table__.c.execution_id == bindparam("its_id"))


class Exchange:
    """See the module."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._rules = tools.settings.exchange
        self._ledger = Ledger(tools.node, tools.log)
        self.flows = RowFlows(tools, kinds=(self._orders(), self._fills(), self._busts()))
        self.handlers: Mapping[str, Handler] = {}
        self._page_filled: dict[str, int] = {}
        self._page_orders: dict[str, VenueOrder] = {}
        self._page_fills: set[str] = set()

    def ask(self, *, everything: bool) -> int:  # noqa: ARG002
        """See `RoleWork`."""
        return 0

    def act(self, starts: Starts, due: Due) -> int:
        """See `RoleWork`."""
        if not due.noticed:
            return 0
        with self._tools.store.look() as connection:
            doubtful = select(VenueFill.execution_id).where(VenueFill.state == UNKNOWN).limit(MAX_RESOLVED_AT_ONCE)
            ids = list(connection.scalars(doubtful))
        if not ids:
            return 0
        notified = {row.execution_id: row for row in self._ledger.notified(ids)}
        with self._tools.store.write() as session:
            self._resolve(session, starts, ids, notified)
            self.flows.release(session, starts)
        return len(ids)

    # ---- orders

    def _orders(self) -> RowKind:
        return RowKind(
            name="orders",
            model=Order,
            id_field="order_id",
            reuse_code="ORDER_ID_REUSED",
            prefetch=self._prefetch_filled,
            check=self._check_order,
            journaled=self._keep_order,
        )

    def _check_order(self, session: Session, order: Order) -> None:  # noqa: ARG002
        self._known(order.platform_code, order.security_code)

    def _keep_order(self, session: Session, _: Given, order: Order) -> None:
        values = order.model_dump(exclude={"unit_price", "side"})
        price = f"{order.unit_price:.2f}"
        filled = self._page_filled.get(order.order_id, 0)
        later(session, _NEW_ORDER, **values, side=order.side, unit_price=price, filled=filled)

    def _prefetch_filled(self, session: Session, orders: Sequence[Order]) -> None:
        self._page_filled = {}
        if self._rules.orders_required:
            return
        # Fills may have come before their orders where orders are not required.
        for side, column in ((OrderSide.SELL, VenueFill.sell_order_id), (OrderSide.BUY, VenueFill.buy_order_id)):
            ids = [order.order_id for order in orders if order.side is side]
            held = select(column, func.sum(VenueFill.quantity)).where(VenueFill.state.in_(HOLDS_QUANTITY))
            for order_id, filled in session.execute(held.where(column.in_(ids)).group_by(column)):
                self._page_filled[order_id] = int(filled)

    def _known(self, platform_code: str, security_code: str) -> None:
        platforms, securities = self._rules.platform_codes, self._rules.security_codes
        if platform_code not in platforms:
            raise Refusal(
                f"The platform code must be one of {sorted(platforms)}, but is '{platform_code}'.",
                code="UNKNOWN_PLATFORM",
                field="platform_code",
            )
        if security_code not in securities:
            raise Refusal(
                f"The security code must be one of {sorted(securities)}, but is '{security_code}'.",
                code="UNKNOWN_SECURITY",
                field="security_code",
            )

    # ---- fills

    def _fills(self) -> RowKind:
        return RowKind(
            name="fills",
            model=FillNotice,
            id_field="execution_id",
            optional=frozenset({"token_transaction_id", "reverses", "reversal_reason"}),
            parse=parse_fill,
            reuse_code=REUSED,
            prefetch=self._prefetch,
            prefetch_ends=_venue_fills,
            check=self._check_fill,
            journaled=self._keep_fill,
            flow=notify,
            accepted=self._notified,
            failed=self._doubt,
            refused=self._refused,
        )

    def _prefetch(self, session: Session, fills: Sequence[FillNotice]) -> None:
        order_ids = {order_id for fill in fills for order_id in (fill.sell_order_id, fill.buy_order_id)}
        orders = session.scalars(select(VenueOrder).where(VenueOrder.order_id.in_(order_ids)))
        self._page_orders = {order.order_id: order for order in orders}
        ids = [fill.execution_id for fill in fills]
        before = session.scalars(select(VenueFill.execution_id).where(VenueFill.execution_id.in_(ids)))
        self._page_fills = set(before)

    def _check_fill(self, session: Session, fill: FillNotice) -> None:  # noqa: ARG002
        self._known(fill.platform_code, fill.security_code)
        if fill.reverses is not None:
            return  # puts an earlier fill right; nobody ordered it
        for side in OrderSide:
            self._check_side(fill, side)

    def _check_side(self, fill: FillNotice, side: OrderSide) -> None:
        name = "seller" if side is OrderSide.SELL else "buyer"
        field = f"{side.value.lower()}_order_id"
        order_id = getattr(fill, field)
        order = self._page_orders.get(order_id)
        if order is None:
            if self._rules.orders_required:
                raise Refusal(f"There is no order {order_id}.", code="UNKNOWN_ORDER", field=field)
            return
        same("side", field, side.value, order.side, order_id)
        custodian = f"{name}_custodian"
        same(custodian, custodian, organisation(getattr(fill, custodian)), organisation(order.custodian), order_id)
        investor = f"{name}_investor_id"
        same(investor, investor, getattr(fill, investor), order.investor_id, order_id)
        same("security_code", "security_code", fill.security_code, order.security_code, order_id)
        same("platform_code", "platform_code", fill.platform_code, order.platform_code, order_id)
        limit = Decimal(order.unit_price)
        if fill.unit_price < limit if side is OrderSide.SELL else fill.unit_price > limit:
            raise mismatch("unit_price", f"{fill.unit_price} is worse than the limit {limit} of {order_id}")
        left = order.quantity - order.filled
        if fill.quantity > left:
            raise mismatch("quantity", f"{fill.quantity} is more than the {left} units left of {order_id}")

    def _keep_fill(self, session: Session, row: Given, fill: FillNotice) -> None:
        orders = {"sell_order_id": fill.sell_order_id, "buy_order_id": fill.buy_order_id}
        what = {"content": row.content, "state": PENDING, "changed_at": self._tools.now()}
        # One that was refused before comes anew, with whatever content.
        known = fill.execution_id in self._page_fills
        name = {"its_id" if known else "execution_id": fill.execution_id}
        later(session, _ONE_FILL if known else _NEW_FILL, **name, quantity=fill.quantity, **orders, **what)
        if fill.reverses is None:
            self._use(self._page_orders, fill, fill.quantity)

    def _use(self, orders: Mapping[str, VenueOrder], fill: VenueFill | FillNotice, quantity: int) -> None:
        for order_id in (fill.sell_order_id, fill.buy_order_id):
            if order_id in orders:
                orders[order_id].filled += quantity

    def _notified(self, session: Session, row: Given, ending: Ending) -> None:
        transaction_id = ending.text("transaction_id")
        fill = session.get_one(VenueFill, row.row_id)
        if fill.state == BUSTED:
            # A bust file read before the fill's: both flows ran, and the bust's end was written down first.
            fill.transaction_id = transaction_id
            return
        self._move(session, fill, NOTIFIED, transaction_id)

    def _doubt(self, session: Session, row: Given, error: IpponError) -> bool:
        if error.code == REUSED:
            return False  # the id is on the ledger, and with other content than this row's
        self._tools.log.info("notice_in_doubt", execution_id=row.row_id, code=error.code)
        self._move(session, session.get_one(VenueFill, row.row_id), UNKNOWN, None)
        return True

    def _refused(self, session: Session, row: Given, error: IpponError) -> None:
        self._tools.log.info("fill_refused", execution_id=row.row_id, code=error.code)
        self._move(session, session.get_one(VenueFill, row.row_id), REFUSED, None)

    def _move(self, session: Session, fill: VenueFill, state: str, transaction_id: str | None) -> None:
        change = (state in HOLDS_QUANTITY) - (fill.state in HOLDS_QUANTITY)
        if change and not fill.content.get("reverses"):
            ids = (fill.sell_order_id, fill.buy_order_id)
            orders = session.scalars(select(VenueOrder).where(VenueOrder.order_id.in_(ids)))
            self._use({order.order_id: order for order in orders}, fill, change * fill.quantity)
        fill.state, fill.changed_at = state, self._tools.now()
        fill.transaction_id = transaction_id or fill.transaction_id
        self._tools.record(session, state, fill.execution_id, transaction_id=fill.transaction_id)

    def _resolve(
        self, session: Session, starts: Starts, ids: Sequence[str], notified: Mapping[str, NotifiedRow]
    ) -> None:
        """The node's own table decides whether notices that failed have put their fills on the ledger."""
        doubtful = select(VenueFill).where(VenueFill.execution_id.in_(ids), VenueFill.state == UNKNOWN)
        fills = list(session.scalars(doubtful.order_by(VenueFill.execution_id)))
        rows = self._rows(session, ids)
        pending = {row.row_id: row for row in rows if (row.kind, row.status) == ("fills", "pending")}
        busted = {row.row_id for row in rows if (row.kind, row.status) == ("busts", ACCEPTED)}
        failed = self._last_starts(session, [fill.execution_id for fill in fills if fill.execution_id not in notified])
        for fill in fills:
            found, row = notified.get(fill.execution_id), pending[fill.execution_id]
            if found is not None:
                self.flows.accept(session, row, Ending(result={"transaction_id": found.transaction_id}))
                if fill.execution_id in busted:
                    self._move(session, fill, BUSTED, None)
                continue
            start = failed[fill.execution_id]
            error = IpponError.from_wire(start.error)
            if starts.again(session, start, error):
                self._move(session, fill, PENDING, None)
            else:
                self.flows.refuse(session, row, error)

    def _rows(self, session: Session, ids: Sequence[str]) -> list[Given]:
        """Of these fills: the one row of each that is on its way, and the busts that are through."""
        of_fills = (InboxRow.kind == "fills") & (InboxRow.status == "pending")
        of_busts = (InboxRow.kind == "busts") & (InboxRow.status == ACCEPTED)
        return given(session, GIVEN.where(InboxRow.row_id.in_(ids), of_fills | of_busts))

    def _last_starts(self, session: Session, ids: Sequence[str]) -> dict[str, Start]:
        """The last notice of each of these fills."""
        names = {f"notify:{execution_id}": execution_id for execution_id in ids}
        made = select(Start).where(Start.business_id.in_(names)).order_by(Start.generation)
        return {names[start.business_id]: start for start in session.scalars(made)}

    # ---- busts

    def _busts(self) -> RowKind:
        return RowKind(
            name="busts",
            model=BustOrder,
            id_field="execution_id",
            after=(("fills", "execution_id"),),
            flow=bust,
            prefetch_ends=_venue_fills,
            accepted=self._busted,
        )

    def _busted(self, session: Session, row: Given, ending: Ending) -> None:
        fill = session.get(VenueFill, row.row_id)
        # One whose notice is in doubt has no answer yet: `_resolve` gives it, and sees this bust.
        if fill is not None and fill.state != UNKNOWN:
            self._move(session, fill, BUSTED, None)
        self._tools.log.info("fill_busted", execution_id=row.row_id, transaction_id=ending.text("transaction_id"))


def _venue_fills(session: Session, rows: Sequence[Given]) -> Sequence[object]:
    return list(session.scalars(select(VenueFill).where(VenueFill.execution_id.in_([row.row_id for row in rows]))))
