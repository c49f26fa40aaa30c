"""The venue's words as enumerations; a member's value is what stands in files and settings."""

from enum import StrEnum


class Phase(StrEnum):
    """What may happen now."""

    CLOSED = "closed"
    """Nothing; what was open has expired."""
    CALL = "call"
    """Orders are taken and not matched; one price for all when the phase ends."""
    CONTINUOUS = "continuous"
    """Orders are matched as they come."""
    PAUSE = "pause"
    """Orders rest and may be cancelled; new ones are refused."""


class SelfTrade(StrEnum):
    """Whose orders must not meet each other."""

    OFF = "off"
    INVESTOR = "investor"
    BROKER = "broker"


class Cancels(StrEnum):
    """Which of two orders that must not meet is cancelled."""

    NEWEST = "newest"
    OLDEST = "oldest"


class Action(StrEnum):
    """What a message of a broker asks for."""

    NEW = "NEW"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"


class Ended(StrEnum):
    """Why an order that was not filled is in no book any more."""

    ASKED = "asked"
    """Its broker cancelled it."""
    SELF_TRADE = "self-trade"
    """It would have met an order of its own investor or broker."""
    REPLACED = "replaced"
    """It goes on under another order id."""
    DAY_OVER = "day-over"
    """The trading day has ended."""
