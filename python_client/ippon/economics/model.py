"""AsIs and ToBe of one broker and year, cost by cost (#04-3② to #04-6②). Pure functions; yen as exact fractions.

At zero volume a process costs nothing but its fixed licences; above zero, costs that are counted in days count in full
(#04-3③ to #04-6③).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from ippon.economics.exact import BP_PER_ONE
from ippon.economics.labour import clerical
from ippon.economics.parameters import Parameters, Volumes

ZERO = Fraction(0)


class Process(StrEnum):
    """What a broker pays for."""

    BALANCES = "balances"
    TRANSFER = "transfer"
    INVESTORS = "investors"
    FUNDS = "funds"


class Kind(StrEnum):
    """外部委託/利用コスト and 事務コスト."""

    EXTERNAL = "external"
    LABOUR = "labour"


class Era(StrEnum):
    """Before and after."""

    ASIS = "asis"
    TOBE = "tobe"


@dataclass(frozen=True)
class Line:
    """One cost a year: `quantity × unit` yen. `name` is the parameter of its unit cost."""

    name: str
    process: Process
    kind: Kind
    era: Era
    quantity: Fraction
    unit: Fraction

    @property
    def yen(self) -> Fraction:
        """The cost a year."""
        return self.quantity * self.unit


@dataclass(frozen=True)
class Cost:
    """AsIs and ToBe of something, in yen a year."""

    asis: Fraction
    tobe: Fraction

    @property
    def effect(self) -> Fraction:
        """ToBe − AsIs: below zero is a saving, which the report prints with ▲ in its tables."""
        return self.tobe - self.asis

    @property
    def saving(self) -> Fraction:
        """AsIs − ToBe: what the report's simulations print as net effect, with ▲ for a loss."""
        return self.asis - self.tobe

    @property
    def saving_share(self) -> Fraction | None:
        """The saving as a share of AsIs; None when AsIs is nothing."""
        return self.saving / self.asis if self.asis else None


def lines(parameters: Parameters, volumes: Volumes | None = None) -> tuple[Line, ...]:
    """All costs of one broker, in the report's order; with other volumes than the parameters' when given."""
    these = volumes or parameters.volumes
    return (
        *balance_lines(parameters, these),
        *transfer_lines(parameters, these),
        *investor_lines(parameters, these),
        *fund_lines(parameters, these),
    )


def balance_lines(parameters: Parameters, volumes: Volumes) -> tuple[Line, ...]:
    """Keeping balances (#04-3②)."""
    days = _days(parameters, volumes.st_balance_yen)
    asis, tobe, one = Era.ASIS, Era.TOBE, Process.BALANCES
    fee = parameters.custody_fee_bp / BP_PER_ONE
    return (
        Line("custody_fee_bp", one, Kind.EXTERNAL, asis, volumes.st_balance_yen, fee),
        Line("custody_report_yen", one, Kind.EXTERNAL, asis, days, parameters.custody_report_yen),
        Line("compare_yen", one, Kind.LABOUR, asis, days, clerical(parameters)["compare_yen"]),
        Line("cn_license_yen", one, Kind.EXTERNAL, tobe, Fraction(1), parameters.cn_license_yen),
    )


def transfer_lines(parameters: Parameters, volumes: Volumes) -> tuple[Line, ...]:
    """Moving ST (#04-4②)."""
    days = _days(parameters, volumes.transfers)
    asis, tobe, one = Era.ASIS, Era.TOBE, Process.TRANSFER
    fee = parameters.custody_transfer_bp / BP_PER_ONE
    return (
        Line("custody_transfer_bp", one, Kind.EXTERNAL, asis, volumes.transfer_yen, fee),
        Line("instruct_yen", one, Kind.LABOUR, asis, days, clerical(parameters)["instruct_yen"]),
        Line("st_transfer_yen", one, Kind.EXTERNAL, tobe, volumes.transfers, parameters.st_transfer_yen),
    )


def investor_lines(parameters: Parameters, volumes: Volumes) -> tuple[Line, ...]:
    """Registering investors (#04-5②)."""
    days = _days(parameters, volumes.investors)
    asis, tobe, one = Era.ASIS, Era.TOBE, Process.INVESTORS
    return (
        Line("custody_investor_yen", one, Kind.EXTERNAL, asis, days, parameters.custody_investor_yen),
        Line("register_yen", one, Kind.LABOUR, asis, days, clerical(parameters)["register_yen"]),
        Line("enter_id_yen", one, Kind.LABOUR, asis, days, clerical(parameters)["enter_id_yen"]),
        Line("register_api_yen", one, Kind.EXTERNAL, tobe, days, parameters.register_api_yen),
        Line("look_up_api_yen", one, Kind.EXTERNAL, tobe, days, parameters.look_up_api_yen),
    )


def fund_lines(parameters: Parameters, volumes: Volumes) -> tuple[Line, ...]:
    """Settling the funds (#04-6②)."""
    days = _days(parameters, volumes.settlements)
    asis, tobe, one = Era.ASIS, Era.TOBE, Process.FUNDS
    return (
        Line("bank_fee_yen", one, Kind.EXTERNAL, asis, days * parameters.payees, parameters.bank_fee_yen),
        Line("pay_yen", one, Kind.LABOUR, asis, days, clerical(parameters)["pay_yen"]),
        Line("sc_license_yen", one, Kind.EXTERNAL, tobe, Fraction(1), parameters.sc_license_yen),
        Line("sc_transfer_yen", one, Kind.EXTERNAL, tobe, volumes.settlements, parameters.sc_transfer_yen),
    )


PROCESS_LINES = {
    Process.BALANCES: balance_lines,
    Process.TRANSFER: transfer_lines,
    Process.INVESTORS: investor_lines,
    Process.FUNDS: fund_lines,
}


def cost(found: Iterable[Line], *, process: Process | None = None, kind: Kind | None = None) -> Cost:
    """The sum of the lines, of one process and one kind where these are given."""
    asis = tobe = ZERO
    for line in found:
        if process in (None, line.process) and kind in (None, line.kind):
            if line.era is Era.ASIS:
                asis += line.yen
            else:
                tobe += line.yen
    return Cost(asis=asis, tobe=tobe)


def cost_of(parameters: Parameters, volumes: Volumes | None = None) -> Cost:
    """AsIs and ToBe of one broker and year, everything together."""
    return cost(lines(parameters, volumes))


def industry(one: Cost, parameters: Parameters) -> Cost:
    """The same for all brokers: one broker's, as many times (#04-2②)."""
    return Cost(asis=one.asis * parameters.brokers, tobe=one.tobe * parameters.brokers)


def _days(parameters: Parameters, volume: Fraction) -> Fraction:
    """Business days on which there is anything to do."""
    return Fraction(parameters.business_days) if volume else ZERO
