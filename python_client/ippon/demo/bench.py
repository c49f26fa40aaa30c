"""How soon a demo plays on a network that is up, how long its day takes, and what memory all of it holds.

    python -m ippon.demo.bench [--runs 3]          (make bench)

Plays `ippon demo` once to bring everything up, which is not counted, and then `--runs` times; prints a JSON line a run
and one with the medians. Figures go with the hardware and the day on which they were measured, so these are in it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer

from ippon.errors import IpponError

FIRST_STEP = "[1/"
MEMORY_KEY = "memory_bytes"


@dataclass(frozen=True)
class Measured:
    """One demo.

    Attributes:
        plays_after_seconds: from the command to the first file in an inbox.
        whole_seconds: from the command to its end, proof and report included.
        memory_mib: PSS of nodes, bridges and agents after the day, MiB.
    """

    plays_after_seconds: float
    whole_seconds: float
    memory_mib: int


def measure(report: Path) -> Measured:
    """Play one demo; `report` is the report.json that it writes."""
    began = time.monotonic()
    plays_after: float | None = None
    command = [sys.executable, "-m", "ippon.cli", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        for line in demo.stdout or ():
            if plays_after is None and line.lstrip().startswith(FIRST_STEP):
                plays_after = time.monotonic() - began
    if demo.returncode != 0 or plays_after is None:
        raise IpponError(
            f"the demo ended with code {demo.returncode}; run 'ippon demo' to see why", code="BENCH_FAILED"
        )
    memory = json.loads(report.read_text(encoding="utf-8")).get(MEMORY_KEY) or 0
    return Measured(round(plays_after, 1), round(time.monotonic() - began, 1), memory >> 20)


def lines(runs: int, report: Path) -> Iterator[dict[str, object]]:
    """The bench: a dictionary a run, and one of medians."""
    measure(report)
    measured = [measure(report) for _ in range(runs)]
    for one in measured:
        yield {"bench": "demo", **asdict(one)}
    yield {
        "bench": "demo-median",
        "runs": runs,
        "plays_after_seconds": statistics.median(one.plays_after_seconds for one in measured),
        "whole_seconds": statistics.median(one.whole_seconds for one in measured),
        "memory_mib": statistics.median(one.memory_mib for one in measured),
        "cores": os.cpu_count(),
        "ram_gib": round(psutil.virtual_memory().total / 2**30),
        "machine": platform.machine(),
        "day": datetime.now(UTC).date().isoformat(),
    }


def main(
    *,
    runs: Annotated[int, typer.Option(min=1, max=20, help="Demos that count.")] = 3,
    report: Annotated[Path, typer.Option(help="Where the demo writes its report.")] = Path("build/day-1/report.json"),
) -> None:
    """Measure demos on the network of this machine."""
    for line in lines(runs, report):
        typer.echo(json.dumps(line))


if __name__ == "__main__":
    typer.run(main)
