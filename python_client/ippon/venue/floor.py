"""A trading day with its memory: requests in, reports out, files to the exchange agent. A crash loses nothing.

    request → journal, on the disk → book → reports to brokers, rows to the exchange agent

Whatever comes after the journal is made again from it at the next start.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from ippon.model import FillNotice
from ippon.model import Order as OrderRow
from ippon.venue.calendar import business_day
from ippon.venue.day import TradingDay
from ippon.venue.drops import Drops
from ippon.venue.journal import Journal
from ippon.venue.listing import Security
from ippon.venue.market import Market
from ippon.venue.orders import Event, Message, Traded
from ippon.venue.records import fill_notice, fills_csv, opened_orders, order_row, orders_csv
from ippon.venue.reports import COLUMNS, Report, reports_of
from ippon.venue.settings import VenueSettings


class Floor:
    """See the module. One process at a time may have a day's folder."""

    def __init__(
        self, *, settings: VenueSettings, day: date, securities: Sequence[Security], brokers: Mapping[str, str]
    ) -> None:
        self.day = day
        calendar = settings.trading_days()
        market = Market(day=day, securities=securities, brokers=brokers, rules=settings.rules())
        self._trading = TradingDay(market, settings.trading_hours().of(day) if calendar.is_open(day) else ())
        self.settle_date = business_day(calendar, day, later=settings.settle_business_days)
        folder = settings.state_dir / day.isoformat()
        self._journal = Journal(folder / "journal.csv")
        self._reports_dir = folder / "reports"
        sent, inbox, most = folder / "sent", settings.exchange_inbox_dir, settings.max_rows_per_file
        self._orders: Drops[OrderRow] = Drops(
            kind="orders", prefix=market.prefix, kept_dir=sent, inbox_dir=inbox, max_rows=most, write=orders_csv
        )
        self._fills: Drops[FillNotice] = Drops(
            kind="fills", prefix=market.prefix, kept_dir=sent, inbox_dir=inbox, max_rows=most, write=fills_csv
        )
        self._order_rows: list[OrderRow] = []
        self._notices: list[FillNotice] = []

    @property
    def market(self) -> Market:
        """The books."""
        return self._trading.market

    def restore(self, at_millis: int) -> tuple[int, list[Report]]:
        """Play the journal again and send what had not been sent; how many requests it had, and all reports."""
        requests = self._journal.read()
        reports: list[Report] = []
        for taken_at, message in requests:
            reports += self._keep(self._trading.advance(taken_at))
            reports += self._keep(self._trading.submit(message, taken_at))
        reports += self._keep(self._trading.advance(at_millis))
        self._orders.restore(self._order_rows)
        self._fills.restore(self._notices)
        self._order_rows, self._notices = [], []
        for path in self._reports_dir.glob("*.csv"):
            path.unlink()
        self._tell(reports)
        return len(requests), reports

    def take(self, requests: Sequence[tuple[int, Message]]) -> list[Report]:
        """Take requests, each with the time at which it came; what came of them, and of phases that were due."""
        timed, now = [], self._trading.now_millis
        for at_millis, message in requests:
            now = max(now, at_millis)
            timed.append((now, message))
        if timed:
            self._journal.append(timed)
        reports: list[Report] = []
        for at_millis, message in timed:
            reports += self._keep(self._trading.advance(at_millis))
            reports += self._keep(self._trading.submit(message, at_millis))
        return self._answer(reports)

    def advance(self, at_millis: int) -> list[Report]:
        """What phases that were due by a time brought."""
        return self._answer(self._keep(self._trading.advance(at_millis)))

    def finish(self) -> list[Report]:
        """End the day now, whatever the hour."""
        return self._answer(self._keep(self._trading.finish()))

    def close(self) -> None:
        """Let the files go."""
        self._journal.close()

    def _answer(self, reports: list[Report]) -> list[Report]:
        # Orders first: the agent checks a fill against both its orders.
        self._orders.put(self._order_rows)
        self._fills.put(self._notices)
        self._order_rows, self._notices = [], []
        self._tell(reports)
        return reports

    def _keep(self, events: Sequence[Event]) -> list[Report]:
        """The reports and rows of one request: at once, since the next one changes the orders."""
        self._order_rows += [order_row(order) for order in opened_orders(events)]
        self._notices += [fill_notice(event, self.settle_date) for event in events if isinstance(event, Traded)]
        return [report for event in events for report in reports_of(event)]

    def _tell(self, reports: Iterable[Report]) -> None:
        by_broker: dict[str, list[Report]] = defaultdict(list)
        for report in reports:
            by_broker[report.broker].append(report)
        for broker, told in by_broker.items():
            if broker in self.market.brokers:
                append_reports(self._reports_dir / f"{broker}.csv", told)


def append_reports(path: Path, reports: Iterable[Report]) -> None:
    """Write reports at the end of a broker's file; it is made anew from the journal at each start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    with path.open("a", encoding="utf-8") as file:
        if not file.tell():
            writer.writeheader()
        writer.writerows(report.values() for report in reports)
        file.write(out.getvalue())
