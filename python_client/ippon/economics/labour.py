"""The report's labour formula: worker's minutes × his rate + checker's minutes × his, per process and business day.

It does not give the unit costs that the report prints (#04-3② *2 and on); `difference.py` says by how much.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ippon.economics.exact import PERCENT_PER_ONE
from ippon.economics.parameters import Parameters

MINUTES_PER_HOUR = 60
PAYEES_OF_PRINTED = 14
"""How many payees the printed cost of confirming and paying is for (#04-6② *3); with others it is in proportion."""


def labour_yen(parameters: Parameters, minutes: Fraction, *, times: int = 1) -> Fraction:
    """Yen of so many worker's minutes with the checking that goes with them, done so many times."""
    checking = minutes * parameters.checking_percent / PERCENT_PER_ONE
    return times * (minutes * parameters.worker_yen + checking * parameters.checker_yen) / MINUTES_PER_HOUR


def formula(parameters: Parameters) -> Mapping[str, Fraction]:
    """Yen a business day of each clerical task, by the name of its unit cost."""
    paying = parameters.confirm_minutes + parameters.calculate_minutes + parameters.order_minutes
    return {
        "compare_yen": labour_yen(parameters, parameters.compare_minutes),
        "instruct_yen": labour_yen(parameters, parameters.instruct_minutes),
        "register_yen": labour_yen(parameters, parameters.register_minutes),
        "enter_id_yen": labour_yen(parameters, parameters.enter_id_minutes),
        "pay_yen": labour_yen(parameters, paying, times=parameters.payees),
    }


def clerical(parameters: Parameters) -> Mapping[str, Fraction]:
    """Yen a business day of each clerical task: as printed, or by the formula where the parameters say so."""
    if parameters.labour == "formula":
        return formula(parameters)
    return {
        "compare_yen": parameters.compare_yen,
        "instruct_yen": parameters.instruct_yen,
        "register_yen": parameters.register_yen,
        "enter_id_yen": parameters.enter_id_yen,
        "pay_yen": parameters.pay_yen * parameters.payees / PAYEES_OF_PRINTED,
    }
