"""`ippon venue`: a venue to test against, from files, a pipe or FIX to the exchange agent's inbox."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippon.cli_output import JsonFlag, emit_json, emit_rows, say

if TYPE_CHECKING:
    from ippon.venue.floor import Floor
    from ippon.venue.process import VenueProcess
    from ippon.venue.reports import Report
    from ippon.venue.settings import VenueSettings

venue_app = typer.Typer(no_args_is_help=True, help="A venue to test against: order books, auctions, files, FIX.")

ConfigOption = Annotated[
    Path, typer.Option("--config", help="The venue's configuration, JSON.", exists=True, dir_okay=False)
]
DayArgument = Annotated[datetime, typer.Option("--day", formats=["%Y-%m-%d"], help="The trading day.")]


@venue_app.command()
def start(
    *,
    config: ConfigOption,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read requests from stdin, answer on stdout, end with them.")
    ] = False,
) -> None:
    """Run a venue until it is told to stop (SIGTERM, Ctrl-C).

    Example: ippon venue start --config examples/venue/venue.json
    """
    from ippon.venue.process import VenueProcess, only_one, run

    settings = _settings(config)
    with only_one(settings.state_dir), _stopping() as stop:
        process = VenueProcess(settings, now_millis=_now_millis)
        say(f"Venue is ready: {settings.state_dir}, {process.floor.market.phase.value}")
        try:
            if stdin:
                _pipe(process, stop)
            elif settings.fix is not None:
                _with_fix(process, stop)
            else:
                run(process, stop=stop)
        finally:
            process.close()


@venue_app.command()
def generate(
    *,
    config: ConfigOption,
    out: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)],
    day: DayArgument,
    orders: Annotated[int, typer.Option(min=1, max=5_000_000, help="Requests.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")] = 1,
    investors: Annotated[
        Path | None, typer.Option(help="CSV of broker, investor_id; invented ones without it.", exists=True)
    ] = None,
    investors_each: Annotated[int, typer.Option(min=1, max=100_000, help="Invented investors a broker.")] = 20,
    json_output: JsonFlag = False,
) -> None:
    """Write a seeded flow of orders, cancels and replacements over a day's trading hours.

    Example: ippon venue generate --config examples/venue/venue.json --day 2026-07-01 --seed 7 --out flow.csv
    """
    from ippon.venue.drops import write_whole
    from ippon.venue.flow import write_flow
    from ippon.venue.generate import Generator, invented_investors
    from ippon.venue.listing import load_brokers, load_investors, load_securities

    settings = _settings(config)
    brokers = load_brokers(settings.brokers_file)
    ids = load_investors(investors, brokers) if investors else invented_investors(brokers, each=investors_each)
    generator = Generator(seed=seed, securities=load_securities(settings.securities_file), investors=ids)
    flow = generator.flow(requests=orders, day=day.date(), hours=settings.trading_hours())
    write_whole(out, write_flow(flow).encode())
    summary = {"file": str(out), "requests": orders, "seed": seed, "day": day.date().isoformat()}
    if json_output:
        emit_json(summary)
    else:
        typer.echo(f"Wrote {orders} requests of {summary['day']} to {out}")


@venue_app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A flow, or a venue's journal.csv.", exists=True, dir_okay=False)],
    *,
    config: ConfigOption,
    out: Annotated[Path, typer.Option(help="A new folder for journal, files and reports.", file_okay=False)],
    speed: Annotated[str, typer.Option(help="10x: ten times as fast as it was; max: without waiting.")] = "1x",
    send: Annotated[bool, typer.Option("--send", help="Also send the files to the exchange agent's inbox.")] = False,
    json_output: JsonFlag = False,
) -> None:
    """Play a file of requests, each at its own time; the same file gives the same fills, byte for byte.

    Example: ippon venue replay flow.csv --config examples/venue/venue.json --speed 10x --out build/replay
    """
    from ippon.venue.replay import play, requests_of, speed_of

    pace, requests = speed_of(speed), requests_of(file.read_bytes())
    settings = _settings(config)
    inbox = settings.exchange_inbox_dir if send else None
    settings = settings.model_copy(update={"state_dir": out, "exchange_inbox_dir": inbox})
    counts = play(settings, requests, speed=pace, monotonic_millis=_monotonic_millis, sleep=time.sleep)
    rows: Sequence[Mapping[str, Any]] = [{"event": name, "count": count} for name, count in counts.items()]
    emit_rows(rows, columns=("event", "count"), as_json=json_output, title=f"{file} → {out}", empty="Nothing happened.")


@venue_app.command("drop-copy")
def drop_copy(
    *,
    config: Annotated[Path, typer.Option(help="Where it comes from and goes to, JSON.", exists=True, dir_okay=False)],
) -> None:
    """Take a venue's drop copy by FIX into the exchange agent's inbox, until told to stop (SIGTERM, Ctrl-C).

    Example: ippon venue drop-copy --config drop-copy.json
    """
    import asyncio

    from ippon.venue.fix.receiver import load_receiver_settings, receive
    from ippon.venue.process import only_one

    settings = load_receiver_settings(config)
    with only_one(settings.state_dir), _stopping() as stop:
        say(f"Drop copy from {settings.host}:{settings.port} into {settings.exchange_inbox_dir}")
        asyncio.run(receive(settings, stop=stop))


def _with_fix(process: VenueProcess, stop: threading.Event) -> None:
    import asyncio

    from ippon.venue.fix.gateway import Gateway, serve

    fix = process.settings.fix
    if fix is None:
        return
    gateway = Gateway(process, fix, now_millis=_now_millis)
    door = f"FIX 4.4 on {fix.host}:{fix.port}, {len(fix.peers)} counterparties"
    asyncio.run(serve(process, gateway, fix, stop=stop, ready=lambda: say(door)))


def _pipe(process: VenueProcess, stop: threading.Event) -> None:
    """A line in, its reports out; files are taken between the lines."""
    from ippon.venue.flow import read_lines

    def told(_: Floor, reports: Sequence[Report]) -> None:
        for report in reports:
            given = {name: value for name, value in report.values().items() if value is not None}
            typer.echo(json.dumps(given, ensure_ascii=False))

    process.listen(told)
    for line in read_lines(sys.stdin.buffer):
        if stop.is_set():
            return
        if line.problem is not None or line.message is None:
            wire = line.problem.to_wire() if line.problem else {}
            typer.echo(json.dumps({"event": "refused", "line": line.number, **wire}, ensure_ascii=False))
        else:
            process.take([line.message])
    process.step()


def _settings(config: Path) -> VenueSettings:
    from ippon.venue.settings import load_settings

    return load_settings(config)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _now_millis() -> int:
    from ippon.venue.calendar import millis

    return millis(datetime.now(UTC))


def _monotonic_millis() -> int:
    return time.monotonic_ns() // 1_000_000
