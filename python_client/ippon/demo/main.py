"""The whole demo: network and agents up, the day played, proved by a program apart, and reported."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ippon.demo.agents import DEMO_TIMERS, Agents, Market, load_market
from ippon.demo.local_floor import LocalFloor
from ippon.demo.outcome import make_report
from ippon.demo.play import Player
from ippon.demo.run import Run
from ippon.demo.screen import Screen
from ippon.demo.script import Script, load_script
from ippon.errors import IpponError
from ippon.local import LocalNetwork
from ippon.report.day import DayReport
from ippon.report.page import Written, write_report
from ippon.report.result import InvariantResult

SECURITIES_NAME = "securities.csv"
SNAPSHOT_NAME = "snapshot.json"
LOCK_NAME = ".demo.lock"
PROOF_TIMEOUT_SECONDS = 300
TURN_TIMEOUT_SECONDS = 900.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class DayPlayed:
    """What a demo leaves behind."""

    report: DayReport
    written: Written


@dataclass(frozen=True)
class Proof:
    """What the proof's program said."""

    quiet: bool
    invariants: list[InvariantResult]


def play_day(
    local: LocalNetwork,
    *,
    folder: Path,
    output_dir: Callable[[str], Path],
    console: Console,
    say: Callable[[str], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> DayPlayed:
    """Play the day of a folder on the network of this machine; starts what does not run, stops nothing."""
    script, market = load_script(folder), load_market(folder / SECURITIES_NAME)
    local.network.up()
    with alone(local.agents_dir, say=say):
        return _play(local, script, market, folder=folder, output_dir=output_dir, console=console, say=say, now=now)


def _play(
    local: LocalNetwork,
    script: Script,
    market: Market,
    *,
    folder: Path,
    output_dir: Callable[[str], Path],
    console: Console,
    say: Callable[[str], None],
    now: Callable[[], datetime],
) -> DayPlayed:
    agents = Agents(local)
    say("Starting agents")
    agents.start(market, timers=DEMO_TIMERS)
    run = Run.at(now(), script_day=script.day, session_ends=script.session_ends)
    output = output_dir(script.name)
    with LocalFloor(local, agents, prefix=run.prefix) as floor:
        with Screen(script, console) as screen:
            player = Player(
                script=script,
                folder=folder,
                run=run,
                floor=floor,
                listener=screen,
                monotonic=time.monotonic,
                sleep=time.sleep,
            )
            played = player.play()
        say("Proving")
        snapshot = output / SNAPSHOT_NAME
        proof = prove_apart(local, snapshot)
        report = make_report(
            script=script,
            run=run,
            floor=floor,
            played=played,
            ended_at=now(),
            proof=proof.invariants,
            quiet=proof.quiet,
            directory=str(local.network.directory),
            snapshot=str(snapshot),
            memory_bytes=local.network.status().pss_bytes + agents.memory_bytes(),
        )
    return DayPlayed(report, write_report(report, output))


@contextmanager
def alone(folder: Path, *, say: Callable[[str], None], timeout_seconds: float = TURN_TIMEOUT_SECONDS) -> Iterator[None]:
    """Only one demo at a time may use the agents: it restarts them, and would pull them from under another."""
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_seconds
    told = False
    with (folder / LOCK_NAME).open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    message = (
                        f"Another demo has been playing on this network for {timeout_seconds:.0f} s; try again later."
                    )
                    raise IpponError(message, code="DEMO_RUNNING", where=str(folder)) from error
            if not told:
                say("Waiting for another demo on this network to end")
                told = True
            time.sleep(_POLL_SECONDS)
        yield


def prove_apart(local: LocalNetwork, snapshot: Path) -> Proof:
    """Run the proof as a program of its own, which knows nothing of what was played."""
    finished = subprocess.run(
        [sys.executable, "-m", "ippon.report.proof", "--json", "--save", snapshot],
        env={**os.environ, "IPPON_NETWORK_DIR": str(local.network.directory)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROOF_TIMEOUT_SECONDS,
        check=False,
    )
    # Python itself leaves with 1 when a program breaks, but then it has told nothing.
    if finished.returncode not in (0, 1) or not finished.stdout:
        raise IpponError(f"The proof could not be made: {finished.stderr.strip()[-1000:]}", code="NO_PROOF")
    content = json.loads(finished.stdout)
    return Proof(content["quiet"], [InvariantResult.model_validate(one) for one in content["invariants"]])
