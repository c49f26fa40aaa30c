"""Money and holdings: routes, trust instructions, statement and cash lines, balances, and what files ask for."""

from datetime import date

from ippon.model.base import Amount, LedgerId, Party, Row, SecurityCode, Units, UtcTime, Whole, Yen, organisation
from ippon.model.words import InstructionStatus, RouteMethod


class Investor(Row):
    """An investor known to a custodian's node; coins may be held under another id."""

    investor_id: LedgerId
    coin_investor_id: LedgerId | None = None

    @property
    def coin_id(self) -> str:
        """The id under which the investor's coins are held."""
        return self.coin_investor_id or self.investor_id


class Route(Row):
    """How an investor pays (`query routes`); the version rises with each change."""

    route_id: str
    version: Whole
    custodian: Party
    investor_id: LedgerId
    institution_code: str
    method: RouteMethod
    own: bool = False

    @property
    def edition(self) -> str:
        """Names this very version of this very route."""
        return f"{self.route_id}:{self.version}"


class Instruction(Row):
    """A trust instruction (`query instructions`); amount in yen."""

    instruction_id: LedgerId
    custodian: Party
    investor_id: LedgerId
    amount: Yen
    issuer: Party
    expires_at: UtcTime
    status: InstructionStatus
    ended_by: str | None = None
    reason: str | None = None


class StatementLine(Row):
    """A line of the trust account's statement; amount in yen, negative = paid out; reference = instruction id."""

    line_id: LedgerId
    value_date: date
    amount: Whole
    reference: str
    custodian: str
    used_by: str | None = None

    def pays_for(self, custodian: str) -> bool:
        """Whether the line is unused money in, sent by that custodian."""
        return self.used_by is None and self.amount > 0 and organisation(self.custodian) == organisation(custodian)


class CashLine(Row):
    """A line of the broker's bank: an investor's cash has come; amount in yen."""

    line_id: LedgerId
    received_at: UtcTime
    investor_id: LedgerId
    amount: Yen


class InstructionOrder(Row):
    """A trust instruction asked for by hand; amount in yen."""

    instruction_id: LedgerId
    investor_id: LedgerId
    amount: Yen


class TransferOrder(Row):
    """Units to move free of payment."""

    transfer_id: LedgerId
    security_code: SecurityCode
    units: Units
    from_investor_id: LedgerId
    to_custodian: Party
    to_investor_id: LedgerId


class RedemptionOrder(Row):
    """Coins to turn back into yen; amount in yen."""

    redemption_id: LedgerId
    investor_id: LedgerId
    amount: Yen


class Position(Row):
    """Units to issue into an investor's hands."""

    issue_id: LedgerId
    security_code: SecurityCode
    custodian: Party
    investor_id: LedgerId
    units: Units


class Balance(Row):
    """What one investor holds (`query balances`): yen, or units of one security; reserved is part of total."""

    custodian: Party
    investor_id: LedgerId
    security_code: str | None = None
    issuer: str | None = None
    total: Amount
    reserved: Amount

    @property
    def free(self) -> int:
        """Yen or units that nothing has reserved."""
        return self.total - self.reserved
