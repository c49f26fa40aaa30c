"""Where a network keeps what, and who may change it."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ippon_network.credentials import write_private
from ippon_network.errors import DirectoryRefused
from ippon_network.process import Supervised
from ippon_network.tls import DoorKeys

NODE_READY = "started up and registered"
BRIDGE_READY = "Bridge ready"

Progress = Callable[[str], None]


class Stamp(BaseModel):
    """Written once a network is whole; tells what it was bootstrapped from."""

    model_config = ConfigDict(frozen=True)

    identity: str
    corda_hash: str
    nodes: tuple[str, ...]
    bootstrapped_at: datetime


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """One node's files."""

    root: Path

    @property
    def conf(self) -> Path:
        """Corda's configuration."""
        return self.root / "node.conf"

    @property
    def corda_jar(self) -> Path:
        """Corda itself."""
        return self.root / "corda.jar"

    @property
    def cordapps(self) -> Path:
        """The CorDapp jars."""
        return self.root / "cordapps"

    @property
    def core_conf(self) -> Path:
        """Configuration of ippon-core.jar; Corda looks for it under the jar's name."""
        return self.cordapps / "config" / "ippon-core.conf"

    @property
    def secrets(self) -> Path:
        """Passwords and tokens."""
        return self.root / "secrets.json"

    @property
    def database(self) -> Path:
        """The H2 file; only ever read as a copy."""
        return self.root / "persistence.mv.db"

    @property
    def bridge_config(self) -> Path:
        """What the bridge is started with."""
        return self.root / "bridge" / "config.json"

    @property
    def maintenance_config(self) -> Path:
        """What its maintainer logs in with."""
        return self.root / "maintenance.json"

    @property
    def door_keys(self) -> DoorKeys:
        """What its HTTPS is made of, where the topology wants that."""
        return DoorKeys.beside(self.bridge_config)

    @property
    def run(self) -> Path:
        """Pids and consoles."""
        return self.root / "run"

    @property
    def migration_due(self) -> Path:
        """There from before jars are changed until the database has been migrated."""
        return self.run / "migration-due"

    def node_process(self) -> Supervised:
        """The node."""
        return Supervised("node", owner=self.root.name, run_dir=self.run, marker=NODE_READY)

    def bridge_process(self) -> Supervised:
        """The bridge before it."""
        return Supervised("bridge", owner=self.root.name, run_dir=self.run, marker=BRIDGE_READY)


@dataclass(frozen=True, slots=True)
class NetworkFolder:
    """A folder that holds one network and nothing else."""

    root: Path

    @property
    def corda_jar(self) -> Path:
        """The copy of corda.jar that all nodes share."""
        return self.root / "corda.jar"

    @property
    def bootstrapper_log(self) -> Path:
        """What the network bootstrapper said."""
        return self.root / "bootstrapper.log"

    @property
    def capsule_cache(self) -> Path:
        """Where corda.jar unpacks itself; once for all nodes."""
        return self.root / ".cache"

    @property
    def bridges(self) -> Path:
        """Copies of the bridge, a folder each, named by their content."""
        return self.root / ".bridges"

    @property
    def _mark(self) -> Path:
        return self.root / ".ippon-network"

    @property
    def _lock(self) -> Path:
        return self.root / ".lock"

    @property
    def _stamp(self) -> Path:
        return self.root / "bootstrapped.json"

    def node(self, key: str) -> NodeFolder:
        """The folder of one node."""
        return NodeFolder(self.root / key)

    def nodes(self) -> list[NodeFolder]:
        """Folders of nodes that have been started, whatever the topology says today."""
        return [NodeFolder(run.parent) for run in sorted(self.root.glob("*/run"))]

    def stamp(self) -> Stamp | None:
        """What was bootstrapped here; None when nothing was, or not to the end."""
        try:
            return Stamp.model_validate_json(self._stamp.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def write_stamp(self, stamp: Stamp) -> None:
        """Say that the network is whole."""
        write_private(self._stamp, stamp.model_dump_json(indent=2))

    def clear(self) -> None:
        """Delete the network, its ledger included."""
        # The stamp first: without it, what a broken deletion leaves is no network.
        self._stamp.unlink(missing_ok=True)
        for path in self.root.iterdir():
            if path not in (self._mark, self._lock):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextlib.contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """One at a time may change the network. DirectoryRefused when the folder is somebody else's."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not self._mark.exists():
            if any(self.root.iterdir()):
                raise DirectoryRefused(f"{self.root} is not empty and no network of ippon: choose another folder")
            self._mark.touch()
        with self._lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("Waiting for another program that is changing the network")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
