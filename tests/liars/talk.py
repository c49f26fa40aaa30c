"""Tells the lying nodes what to do, by Corda RPC, through one JVM for all of them (liars/, org.ippon.liars.client)."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ippon_network import Network
from ippon_network.parts import java_home

PACKAGE = "org.ippon.liars"
START_TIMEOUT_SECONDS = 60.0
FLOW_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class Told:
    """What one node said to a lie: the code and field of its refusal, and whether it signed."""

    who: str
    code: str | None
    field: str | None
    message: str | None
    signed: bool

    @property
    def refusal(self) -> tuple[str, str | None, str | None]:
        """Who refused, and why, without the words."""
        return self.who, self.code, self.field


class Liars:
    """The lying nodes of a network. Use as a context manager."""

    def __init__(self, network: Network, roles: dict[str, str], *, classes: Path) -> None:
        """`roles`: the role in which each node lies."""
        self._network = network
        self._roles = roles
        self._classes = classes
        self._count = 0
        self._ends: dict[int, queue.Queue[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        java = java_home() / "bin" / "java"
        with (self._classes.parent / "client.log").open("wb") as log:
            self._start(java, log)
        ready: queue.Queue[dict[str, Any]] = queue.Queue()
        self._ends[0] = ready
        # Passwords by standard input, since a command line can be read by everyone on the machine.
        self._say([self._login(node) for node in self._roles])
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        ready.get(timeout=START_TIMEOUT_SECONDS)
        return self

    def _start(self, java: Path, log: IO[bytes]) -> None:
        self._process = subprocess.Popen(
            [java, "-Xmx256m", "-cp", f"{self._classes}/*", f"{PACKAGE}.client.MainKt"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.close()
        try:
            self._process.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        stdout.close()

    def order(self, node: str, flow: str, *words: str) -> int:
        """Start a flow of a lying node; the number to `hear` of its end by."""
        self._count += 1
        self._ends[self._count] = queue.Queue()
        name = f"{PACKAGE}.{self._roles[node]}.{flow}"
        self._say({"number": self._count, "node": node, "flow": name, "words": words})
        return self._count

    def hear(self, number: int, *, timeout_seconds: float = FLOW_TIMEOUT_SECONDS) -> Any:
        """What an ordered flow has ended with."""
        end = self._ends[number].get(timeout=timeout_seconds)
        assert "error" not in end, end["error"]
        return end["result"]

    def tell(self, node: str, flow: str, *words: str) -> Any:
        """Run a flow of a lying node to its end."""
        return self.hear(self.order(node, flow, *words))

    def lie(self, node: str, flow: str, *words: str) -> list[Told]:
        """The same, of a flow that answers with what each node said to it."""
        return [Told(**one) for one in self.tell(node, flow, *words)]

    def _login(self, node: str) -> dict[str, str]:
        """Of the RPC user that starts flows, out of the file that the node's bridge is started with."""
        config = json.loads(self._network.folder(node).bridge_config.read_text(encoding="utf-8"))
        user = config["users"]["bridge"]
        address = f"{config['rpc']['host']}:{config['rpc']['port']}"
        return {"node": node, "address": address, "user": user["name"], "password": user["password"]}

    def _say(self, what: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if not line.startswith("{"):
                continue
            content = json.loads(line)
            self._ends[content.get("number", 0)].put(content)
