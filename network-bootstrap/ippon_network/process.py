"""A process that outlives the program that started it, found again by a record of its pid and birth.

Each runs in a session of its own. A Corda node is two processes, corda.jar's launcher and the node proper, so what is
asked and signalled here is the session; a pid alone may have been given to somebody else since.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from ippon_network.errors import StartFailed

_NO_CORE = "ulimit -c 0"
_EXEC = 'echo $$ >"$1"; shift; exec "$@"'
_POLL_SECONDS = 0.1
_FORK_TIMEOUT_SECONDS = 10.0
_KILL_TIMEOUT_SECONDS = 10.0
_TAIL_BYTES = 1 << 20


class ProcessRecord(BaseModel):
    """Which process it was: the kernel's own clock ticks at its birth, in this boot."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started_ticks: int
    boot_id: str


class Memory(BaseModel):
    """Memory of a session's processes together, in bytes. PSS shares common pages out among their users."""

    model_config = ConfigDict(frozen=True)

    rss_bytes: int = 0
    pss_bytes: int = 0


class Supervised:
    """One process group of ours, its files in `run_dir` called by its kind ('node', 'bridge')."""

    def __init__(self, kind: str, *, owner: str, run_dir: Path, marker: str) -> None:
        """`owner` is for messages; `marker` is the text on the console that says that it is ready."""
        self.name = f"{kind} of {owner}"
        self.console = run_dir / f"{kind}.console.log"
        self._marker = marker
        self._record_path = run_dir / f"{kind}.pid.json"

    def start(self, command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str]) -> None:
        """Start it in the background; returns as soon as it exists.

        Raises StartFailed when it runs already: one of the two would be nobody's.
        """
        if (running := self.pid) is not None:
            raise StartFailed(f"{self.name} runs already, as process {running}")
        self.console.parent.mkdir(parents=True, exist_ok=True)
        if self.console.exists():
            self.console.replace(self.console.with_suffix(".previous.log"))
        pid_file = self._record_path.with_suffix(".new")
        pid_file.unlink(missing_ok=True)
        with self.console.open("wb") as console:
            # setsid --fork, since a child of ours would stay a zombie, and its shell's pid becomes the program's own.
            # No core files: a process's whole memory would lie on the disk, passwords and tokens included.
            subprocess.run(
                ["setsid", "--fork", "sh", "-c", f"{_NO_CORE}; {_EXEC}", "sh", pid_file, *command],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **environment},
                check=True,
            )
        self._remember(pid_file)

    def _remember(self, pid_file: Path) -> None:
        deadline = time.monotonic() + _FORK_TIMEOUT_SECONDS
        while not (pid_file.exists() and (text := pid_file.read_text(encoding="ascii").strip())):
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} could not be started: see {self.console}")
            time.sleep(0.01)
        pid = int(text)
        if (ticks := _started_ticks(pid)) is None:
            raise StartFailed(f"{self.name} ended at once:\n{self.tail(20)}")
        record = ProcessRecord(pid=pid, started_ticks=ticks, boot_id=_boot_id())
        pid_file.write_text(record.model_dump_json(), encoding="ascii")
        pid_file.replace(self._record_path)

    @property
    def pid(self) -> int | None:
        """The session leader's pid while any process of the session lives."""
        record = self._record()
        return record.pid if record and self.processes() else None

    def processes(self) -> list[psutil.Process]:
        """The session's living processes; none when the record is stale."""
        record = self._record()
        if record is None or record.boot_id != _boot_id():
            return []
        # A pid cannot be given away while it still names a session, so a leader born at another time means that ours
        # is gone whole.
        if _started_ticks(record.pid) not in (None, record.started_ticks):
            return []
        members = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                if os.getsid(process.pid) == record.pid and process.status() != psutil.STATUS_ZOMBIE:
                    members.append(process)
        return members

    @property
    def alive(self) -> bool:
        """Whether any of its processes lives."""
        return bool(self.processes())

    def runs(self, argument: Path) -> bool:
        """Whether a process of it lives that was started with `argument`."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if str(argument) in process.cmdline():
                    return True
        return False

    @property
    def ready(self) -> bool:
        """Whether it lives and has said so."""
        return self._said_ready() and self.alive

    def check_start(self, *, deadline: float) -> bool:
        """True once ready; StartFailed when it died, or when `deadline` (monotonic) has passed."""
        if self._said_ready():
            return True
        if not self.alive:
            raise StartFailed(f"{self.name} died while starting. The end of {self.console}:\n{self.tail(40)}")
        if time.monotonic() > deadline:
            raise StartFailed(f"{self.name} was not ready in time. The end of {self.console}:\n{self.tail(40)}")
        return False

    def memory(self) -> Memory:
        """What its processes hold now."""
        rss = pss = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                full = process.memory_full_info()
                rss += full.rss
                pss += full.pss
        return Memory(rss_bytes=rss, pss_bytes=pss)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of the session."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def ask_to_stop(self) -> None:
        """SIGTERM to the leader, which ends the rest; to the rest when the leader is gone."""
        members = self.processes()
        record = self._record()
        leaders = [process for process in members if record and process.pid == record.pid]
        for process in leaders or members:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()

    def await_end(self, *, deadline: float) -> None:
        """Wait until nothing of it lives; SIGKILL to what still does at `deadline` (monotonic)."""
        while self.alive:
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                deadline = time.monotonic() + _KILL_TIMEOUT_SECONDS
            time.sleep(_POLL_SECONDS)
        self._record_path.unlink(missing_ok=True)

    def tail(self, lines: int) -> str:
        """The last lines of its console."""
        return tail(self.console, lines)

    def _said_ready(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return self._marker in self.console.read_text(encoding="utf-8", errors="replace")
        return False

    def _record(self) -> ProcessRecord | None:
        try:
            return ProcessRecord.model_validate_json(self._record_path.read_text(encoding="ascii"))
        except (FileNotFoundError, ValidationError):
            return None


def tail(path: Path, lines: int) -> str:
    """The last lines of a text file, reading at most its last mebibyte; empty when there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""


def _started_ticks(pid: int) -> int | None:
    # psutil's create_time is reckoned from the wall clock, which may be set; the kernel's ticks are not.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
