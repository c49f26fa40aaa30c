"""A business case as tables of rich, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ippon.economics.case import Case
from ippon.economics.measured import Measured
from ippon.economics.model import Process
from ippon.economics.parameters import Parameters, source_of
from ippon.economics.printed import Row
from ippon.economics.simulate import AXES
from ippon.economics.wording import (
    KINDS,
    PROCESSES,
    Lang,
    effect_text,
    exact_text,
    figure_text,
    headline_text,
    name_of,
    pick,
    unit_of,
    value_text,
    volume_text,
    yen_text,
)
from ippon.economics.words import all_title, break_even_text, monte_carlo_lines, one_title, say, whole_text

Cells = Sequence[str | Text]


def case_tables(case: Case, lang: Lang) -> RenderableType:
    """Everything."""
    parts: list[RenderableType] = []
    if case.measured:
        parts.append(measured_table(case.measured, lang))
    parts += [
        result_table(case.one, one_title(case, lang), lang),
        Text(headline_text(case.headline, case.exact_one, lang), style="bold"),
        result_table(case.all, all_title(case, lang), lang),
        Text(headline_text(case.industry_headline, case.exact_all, lang), style="bold"),
        Text(say("rounding" if case.report else "plain", lang)),
        items_table(case, lang),
        *(part for process in Process for part in _simulation(case, process, lang)),
        Text(f"\n{whole_text(case, lang)}", style="bold"),
        tornado_table(case, lang),
        Text("\n".join(monte_carlo_lines(case, lang))),
    ]
    if case.differences:
        parts.append(difference_table(case, lang))
    return Group(*parts)


def result_table(rows: Iterable[Row], title: str, lang: Lang) -> Table:
    """#04-2: printed figures in million yen, and the exact yen beside them."""
    names = [say(one, lang) for one in ("process", "cost", "asis", "tobe", "effect", "exact_asis", "exact_tobe")]
    table = _table(title, [*names, say("exact_effect", lang)], left=2)
    for row in rows:
        process = say("total", lang) if row.process is None else pick(PROCESSES[row.process], lang)
        shown = (row.shown.asis, row.shown.tobe)
        exact = (row.exact.asis, row.exact.tobe, row.exact.effect)
        table.add_row(
            "" if row.kind else process,
            pick(KINDS[row.kind], lang) if row.kind else "",
            *(figure_text(one) for one in shown),
            effect_text(row.shown.effect, row.shown.sign),
            *(exact_text(one) for one in exact),
            style="" if row.kind else "bold",
        )
    return table


def items_table(case: Case, lang: Lang) -> Table:
    """Every cost: volume × unit cost."""
    names = [say(one, lang) for one in ("cost", "page", "era", "quantity", "unit_cost", "million", "effect")]
    table = _table(say("items", lang), names, left=3)
    for row in case.items:
        line = row.line
        printed = max(row.shown.asis, row.shown.tobe)
        table.add_row(
            name_of(line.name, lang),
            source_of(line.name).page,
            say(line.era, lang),
            exact_text(line.quantity),
            exact_text(line.unit),
            figure_text(printed),
            effect_text(row.shown.effect, row.shown.sign),
        )
    return table


def simulation_table(case: Case, process: Process, lang: Lang) -> Table:
    """#04-3③ and on: net is what is saved; ▲ is a loss here, as in the report."""
    title = f"{pick(PROCESSES[process], lang)}: {say('simulation', lang)}"
    points = case.simulations[process]
    table = _table(title, [name_of(AXES[process], lang), *(volume_text(process, one.point.volume) for one in points)])
    table.add_row(say("asis", lang), *(figure_text(one.shown.asis) for one in points))
    table.add_row(say("tobe", lang), *(figure_text(one.shown.tobe) for one in points))
    table.add_row(say("net", lang), *(effect_text(one.shown.effect, one.shown.sign, plus="") for one in points))
    return table


def tornado_table(case: Case, lang: Lang) -> Table:
    """What each assumption's range does to one broker's yearly saving."""
    names = [say(one, lang) for one in ("assumption", "low", "high", "saving_low", "saving_high", "swing")]
    table = _table(say("tornado", lang), names)
    for bar in case.tornado:
        table.add_row(
            name_of(bar.name, lang) + ("" if bar.given else " *"),
            exact_text(bar.low),
            exact_text(bar.high),
            yen_text(bar.saving_at_low),
            yen_text(bar.saving_at_high),
            yen_text(bar.swing),
        )
    return table


def difference_table(case: Case, lang: Lang) -> Table:
    """Where the report differs from itself."""
    names = [say(one, lang) for one in ("page", "what", "printed", "exact", "why")]
    table = _table(say("differences", lang), names, left=5)
    for one in case.differences:
        what, why = (pair.en if lang == "en" else pair.ja for pair in (one.what, one.why))
        table.add_row(one.page, what, one.printed, one.exact, why)
    return table


def measured_table(measured: Measured, lang: Lang) -> Table:
    """What a network did."""
    title = say("measured", lang).format(
        first=measured.first, last=measured.last, days=measured.business_days, brokers=len(measured.brokers)
    )
    columns = (*("custodian", "st_balance", "primary", "secondary"), *("issues", "settled", "free", "new", "payees"))
    table = _table(title, [say(one, lang) for one in columns])
    for one in measured.brokers:
        amounts = (one.st_balance_yen, one.primary_yen, one.secondary_yen)
        counts = (one.issues, one.settlements, one.free_transfers, one.investors, one.payees)
        table.add_row(one.custodian, *(yen_text(two) for two in amounts), *(f"{two:,}" for two in counts))
    if not measured.quiet:
        table.caption = say("unquiet", lang)
    return table


def parameters_table(parameters: Parameters, lang: Lang) -> Table:
    """Every parameter: name, value, unit and page."""
    table = _table(
        say("parameters", lang), [say(one, lang) for one in ("name", "value", "unit", "page", "what")], left=5
    )
    for name in Parameters.model_fields:
        source = source_of(name)
        table.add_row(name, value_text(parameters, name), unit_of(name, lang), source.page, name_of(name, lang))
    return table


def _simulation(case: Case, process: Process, lang: Lang) -> tuple[RenderableType, RenderableType]:
    # Below the table and not in its title, which would be folded to the table's width.
    return simulation_table(case, process, lang), Text(break_even_text(case, process, lang))


def _table(title: str, columns: Sequence[str], *, left: int = 1) -> Table:
    """A table whose first `left` columns are words and the others figures."""
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for number, name in enumerate(columns):
        words = number < left
        table.add_column(name, justify="left" if words else "right", no_wrap=not words, overflow="fold")
    return table
