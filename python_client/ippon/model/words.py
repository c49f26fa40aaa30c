"""The words of docs/README.md as enumerations; a member's value is what stands in JSON, store and screens."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a fill waits (ISO 20022 words)."""

    MONY = "MONY"
    CMON = "CMON"
    LACK = "LACK"
    CLAC = "CLAC"
    PREA = "PREA"
    PRCY = "PRCY"
    FUTU = "FUTU"
    BLOC = "BLOC"
    CONF = "CONF"
    LATE = "LATE"


class DeskState(StrEnum):
    """Where a fill stands on the desk: `received → checked → waiting{reason} → sending → unknown → settled`."""

    RECEIVED = "received"
    CHECKED = "checked"
    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    BUSTED = "busted"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the fill by itself."""
        return self in _ENDED


_ENDED = frozenset(
    {DeskState.SETTLED, DeskState.BUSTED, DeskState.CANCELLED, DeskState.REFUSED, DeskState.EXPIRED},
)


class TryCause(StrEnum):
    """What made a try begin."""

    RECEIVED = "received"
    ANNOUNCEMENT = "announcement"
    UNITS = "units"
    TIMER = "timer"
    ASKED = "asked"
    ROUTE = "route"
    RESTART = "restart"
    SPLIT = "split"


class Outcome(StrEnum):
    """How one try of one fill ended; FAILED is ours: the flow ended without a result for the fill."""

    SETTLED = "SETTLED"
    WAITING = "WAITING"
    REFUSED = "REFUSED"
    BUSTED = "BUSTED"
    FAILED = "FAILED"


class FillStatus(StrEnum):
    """What the ledger says of a fill."""

    OPEN = "OPEN"
    SETTLED = "SETTLED"
    BUSTED = "BUSTED"


class Side(StrEnum):
    """Which side of a fill this custodian keeps."""

    SELL = "SELL"
    BUY = "BUY"
    BOTH = "BOTH"


class OrderSide(StrEnum):
    """Side of an order."""

    BUY = "BUY"
    SELL = "SELL"


class RouteMethod(StrEnum):
    """How an investor pays."""

    COIN = "COIN"
    BANK = "BANK"


class NoticeKind(StrEnum):
    """What a node tells its own side."""

    SHORTAGE = "SHORTAGE"
    COUNTERPARTY_SHORT = "COUNTERPARTY_SHORT"
    FUNDS_ANNOUNCED = "FUNDS_ANNOUNCED"
    ROUTE_NEEDED = "ROUTE_NEEDED"
    SETTLED = "SETTLED"


class InstructionStatus(StrEnum):
    """Life of a trust instruction."""

    OPEN = "OPEN"
    EXECUTED = "EXECUTED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class Asset(StrEnum):
    """What a balance or a shortage counts."""

    UNITS = "UNITS"
    COINS = "COINS"


class Role(StrEnum):
    """What an organisation's agent does."""

    EXCHANGE = "exchange"
    CUSTODIAN = "custodian"
    ASSET = "asset"
    COIN = "coin"
