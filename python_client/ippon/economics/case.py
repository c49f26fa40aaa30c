"""A whole business case: parameters in, every table and figure out. Pure; terminal, HTML, JSON and CSV only show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ippon.economics.difference import Difference, differences
from ippon.economics.measured import Measured
from ippon.economics.model import Cost, Process, cost_of, industry
from ippon.economics.parameters import Parameters
from ippon.economics.printed import (
    Headline,
    ItemRow,
    PointRow,
    Row,
    all_brokers,
    by_report,
    headline,
    industry_headline,
    items,
    one_broker,
    simulated,
)
from ippon.economics.sensitivity import Bar, MonteCarlo, monte_carlo, tornado
from ippon.economics.settings import CaseSettings
from ippon.economics.simulate import BreakEven, break_even, whole_break_even


@dataclass(frozen=True)
class Case:
    """Everything that is told of one set of parameters.

    `report`: they are the report's own, and are printed by its rules. `measured`: what the volumes come from, when they
    come from a network.
    """

    parameters: Parameters
    report: bool
    measured: Measured | None
    one: tuple[Row, ...]
    all: tuple[Row, ...]
    exact_one: Cost
    exact_all: Cost
    headline: Headline
    industry_headline: Headline
    items: tuple[ItemRow, ...]
    simulations: Mapping[Process, tuple[PointRow, ...]]
    break_evens: Mapping[Process, BreakEven]
    whole: BreakEven
    differences: tuple[Difference, ...]
    tornado: tuple[Bar, ...]
    monte_carlo: MonteCarlo | None


def make_case(parameters: Parameters, settings: CaseSettings, *, measured: Measured | None = None) -> Case:
    """The case of these parameters. Raises: BadSettings for a range that cannot be."""
    settings.check_ranges(parameters)
    report = by_report(parameters) and measured is None
    exact = cost_of(parameters)
    return Case(
        parameters=parameters,
        report=report,
        measured=measured,
        one=one_broker(parameters),
        all=all_brokers(parameters),
        exact_one=exact,
        exact_all=industry(exact, parameters),
        headline=headline(parameters),
        industry_headline=industry_headline(parameters),
        items=items(parameters),
        simulations={process: simulated(parameters, process) for process in Process},
        break_evens={process: break_even(parameters, process) for process in Process},
        whole=whole_break_even(parameters),
        differences=differences() if report else (),
        tornado=tornado(parameters, settings),
        monte_carlo=monte_carlo(parameters, settings),
    )
