"""`ippon fill`, `fills`, `settle`, `retry`: a venue's fills in, and what becomes of them on the custodians' desks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ippon.agent.inbox import Receipt, drop, wait_receipt
from ippon.agent.store import Store
from ippon.agent.tools import SystemClock
from ippon.agent.view import SettlementView, ask_retry, settlements
from ippon.cli_output import (
    FAILED,
    REFUSED,
    AsOption,
    JsonFlag,
    TimeoutOption,
    emit_json,
    emit_rows,
    local_network,
    member_of,
    members_of,
)
from ippon.demo.agents import Agents
from ippon.errors import Refusal, Unavailable, WaitOver
from ippon.local import LocalNetwork, Member
from ippon.model import DeskState, Role, Side

fill_app = typer.Typer(no_args_is_help=True, help="The venue's fills.")
FILL_COLUMNS = (
    "custodian",
    "execution_id",
    "state",
    "reason",
    "cause",
    "missing",
    "security_code",
    "quantity",
    "amount",
    "tries",
    "transaction_id",
)
SELLING = (Side.SELL, Side.BOTH)
AT_REST = frozenset(state for state in DeskState if state.ended) | {DeskState.WAITING}
PAGE = 1_000
_POLL_SECONDS = 0.25


@fill_app.command()
def notify(
    file: Annotated[Path, typer.Argument(help="The venue's fills, CSV.", exists=True, dir_okay=False)],
    *,
    as_: AsOption = None,
    timeout: TimeoutOption = 120,
    json_output: JsonFlag = False,
) -> None:
    """Send a file of fills through the exchange's agent; exit code 2 when a row is refused.

    Example: ippon fill notify examples/day-1/exchange/fills-1.csv
    """
    local = local_network()
    member = member_of(local, as_, Role.EXCHANGE)
    show_receipt(send(local, member, kind="fills", content=file.read_bytes(), timeout=timeout), as_json=json_output)


def fills(
    *,
    as_: AsOption = None,
    state: Annotated[list[DeskState] | None, typer.Option(help="Only fills in this state; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many of each custodian.")] = 200,
    json_output: JsonFlag = False,
) -> None:
    """Show the fills on the custodians' desks, each on its seller's, or all of one custodian's with --as.

    Example: ippon fills --as custodian-a --state waiting
    """
    local = local_network()
    rows = []
    for member in members_of(local, as_, Role.CUSTODIAN):
        with desk(local, member) as store:
            found = settlements(store, states=tuple(state or ()), limit=limit)
        rows += [_row(member, fill) for fill in found if as_ or fill.side in SELLING]
    emit_rows(rows, columns=FILL_COLUMNS, as_json=json_output, title="Fills", empty="No fills.")


def settle(
    execution_ids: Annotated[list[str], typer.Argument(help="Fills to try now, as named on the ledger.")],
    *,
    as_: AsOption = None,
    timeout: TimeoutOption = 120,
    json_output: JsonFlag = False,
) -> None:
    """Have the sellers' agents try these fills now, and wait for what comes of it; exit code 1 unless all settled.

    Example: ippon settle rtk3a9z-EX-0018
    """
    local = local_network()
    wanted = set(execution_ids)
    before: dict[str, tuple[Member, SettlementView]] = {}
    for member in members_of(local, as_, Role.CUSTODIAN):
        with desk(local, member) as store:
            found = [fill for fill in settlements(store, execution_ids=tuple(wanted)) if fill.side in SELLING]
            before |= {fill.execution_id: (member, fill) for fill in found}
            _require_agent(local, member)
            waiting = [fill.execution_id for fill in found if _may_try(fill)]
            if waiting:
                ask_retry(store, clock=SystemClock(), execution_ids=waiting)
    if missing := sorted(wanted - before.keys()):
        raise Refusal(f"No custodian here sells {', '.join(missing)}: see 'ippon fills'.", code="UNKNOWN_FILL")
    rows = _await_tries(local, before, timeout)
    emit_rows(rows, columns=FILL_COLUMNS, as_json=json_output, title="Settling", empty="No fills.")
    if any(row["state"] != DeskState.SETTLED for row in rows):
        raise typer.Exit(FAILED)


def retry(*, as_: AsOption = None, json_output: JsonFlag = False) -> None:
    """Ask the sellers' agents to try every waiting fill now; does not wait.

    Example: ippon retry --as custodian-b
    """
    local = local_network()
    asked: dict[str, list[str]] = {}
    for member in members_of(local, as_, Role.CUSTODIAN):
        with desk(local, member) as store:
            waiting = [fill.execution_id for fill in every_settlement(store) if _waits(fill)]
            _require_agent(local, member)
            answer = ask_retry(store, clock=SystemClock(), execution_ids=waiting) if waiting else None
            asked[member.key] = sorted(answer.asked) if answer else []
    if json_output:
        emit_json({"asked": asked})
        return
    for key, ids in asked.items():
        typer.echo(
            f"{key}: asked to try {len(ids)} fill{'' if len(ids) == 1 else 's'}{': ' if ids else ''}{', '.join(ids)}"
        )


@contextmanager
def desk(local: LocalNetwork, member: Member) -> Iterator[Store]:
    """The store of a member's agent, which may be running."""
    folder = Agents(local).folder(member)
    if not folder.store.exists():
        raise Unavailable(
            f"{member.key} has no agent yet: start the agents with 'ippon network up'.",
            code="NO_AGENT",
            where=member.key,
        )
    store = Store.open(folder.store_url, migrate=False)
    try:
        yield store
    finally:
        store.close()


def every_settlement(store: Store) -> Iterator[SettlementView]:
    """All fills on a desk, page by page."""
    offset = 0
    while page := settlements(store, limit=PAGE, offset=offset):
        yield from page
        if len(page) < PAGE:
            return
        offset += PAGE


def send(
    local: LocalNetwork, member: Member, *, kind: str, content: bytes, timeout: int, suffix: str = "csv"
) -> Receipt:
    """Drop a file into the inbox of a member's agent under a name of its own, and wait for the receipt."""
    _require_agent(local, member)
    folder = Agents(local).folder(member)
    name = f"{kind}-cli-{time.time_ns() // 1_000_000}.{suffix}"
    drop(inbox_dir=folder.inbox, name=name, content=content)
    return wait_receipt(receipts_dir=folder.receipts, name=name, timeout_seconds=timeout)


def show_receipt(receipt: Receipt, *, as_json: bool) -> None:
    """Show what became of each row; leaves with 2 when one was refused."""
    if as_json:
        emit_json(receipt.model_dump(mode="json"))
    elif receipt.status == "refused":
        raise Refusal(receipt.reason or "The file was refused.", code=receipt.code or "BAD_FILE")
    else:
        columns = ("line", "id", "status", "code", "field", "reason", "transaction_id")
        rows = [row.model_dump() for row in receipt.rows]
        emit_rows(rows, columns=columns, as_json=False, title=receipt.file, empty="The file has no rows.")
    if receipt.status == "refused" or any(row.status == "refused" for row in receipt.rows):
        raise typer.Exit(REFUSED)


def _require_agent(local: LocalNetwork, member: Member) -> None:
    if not Agents(local).folder(member).process().alive:
        raise Unavailable(
            f"The agent of {member.key} does not run: start it with 'ippon network up'.",
            code="NO_AGENT",
            where=member.key,
        )


def _await_tries(
    local: LocalNetwork, before: dict[str, tuple[Member, SettlementView]], timeout: int
) -> list[dict[str, Any]]:
    """The fills once each has been tried, or has ended."""
    deadline = time.monotonic() + timeout
    while True:
        now = [
            (member, fill)
            for member in dict.fromkeys(one for one, _ in before.values())
            for fill in _now(local, member, before)
        ]
        open_ids = [fill.execution_id for _, fill in now if not _tried(before[fill.execution_id][1], fill)]
        if not open_ids:
            return [_row(member, fill) for member, fill in now]
        if time.monotonic() > deadline:
            raise WaitOver(
                f"{', '.join(open_ids)} had not been tried after {timeout} s; the agent goes on: see 'ippon fills'."
            )
        time.sleep(_POLL_SECONDS)


def _now(
    local: LocalNetwork, member: Member, before: dict[str, tuple[Member, SettlementView]]
) -> Sequence[SettlementView]:
    with desk(local, member) as store:
        ids = tuple(name for name, (one, _) in before.items() if one == member)
        return settlements(store, execution_ids=ids)


def _tried(before: SettlementView, now: SettlementView) -> bool:
    """Whether what was asked for has been done; a fill that was on its way, or at its end, was not asked."""
    if _may_try(before):
        return now.tries > before.tries and now.state in AT_REST
    return now.state in AT_REST


def _may_try(fill: SettlementView) -> bool:
    return fill.side in SELLING and fill.state in (DeskState.WAITING, DeskState.REFUSED)


def _waits(fill: SettlementView) -> bool:
    return fill.side in SELLING and fill.state is DeskState.WAITING


def _row(member: Member, fill: SettlementView) -> dict[str, Any]:
    return {"custodian": member.key, **fill.model_dump(mode="json")}
