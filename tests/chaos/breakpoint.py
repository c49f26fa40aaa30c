"""Stops a node's JVM at one method, so that a fault strikes exactly there; production code has no seam for it.

    debugger = Debugger(port=10247, jdk=…)
    with debugger.breakpoint("org.ippon.core.RecordsKt.recordChecked") as here:
        …                                   # something that makes the node get there
        here.wait(timeout_seconds=60)       # every thread of the node stands still
        here.go_on()

The node must have been started with `-agentlib:jdwp`; see `debuggable` in stage.py. `jdb` is the JDK's own debugger.
One is kept for as long as the node lives: a JVM that is attached to a second time misses its next stop.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HIT = "Breakpoint hit:"
_POLL_SECONDS = 0.02


class NotReached(AssertionError):
    """The node did not get there in time; what the debugger said is in the message."""


class Debugger:
    """One debugger on one node."""

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
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def alive(self) -> bool:
        """Whether it still has its node; it ends with it."""
        return self._jdb.poll() is None

    @contextmanager
    def breakpoint(self, method: str) -> Iterator[Breakpoint]:
        """Stop whenever a thread enters `package.Class.method`, until told to go on or the block ends."""
        self._said.clear()
        here = Breakpoint(self, method)
        self.say(f"stop in {method}")
        self.hear(("Set breakpoint", "Deferring breakpoint", "Unable to set"), timeout_seconds=30)
        if any("Unable to set" in line for line in self._said):
            raise NotReached(f"{method}: {self._text()}")
        try:
            yield here
        finally:
            here.go_on()

    def say(self, line: str) -> None:
        """A command; nothing happens when the node is gone."""
        with contextlib.suppress(BrokenPipeError):
            if self._jdb.stdin:
                self._jdb.stdin.write(line + "\n")
                self._jdb.stdin.flush()

    def hear(self, marks: tuple[str, ...], *, timeout_seconds: float) -> None:
        """Wait until it says one of these. Raises: NotReached."""
        deadline = time.monotonic() + timeout_seconds
        while not any(mark in line for line in list(self._said) for mark in marks):
            if time.monotonic() >= deadline or not self.alive:
                raise NotReached(f"no {' or '.join(marks)} in {timeout_seconds} s: {self._text()}")
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Leave the node."""
        self.say("resume")
        self.say("quit")
        try:
            self._jdb.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._jdb.kill()
            self._jdb.wait()
        self._listener.join()
        for pipe in (self._jdb.stdin, self._jdb.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe:
                    pipe.close()

    def _listen(self) -> None:
        for line in self._jdb.stdout or ():
            self._said.append(line)

    def _text(self) -> str:
        return "".join(self._said[-20:])


class Breakpoint:
    """A place at which a node stands still, or will."""

    def __init__(self, debugger: Debugger, method: str) -> None:
        self._debugger = debugger
        self._method = method
        self._passed = False

    def wait(self, *, timeout_seconds: float) -> None:
        """Wait until the node stands there. Raises: NotReached."""
        self._debugger.hear((HIT,), timeout_seconds=timeout_seconds)

    def go_on(self) -> None:
        """Let the node run on, and not stop there again."""
        if not self._passed:
            self._passed = True
            self._debugger.say(f"clear {self._method}")
            self._debugger.say("resume")
