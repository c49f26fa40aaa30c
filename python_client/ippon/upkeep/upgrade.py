"""A node is put onto other CorDapps, signed by the same key, without losing what it has on the ledger or under way.

jars looked at → node drained → stopped → jars exchanged, database migrated → started → flows let in again
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ippon.local import LocalNetwork
from ippon.upkeep.backup import Say
from ippon_network.errors import BootstrapFailed, StartFailed, UpgradeRefused

CORDAPPS = "cordapps"


@dataclass(frozen=True)
class Upgraded:
    """What came of it: the node's CorDapps as it tells them itself."""

    node: str
    before: int
    after: int
    cordapps: list[dict[str, Any]]


def upgrade(local: LocalNetwork, node: str, parts: Path, *, drain_seconds: int, say: Say) -> Upgraded:
    """Put the CorDapps in `parts`/cordapps into a node that runs. Its bridge and agent wait meanwhile.

    Raises: UpgradeRefused, with the node as it was: when the jars do not fit, when flows are still under way after
    `drain_seconds`, and when the node does not start with the new jars.
    """
    network = local.network
    before, after = network.check_cordapps(node, parts / CORDAPPS)
    say(f"Draining {node}, for at most {drain_seconds} s")
    left = network.maintenance(node).drain(seconds=drain_seconds)["running"]
    if left:
        network.maintenance(node).resume()
        told = ", ".join(f"{one['flow']} ({one['run_id']})" for one in left)
        raise UpgradeRefused(
            f"{len(left)} flows of {node} are still under way after {drain_seconds} s: {told}. Wait for their "
            "counterparties, or end them; docs/operations.md says how."
        )
    with tempfile.TemporaryDirectory(prefix="ippon-upgrade-") as folder:
        old = Path(folder) / CORDAPPS
        shutil.copytree(network.folder(node).cordapps, old)
        _exchange(local, node, parts / CORDAPPS, old, say)
    status = network.maintenance(node).status()
    network.maintenance(node).resume()
    return Upgraded(node, before, after, status["cordapps"])


def _exchange(local: LocalNetwork, node: str, new: Path, old: Path, say: Say) -> None:
    network = local.network
    network.stop(node, bridge=False)
    try:
        network.replace_cordapps(node, new)
        network.start(node)
    except (BootstrapFailed, StartFailed) as problem:
        say(f"{node} does not start with them; putting back what it had")
        network.stop(node, bridge=False)
        network.replace_cordapps(node, old)
        network.start(node)
        network.maintenance(node).resume()
        raise UpgradeRefused(
            f"{node} does not start with the new CorDapps, and runs with the old: {problem}"
        ) from problem
