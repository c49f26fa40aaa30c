"""The day's report as files: one self-contained HTML page (no script, nothing fetched) and the same model as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ippon.report.day import DayReport
from ippon.report.wording import outcome_words, reason_words

HTML_NAME = "report.html"
JSON_NAME = "report.json"


@dataclass(frozen=True)
class Written:
    """Where a report was written."""

    html: Path
    json: Path


def write_report(report: DayReport, directory: Path) -> Written:
    """Write both files."""
    directory.mkdir(parents=True, exist_ok=True)
    written = Written(html=directory / HTML_NAME, json=directory / JSON_NAME)
    written.html.write_text(render(report), encoding="utf-8")
    written.json.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return written


def render(report: DayReport) -> str:
    """The HTML page."""
    environment = Environment(
        loader=PackageLoader("ippon.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["signed"] = lambda value: f"{value:+,}" if value else "–"
    environment.filters["megabytes"] = lambda value: f"{value / 2**20:,.0f} MiB"
    template = environment.get_template("day.html.j2")
    return template.render(report=report, outcome_words=outcome_words, reason_words=reason_words).lstrip()
