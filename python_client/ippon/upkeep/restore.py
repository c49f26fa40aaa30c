"""An organisation is put back to its backup, and learns from the others what has become of its dealings since.

everything stopped → files put back, the present ones set aside → node started, cleared of what was under way
→ every other member asked (recover) → bridge and agent started, the agent with what no ledger has to send again
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ippon.agent.again import note_restored, send_again
from ippon.agent.store import Store
from ippon.demo.agents import Agents
from ippon.local import LocalNetwork, Member
from ippon.upkeep.backup import Say
from ippon_network.backup import AGENT_PART, NODE_PART, Manifest, put_back, read_backup
from ippon_network.errors import RestoreRefused

MARGIN = timedelta(days=1)
"""What others recorded before the backup may not have reached the node by then: as long as a delivery may wait."""
CLEAR_SECONDS = 10
MEMBER_SECONDS = 120
Result = TypeVar("Result")
_STORE_FILES = ("agent.sqlite-wal", "agent.sqlite-shm")


@dataclass
class Restored:
    """What came of it."""

    node: str
    aside: Path | None = None
    killed: list[str] = field(default_factory=list)
    recovered: list[dict[str, Any]] = field(default_factory=list)
    unanswered: list[dict[str, Any]] = field(default_factory=list)
    sent_again: int = 0

    @property
    def whole(self) -> bool:
        """Whether every other member has told what it knows."""
        return not self.unanswered


def restore(local: LocalNetwork, node: str, source: Path, *, keep_agent: bool, say: Say) -> Restored:
    """Put a node, and its agent unless `keep_agent`, back to a backup, and have it catch up.

    Raises: RestoreRefused, with nothing touched.
    """
    manifest = read_backup(source)
    _refuse_misfit(local, node, manifest)
    member = local.member(node)
    stop(local, node, member)
    stamp = datetime.now(UTC).strftime("replaced-%Y%m%dT%H%M%S")
    root = local.network.folder(node).root
    put_back(source, manifest, NODE_PART, root, aside=root / stamp)
    result = Restored(node, aside=root / stamp)
    if member and not keep_agent:
        _put_agent_back(local, member, source, manifest, stamp)
    say(f"{node} is as it was on {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC; starting it")
    local.network.start(node, bridge=False)
    cleared = local.network.maintenance(node).clear(seconds=CLEAR_SECONDS if not manifest.drained else 1)
    result.killed = [one["flow"] for one in cleared["killed"]]
    local.network.maintenance(node).resume()
    return catch_up(local, result, since=manifest.taken_at, say=say)


def catch_up(local: LocalNetwork, result: Restored, *, since: datetime, say: Say) -> Restored:
    """Ask all others for what a restored node, which runs, has lost since; then start its bridge and agent.

    Repeating it does no harm. While a member has not answered, the agent stays stopped: it would act on a gap.
    """
    node = result.node
    topology = local.network.topology
    if topology.recovery_flows(node):
        members = len(topology.other_members(node))
        say(f"Asking {members} members what {node} has lost")
        answer = local.network.maintenance(node).recover(since=since - MARGIN, seconds=MEMBER_SECONDS, members=members)
        result.recovered, result.unanswered = answer["recovered"], answer["unanswered"]
    if not result.whole:
        return result
    member = local.member(node)
    local.network.start(node)
    if member:
        again = partial(send_again, since=since - MARGIN, now=datetime.now(UTC))
        result.sent_again = _with_store(local, member, again)
        Agents(local).start_one(member)
    return result


def stop(local: LocalNetwork, node: str, member: Member | None) -> None:
    """Stop agent, bridge and node."""
    if member:
        Agents(local).stop_one(member)
    local.network.stop(node)


def _refuse_misfit(local: LocalNetwork, node: str, manifest: Manifest) -> None:
    topology = local.network.topology
    name = topology.node(node).name
    if topology.notary_of(node):
        raise RestoreRefused(
            f"{node} is the notary: put back to an earlier time it would let what is spent be spent again. "
            "See docs/operations.md for what to do when a notary is lost."
        )
    if (manifest.node, manifest.name) != (node, name):
        raise RestoreRefused(f"this is a backup of {manifest.node} ({manifest.name}), not of {node} ({name})")
    if manifest.network != topology.identity():
        raise RestoreRefused("this is a backup of another network: names, roles, notary or p2p addresses differ")


def _put_agent_back(local: LocalNetwork, member: Member, source: Path, manifest: Manifest, stamp: str) -> None:
    root = Agents(local).folder(member).root
    root.mkdir(parents=True, exist_ok=True)
    aside = root / stamp
    put_back(source, manifest, AGENT_PART, root, aside=aside)
    for name in _STORE_FILES:
        # They belong to the store that was set aside; beside another one SQLite would take them for its own.
        if (root / name).exists():
            shutil.move(root / name, aside / name)
    _with_store(local, member, lambda store: note_restored(store, taken_at=manifest.taken_at, now=datetime.now(UTC)))


def _with_store(local: LocalNetwork, member: Member, do: Callable[[Store], Result]) -> Result:
    store = Store.open(Agents(local).folder(member).store_url)
    try:
        return do(store)
    finally:
        store.close()
