"""How many orders a second the venue matches on one core, without a network.

    python -m ippon.venue.bench [--orders 200000]          (make bench-venue)

A line of JSON a figure:

    orders_per_s        requests in memory → books, fills with their ids: the matching, on one core
    file_orders_per_s   the bytes of a file → the same, the journal on the disk, reports, orders-*.csv and fills-*.csv

Both by the clock on the wall. What else the machine did meanwhile is the line's `load`.
"""

import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from ippon.venue.calendar import Hours
from ippon.venue.day import TradingDay
from ippon.venue.floor import Floor
from ippon.venue.flow import write_flow
from ippon.venue.generate import Generator, invented_investors
from ippon.venue.listing import Security
from ippon.venue.market import Market
from ippon.venue.orders import Message
from ippon.venue.replay import paced, requests_of
from ippon.venue.settings import VenueSettings

DAY = date(2026, 7, 1)
BROKERS = {f"BR-{number:02}": f"Custodian {'AB'[number % 2]}" for number in range(1, 5)}
SECURITIES = (
    Security("ZA101", "IPPON", 100_00, 1, 100_000_00, 85_000_00, 115_000_00),
    Security("ZB202", "IPPON", 25, 4, 1_000_00, 850_00, 1_150_00),
    Security("ZC303", "IPPON", 1_00, 1, 10_000_00, 8_500_00, 11_500_00),
)
Requests = Sequence[tuple[int, Message]]


def figures(orders: int, seed: int) -> Iterator[dict[str, Any]]:
    """All figures."""
    investors = invented_investors(BROKERS, each=100)
    generator = Generator(seed=seed, securities=SECURITIES, investors=investors)
    requests = list(generator.flow(requests=orders, day=DAY, hours=Hours()))
    seconds, fills = in_memory(requests)
    yield figure("orders_per_s", orders / seconds, "1/s", orders, fills)
    some = requests[: max(orders // 10, 1)]
    seconds, fills = by_file(write_flow(some).encode())
    yield figure("file_orders_per_s", len(some) / seconds, "1/s", len(some), fills)


def in_memory(requests: Requests) -> tuple[float, int]:
    """Seconds, and how many fills there were."""
    market = Market(day=DAY, securities=SECURITIES, brokers=BROKERS)
    trading = TradingDay(market, Hours().of(DAY))
    begun = time.perf_counter()
    for at_millis, message in requests:
        trading.submit(message, at_millis)
    trading.finish()
    return time.perf_counter() - begun, market.matches


def by_file(content: bytes) -> tuple[float, int]:
    """The same from a file to files."""
    with tempfile.TemporaryDirectory() as folder:
        nowhere = Path(folder) / "none"
        settings = VenueSettings(securities_file=nowhere, brokers_file=nowhere, state_dir=Path(folder))
        floor = Floor(settings=settings, day=DAY, securities=SECURITIES, brokers=BROKERS)
        begun = time.perf_counter()
        for batch in paced(requests_of(content), speed=None, monotonic_millis=lambda: 0, sleep=time.sleep):
            floor.take(batch)
        floor.finish()
        seconds = time.perf_counter() - begun
        floor.close()
        return seconds, floor.market.matches


def figure(name: str, value: float, unit: str, n: int, fills: int) -> dict[str, Any]:
    """One line, with what it was measured on."""
    return {
        **{"figure": name, "value": round(value), "unit": unit, "n": n, "fills": fills},
        **{"cores": os.cpu_count(), "ram_gib": round(psutil.virtual_memory().total / 2**30)},
        **{"load": round(os.getloadavg()[0], 1), "machine": platform.machine(), "python": platform.python_version()},
        "day": datetime.now(UTC).date().isoformat(),
    }


def main(
    *,
    orders: Annotated[int, typer.Option(min=1_000, max=5_000_000, help="Requests.")] = 200_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the flow.")] = 1,
) -> None:
    """Measure; takes some seconds."""
    for one in figures(orders, seed):
        typer.echo(json.dumps(one))


if __name__ == "__main__":
    typer.run(main)
