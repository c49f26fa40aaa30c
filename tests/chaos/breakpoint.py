"""Stops a node's JVM at one method, so that a fault strikes exactly there; production code has no seam for it.

    with Breakpoint(port=10247, java_home=…) as here:
        here.set("org.ippon.core.RecordsKt.recordChecked")
        …                                   # something that makes the node get there
        here.wait(timeout_seconds=60)       # every thread of the node stands still
        here.go_on()

The node must have been started with `-agentlib:jdwp`; see `debuggable` in stage.py. `jdb` is the JDK's own debugger.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

HIT = "Breakpoint hit:"
_POLL_SECONDS = 0.02


class NotReached(AssertionError):
    """The node did not get there in time; what the debugger said is in the message."""


class Breakpoint:
    """One debugger on one node, for one stop."""

    def __init__(self, *, port: int, jdk: Path) -> None:
        self._jdb = subprocess.Popen(
            [jdk / "bin" / "jdb", "-attach", f"127.0.0.1:{port}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        self._said: list[str] = []
        self._where = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Breakpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the node run on, whatever happened, and leave it."""
        if self._jdb.poll() is None:
            if self._where:
                self._say(f"clear {self._where}")
            self._say("resume")
            self._say("quit")
        try:
            self._jdb.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._jdb.kill()
            self._jdb.wait()
        self._listener.join()
        for pipe in (self._jdb.stdin, self._jdb.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]

    def set(self, method: str) -> None:
        """Stop whenever a thread enters `package.Class.method`; returns when the node knows it."""
        self._where = method
        self._say(f"stop in {method}")
        self._await(("Set breakpoint", "Deferring breakpoint", "Unable to set"), timeout_seconds=30)
        if any("Unable to set" in line for line in self._said):
            raise NotReached(f"{method}: {self._text()}")

    def hit(self) -> bool:
        """Whether the node stands there."""
        return any(HIT in line for line in self._said)

    def wait(self, *, timeout_seconds: float) -> None:
        """Wait until the node stands there. Raises: NotReached."""
        self._await((HIT,), timeout_seconds=timeout_seconds)

    def go_on(self) -> None:
        """Let the node run on, and not stop there again."""
        self._say(f"clear {self._where}")
        self._say("resume")

    def _await(self, marks: tuple[str, ...], *, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not any(mark in line for line in list(self._said) for mark in marks):
            if time.monotonic() >= deadline or self._jdb.poll() is not None:
                raise NotReached(f"no {' or '.join(marks)} at {self._where} in {timeout_seconds} s: {self._text()}")
            time.sleep(_POLL_SECONDS)

    def _say(self, line: str) -> None:
        assert self._jdb.stdin
        with contextlib.suppress(BrokenPipeError):
            self._jdb.stdin.write(line + "\n")
            self._jdb.stdin.flush()

    def _listen(self) -> None:
        assert self._jdb.stdout
        # By characters: the debugger's prompt ends no line.
        for line in self._jdb.stdout:
            self._said.append(line)

    def _text(self) -> str:
        return "".join(self._said[-20:])
