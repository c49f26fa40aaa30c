"""A backup of one organisation: its node and its agent, taken together while both stand still.

agent stopped → node drained, as far as it can be in time → bridge and node stopped → copied → all started again
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ippon.demo.agents import AgentFolder, Agents
from ippon.local import LocalNetwork
from ippon_network.backup import AGENT_PART, Manifest, node_files, write_backup
from ippon_network.errors import BackupRefused

Say = Callable[[str], None]
_SQLITE = "agent.sqlite"
_PROCESS_FOLDER = "run"


def back_up(local: LocalNetwork, node: str, target: Path, *, drain_seconds: int, say: Say) -> Manifest:
    """Back a node and its agent up into the new folder `target`; what ran before runs again afterwards in any case.

    Raises: BackupRefused and other errors of `ippon_network`; then there is no backup.
    """
    if target.exists() and any(target.iterdir()):
        raise BackupRefused(f"{target} is there already and not empty: a backup is never written over another one")
    network, agents = local.network, Agents(local)
    member = local.member(node)
    agent = agents.folder(member) if member else None
    ran, agent_ran = network.process(node).alive, agent is not None and agent.process().alive
    bridge_ran = member is not None and network.process(node, bridge=True).alive
    try:
        if member and agent_ran:
            agents.stop_one(member)
        drained = _drain(local, node, drain_seconds, say) if ran else False
        network.stop(node)
        return _copy(local, node, agent, target, drained=drained)
    finally:
        if ran:
            network.start(node, bridge=bridge_ran)
            network.maintenance(node).resume()
        if member and agent_ran:
            agents.start_one(member, wait=ran)


def _drain(local: LocalNetwork, node: str, seconds: int, say: Say) -> bool:
    if seconds <= 0:
        return False
    left = local.network.maintenance(node).drain(seconds=seconds)["running"]
    if left:
        say(f"{len(left)} flows are still under way at {node} and come along: {', '.join(one['flow'] for one in left)}")
    return not left


def _copy(local: LocalNetwork, node: str, agent: AgentFolder | None, target: Path, *, drained: bool) -> Manifest:
    topology = local.network.topology
    manifest = Manifest(
        node=node,
        name=topology.node(node).name,
        network=topology.identity(),
        taken_at=datetime.now(UTC),
        drained=drained,
        files={},
    )
    with tempfile.TemporaryDirectory(prefix="ippon-backup-") as folder:
        files = dict(node_files(local.network.folder(node)))
        if agent is not None and agent.root.exists():
            files |= dict(_agent_files(agent, Path(folder)))
        return write_backup(target, manifest, files)


def _agent_files(agent: AgentFolder, scratch: Path) -> Iterator[tuple[str, Path]]:
    """The agent's store as one file, its write-ahead log included, and all else but what tells of its process."""
    if agent.store.exists():
        with closing(sqlite3.connect(agent.store)) as store, closing(sqlite3.connect(scratch / _SQLITE)) as copy:
            store.backup(copy)
        yield f"{AGENT_PART}/{_SQLITE}", scratch / _SQLITE
    for path in sorted(agent.root.rglob("*")):
        name = path.relative_to(agent.root)
        if path.is_file() and name.parts[0] != _PROCESS_FOLDER and not name.name.startswith(_SQLITE):
            yield f"{AGENT_PART}/{name}", path
