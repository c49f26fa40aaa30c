"""The day's report and the proof as tables of rich, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ippon.report.day import DayReport, FillReport
from ippon.report.result import Figure, InvariantResult
from ippon.report.wording import reason_words

SHORT_ID_CHARACTERS = 8
_STYLES = {"settled": "green", "busted": "yellow", "waiting": "cyan", "refused": "red"}


def day_tables(report: DayReport) -> RenderableType:
    """Everything at the end of a demo."""
    parts: list[RenderableType] = [fills_table(report), refused_table(report), balances_table(report)]
    parts.append(proof_table(report.proof, quiet=report.quiet))
    parts += [Text(f"✗ {report.short(surprise)}", style="bold red") for surprise in report.surprises]
    return Group(*parts)


def fills_table(report: DayReport) -> Table:
    """A row per fill."""
    table = _table(f"Fills of run {report.run} (ids begin with {report.prefix})")
    for name in ("execution", "security"):
        table.add_column(name, no_wrap=True)
    for name in ("quantity", "yen"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for name in ("tries", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("transaction", no_wrap=True)
    table.add_column("on its way")
    for fill in report.fills:
        table.add_row(
            report.short(fill.execution_id),
            fill.security_code,
            f"{fill.quantity:,}",
            f"{fill.amount:,}",
            Text(fill.outcome, style="bold red" if fill.surprises else _STYLES.get(fill.outcome, "")),
            str(fill.tries),
            "" if fill.seconds is None else f"{fill.seconds:.1f}",
            (fill.transaction_id or "")[:SHORT_ID_CHARACTERS],
            _way(fill),
        )
    return table


def refused_table(report: DayReport) -> Table:
    """Rows that were refused or ignored, and why."""
    table = _table("Rows refused or ignored")
    for name in ("file", "line", "id", "field", "code"):
        table.add_column(name, no_wrap=name != "file", justify="right" if name == "line" else "left")
    table.add_column("reason")
    for row in report.refused:
        style = "" if row.expected else "bold red"
        cells = (row.file, str(row.line), row.id, row.field, row.code or row.status, row.reason)
        table.add_row(*(report.short(cell) for cell in cells), style=style)
    return table


def balances_table(report: DayReport) -> Table:
    """Each investor's holdings before the first fill and at the end."""
    table = _table("Balances before the first fill and at the end (yen, units)")
    for name in ("custodian", "investor", "asset"):
        table.add_column(name, no_wrap=True)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in report.balances:
        change = f"{row.change:+,}" if row.change else ""
        table.add_row(
            row.custodian, report.short(row.investor_id), row.asset, f"{row.before:,}", f"{row.after:,}", change
        )
    return table


def proof_table(proof: Iterable[InvariantResult], *, quiet: bool = True) -> Table:
    """One line per invariant, with its figures; violations below it."""
    table = _table("Proof, from the nodes' vaults and the trust account's statement alone")
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("what must be true, and the figures")
    for one in proof:
        verdict = Text("PASS", style="bold green") if one.passed else Text("FAIL", style="bold red")
        table.add_row(one.code, verdict, Text.assemble((one.title, "bold"), "\n", _figures(one.figures)))
        for violation in one.violations:
            table.add_row("", "", Text(f"{violation.culprit}: {violation.message}", style="red"))
        if one.violation_count > len(one.violations):
            table.add_row("", "", Text(f"and {one.violation_count - len(one.violations)} more", style="red"))
    if not quiet:
        table.caption = "Something was still moving while the vaults were read: a failure may be of the moment only."
    return table


def _figures(figures: Iterable[Figure]) -> str:
    return " · ".join(f"{one.label} {one.value:,} {one.unit}" for one in figures)


def _way(fill: FillReport) -> str:
    """What the tries met: `CMON 151,400, then announcement`."""
    if fill.surprises:
        return "; ".join(fill.surprises)
    if fill.outcome == "waiting":
        return reason_words(fill.reason, fill.cause)[0]
    waits = [one for one in fill.attempts if one.outcome == "WAITING" and one.reason]
    if not waits:
        return ""
    last = fill.attempts[-1]
    short = f" {waits[-1].missing:,}" if waits[-1].missing else ""
    return f"{waits[-1].reason}{short}" + (f", then {last.cause}" if fill.outcome == "settled" else "")


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
