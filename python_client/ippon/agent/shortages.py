"""What investors of this custodian lack for their fills: yen as buyers, units as sellers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from ippon.agent.store import later
from ippon.agent.tables import Shortage, word
from ippon.agent.tools import Tools
from ippon.model import Asset

OPEN, ANNOUNCED, COVERED = "open", "announced", "covered"
_OF_FILLS = select(Shortage).where(Shortage.execution_id.in_(bindparam("ids", expanding=True)))
_TABLE = Shortage.__table__.c
_CLOSE = (
    update(Shortage)
    .where(_TABLE.execution_id == bindparam("its_id"), _TABLE.state != word(COVERED))
    .values(state=COVERED)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What an investor of ours lacks for a fill; missing in yen or units, as the node found it just now."""

    execution_id: str
    asset: Asset
    investor_id: str
    missing: int
    counterparty: str | None


def note_shortages(session: Session, tools: Tools, lacks: Sequence[Lack]) -> None:
    """Fills of investors of ours are short; of two words on one fill the later counts."""
    if not lacks:
        return
    now = tools.now()
    known = session.scalars(_OF_FILLS, {"ids": list({lack.execution_id: None for lack in lacks})})
    rows = {(row.execution_id, row.asset): row for row in known}
    for lack in lacks:
        key = (lack.execution_id, lack.asset.value)
        row = rows.get(key)
        if row is None:
            row = rows[key] = Shortage(execution_id=lack.execution_id, asset=lack.asset.value, announcements=0)
            session.add(row)
        row.investor_id, row.missing, row.counterparty = lack.investor_id, lack.missing, lack.counterparty
        row.state, row.noticed_at, row.covered_at = OPEN, now, None
        detail = {"asset": lack.asset.value, "investor_id": lack.investor_id, "missing": lack.missing}
        tools.record(session, "short", lack.execution_id, **detail)


def close_shortages(session: Session, tools: Tools, execution_id: str) -> None:
    """The fill has ended: nothing of it is short any more."""
    later(session, _CLOSE, its_id=execution_id, covered_at=tools.now())
