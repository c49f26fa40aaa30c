"""What a node answers to queries: rows as docs/node-operations.md has them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ippon.errors import NoSuchOperation
from ippon.model import utc_text
from ippon.simulator.book import COINS, ISSUER, REGISTRAR, Fields, party
from ippon.simulator.member import Kept, Member

Arguments = Mapping[str, Any]
IDS = ("execution_ids", "instruction_ids", "investor_ids")
INSTRUCTION_ENDS = {"Issue": "EXECUTED", "Reject": "REJECTED", "Cancel": "CANCELLED", "Expire": "EXPIRED"}


def answer(member: Member, name: str, arguments: Arguments) -> list[Fields]:
    """All rows of a query. Raises: NoSuchOperation."""
    query = QUERIES.get(name)
    if query is None:
        raise NoSuchOperation(f"There is no query {name} here.")
    return query(member, arguments)


def _fills(member: Member, arguments: Arguments) -> list[Fields]:
    names, after = arguments.get("execution_ids"), arguments.get("changed_after")
    found = [member.fills[one] for one in names if one in member.fills] if names is not None else member.fills.values()
    since = datetime.fromisoformat(after) if after else None
    rows = [(_changed(kept), kept) for kept in found]
    rows = [row for row in rows if since is None or row[0] >= since]
    rows.sort(key=lambda row: row[0])
    return [_fill(member, kept) for _, kept in rows]


def _changed(kept: Kept) -> datetime:
    moment = kept.consumed_at or kept.recorded_at
    # Times travel in milliseconds.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _fill(member: Member, kept: Kept) -> Fields:
    if kept.row is None:
        kept.row = _new_fill(member, kept)
    return kept.row


def _new_fill(member: Member, kept: Kept) -> Fields:
    data = kept.state.data or {}
    return {
        **data,
        **{f"{side}_custodian": party(data[f"{side}_custodian"]) for side in ("seller", "buyer")},
        **{"venue": party("Exchange"), "registrar": party(REGISTRAR), "coin_issuer": party(ISSUER)},
        **{"ref": kept.state.ref, "status": member.status(kept), "ended_by": kept.consumed_by},
        **{"recorded_at": utc_text(kept.recorded_at), "changed_at": utc_text(_changed(kept))},
    }


def _notices(member: Member, arguments: Arguments) -> list[Fields]:
    now, after = member.now(), arguments["after"]
    seen = (row for row in member.notices[after:] if member.hidden.get(row["sequence"], now) <= now)
    return [{**row, "at": utc_text(row["at"])} for row in seen]


def _routes(member: Member, arguments: Arguments) -> list[Fields]:
    names = arguments.get("investor_ids")
    rows = (route.data or {} for route in member.routes.values())
    return [
        {**row, "custodian": party(row["custodian"]), "own": row["custodian"] == member.name}
        for row in rows
        if names is None or row["investor_id"] in names
    ]


def _investors(member: Member, arguments: Arguments) -> list[Fields]:
    names = arguments.get("investor_ids")
    return [row for name, row in member.investors.items() if names is None or name in names]


def _instructions(member: Member, arguments: Arguments) -> list[Fields]:
    names = arguments.get("instruction_ids")
    return [
        _instruction(member, kept) for (_, name), kept in member.instructions.items() if names is None or name in names
    ]


def _instruction(member: Member, kept: Kept) -> Fields:
    data, status, reason = dict(kept.state.data or {}), "OPEN", None
    if kept.consumed_by is not None:
        tx = member.book.transactions[kept.consumed_by]
        status, reason = INSTRUCTION_ENDS[tx.command], tx.data.get("reason")
    own = {"custodian": party(data["custodian"]), "issuer": party(ISSUER), "expires_at": utc_text(data["expires_at"])}
    return {**data, **own, "status": status, "ended_by": kept.consumed_by, "reason": reason}


def _statement(member: Member, _: Arguments) -> list[Fields]:
    return list(member.statement.values())


def _notified(member: Member, arguments: Arguments) -> list[Fields]:
    names = arguments.get("execution_ids")
    return [
        {
            name: value
            for name, value in {**row, "notified_at": utc_text(row["notified_at"])}.items()
            if name != "content"
        }
        for name, row in member.notified.items()
        if names is None or name in names
    ]


def _pending(member: Member, _: Arguments) -> list[Fields]:
    return [
        {
            "run_id": row.run_id,
            "kind": row.kind,
            "transaction_id": row.transaction_id,
            "counterparty": party(row.counterparty),
            "deadline": utc_text(row.deadline),
            "since": utc_text(row.since),
            "execution_ids": row.execution_ids,
        }
        for row in member.pending()
    ]


def _balances(member: Member, arguments: Arguments) -> list[Fields]:
    coins, investor = arguments["asset"] == "COINS", arguments.get("investor_id")
    rows = []
    for position, states in member.holdings.items():
        if (position.asset == COINS) is not coins or investor not in (None, position.investor_id) or not states:
            continue
        total = sum(state.size for state in states.values())
        reserved = sum(state.size for ref, state in states.items() if ref in member.locks)
        key = {"issuer": party(ISSUER)} if coins else {"security_code": position.asset}
        holder = {"custodian": party(position.custodian), "investor_id": position.investor_id}
        rows.append({**holder, **key, "total": total, "reserved": reserved})
    return rows


QUERIES: Mapping[str, Callable[[Member, Arguments], list[Fields]]] = {
    "fills": _fills,
    "notices": _notices,
    "routes": _routes,
    "investors": _investors,
    "instructions": _instructions,
    "statement": _statement,
    "notified": _notified,
    "pending": _pending,
    "balances": _balances,
}
