"""The agent's store: what it has promised, tried, been told and been given. The ledger decides; this remembers.

Times are UTC. Money is integer yen, quantities are integer units, prices are text with two places.
"""

from ippon.agent.tables.base import Base, Moment, word, words
from ippon.agent.tables.desk import Attempt, Notice, Settlement, Shortage
from ippon.agent.tables.files import InboxFile, InboxRow, TrustLine, TrustOrder, VenueFill, VenueOrder
from ippon.agent.tables.work import Cursor, Event, Outbox, Start

__all__ = [
    "Attempt",
    "Base",
    "Cursor",
    "Event",
    "InboxFile",
    "InboxRow",
    "Moment",
    "Notice",
    "Outbox",
    "Settlement",
    "Shortage",
    "Start",
    "TrustLine",
    "TrustOrder",
    "VenueFill",
    "VenueOrder",
    "word",
    "words",
]
