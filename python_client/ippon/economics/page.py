"""A business case as one self-contained HTML page: no script, nothing fetched, charts drawn into it, A4 on paper."""

from __future__ import annotations

import os
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ippon.economics.canvas import Canvas
from ippon.economics.case import Case
from ippon.economics.charts_bars import broker_chart, industry_chart, monte_carlo_chart, simulation_chart
from ippon.economics.charts_rows import process_waterfall, tornado_chart, whole_waterfall
from ippon.economics.model import Process
from ippon.economics.parameters import Parameters, source_of
from ippon.economics.simulate import AXES
from ippon.economics.wording import (
    ERAS,
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
from ippon.economics.words import all_title, basis_text, break_even_text, monte_carlo_lines, one_title, say, whole_text


def charts(case: Case, lang: Lang) -> dict[str, Canvas]:
    """Every chart of a case, by its key."""
    drawn = [broker_chart(case, lang), industry_chart(case, lang), whole_waterfall(case, lang)]
    drawn += [process_waterfall(case, process, lang) for process in Process]
    drawn += [simulation_chart(case, process, lang) for process in Process]
    drawn.append(tornado_chart(case, lang))
    draws = monte_carlo_chart(case, lang)
    return {one.key: one for one in (drawn if draws is None else [*drawn, draws])}


def render(case: Case, lang: Lang) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("ippon.economics"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pictures = {key: Markup(one.svg()) for key, one in charts(case, lang).items()}  # noqa: S704 (Canvas escapes texts)
    return environment.get_template("case.html.j2").render(
        case=case,
        lang=lang,
        pictures=pictures,
        processes=list(Process),
        axes=AXES,
        names=list(Parameters.model_fields),
        say=lambda key: say(key, lang),
        process_name=lambda process: pick(PROCESSES[process], lang),
        kind_name=lambda kind: pick(KINDS[kind], lang),
        era_name=lambda era: pick(ERAS[era], lang),
        name_of=lambda name: name_of(name, lang),
        source_of=source_of,
        unit_of=lambda name: unit_of(name, lang),
        figure=figure_text,
        effect=effect_text,
        exact=exact_text,
        yen=yen_text,
        volume=volume_text,
        value=lambda name: value_text(case.parameters, name),
        words=lambda pair: pick((pair.en, pair.ja), lang),
        one_title=one_title(case, lang),
        all_title=all_title(case, lang),
        basis=basis_text(case, lang),
        headline=headline_text(case.headline, case.exact_one, lang),
        industry_headline=headline_text(case.industry_headline, case.exact_all, lang),
        break_even=lambda process: break_even_text(case, process, lang),
        whole=whole_text(case, lang),
        monte_carlo=monte_carlo_lines(case, lang),
    )


def write_page(case: Case, path: Path, lang: Lang) -> None:
    """Write the page, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(render(case, lang), encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
