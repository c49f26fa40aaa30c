"""The agents of the network on this machine: one process per organisation, each with that organisation's tokens only.

    <network>/agents/<member>/config.json  agent.token  operator.token  inbox/  receipts/  agent.sqlite  run/

They outlive the program that starts them; `ippon network down` stops them.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ippon.errors import BadFile
from ippon.local import LocalNetwork, Member
from ippon.model import Role
from ippon_network.credentials import write_private
from ippon_network.process import Supervised

READY = '"event": "ready"'
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 15.0
# A demo shows that announcements wake waiting fills, so the timer must not.
DEMO_TIMERS = {"retry_base_seconds": 3_600.0, "retry_cap_seconds": 3_600.0}
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class AgentFolder:
    """Where one agent keeps what."""

    root: Path

    @property
    def config(self) -> Path:
        """What `ippon agent run --config` is given."""
        return self.root / "config.json"

    @property
    def inbox(self) -> Path:
        """Files to read."""
        return self.root / "inbox"

    @property
    def receipts(self) -> Path:
        """What became of them."""
        return self.root / "receipts"

    @property
    def store(self) -> Path:
        """The agent's database."""
        return self.root / "agent.sqlite"

    @property
    def store_url(self) -> str:
        """The same for SQLAlchemy."""
        return f"sqlite:///{self.store}"

    def process(self) -> Supervised:
        """The agent."""
        return Supervised("agent", owner=self.root.name, run_dir=self.root / "run", marker=READY)


@dataclass(frozen=True)
class Market:
    """What the venue trades: see examples/day-1/securities.csv."""

    platform_codes: tuple[str, ...]
    security_codes: tuple[str, ...]


class Agents:
    """All agents of a network."""

    def __init__(self, local: LocalNetwork) -> None:
        self._local = local

    def folder(self, member: Member) -> AgentFolder:
        """A member's agent's folder."""
        return AgentFolder(self._local.agents_dir / member.key)

    def start(self, market: Market, *, timers: Mapping[str, float] | None = None) -> None:
        """(Re)start the agents of all members and wait until each is ready; `timers` as in the agent's settings."""
        self.stop()
        self.configure(market, timers=timers)
        for member in self._local.members:
            self._launch(member)
        self._await_ready(self._local.members)

    def start_one(self, member: Member, *, wait: bool = True) -> None:
        """Start one agent that is configured and does not run; wait until it is ready, for which its node must run."""
        self._launch(member)
        if wait:
            self._await_ready([member])

    def stop_one(self, member: Member) -> None:
        """Stop one agent."""
        process = self.folder(member).process()
        process.ask_to_stop()
        process.await_end(deadline=time.monotonic() + STOP_TIMEOUT_SECONDS)

    def _launch(self, member: Member) -> None:
        folder = self.folder(member)
        command: list[str | Path] = [sys.executable, "-m", "ippon.cli", "agent", "run", "--config", folder.config]
        folder.process().start(command, cwd=folder.root, environment={})

    def _await_ready(self, members: Iterable[Member]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        for member in members:
            while not self.folder(member).process().check_start(deadline=deadline):
                time.sleep(_POLL_SECONDS)

    def configure(self, market: Market, *, timers: Mapping[str, float] | None = None) -> None:
        """Write every agent's configuration and the tokens of its own organisation."""
        for member in self._local.members:
            self._configure(member, market, timers)

    def stop(self) -> None:
        """Stop every agent of this network, also of members that the topology has no more."""
        processes = [AgentFolder(run.parent).process() for run in sorted(self._local.agents_dir.glob("*/run"))]
        for process in processes:
            process.ask_to_stop()
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        for process in processes:
            process.await_end(deadline=deadline)

    def dead(self) -> list[Member]:
        """Members whose agent does not run."""
        return [member for member in self._local.members if not self.folder(member).process().alive]

    def memory_bytes(self) -> int:
        """PSS of all agents."""
        return sum(self.folder(member).process().memory().pss_bytes for member in self._local.members)

    def _configure(self, member: Member, market: Market, timers: Mapping[str, float] | None) -> None:
        folder, access = self.folder(member), self._local.network.access(member.key)
        folder.root.mkdir(parents=True, exist_ok=True)
        folder.root.chmod(0o700)
        for right in ("agent", "operator"):
            write_private(folder.root / f"{right}.token", getattr(access.tokens, right).get_secret_value())
        content = {**_common(member, access.http_url, access.ca_file), **self._for_role(member, market)}
        if timers:
            content["timers"] = dict(timers)
        write_private(folder.config, json.dumps(content, indent=2))

    def _for_role(self, member: Member, market: Market) -> dict[str, Any]:
        role = member.roles[0]
        if role is Role.CUSTODIAN:
            others = [one.name for one in self._local.with_role(Role.CUSTODIAN) if one != member]
            return {"other_custodians": others}
        if role is Role.EXCHANGE:
            return {"exchange": {"platform_codes": market.platform_codes, "security_codes": market.security_codes}}
        return {}


def load_market(path: Path) -> Market:
    """The venue's securities out of a file; BadFile when it has none."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows: list[Mapping[str, str]] = list(csv.DictReader(file))
        return Market(_distinct(row["platform_code"] for row in rows), _distinct(row["security_code"] for row in rows))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is no list of securities: {error!r}", where=str(path)) from error


def _common(member: Member, url: str, ca_file: Path | None) -> dict[str, Any]:
    door = {"kind": "http", "url": url, "agent_token_file": "agent.token", "operator_token_file": "operator.token"}
    if ca_file is not None:
        door["ca_file"] = str(ca_file)
    return {"organisation": member.name, "role": member.roles[0].value, "bridge": door}


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
