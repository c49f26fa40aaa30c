"""What investors of this custodian lack for their fills: yen as buyers, units as sellers."""

from collections.abc import Collection

from sqlalchemy import update
from sqlalchemy.orm import Session

from ippon.agent.tables import Shortage
from ippon.agent.tools import Tools
from ippon.model import Asset

OPEN, ANNOUNCED, COVERED = "open", "announced", "covered"


def note_shortage(
    session: Session,
    tools: Tools,
    *,
    execution_id: str,
    asset: Asset,
    investor_id: str,
    missing: int,
    counterparty: str | None,
) -> None:
    """A fill of an investor of ours is short; missing in yen or units, as the node found it just now."""
    now = tools.now()
    row = session.get(Shortage, (execution_id, asset.value))
    if row is None:
        row = Shortage(execution_id=execution_id, asset=asset.value, announcements=0)
        session.add(row)
    row.investor_id, row.missing, row.counterparty = investor_id, missing, counterparty
    row.state, row.noticed_at, row.covered_at = OPEN, now, None
    session.flush()
    tools.record(session, "short", execution_id, asset=asset.value, investor_id=investor_id, missing=missing)


def close_shortages(session: Session, tools: Tools, execution_ids: Collection[str]) -> None:
    """These fills have ended: nothing is short any more."""
    if not execution_ids:
        return
    still = update(Shortage).where(Shortage.execution_id.in_(execution_ids), Shortage.state != COVERED)
    session.execute(still.values(state=COVERED, covered_at=tools.now()))
