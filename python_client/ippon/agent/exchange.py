"""The venue's agent: takes orders, fills and busts, and has each good fill on the ledger once.

    orders-*.csv   kept, to check fills against
    fills-*.csv    checked against both orders and the venue's lists → notify_fill
    busts-*.csv    bust_fill, after the fill's own notice has ended

A fill whose notice failed is in doubt until the node's own table says whether it is on the ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ippon.agent.due import Due
from ippon.agent.ledger import Ledger
from ippon.agent.receipts import ACCEPTED
from ippon.agent.rowflows import RowFlows
from ippon.agent.rowkinds import Flow, RowKind
from ippon.agent.starts import Ending, Handler, Starts
from ippon.agent.tables import InboxRow, Start, VenueFill, VenueOrder
from ippon.agent.tools import Tools
from ippon.errors import IpponError, Refusal
from ippon.model import FillNotice, LedgerId, NotifiedRow, Order, OrderSide, Row, organisation

PENDING, UNKNOWN, NOTIFIED, REFUSED, BUSTED = "pending", "unknown", "notified", "refused", "busted"
HOLDS_QUANTITY = (PENDING, UNKNOWN, NOTIFIED)
REUSED = "EXECUTION_ID_REUSED"
MAX_RESOLVED_AT_ONCE = 500


class BustOrder(Row):
    """A fill to withdraw, and why."""

    execution_id: LedgerId
    reason: str


class Exchange:
    """See the module."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._rules = tools.settings.exchange
        self._ledger = Ledger(tools.node, tools.log)
        self.flows = RowFlows(tools, kinds=(self._orders(), self._fills(), self._busts()))
        self.handlers: Mapping[str, Handler] = {}
        self._page_orders: dict[str, VenueOrder] = {}
        self._page_fills: dict[str, VenueFill] = {}

    def ask(self, *, everything: bool) -> int:  # noqa: ARG002
        """See `RoleWork`."""
        return 0

    def act(self, starts: Starts, due: Due) -> int:
        """See `RoleWork`."""
        if not due.noticed:
            return 0
        with self._tools.store.read() as session:
            doubtful = select(VenueFill.execution_id).where(VenueFill.state == UNKNOWN).limit(MAX_RESOLVED_AT_ONCE)
            ids = list(session.scalars(doubtful))
        if not ids:
            return 0
        notified = {row.execution_id: row for row in self._ledger.notified(ids)}
        with self._tools.store.write() as session:
            for execution_id in ids:
                self._resolve(session, starts, execution_id, notified.get(execution_id))
            self.flows.release(session, starts)
        return len(ids)

    # ---- orders

    def _orders(self) -> RowKind:
        return RowKind(
            name="orders",
            model=Order,
            id_field="order_id",
            reuse_code="ORDER_ID_REUSED",
            check=self._check_order,
            journaled=self._keep_order,
        )

    def _check_order(self, session: Session, order: Order) -> None:  # noqa: ARG002
        self._known(order.platform_code, order.security_code)

    def _keep_order(self, session: Session, _: InboxRow, order: Order) -> None:
        values = order.model_dump(exclude={"unit_price", "side"})
        price = f"{order.unit_price:.2f}"
        # Fills may have come before their orders where orders are not required.
        filled = 0 if self._rules.orders_required else self._filled(session, order)
        session.add(VenueOrder(**values, side=order.side.value, unit_price=price, filled=filled))

    def _filled(self, session: Session, order: Order) -> int:
        column = VenueFill.sell_order_id if order.side is OrderSide.SELL else VenueFill.buy_order_id
        of_order = select(func.coalesce(func.sum(VenueFill.quantity), 0)).where(
            column == order.order_id, VenueFill.state.in_(HOLDS_QUANTITY)
        )
        return int(session.scalar(of_order) or 0)

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
            parse=_parse_fill,
            reuse_code=REUSED,
            prefetch=self._prefetch,
            prefetch_ends=_venue_fills,
            check=self._check_fill,
            journaled=self._keep_fill,
            flow=_notify,
            accepted=self._notified,
            failed=self._doubt,
            refused=self._refused,
        )

    def _prefetch(self, session: Session, fills: Sequence[FillNotice]) -> None:
        order_ids = {order_id for fill in fills for order_id in (fill.sell_order_id, fill.buy_order_id)}
        orders = session.scalars(select(VenueOrder).where(VenueOrder.order_id.in_(order_ids)))
        self._page_orders = {order.order_id: order for order in orders}
        ids = [fill.execution_id for fill in fills]
        before = session.scalars(select(VenueFill).where(VenueFill.execution_id.in_(ids)))
        self._page_fills = {fill.execution_id: fill for fill in before}

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
        _same("side", field, side.value, order.side, order_id)
        custodian = f"{name}_custodian"
        _same(custodian, custodian, organisation(getattr(fill, custodian)), organisation(order.custodian), order_id)
        investor = f"{name}_investor_id"
        _same(investor, investor, getattr(fill, investor), order.investor_id, order_id)
        _same("security_code", "security_code", fill.security_code, order.security_code, order_id)
        _same("platform_code", "platform_code", fill.platform_code, order.platform_code, order_id)
        limit = Decimal(order.unit_price)
        if fill.unit_price < limit if side is OrderSide.SELL else fill.unit_price > limit:
            raise _mismatch("unit_price", f"{fill.unit_price} is worse than the limit {limit} of {order_id}")
        left = order.quantity - order.filled
        if fill.quantity > left:
            raise _mismatch("quantity", f"{fill.quantity} is more than the {left} units left of {order_id}")

    def _keep_fill(self, session: Session, row: InboxRow, fill: FillNotice) -> None:
        kept = self._page_fills.get(fill.execution_id)
        if kept is None:
            kept = self._page_fills[fill.execution_id] = VenueFill(execution_id=fill.execution_id)
            session.add(kept)
        # One that was refused before comes anew, with whatever content.
        kept.sell_order_id, kept.buy_order_id, kept.quantity = fill.sell_order_id, fill.buy_order_id, fill.quantity
        kept.content, kept.state, kept.changed_at = row.content, PENDING, self._tools.now()
        if fill.reverses is None:
            self._use(self._page_orders.values(), kept, fill.quantity)

    def _use(self, orders: Iterable[VenueOrder], fill: VenueFill, quantity: int) -> None:
        for order in orders:
            if order.order_id in (fill.sell_order_id, fill.buy_order_id):
                order.filled += quantity

    def _notified(self, session: Session, row: InboxRow, ending: Ending) -> None:
        transaction_id = ending.text("transaction_id")
        fill = session.get_one(VenueFill, row.row_id)
        if fill.state == BUSTED:
            # A bust file read before the fill's: both flows ran, and the bust's end was written down first.
            fill.transaction_id = transaction_id
            return
        self._move(session, row.row_id, NOTIFIED, transaction_id)

    def _doubt(self, session: Session, row: InboxRow, error: IpponError) -> bool:
        if error.code == REUSED:
            return False  # the id is on the ledger, and with other content than this row's
        self._tools.log.info("notice_in_doubt", execution_id=row.row_id, code=error.code)
        self._move(session, row.row_id, UNKNOWN, None)
        return True

    def _refused(self, session: Session, row: InboxRow, error: IpponError) -> None:
        self._tools.log.info("fill_refused", execution_id=row.row_id, code=error.code)
        self._move(session, row.row_id, REFUSED, None)

    def _move(self, session: Session, execution_id: str, state: str, transaction_id: str | None) -> None:
        fill = session.get_one(VenueFill, execution_id)
        change = (state in HOLDS_QUANTITY) - (fill.state in HOLDS_QUANTITY)
        if change and not fill.content.get("reverses"):
            ids = (fill.sell_order_id, fill.buy_order_id)
            orders = session.scalars(select(VenueOrder).where(VenueOrder.order_id.in_(ids)))
            self._use(orders, fill, change * fill.quantity)
        fill.state, fill.changed_at = state, self._tools.now()
        fill.transaction_id = transaction_id or fill.transaction_id
        self._tools.record(session, state, execution_id, transaction_id=fill.transaction_id)

    def _resolve(self, session: Session, starts: Starts, execution_id: str, found: NotifiedRow | None) -> None:
        """The node's own table decides whether a notice that failed has put the fill on the ledger."""
        fill = session.get_one(VenueFill, execution_id)
        if fill.state != UNKNOWN:
            return
        row = session.scalars(_row_of(execution_id)).one()
        if found is not None:
            self.flows.accept(session, row, Ending(result={"transaction_id": found.transaction_id}))
            if session.scalars(_bust_of(execution_id)).first() is not None:
                self._move(session, execution_id, BUSTED, None)
            return
        last = select(Start).where(Start.business_id == f"notify:{execution_id}").order_by(Start.generation.desc())
        start = session.scalars(last.limit(1)).one()
        error = IpponError.from_wire(start.error)
        if starts.again(session, start, error):
            self._move(session, execution_id, PENDING, None)
        else:
            self.flows.refuse(session, row, error)

    # ---- busts

    def _busts(self) -> RowKind:
        return RowKind(
            name="busts",
            model=BustOrder,
            id_field="execution_id",
            after=(("fills", "execution_id"),),
            flow=_bust,
            accepted=self._busted,
        )

    def _busted(self, session: Session, row: InboxRow, ending: Ending) -> None:
        fill = session.get(VenueFill, row.row_id)
        # One whose notice is in doubt has no answer yet: `_resolve` gives it, and sees this bust.
        if fill is not None and fill.state != UNKNOWN:
            self._move(session, row.row_id, BUSTED, None)
        self._tools.log.info("fill_busted", execution_id=row.row_id, transaction_id=ending.text("transaction_id"))


def _venue_fills(session: Session, rows: Sequence[InboxRow]) -> Sequence[object]:
    return list(session.scalars(select(VenueFill).where(VenueFill.execution_id.in_([row.row_id for row in rows]))))


def _row_of(execution_id: str) -> Select[InboxRow]:
    """The one row of a fill that is on its way."""
    return select(InboxRow).where(
        InboxRow.kind == "fills", InboxRow.row_id == execution_id, InboxRow.status == "pending"
    )


def _bust_of(execution_id: str) -> Select[InboxRow]:
    """The bust of a fill that is through."""
    return select(InboxRow).where(
        InboxRow.kind == "busts", InboxRow.row_id == execution_id, InboxRow.status == ACCEPTED
    )


def _parse_fill(columns: Mapping[str, Any]) -> FillNotice:
    plain = {name: value for name, value in columns.items() if name not in ("reverses", "reversal_reason")}
    if "reverses" in columns or "reversal_reason" in columns:
        named = {"reverses": "execution_id", "reversal_reason": "reason"}
        plain["reverses"] = {named[name]: columns[name] for name in named if name in columns}
    return FillNotice.model_validate(plain)


def _notify(_: Session, rows: Sequence[InboxRow]) -> Flow:
    fill = rows[0].content
    custodians = "|".join(organisation(fill[name]) for name in ("seller_custodian", "buyer_custodian"))
    # A custodian that is down holds up the notices that it must get, and no other.
    return Flow(
        business_id=f"notify:{fill['execution_id']}",
        operation="notify_fill",
        arguments={name: value for name, value in fill.items() if value is not None},
        lane=f"notify:{custodians}"[:300],
    )


def _bust(_: Session, rows: Sequence[InboxRow]) -> Flow:
    content = rows[0].content
    return Flow(business_id=f"bust:{content['execution_id']}", operation="bust_fill", arguments=content, lane="bust")


def _same(what: str, field: str, told: str, ordered: str, order_id: str) -> None:
    if told != ordered:
        raise _mismatch(field, f"{what} is '{told}', but '{ordered}' in the order {order_id}")


def _mismatch(field: str, problem: str) -> Refusal:
    return Refusal(f"{field}: {problem}.", code="ORDER_MISMATCH", field=field)
