"""Volumes out of a snapshot of a network: settled fills, movements of units, new holders, balances, over a period.

Nothing is read but what `ippon report proof` reads. A node tells when it recorded and consumed a state; that is when a
thing happened here. Days are Tokyo's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction

import jpholiday

from ippon.economics.measured import BrokerVolumes, Measured
from ippon.errors import BadFile, BadRequest, BadSettings
from ippon.report.ledger import Fill, Ledger, fill_of, holding_of
from ippon.report.snapshot import NodeVault, Snapshot, StateRow, TransactionRow, organisation_of

TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")
MAX_PERIOD_DAYS = 3_660
YEAR_END = {(12, 31), (1, 1), (1, 2), (1, 3)}


@dataclass(frozen=True)
class Holding:
    """Units of one holder that a custodian kept from one day on, and until which; None: to this day."""

    investor_id: str
    security_code: str
    units: int
    since: date
    until: date | None


@dataclass(frozen=True)
class Deal:
    """A fill that settled, and on which day, by one custodian's record."""

    fill: Fill
    day: date


def measure(
    snapshot: Snapshot,
    *,
    prices: Mapping[str, Fraction],
    first: date | None = None,
    last: date | None = None,
) -> Measured:
    """What each custodian did from the first to the last day, both included.

    Left out, the period goes from the first settlement to the day of the snapshot. `prices` in yen a unit by security
    code; others are those of the security's last settled fill, or of its last fill.

    Raises:
        BadRequest: a period that cannot be. BadFile: a snapshot that does not tell enough.
        BadSettings: a security without a price.
    """
    try:
        return _measured(snapshot, prices, first, last)
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise BadFile(f"The snapshot has something in it that no node says ({what}): take it anew.") from error


def is_business_day(day: date) -> bool:
    """Neither weekend nor holiday in Japan, nor 31 December to 3 January."""
    return day.weekday() < 5 and not jpholiday.is_holiday(day) and (day.month, day.day) not in YEAR_END


def _measured(snapshot: Snapshot, prices: Mapping[str, Fraction], first: date | None, last: date | None) -> Measured:
    ledger = Ledger.of(snapshot)
    desks = [Desk(name, node, ledger) for name, node in ledger.nodes("custodian")]
    if not desks:
        raise BadFile("The snapshot holds no custodian's vault, so nobody's business can be measured.", field="nodes")
    taken = _day(snapshot.taken_at)
    settled = [deal.day for desk in desks for deal in desk.deals]
    last = last or taken
    first, last = _period(first or min([*settled, last]), last, taken=taken)
    counted = [day for day in _days(first, last) if is_business_day(day) or day in settled] or [last]
    priced = _Prices(prices, desks)
    return Measured(
        first=first,
        last=last,
        business_days=len(counted),
        brokers=tuple(desk.volumes(counted, first, last, priced) for desk in desks),
        quiet=snapshot.quiet,
    )


class Desk:
    """One custodian's vault, read as what happened on which day."""

    def __init__(self, name: str, node: NodeVault, ledger: Ledger) -> None:
        self.name = name
        self.organisation = organisation_of(node.organisation)
        self._times = _times(node)
        self._ledger = ledger
        self.fills = [fill_of(row.ref, row.data) for row in node.states if row.type == "Fill" and self._is_mine(row)]
        self.deals = [self._deal(fill) for fill in self.fills if self._settlement(fill)]
        self.holdings = [self._holding(row) for row in node.states if self._is_my_token(row)]

    def volumes(self, counted: Sequence[date], first: date, last: date, prices: _Prices) -> BrokerVolumes:
        """Its volumes in the period; balances are those of the counted days' ends."""
        deals = [deal for deal in self.deals if first <= deal.day <= last]
        issues = list(self._issues(first, last))
        moves = list(self._free_transfers(first, last))
        held = [self._balance(day, prices) for day in counted]
        paid = {deal.fill.seller[0] for deal in deals if deal.fill.buyer[0] == self.organisation}
        debut: dict[str, date] = {}
        for one in self.holdings:
            debut[one.investor_id] = min(one.since, debut.get(one.investor_id, one.since))
        return BrokerVolumes(
            custodian=self.organisation,
            st_balance_yen=sum(held, Fraction(0)) / len(held),
            primary_yen=sum((units * prices.of(code) for code, units in issues), Fraction(0)),
            secondary_yen=sum(
                (units * prices.of(code) for move in moves for code, units in move.items()),
                Fraction(sum(deal.fill.amount for deal in deals)),
            ),
            issues=len(issues),
            settlements=len(deals),
            free_transfers=len(moves),
            investors=sum(first <= day <= last for day in debut.values()),
            payees=len(paid - {self.organisation}),
        )

    def when(self, transaction_id: str) -> date:
        """The day on which this node recorded a transaction."""
        moment = self._times.get(transaction_id)
        if moment is None:
            text = f"{self.name} does not say when it recorded {transaction_id}: take the snapshot anew."
            raise BadFile(text, where=self.name, field="recorded_at")
        return _day(moment)

    def _deal(self, fill: Fill) -> Deal:
        return Deal(fill, self.when(self._settlement(fill)))

    def _settlement(self, fill: Fill) -> str:
        """The transaction that settled the fill; empty while none has."""
        for transaction_id in self._ledger.spenders.get(fill.ref, []):
            if any(command.kind == "Settle" for command in self._ledger.transactions[transaction_id].commands):
                return transaction_id
        return ""

    def _holding(self, row: StateRow) -> Holding:
        position, units = holding_of(row.type, row.data) or (None, 0)
        if position is None:
            raise AssertionError(f"{row.ref} is no holding")
        spenders = self._ledger.spenders.get(row.ref, [])
        return Holding(
            investor_id=position.investor_id,
            security_code=position.asset.removeprefix("units "),
            units=units,
            since=self.when(row.ref.rpartition(":")[0]),
            until=self.when(spenders[0]) if spenders else None,
        )

    def _balance(self, day: date, prices: _Prices) -> Fraction:
        """Yen of all units kept at the end of a day."""
        held = [one for one in self.holdings if one.since <= day and (one.until is None or one.until > day)]
        return sum((one.units * prices.of(one.security_code) for one in held), Fraction(0))

    def _issues(self, first: date, last: date) -> Iterator[tuple[str, int]]:
        for transaction in self._ledger.with_command("Issue", "SecurityToken"):
            mine = [
                held
                for output in transaction.outputs
                if (held := holding_of(output.type, output.data)) and held[0].custodian == self.organisation
            ]
            if mine and first <= self.when(transaction.transaction_id) <= last:
                for position, units in mine:
                    yield position.asset.removeprefix("units "), units

    def _free_transfers(self, first: date, last: date) -> Iterator[dict[str, int]]:
        """Units by security of each transfer free of payment that this custodian has a part in."""
        for transaction in self._ledger.with_command("Transfer", "SecurityToken"):
            if any(command.kind == "Settle" for command in transaction.commands):
                continue
            moved = self._moved(transaction)
            if moved and first <= self.when(transaction.transaction_id) <= last:
                yield moved

    def _moved(self, transaction: TransactionRow) -> dict[str, int]:
        came: dict[str, int] = defaultdict(int)
        went: dict[str, int] = defaultdict(int)
        for position, size in self._ledger.changes(transaction).items():
            if position.asset != "coins" and position.custodian == self.organisation:
                (came if size > 0 else went)[position.asset.removeprefix("units ")] += abs(size)
        return {code: max(came[code], went[code]) for code in came.keys() | went.keys()}

    def _is_mine(self, row: StateRow) -> bool:
        sides = (row.data["seller_custodian"], row.data["buyer_custodian"])
        return self.organisation in {organisation_of(str(side)) for side in sides}

    def _is_my_token(self, row: StateRow) -> bool:
        return row.type == "SecurityToken" and organisation_of(str(row.data["custodian"])) == self.organisation


class _Prices:
    """Yen a unit: the settings', else the last settled fill's, else the last fill's."""

    def __init__(self, given: Mapping[str, Fraction], desks: Sequence[Desk]) -> None:
        self._known: dict[str, Fraction] = {}
        for desk in desks:
            self._known.update({fill.security_code: Fraction(fill.unit_price) for fill in desk.fills})
        deals = sorted(
            (deal for desk in desks for deal in desk.deals), key=lambda deal: (deal.day, deal.fill.execution_id)
        )
        self._known.update({deal.fill.security_code: Fraction(deal.fill.unit_price) for deal in deals})
        self._known.update(given)

    def of(self, security_code: str) -> Fraction:
        """Raises: BadSettings when nobody tells it."""
        if security_code not in self._known:
            key = f"network.unit_prices_yen.{security_code}"
            raise BadSettings(
                f"No fill tells what a unit of {security_code} is worth: say it in the settings as {key}, in yen.",
                field=key,
            )
        return self._known[security_code]


def _times(node: NodeVault) -> dict[str, str]:
    """Transaction to the earliest moment at which the node says it made or consumed something."""
    found: dict[str, str] = {}
    for row in node.states:
        for transaction_id, moment in (
            (row.ref.rpartition(":")[0], row.recorded_at),
            (row.consumed_by, row.consumed_at),
        ):
            if transaction_id and moment:
                found[transaction_id] = min(moment, found.get(transaction_id, moment))
    return found


def _period(first: date, last: date, *, taken: date) -> tuple[date, date]:
    if last > taken:
        raise BadRequest(f"The snapshot was taken on {taken}: the last day must not be {last}.", field="--to")
    if first > last:
        raise BadRequest(f"The first day, {first}, must not be after the last, {last}.", field="--from")
    if (last - first).days >= MAX_PERIOD_DAYS:
        raise BadRequest(f"A period is {MAX_PERIOD_DAYS:,} days at most: begin later than {first}.", field="--from")
    return first, last


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(TOKYO).date()
