"""Compares what became of a day with what its script expects, and makes the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ippon.demo.floor import FillStand, Floor, Holding
from ippon.demo.play import Dropped, Played
from ippon.demo.run import Run
from ippon.demo.script import ExpectedFill, ExpectedRow, Script
from ippon.model import Outcome, organisation
from ippon.report.day import AttemptRow, BalanceRow, DayReport, FillReport, RefusedRow
from ippon.report.result import InvariantResult

ABSENT = "absent"


def make_report(
    *,
    script: Script,
    run: Run,
    floor: Floor,
    played: Played,
    ended_at: datetime,
    proof: Sequence[InvariantResult],
    quiet: bool,
    directory: str,
    snapshot: str,
    memory_bytes: int | None = None,
) -> DayReport:
    """The report of a day just played."""
    fills = list(_fills(script, run, floor))
    refused = list(_refused(script, run, floor, played.dropped))
    surprises = [played.stopped] if played.stopped else []
    surprises += [
        f"{fill.execution_id}: {one}"
        for fill in fills
        for one in fill.surprises
        # After a stop, what has not come is no news.
        if not (played.stopped and fill.outcome == ABSENT)
    ]
    surprises += list(_rows_surprises(script, run, refused, all_came=not played.stopped))
    if not played.stopped:
        surprises += list(_shortage_surprises(script, run, floor))
    return DayReport(
        name=script.name,
        run=run.name,
        day=run.day,
        started_at=run.now,
        ended_at=ended_at,
        directory=directory,
        fills=fills,
        refused=refused,
        balances=_balances(run, played.before, floor.holdings()),
        steps=played.steps,
        proof=list(proof),
        quiet=quiet,
        snapshot=snapshot,
        memory_bytes=memory_bytes,
        surprises=surprises,
    )


def _fills(script: Script, run: Run, floor: Floor) -> Iterator[FillReport]:
    stands = {name: fill for name, fill in floor.fills().items() if name.startswith(run.prefix)}
    expected = {run.id(name): one for name, one in script.expect.fills.items()}
    for name in sorted(stands.keys() | expected.keys()):
        fill, wanted = stands.get(name), expected.get(name)
        if fill is None:
            yield _absent(name, wanted)
            continue
        attempts = floor.attempts(fill)
        yield FillReport(
            execution_id=name,
            security_code=fill.security_code,
            quantity=fill.quantity,
            unit_price=fill.unit_price,
            amount=fill.amount,
            seller=f"{fill.seller_investor_id} at {organisation(fill.seller_custodian)}",
            buyer=f"{fill.buyer_investor_id} at {organisation(fill.buyer_custodian)}",
            outcome=fill.state,
            reason=fill.reason,
            cause=fill.cause,
            expected=wanted.end if wanted else "",
            surprises=list(_fill_surprises(fill, attempts, wanted)),
            tries=fill.tries,
            attempts=attempts,
            seconds=_seconds(fill),
            transaction_id=fill.transaction_id,
        )


def _absent(name: str, wanted: ExpectedFill | None) -> FillReport:
    end = wanted.end if wanted else ""
    return FillReport(
        execution_id=name,
        security_code="",
        quantity=0,
        unit_price="",
        amount=0,
        seller="",
        buyer="",
        outcome=ABSENT,
        expected=end,
        surprises=[f"must be {end}, but is on no desk"],
    )


def _seconds(fill: FillStand) -> float | None:
    if fill.settled_at is None or fill.received_at is None:
        return None
    return max(0.0, (fill.settled_at - fill.received_at).total_seconds())


def _fill_surprises(fill: FillStand, attempts: Sequence[AttemptRow], wanted: ExpectedFill | None) -> Iterator[str]:
    if wanted is None:
        yield f"is on the desk ({fill.state}), though the script does not know it"
        return
    if fill.state is not wanted.end:
        because = f" ({fill.cause or fill.reason})" if fill.reason else ""
        yield f"must be {wanted.end}, is {fill.state}{because}"
    waits = [one for one in attempts if one.outcome == Outcome.WAITING]
    if wanted.first and wanted.first not in [one.reason for one in waits]:
        seen = ", ".join(one.reason or "no reason" for one in waits) or "never waited"
        yield f"must first wait for {wanted.first}, but {seen}"
    if wanted.missing is not None and wanted.missing not in [one.missing for one in waits]:
        yield f"must lack {wanted.missing:,}, but lacked {[one.missing for one in waits]}"
    if wanted.woken_by:
        last = next((one.cause for one in attempts if one.outcome == Outcome.SETTLED), None)
        if last != wanted.woken_by:
            yield f"must be woken by {wanted.woken_by}, but was by {last}"
    if wanted.reason and fill.reason != wanted.reason:
        yield f"must wait for {wanted.reason}, but waits for {fill.reason}"
    if wanted.cause and fill.cause != wanted.cause:
        yield f"must wait because of {wanted.cause}, but does because of {fill.cause}"


def _refused(script: Script, run: Run, floor: Floor, dropped: Sequence[Dropped]) -> Iterator[RefusedRow]:
    expected = {(one.file, one.line): one for one in script.expect.refused}
    for file in dropped:
        stand = floor.receipt(file.member, file.name)
        if stand is None:
            continue
        if stand.status == "refused":
            yield RefusedRow(
                file=file.source, line=0, status="refused", code=stand.code, reason=stand.reason, expected=False
            )
        for row in stand.rows:
            if row.status in ("refused", "duplicate"):
                wanted = expected.get((file.source, row.line))
                refused = RefusedRow(
                    file=file.source,
                    line=row.line,
                    id=row.id,
                    status=row.status,
                    field=row.field,
                    code=row.code,
                    reason=row.reason,
                )
                yield refused.model_copy(update={"expected": wanted is not None and _matches(refused, wanted, run)})


def _matches(row: RefusedRow, wanted: ExpectedRow, run: Run) -> bool:
    return (
        row.status == wanted.status
        and row.id == run.id(wanted.id)
        and wanted.code in (None, row.code)
        and wanted.field in (None, row.field)
    )


def _rows_surprises(script: Script, run: Run, refused: Sequence[RefusedRow], *, all_came: bool) -> Iterator[str]:
    for row in refused:
        if not row.expected:
            why = " ".join(part for part in (row.code, row.field, row.reason) if part)
            yield f"{row.file} line {row.line} ({row.id}) was {row.status}: {why}"
    seen = {(row.file, row.line) for row in refused}
    for wanted in script.expect.refused:
        if all_came and (wanted.file, wanted.line) not in seen:
            yield f"{wanted.file} line {wanted.line} ({run.id(wanted.id)}) must be {wanted.status}, but was not"


def _shortage_surprises(script: Script, run: Run, floor: Floor) -> Iterator[str]:
    for member, wanted in script.expect.shortages.items():
        told = floor.shortages(member)
        for name, missing in wanted.items():
            if told.get(run.id(name)) != missing:
                yield f"{member} must be told that {name} lacks {missing:,} yen, but was told {told.get(run.id(name))}"


def _balances(run: Run, before: Sequence[Holding], after: Sequence[Holding]) -> list[BalanceRow]:
    def of_run(holdings: Sequence[Holding]) -> dict[tuple[str, str, str], int]:
        own = [one for one in holdings if one.investor_id.startswith(run.prefix)]
        return {(one.custodian, one.investor_id, one.asset): one.total for one in own}

    old, new = of_run(before), of_run(after)
    return [
        BalanceRow(custodian=key[0], investor_id=key[1], asset=key[2], before=old.get(key, 0), after=new.get(key, 0))
        for key in sorted(old.keys() | new.keys())
    ]
