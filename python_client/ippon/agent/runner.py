"""What makes an agent step: changes on its node (a long poll in a thread), its inbox and due rows (a short poll)."""

import threading
from collections.abc import Callable

from ippon.agent.agent import Agent
from ippon.agent.tools import Log
from ippon.errors import IpponError
from ippon.node import Node

REST_SECONDS = 1.0
LONGEST_REST_SECONDS = 15.0


class Waker:
    """Says when the node's sequence has moved. A lost event costs time only: every step asks what is so."""

    def __init__(self, node: Node, *, wait_millis: int, stop: threading.Event, log: Log) -> None:
        self._node = node
        self._wait_millis = wait_millis
        self._stop = stop
        self._log = log
        self._moved = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ippon-waker", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for a move, at most so long; whether there was one since the last call."""
        if not self._moved.wait(seconds):
            return False
        self._moved.clear()
        return True

    def poke(self) -> None:
        """End a wait."""
        self._moved.set()

    def _watch(self) -> None:
        sequence, rest = 0, REST_SECONDS
        while not self._stop.is_set():
            try:
                now = self._node.wait(sequence, self._wait_millis)
            except IpponError as problem:
                self._log.info("watch_broken", code=problem.code)
                self._stop.wait(rest)
                rest = min(rest * 2, LONGEST_REST_SECONDS)
                continue
            if rest > REST_SECONDS or now != sequence:
                self._moved.set()
            # A bridge that was started anew counts from another number; any other number is a move.
            sequence, rest = now, REST_SECONDS


def run(
    agent: Agent, waker: Waker, *, idle_seconds: float, stop: threading.Event, log: Log, ready: Callable[[], None]
) -> None:
    """Step until told to stop; `ready` is called after the first step in which the node took part."""
    waker.start()
    changed, told = True, False
    while not stop.is_set():
        try:
            if agent.step(changed=changed) and not told:
                ready()
                told = True
        except Exception as problem:
            # A fault of ours, or of the store, in one step must not end the agent: every step may be done again.
            log.error("step_failed", problem=type(problem).__name__, exc_info=True)
            stop.wait(REST_SECONDS)
        changed = waker.wait(idle_seconds)
