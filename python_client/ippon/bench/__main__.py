"""Measures one fresh network: settlements, and CashPaymentFlow beside them on the same warm nodes.

    python -m ippon.bench          (make bench)

A line of JSON a figure: `{"figure", "value", "unit", "n", …}`, with the machine and the day. What the figures mean and
what they came to stands in docs/performance.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import psutil
import typer

from ippon.agent.store import Store
from ippon.agent.view import shortages
from ippon.bench.market import BUYER, PRICE, SECURITY, SELLER, Bridges, Market, settle_one
from ippon.bench.network import Bench, at_node, bench_network
from ippon.demo.agents import Agents
from ippon.demo.agents import Market as Listed
from ippon.node import rows

PAIRS = 16
WARM_UP = 40
TOKENS, PIECES = 10_000, 200
SHORT_TRIES = 10
BALANCE_QUERIES = 30
SHORTAGE_TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.005

Figure = dict[str, Any]


def figures(each: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """All figures; `each` settlements and payments a measurement."""
    with bench_network(say) as bench:
        yield figure("network_ready_s", bench.ready_seconds, "s", 1)
        bridges = Bridges(bench.local)
        try:
            market = Market(bridges, PAIRS)
            say("Opening the market")
            market.open()
            yield from settlements(bridges, market, each, say)
            yield from payments(bench, each, say)
            yield from crumbs(bench, bridges, market, say)
        finally:
            bridges.close()


def settlements(bridges: Bridges, market: Market, each: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """A settle flow a fill: one after the other, then 4 and 16 at a time."""
    for threads, count, warm in ((1, WARM_UP, True), (1, each, False), (4, each, False), (16, each, False)):
        say(f"Notifying {count} fills")
        ids = market.fills(count)
        say(f"Settling {count} fills, {threads} at a time")
        times, seconds = timed(threads, [partial(settle_one, bridges, [one]) for one in ids])
        if warm:
            continue
        if threads == 1:
            yield figure("settlement_p50_ms", percentile(times, 50), "ms", len(times))
            yield figure("settlement_p95_ms", percentile(times, 95), "ms", len(times))
        else:
            yield figure(f"settlement_per_s_{threads}", len(times) / seconds, "1/s", len(times))


def payments(bench: Bench, each: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """CashPaymentFlow from the seller's custodian to the buyer's, by RPC."""
    say("Issuing cash and paying it")
    paid_at_once = [f"pay:{each}:{threads}" for threads in (1, 4, 16)]
    commands = [f"issue:{WARM_UP + 3 * each}", f"pay:{WARM_UP}:1", *paid_at_once]
    *_, one, four, sixteen = (json.loads(line) for line in at_node(bench, SELLER, *commands))
    yield figure("payment_p50_ms", percentile(one["each_ms"], 50), "ms", each)
    for paid in (four, sixteen):
        yield figure(f"payment_per_s_{paid['threads']}", each / (paid["all_ms"] / 1000), "1/s", each)


def crumbs(bench: Bench, bridges: Bridges, market: Market, say: Callable[[str], None]) -> Iterator[Figure]:
    """A node that holds 10,000 tokens, a short buyer who holds 10,000 coins, and the memory of it all."""
    say(f"Crumbling two holdings into {TOKENS} states each")
    market.add(SELLER, "MANY-S")
    market.units("MANY-S", TOKENS + 1)
    market.add(BUYER, "MANY-B")
    market.coins("MANY-B", TOKENS + 1)
    at_node(bench, SELLER, f"split:SPLIT-S:{SECURITY}:MANY-S:{PIECES}:{TOKENS // PIECES}")
    at_node(bench, BUYER, f"split:SPLIT-B:-:MANY-B:{PIECES}:{TOKENS // PIECES}")
    times = [balance_ms(bridges) for _ in range(BALANCE_QUERIES)]
    yield figure("balance_10k_ms_p50", percentile(times, 50), "ms", len(times))
    agents = Agents(bench.local)
    agents.configure(Listed(("IPPON",), (SECURITY,)))
    try:
        yield shortage(bench, bridges, market, agents, say)
        # The seller's agent only now: it would have settled what was measured.
        for member in agents.dead():
            agents.start_one(member)
        memory = bench.local.network.status().pss_bytes + agents.memory_bytes()
        yield figure("resident_mib", memory >> 20, "MiB", 1)
    finally:
        agents.stop()


def shortage(bench: Bench, bridges: Bridges, market: Market, agents: Agents, say: Callable[[str], None]) -> Figure:
    """From the start of SettleFills to the shortage standing in the store of the buyer's agent; the slowest."""
    say("Timing shortages")
    member = next(one for one in bench.local.members if one.key == BUYER)
    agents.start_one(member)
    ids = [market.fill("S-0", "MANY-B", (TOKENS // PRICE) + 10 + turn) for turn in range(SHORT_TRIES + 1)]
    store = Store.open(agents.folder(member).store_url, migrate=False)
    try:
        times = [shortage_ms(bridges, store, one) for one in ids]
    finally:
        store.close()
    # The first finds nothing warm.
    return figure("shortage_ms_max", max(times[1:]), "ms", len(times) - 1)


def shortage_ms(bridges: Bridges, store: Store, execution_id: str) -> float:
    """One of them."""
    begun = time.monotonic()
    bridges.node(SELLER).start("settle_fills", f"bench:short:{execution_id}", {"execution_ids": [execution_id]})
    while not any(one.execution_id == execution_id for one in shortages(store)):
        if time.monotonic() - begun > SHORTAGE_TIMEOUT_SECONDS:
            raise RuntimeError(f"no shortage of {execution_id} was told")
        time.sleep(_POLL_SECONDS)
    return (time.monotonic() - begun) * 1000


def balance_ms(bridges: Bridges) -> float:
    """One balance query at the node that holds many."""
    begun = time.monotonic()
    found = list(rows(bridges.node(SELLER), "balances", {"asset": "UNITS", "investor_id": "MANY-S"}))
    if [row["total"] for row in found] != [TOKENS + 1]:
        raise RuntimeError(f"the balance is {found}")
    return (time.monotonic() - begun) * 1000


def timed(threads: int, actions: Sequence[Callable[[], None]]) -> tuple[list[float], float]:
    """Milliseconds of each, and seconds of all together."""

    def one(action: Callable[[], None]) -> float:
        begun = time.monotonic()
        action()
        return (time.monotonic() - begun) * 1000

    begun = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        times = list(pool.map(one, actions))
    return times, time.monotonic() - begun


def percentile(values: Sequence[float], percent: int) -> float:
    """By the nearest rank."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def figure(name: str, value: float, unit: str, n: int) -> Figure:
    """One line, with what it was measured on."""
    return {
        **{"figure": name, "value": round(value, 2), "unit": unit, "n": n},
        **{"cores": os.cpu_count(), "ram_gib": round(psutil.virtual_memory().total / 2**30)},
        **{"machine": platform.machine(), "database": "H2", "day": datetime.now(UTC).date().isoformat()},
    }


def main(
    *, each: Annotated[int, typer.Option(min=16, max=10_000, help="Settlements and payments a figure.")] = 100
) -> None:
    """Measure; takes about a quarter of an hour. The network of `make demo` must be down."""
    for one in figures(each, lambda sentence: typer.echo(sentence, err=True)):
        typer.echo(json.dumps(one))


if __name__ == "__main__":
    typer.run(main)
