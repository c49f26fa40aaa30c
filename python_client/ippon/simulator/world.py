"""The agents of five organisations on a model ledger, and the rounds in which everything happens.

A round: files arrive, clocks jump, nodes fall and rise, processes die, double and are replaced; then agents have their
turns and flows move on. After so many rounds the faults stop, and the rest must settle by itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

from sqlalchemy.exc import OperationalError

from ippon.agent.agent import Agent
from ippon.agent.inbox import drop
from ippon.agent.settings import AgentSettings
from ippon.agent.tools import Tools
from ippon.simulator.book import EXCHANGE, ISSUER, REGISTRAR, Book
from ippon.simulator.day import CUSTODIANS, OPENING, SECURITIES, Day
from ippon.simulator.door import Bridge, Door
from ippon.simulator.faults import Faults
from ippon.simulator.member import Member
from ippon.simulator.network import Network
from ippon.simulator.store import Disk, FaultyStore

ROLES: Mapping[str, Literal["exchange", "asset", "coin", "custodian"]] = {
    EXCHANGE: "exchange",
    REGISTRAR: "asset",
    ISSUER: "coin",
    **dict.fromkeys(CUSTODIANS, "custodian"),
}
FAULT_ROUNDS = 24
PASSES = 8
IDLE = 0.7
"""How often an agent that nothing wakes is not looked after in a round: between two of its polls much may happen."""
STEPS_MILLIS = (200, 1_000, 3_000, 10_000, 40_000)
QUIET_SECONDS = (15, 15, 30, 30, 60)
"""From one calm round to the next; the last one from then on. What is waited for takes minutes by then."""
TIMERS = {
    **{"retry_base_seconds": 5, "retry_cap_seconds": 120, "transient_base_seconds": 1, "transient_cap_seconds": 20},
    **{"reconcile_seconds": 45, "lease_seconds": 60, "settlement_limit_seconds": 400, "receipt_seconds": 3600},
}


class Killed(BaseException):
    """The agent's process dies here."""


class Silence:
    """A log that keeps nothing."""

    def info(self, event: str, **values: Any) -> None:
        """See `Log`."""

    warning = info
    error = info


@dataclass(slots=True)
class Process:
    """One agent process."""

    organisation: str
    worker: str
    agent: Agent | None = None
    woken: bool = True
    busy: bool = False
    rests: int = 0
    """Rounds until it is started again, or has slept off a failed step."""


AgentMaker = Callable[[Tools], Agent]


class World:
    """See the module."""

    def __init__(
        self,
        *,
        seed: int,
        faults: Faults,
        disks: Mapping[str, Disk],
        folder: Path,
        trace: Callable[[str], None],
        make_agent: AgentMaker = Agent,
    ) -> None:
        self.moment = OPENING
        self.faults = faults
        self.random = Random(seed * 3 + 1)  # noqa: S311
        self.book = Book()
        self.network = Network(book=self.book, now=lambda: self.moment, random=self.random, faults=faults)
        self.network.moved, self.network.trace = self._moved, self.trace
        self._write = trace
        self.disks = disks
        self._folder = folder
        self._make_agent = make_agent
        self.drift = {name: timedelta() for name in (*ROLES, *(f"{name} node" for name in ROLES))}
        self.bridges: dict[str, Bridge] = {}
        self.settings: dict[str, AgentSettings] = {}
        self.problems: list[str] = []
        self.calm_rounds = 0
        self.processes: list[Process] = []
        for name, role in ROLES.items():
            self._join(name, role)

    def trace(self, line: str) -> None:
        """A line of the event trace, with the time."""
        self._write(f"{self.moment:%H:%M:%S.%f}"[:-3] + f" {line}")

    def _join(self, name: str, role: str) -> None:
        member = Member(name, self.book, lambda: self.moment + self.drift[f"{name} node"])
        member.row_delay = self._row_delay
        member.lives = lambda run_id: run_id in self.network.running or run_id in self.network.responders
        self.network.members[name] = member
        self.bridges[name] = Bridge(self.network, member, role)
        self.settings[name] = _settings(name, role).beside(self._folder / name.replace(" ", "-"))
        self.disks[name].empty()
        process = Process(name, "one")
        self.processes.append(process)
        self._start(process)

    def _row_delay(self) -> timedelta | None:
        late = self.faults.happens("row_late")
        return timedelta(milliseconds=self.faults.random.randrange(100, 8000)) if late else None

    # ---- processes

    def _start(self, process: Process) -> None:
        name = process.organisation

        def gate(call: str) -> None:
            self._gate(process, call)

        tools = Tools(
            settings=self.settings[name],
            store=FaultyStore(self.disks[name], faults=self.faults, gate=gate),
            node=Door(self.bridges[name], gate),
            operator=Door(self.bridges[name], gate),
            clock=_Clock(lambda: self.moment + self.drift[name]),
            random=Random(self.random.random()),  # noqa: S311
            worker=f"{name[-1]}:{process.worker}",
            log=Silence(),
        )
        process.agent, process.woken = self._make_agent(tools), True

    def _gate(self, process: Process, call: str) -> None:
        """A call of node or store: here a process may die, and another worker of the same store may have its turn."""
        if self.faults.happens("agent_killed"):
            self.trace(f"die {process.organisation} {process.worker} at {call}")
            raise Killed
        if call in ("read", "write", "commit", "committed"):
            return
        if self.faults.happens("other_worker"):
            for other in self.processes:
                if other.organisation == process.organisation and other is not process:
                    self.step(other)

    def step(self, process: Process) -> None:
        """One step of an agent, as its runner would have it."""
        if process.agent is None or process.busy:
            return
        woken, process.woken, process.busy = process.woken, False, True
        try:
            process.agent.step(changed=woken)
        except Killed:
            process.agent, process.rests = None, self.faults.random.randrange(3)
        except OperationalError as problem:
            self.trace(f"store {process.organisation} {process.worker} {problem.orig}")
            process.rests = 1
        except Exception as problem:
            self.problems.append(f"{process.organisation} {type(problem).__name__}: {problem}")
            self.trace(f"failed {process.organisation} {type(problem).__name__}")
        finally:
            process.busy = False

    def _moved(self, member: Member) -> None:
        member.sequence += 1
        if self.faults.happens("event_lost"):
            return
        for process in self.processes:
            if process.organisation == member.name:
                process.woken = True

    # ---- rounds

    def play(self, day: Day) -> None:
        """The rounds in which things go wrong."""
        for number in range(FAULT_ROUNDS):
            for file in day.files:
                if file.round == number:
                    drop(inbox_dir=self.settings[file.organisation].inbox_dir, name=file.name, content=file.content)
                    self.trace(f"file {file.organisation} {file.name}")
            self._trouble()
            order = list(self.processes)
            self.random.shuffle(order)
            for process in order:
                self._turn(process)
            self.network.turn()
            self.moment += timedelta(milliseconds=self.random.choice(STEPS_MILLIS))
        self._calm()

    def _turn(self, process: Process) -> None:
        if process.rests > 0:
            process.rests -= 1
            return
        if not process.woken and self.random.random() < IDLE:
            return
        if process.agent is None:
            self.trace(f"start {process.organisation} {process.worker}")
            self._start(process)
        self.step(process)
        if self.faults.happens("event_doubled"):
            process.woken = True

    def _trouble(self) -> None:
        for name in ROLES:
            member = self.network.members[name]
            if member.down:
                member.down = self.random.random() < 0.5
            elif self.faults.happens("node_down"):
                member.down = True
                self.trace(f"down {name}")
            for clock in (name, f"{name} node"):
                if self.drift[clock] and self.random.random() < 0.3:
                    self.drift[clock] = timedelta()
                elif self.faults.happens("clock_jump"):
                    self.drift[clock] = self.faults.jump()
                    self.trace(f"clock {clock} {self.drift[clock].total_seconds():+.0f}")
        for process in list(self.processes):
            self._replace(process)

    def _replace(self, process: Process) -> None:
        name = process.organisation
        if process.worker == "two":
            if self.random.random() < 0.2:
                self.processes.remove(process)
                self.trace(f"gone {name} two")
        elif self.faults.happens("upgraded"):
            self.trace(f"upgrade {name}")
            process.agent = None
            self.disks[name].move()
        elif self.faults.happens("doubled") and not any(
            p.worker == "two" for p in self.processes if p.organisation == name
        ):
            second = Process(name, "two")
            self.processes.append(second)
            self._start(second)
            self.trace(f"double {name}")

    def _calm(self) -> None:
        """The faults stop: clocks are right, nodes are up, and one process of each organisation runs."""
        self.faults.on = False
        self.trace("calm")
        self.processes = [process for process in self.processes if process.worker == "one"]
        for process in self.processes:
            process.rests, process.woken = 0, True
            if process.agent is None:
                self._start(process)
        for name in self.drift:
            self.drift[name] = timedelta()
        for member in self.network.members.values():
            member.down = False

    def calm_round(self) -> None:
        """A round in which nothing goes wrong."""
        for number in range(PASSES):
            for process in self.processes:
                if process.woken or number == 0:
                    self.step(process)
            self.network.turn()
            if not any(process.woken for process in self.processes):
                break
        self.moment += timedelta(seconds=QUIET_SECONDS[min(self.calm_rounds, len(QUIET_SECONDS) - 1)])
        self.calm_rounds += 1


class _Clock:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now


@cache
def _settings(name: str, role: str) -> AgentSettings:
    return AgentSettings.model_validate(
        {
            "organisation": name,
            "role": role,
            "bridge": {"kind": "http", "url": "http://127.0.0.1:1", "agent_token_file": "none"},
            "other_custodians": [other for other in CUSTODIANS if role == "custodian" and other != name],
            "exchange": {"platform_codes": ["IPPON"], "security_codes": SECURITIES, "orders_required": False},
            "timers": TIMERS,
            "limits": {"max_starts_in_flight": 64},
        }
    )
