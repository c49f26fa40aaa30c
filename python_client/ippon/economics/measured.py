"""What a network did in a period, custodian by custodian, and the yearly volumes of an average broker that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from ippon.economics.parameters import REPORT, Parameters, read_parameters

VOLUME_NAMES = (
    *("st_balance_yen", "primary_transfer_yen", "secondary_transfer_yen", "transfers", "investors", "settlements"),
    *("brokers", "payees"),
)
"""The parameters that a network's volumes take the place of."""
REPLACED = (*VOLUME_NAMES, "turnover_percent", "unit_yen")
"""These and what they would be worked out from."""


@dataclass(frozen=True)
class BrokerVolumes:
    """One custodian's volumes in the period.

    Attributes:
        st_balance_yen: its investors' units at the last price known, the mean of the closes of the business days.
        primary_yen, secondary_yen: what came to it by issues, and what its investors exchanged or were transferred.
        issues, settlements, free_transfers: how often; a settlement between two custodians counts at both.
        investors: investor ids that held a security for the first time.
        payees: other custodians that it paid.
    """

    custodian: str
    st_balance_yen: Fraction
    primary_yen: Fraction
    secondary_yen: Fraction
    issues: int
    settlements: int
    free_transfers: int
    investors: int
    payees: int


@dataclass(frozen=True)
class Measured:
    """A network's period, both days included (Tokyo)."""

    first: date
    last: date
    business_days: int
    brokers: tuple[BrokerVolumes, ...]
    quiet: bool

    def parameters(self, base: Parameters = REPORT, *, where: str = "--from-network") -> Parameters:
        """The base's costs with these volumes: an average broker's, and a year of days like these.

        Flows are multiplied by the base's business days over the period's; balances stand as they are.
        """
        year = Fraction(base.business_days, self.business_days)
        return read_parameters(
            {
                "st_balance_yen": self._mean([one.st_balance_yen for one in self.brokers]),
                "primary_transfer_yen": year * self._mean([one.primary_yen for one in self.brokers]),
                "secondary_transfer_yen": year * self._mean([one.secondary_yen for one in self.brokers]),
                "transfers": year * self._mean([transfers(one) for one in self.brokers]),
                "investors": year * self._mean([one.investors for one in self.brokers]),
                "settlements": year * self._mean([one.settlements for one in self.brokers]),
                "brokers": len(self.brokers),
                # Somebody is paid wherever anything is bought, if only inside the firm.
                "payees": max(max(one.payees for one in self.brokers), 1),
            },
            where=where,
            base=base,
        )

    def _mean(self, values: Sequence[Fraction | int]) -> Fraction:
        return Fraction(sum(values)) / len(self.brokers)


def transfers(one: BrokerVolumes) -> int:
    """All movements of units: issues, settlements, free transfers."""
    return one.issues + one.settlements + one.free_transfers
