"""Files that brokers drop: `orders/<broker>/*.csv`, each line of the folder's own broker or refused.

    orders/BR-01/morning.csv                          read, then moved to orders/BR-01/read/
    orders/BR-01/receipts/morning.csv.receipt.json    how many lines were taken, and each refusal by line, field, reason

A file that comes twice does no harm: its client order ids are known. What becomes of an order later stands in the
broker's reports.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ippon.errors import BadFile, IpponError, Refusal
from ippon.model import Row
from ippon.venue.drops import write_whole
from ippon.venue.flow import FlowLine, read_flow
from ippon.venue.orders import Message
from ippon.venue.reports import Report, ReportKind

MAX_BATCH = 1_000
MAX_FILE_BYTES = 16_000_000

Take = Callable[[Sequence[Message]], list[Report]]


class RefusedLine(Row):
    """A line that came to nothing."""

    line: int
    client_order_id: str | None = None
    code: str
    field: str | None = None
    reason: str


class IntakeReceipt(Row):
    """What became of a file: `read`, or `refused` as a whole with code and reason."""

    file: str
    sha256: str
    status: str
    code: str | None = None
    reason: str | None = None
    taken: int = 0
    refused: tuple[RefusedLine, ...] = ()


class Intake:
    """The folders of all brokers."""

    def __init__(self, folder: Path, brokers: Sequence[str]) -> None:
        self._folders = {broker: folder / broker for broker in brokers}

    def prepare(self) -> None:
        """Make the folders."""
        for folder in self._folders.values():
            for name in ("read", "refused", "receipts"):
                (folder / name).mkdir(parents=True, exist_ok=True)

    def take(self, take: Take) -> int:
        """Read every file that lies there; how many."""
        count = 0
        for broker, folder in self._folders.items():
            for path in sorted(folder.iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    self._file(broker, path, take)
                    count += 1
        return count

    def _file(self, broker: str, path: Path, take: Take) -> None:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        digest = hashlib.sha256(content).hexdigest()
        try:
            receipt = _read(broker, path.name, content, take, digest)
        except BadFile as problem:
            receipt = IntakeReceipt(
                file=path.name, sha256=digest, status="refused", code=problem.code, reason=problem.message
            )
        target = path.parent / "receipts" / f"{path.name}.receipt.json"
        write_whole(target, receipt.model_dump_json(indent=1, exclude_none=True).encode())
        path.replace(path.parent / receipt.status / path.name)


def _read(broker: str, name: str, content: bytes, take: Take, digest: str) -> IntakeReceipt:
    if not name.endswith(".csv"):
        raise BadFile(f"The venue takes *.csv, but the file is called '{name[:100]}'.")
    taken, refused = 0, []
    for lines in _batches(read_flow(content, max_bytes=MAX_FILE_BYTES)):
        good = []
        for line in lines:
            problem = line.problem or _of_another(broker, line)
            if problem is not None:
                refused.append(_refused(line, problem))
            else:
                good.append(line)
        messages = [line.message for line in good if line.message is not None]
        outcome = refusals(good, take(messages)) if messages else []
        refused += outcome
        taken += len(good) - len(outcome)
    refused.sort(key=lambda one: one.line)
    return IntakeReceipt(file=name, sha256=digest, status="read", taken=taken, refused=tuple(refused))


def refusals(lines: Sequence[FlowLine], reports: Sequence[Report]) -> list[RefusedLine]:
    """Those of these lines that the market refused; its refusals come in the order of the lines."""
    found, place = [], 0
    for report in reports:
        if report.kind is not ReportKind.REFUSED:
            continue
        while _ids(lines[place]) != (report.broker, report.client_order_id):
            place += 1
        problem = Refusal(report.reason or "", code=report.code, field=report.field)
        found.append(_refused(lines[place], problem))
        place += 1
    return found


def _ids(line: FlowLine) -> tuple[str, str]:
    return (line.message.broker, line.message.client_order_id) if line.message else ("", "")


def _batches(lines: Iterator[FlowLine]) -> Iterator[list[FlowLine]]:
    batch: list[FlowLine] = []
    for line in lines:
        batch.append(line)
        if len(batch) == MAX_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _of_another(broker: str, line: FlowLine) -> IpponError | None:
    if line.message is None or line.message.broker == broker:
        return None
    text = f"This folder is {broker}'s, but the line is {line.message.broker}'s."
    return Refusal(text, code="FORBIDDEN", field="broker")


def _refused(line: FlowLine, problem: IpponError) -> RefusedLine:
    return RefusedLine(
        line=line.number,
        client_order_id=line.message.client_order_id if line.message else None,
        code=problem.code,
        field=problem.field,
        reason=problem.message,
    )
