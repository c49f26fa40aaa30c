"""Puts what a run of all cases has noted into docs/reliability.md: `python -m chaos.table RESULTS PAGE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- chaos:begin -->\n", "<!-- chaos:end -->\n"
HEADER = (
    "| point | process | fault | outcome | tries | settled after | all well after |\n|---|---|---|---|---:|---:|---:|\n"
)


def main(results: Path, page: Path) -> None:
    """Replace what stands between the two marks."""
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(head + BEGIN + table(lines) + END + tail, encoding="utf-8")


def table(lines: Iterable[Mapping[str, Any]]) -> str:
    """A row a case, in the order in which they were played."""
    return HEADER + "".join(_row(line) for line in lines)


def _row(line: Mapping[str, Any]) -> str:
    outcome = str(line["outcome"]).replace("|", "/").replace("\n", " ")
    figures = [f"{line[name]:.1f} s" if name in line else "" for name in ("settled_seconds", "well_seconds")]
    cells = [line["point"], line["process"], line["fault"], outcome, str(line.get("tries", "")), *figures]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
