"""A floor that behaves as an honest network would, for tests of the player: each file dropped changes what is seen."""

# ruff: noqa: ARG002 (a fake is called as the real one, and needs less)

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from ippon.demo.floor import FileStand, FillStand, Holding, RowStand
from ippon.demo.run import Run
from ippon.demo.script import Script, Step, load_script
from ippon.model import DeskState, InstructionStatus
from ippon.report.day import AttemptRow

DAY_1 = Path(__file__).resolve().parents[2] / "examples" / "day-1"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def a_run(name: str = "t1", now: datetime = NOW) -> Run:
    return Run(name=name, script_day=date(2026, 7, 1), session_ends=time(15, 30), now=now)


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Quiet:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.unmet: list[str] = []
        self.stopped: list[bool] = []

    def step_begun(self, number: int, step: Step) -> None:
        self.begun.append(step.title)

    def waiting(self, number: int, unmet: Sequence[str]) -> None:
        self.unmet += unmet

    def step_ended(self, number: int, seconds: float, *, stopped: bool) -> None:
        self.stopped.append(stopped)


class FakeFloor:
    """Ends every fill as the script of day-1 expects, unless a test changes `fill_stands` after a drop."""

    def __init__(self, run: Run, *, after_drop: Callable[["FakeFloor", str], None] | None = None) -> None:
        self.run = run
        self.script: Script = load_script(DAY_1)
        self.files: dict[tuple[str, str], bytes] = {}
        self.stands: dict[tuple[str, str], FileStand] = {}
        self.instruction_stands: dict[str, dict[str, InstructionStatus]] = {}
        self.fill_stands: dict[str, FillStand] = {}
        self.held: list[Holding] = []
        self.told: dict[str, dict[str, int]] = {}
        self.died: str | None = None
        self.after_drop = after_drop

    def drop(self, member: str, name: str, content: bytes) -> None:
        self.files[member, name] = content
        source = f"{member}/{name.replace(self.run.prefix, '')}"
        self.stands[member, name] = FileStand(status="read", rows=self._rows(source, content))
        if name.startswith(("cash", "instructions")):
            self._instruct(member, name, content)
        if name.startswith("fills"):
            self._fill(content)
        step = next(step for step in self.script.steps if source in step.drop)
        for execution_id, state in step.until.fills.items():
            self.move(execution_id, state)
        if self.after_drop:
            self.after_drop(self, source)

    def move(self, execution_id: str, state: DeskState, **changes: object) -> None:
        """Put a fill, named as in the files, into a state."""
        old = self.fill_stands.get(self.run.id(execution_id))
        if old is not None:
            settled = {
                "settled_at": NOW + timedelta(seconds=2),
                "transaction_id": "A" * 64,
                "reason": None,
                "cause": None,
            }
            facts = {**vars(old), "state": state, **(settled if state is DeskState.SETTLED else {}), **changes}
            self.fill_stands[old.execution_id] = FillStand(**facts)

    def receipt(self, member: str, name: str) -> FileStand | None:
        return self.stands.get((member, name))

    def instructions(self, member: str, ids: Sequence[str]) -> Mapping[str, InstructionStatus]:
        return {name: one for name, one in self.instruction_stands.get(member, {}).items() if name in ids}

    def fills(self) -> Mapping[str, FillStand]:
        return self.fill_stands

    def attempts(self, fill: FillStand) -> list[AttemptRow]:
        wanted = self.script.expect.fills[fill.execution_id.removeprefix(self.run.prefix)]
        tries = []
        if wanted.first:
            waited = AttemptRow(
                number=1, cause="received", outcome="WAITING", reason=wanted.first, missing=wanted.missing
            )
            tries.append(waited)
        if fill.state is DeskState.SETTLED:
            tries.append(AttemptRow(number=len(tries) + 1, cause=wanted.woken_by or "received", outcome="SETTLED"))
        return tries

    def shortages(self, member: str) -> Mapping[str, int]:
        return self.told.get(member, {})

    def holdings(self) -> list[Holding]:
        return list(self.held)

    def trouble(self) -> str | None:
        return self.died

    def _rows(self, source: str, content: bytes) -> list[RowStand]:
        expected = {row.line: row for row in self.script.expect.refused if row.file == source}
        if source.endswith(".json"):
            lines = json.loads(content)["lines"]
            return [RowStand(line=n, id=line["line_id"], status="accepted") for n, line in enumerate(lines, start=1)]
        rows = []
        for line, cells in enumerate(csv.reader(io.StringIO(content.decode())), start=1):
            wanted = expected.get(line)
            if line > 1:
                status = wanted.status if wanted else "accepted"
                code, field = (wanted.code, wanted.field) if wanted else (None, None)
                rows.append(RowStand(line=line, id=cells[0], status=status, code=code, field=field, reason="why"))
        return rows

    def _instruct(self, member: str, name: str, content: bytes) -> None:
        stands = self.instruction_stands.setdefault(member, {})
        for row in csv.DictReader(io.StringIO(content.decode())):
            if name.startswith("cash"):
                stands[f"TI-{row['line_id']}"] = InstructionStatus.EXECUTED
            else:
                stands[row["instruction_id"]] = InstructionStatus.REJECTED

    def _fill(self, content: bytes) -> None:
        for row in csv.DictReader(io.StringIO(content.decode())):
            name = row["execution_id"].removeprefix(self.run.prefix)
            wanted = self.script.expect.fills.get(name)
            if wanted is None or row["execution_id"] in self.fill_stands:
                continue
            self.fill_stands[row["execution_id"]] = FillStand(
                execution_id=row["execution_id"],
                state=DeskState.RECEIVED,
                security_code=row["security_code"],
                quantity=int(row["quantity"]),
                unit_price=row["unit_price"],
                amount=int(row["amount"]),
                seller_custodian=row["seller_custodian"],
                seller_investor_id=row["seller_investor_id"],
                buyer_custodian=row["buyer_custodian"],
                buyer_investor_id=row["buyer_investor_id"],
                reason=wanted.reason,
                cause=wanted.cause,
                tries=1,
                received_at=NOW,
            )
        for member, wanted_yen in self.script.expect.shortages.items():
            self.told[member] = {self.run.id(name): yen for name, yen in wanted_yen.items()}
