"""Faults, and how each is undone: SIGKILL, SIGSTOP for a while, a link cut for a while.

A cut is made by the kernel's packet filter (iptables, as root): packets are dropped, no connection is reset, as when a
cable is pulled. Every rule carries a comment of ours, by which it is found and taken away again.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import psutil

from chaos.stage import Stage
from ippon_network.process import Supervised

Fault = Literal["kill", "pause", "cut"]
FAULTS: tuple[Fault, ...] = ("kill", "pause", "cut")
Kind = Literal["node", "bridge", "agent"]
LASTS_SECONDS = 20.0
COMMENT = "ippon-chaos"
_REFRESH_SECONDS = 0.1


@dataclass(frozen=True, order=True)
class Process:
    """One process of one organisation: `node custodian-a`."""

    kind: Kind
    member: str

    def __str__(self) -> str:
        """As the table has it."""
        return f"{self.kind} {self.member}"


def strike(stage: Stage, fault: Fault, process: Process, go_on: Callable[[], None]) -> None:
    """Do it, let the rest go on (`go_on`), and put everything back: what was killed runs again and is ready."""
    if fault == "kill":
        one = supervised(stage, process)
        one.signal(signal.SIGKILL)
        go_on()
        # A process is there for a moment after it has been killed, and what is there is not started again.
        one.await_end(deadline=time.monotonic() + LASTS_SECONDS)
        start_again(stage, process)
    elif fault == "pause":
        one = supervised(stage, process)
        one.signal(signal.SIGSTOP)
        try:
            go_on()
            time.sleep(LASTS_SECONDS)
        finally:
            one.signal(signal.SIGCONT)
    else:
        with _cut(stage, process):
            go_on()


def supervised(stage: Stage, process: Process) -> Supervised:
    """The process itself."""
    if process.kind == "agent":
        member = stage.local.member(process.member)
        assert member
        return stage.agents.folder(member).process()
    return stage.local.network.process(process.member, bridge=process.kind == "bridge")


def start_again(stage: Stage, process: Process) -> None:
    """Start what was killed, and wait until it is ready; nothing else is touched."""
    if process.kind == "agent":
        member = stage.local.member(process.member)
        assert member
        stage.agents.start_one(member)
    else:
        stage.local.network.up()


@contextmanager
def _cut(stage: Stage, process: Process) -> Iterator[None]:
    """Nothing passes for a while: from a node to the others, a bridge to its node, an agent to its bridge."""
    assert shutil.which("iptables"), "iptables is not installed: run toolchain/packet_filter.sh"
    try:
        deadline, first = time.monotonic() + LASTS_SECONDS, True
        cut: set[tuple[str, int]] = set()
        while time.monotonic() < deadline:
            for rule in _links(stage, process) - cut:
                _rule("-I", *rule)
                cut.add(rule)
            if first:
                yield
                first = False
            time.sleep(_REFRESH_SECONDS)
    finally:
        heal()


def _links(stage: Stage, process: Process) -> set[tuple[str, int]]:
    ports = stage.local.network.topology.node(process.member).ports
    if process.kind == "agent":
        assert ports.http
        return {("--dport", ports.http), ("--sport", ports.http)}
    if process.kind == "bridge":
        return {("--dport", ports.rpc), ("--sport", ports.rpc)}
    # By connection, since a node reaches its own broker through the same port, and ends when it loses that.
    p2p = {key: node.ports.p2p for key, node in stage.local.network.topology.nodes.items()}
    out = {port for key in p2p if key != process.member for port in _ports(stage, key, {ports.p2p})}
    out |= _ports(stage, process.member, set(p2p.values()) - {ports.p2p})
    return {(side, port) for port in out for side in ("--sport", "--dport")}


def _ports(stage: Stage, node: str, to: set[int]) -> set[int]:
    """The ports from which a node has connections to these ports."""
    found = set()
    for one in stage.local.network.process(node).processes():
        with contextlib.suppress(psutil.Error):
            found |= {link.laddr.port for link in one.net_connections("tcp") if link.raddr and link.raddr.port in to}
    return found


def _rule(action: str, side: str, port: int) -> None:
    match = ["-i", "lo", "-p", "tcp", side, str(port), "-m", "comment", "--comment", COMMENT]
    subprocess.run(["iptables", "-w", action, "INPUT", *match, "-j", "DROP"], check=True)


def heal() -> None:
    """Take away every rule of ours."""
    listed = subprocess.run(["iptables", "-w", "-S", "INPUT"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        if COMMENT in line:
            subprocess.run(["iptables", "-w", "-D", *line.split()[1:]], check=True)
