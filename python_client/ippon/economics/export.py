"""A business case for programs: JSON with everything, CSV with every table in one long form.

Exact yen are integers or decimal strings (`1/3` where no decimal is exact); printed figures are strings as printed, in
million yen.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ippon.economics.case import Case
from ippon.economics.exact import number
from ippon.economics.model import Cost, Process
from ippon.economics.parameters import Parameters, source_of
from ippon.economics.printed import Row, Shown
from ippon.economics.simulate import AXES, BreakEven
from ippon.economics.wording import effect_text, figure_text

COLUMNS = (
    *("table", "row", "kind", "volume", "exact_asis_yen", "exact_tobe_yen", "exact_effect_yen"),
    *("printed_asis", "printed_tobe", "printed_effect"),
)


def as_json(case: Case) -> dict[str, Any]:
    """Everything."""
    return {
        "parameters": parameters_json(case.parameters),
        "volumes": {name: number(value) for name, value in vars(case.parameters.volumes).items()},
        "rounding": "report" if case.report else "plain",
        "measured": _plain(asdict(case.measured)) if case.measured else None,
        "one_broker": {**_headline(case, "headline"), "rows": [_row(row) for row in case.one]},
        "all_brokers": {**_headline(case, "industry_headline"), "rows": [_row(row) for row in case.all]},
        "items": [
            {
                **{"name": row.line.name, "process": row.line.process, "kind": row.line.kind, "when": row.line.era},
                **{"page": source_of(row.line.name).page, "quantity": number(row.line.quantity)},
                **{"unit_cost": number(row.line.unit), "exact_yen": number(row.line.yen), **_shown(row.shown)},
            }
            for row in case.items
        ],
        "simulations": {process: _simulation(case, process) for process in Process},
        "whole_break_even": _break_even(case.whole),
        "tornado": [_plain(asdict(bar)) for bar in case.tornado],
        "monte_carlo": _plain(asdict(case.monte_carlo)) if case.monte_carlo else None,
        "differences": [_plain(asdict(one)) for one in case.differences],
    }


def parameters_json(parameters: Parameters) -> list[dict[str, Any]]:
    """Every parameter: name, value, unit and page."""
    return [_parameter(parameters, name) for name in Parameters.model_fields]


def as_csv(case: Case) -> str:
    """Tables, items and simulations, a line each; break-evens, tornado and differences are in the JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_csv_rows(case))
    return out.getvalue()


def _csv_rows(case: Case) -> Iterator[list[object]]:
    for table, rows in (("one_broker", case.one), ("all_brokers", case.all)):
        for row in rows:
            yield [table, row.process or "total", row.kind or "", "", *_costs(row.exact), *_texts(row.shown)]
    for item in case.items:
        line = item.line
        yen = (line.yen, Fraction(0)) if line.era == "asis" else (Fraction(0), line.yen)
        quantity = number(line.quantity)
        yield ["items", line.name, line.kind, quantity, *_costs(Cost(*yen)), *_texts(item.shown)]
    for process, points in case.simulations.items():
        for one in points:
            # The effect's sign is a table's here too: below zero is a saving.
            shown = Shown(one.shown.asis, one.shown.tobe, -one.shown.effect, -one.shown.sign)
            volume = number(one.point.volume)
            yield [f"simulation {AXES[process]}", process, "", volume, *_costs(one.point.cost), *_texts(shown)]


def _costs(cost: Cost) -> list[int | str]:
    return [number(one) for one in (cost.asis, cost.tobe, cost.effect)]


def _texts(shown: Shown) -> list[str]:
    effect = abs(shown.effect) if shown.sign >= 0 else -abs(shown.effect)
    return [str(shown.asis), str(shown.tobe), str(effect)]


def _row(row: Row) -> dict[str, Any]:
    exact = dict(zip(("exact_asis_yen", "exact_tobe_yen", "exact_effect_yen"), _costs(row.exact), strict=True))
    return {"process": row.process, "kind": row.kind, **_shown(row.shown), **exact}


def _shown(shown: Shown) -> dict[str, str]:
    return {
        "asis": figure_text(shown.asis),
        "tobe": figure_text(shown.tobe),
        "effect": effect_text(shown.effect, shown.sign),
    }


def _headline(case: Case, name: str) -> dict[str, Any]:
    return {"headline": _plain(asdict(getattr(case, name)))}


def _simulation(case: Case, process: Process) -> dict[str, Any]:
    points = [
        {
            "volume": number(one.point.volume),
            **{"asis": figure_text(one.shown.asis), "tobe": figure_text(one.shown.tobe)},
            "net_saving": effect_text(one.shown.effect, one.shown.sign, plus=""),
            "exact_net_saving_yen": number(one.point.cost.saving),
        }
        for one in case.simulations[process]
    ]
    return {"axis": AXES[process], "points": points, "break_even": _break_even(case.break_evens[process])}


def _break_even(found: BreakEven) -> dict[str, Any]:
    return {**_plain(asdict(found)), "first_whole": found.first_whole}


def _parameter(parameters: Parameters, name: str) -> dict[str, Any]:
    source = source_of(name)
    value = getattr(parameters, name)
    return {"name": name, "value": _plain(value), "unit": source.unit, "page": source.page}


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return number(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str):
        return value
    return [_plain(one) for one in value] if isinstance(value, Iterable) else value
