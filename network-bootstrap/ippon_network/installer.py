"""Makes nodes, and puts new jars and new configuration into those that are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from ippon_network import render
from ippon_network.credentials import Credentials, write_private
from ippon_network.errors import BootstrapFailed, TopologyChanged
from ippon_network.folder import NetworkFolder, Progress, Stamp
from ippon_network.parts import Parts, file_hash, java_home, present, tree_hash
from ippon_network.process import tail
from ippon_network.settings import NetworkSettings
from ippon_network.topology import Topology

# Each node is run twice, for its database and for its node-info: too short to be worth optimising, and it loads nothing
# but jars that were built or fetched here.
_QUICK_START = "-XX:TieredStopAtLevel=1 -XX:-BytecodeVerificationRemote"


class Installer:
    """What changes the files of a network. Its callers hold the folder's lock, and stop a node before changing it."""

    def __init__(
        self, folder: NetworkFolder, *, topology: Topology, settings: NetworkSettings, progress: Progress
    ) -> None:
        """Nothing is touched yet."""
        self._folder = folder
        self._topology = topology
        self._settings = settings
        self._parts = Parts.of(settings)
        self._progress = progress

    @cached_property
    def java(self) -> Path:
        """The JDK 8's java."""
        return java_home() / "bin" / "java"

    @property
    def java_environment(self) -> dict[str, str]:
        """What corda.jar wants in its environment."""
        return {"CAPSULE_CACHE_DIR": str(self._folder.capsule_cache)}

    def bootstrap_if_absent(self) -> None:
        """Make the network; TopologyChanged when there is one that the topology no longer fits."""
        stamp = self._folder.stamp()
        if stamp is None:
            self._bootstrap()
        elif stamp.identity != self._topology.identity():
            raise TopologyChanged(
                f"{self._settings.topology} no longer fits the network in {self._folder.root}: names, roles, the "
                "notary or p2p addresses have changed, and only a new ledger can take that up. Undo the change, or run "
                "'ippon network down --wipe' (or 'make clean'), which deletes the ledger, and start again."
            )

    def _bootstrap(self) -> None:
        started = time.monotonic()
        present(self._parts.corda_jar)
        present(self._parts.bootstrapper_jar)
        # Without a stamp nothing was ever started here, so there is no ledger to lose.
        self._folder.clear()
        # CorDapps and configuration first: the bootstrapper then migrates each database for what its node will run.
        for key in self._topology.nodes:
            self._write_node(key)
        self._progress(f"Bootstrapping {len(self._topology.nodes)} nodes in {self._folder.root} (once; some minutes)")
        self._run_java(
            ["-jar", self._parts.bootstrapper_jar, "--dir", self._folder.root, "--copy-cordapps", "No"],
            cwd=self._folder.root,
            console=self._folder.bootstrapper_log,
            timeout_seconds=self._settings.bootstrap_timeout_seconds,
            what="the network bootstrapper",
        )
        stamp = Stamp(
            identity=self._topology.identity(),
            corda_hash=file_hash(self._parts.corda_jar),
            nodes=tuple(self._topology.nodes),
            bootstrapped_at=datetime.now(UTC),
        )
        self._folder.write_stamp(stamp)
        self._progress(f"Bootstrapped in {time.monotonic() - started:.0f} s")

    def changed(self) -> list[str]:
        """Nodes whose jars or configuration are not what Gradle built and the topology says."""
        corda_changed = self._corda_changed()
        return [
            key
            for key in self._topology.nodes
            if corda_changed or self._cordapps_changed(key) or self._texts_changed(key)
        ]

    def _corda_changed(self) -> bool:
        stamp = self._folder.stamp()
        return stamp is not None and file_hash(present(self._parts.corda_jar)) != stamp.corda_hash

    def _cordapps_changed(self, key: str) -> bool:
        node = self._folder.node(key)
        wanted = {jar.name: jar for jar in self._cordapp_jars(key)}
        installed = {jar.name: jar for jar in node.cordapps.glob("*.jar")}
        return (
            node.migration_due.exists()
            or wanted.keys() != installed.keys()
            or any(file_hash(wanted[name]) != file_hash(installed[name]) for name in wanted)
        )

    def _texts_changed(self, key: str) -> bool:
        return any(
            not path.exists() or path.read_text(encoding="utf-8") != text for path, text in self._texts(key).items()
        )

    def take_up(self, keys: Sequence[str]) -> None:
        """Put what has changed into stopped nodes; migrate the databases of those that get new jars."""
        corda_changed = self._corda_changed()
        due = [key for key in keys if corda_changed or self._cordapps_changed(key)]
        for key in due:
            # Before the jars, so that a break in between cannot hide that the database is behind them.
            mark = self._folder.node(key).migration_due
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        for key in keys:
            self._write_node(key)
        if due:
            self._migrate(due)
        stamp = self._folder.stamp()
        if stamp and corda_changed and set(due) >= set(stamp.nodes):
            renewed = file_hash(self._parts.corda_jar)
            self._folder.write_stamp(stamp.model_copy(update={"corda_hash": renewed}))

    def link_corda(self, key: str) -> None:
        """Give a node that has none its corda.jar: a backup leaves it out."""
        node = self._folder.node(key)
        if not node.corda_jar.exists():
            self._link_corda(node.corda_jar)

    def replace_cordapps(self, key: str, cordapp_dir: Path) -> None:
        """Put a stopped node's CorDapps out of another folder into it, and migrate its database."""
        node = self._folder.node(key)
        jars = [present(cordapp_dir / f"ippon-{name}.jar") for name in self._topology.cordapps_of(key)]
        node.migration_due.touch()
        for jar in jars:
            _copy_whole(jar, node.cordapps / jar.name)
        self._migrate([key])

    def take_up_bridge(self) -> Path:
        """The jar of the bridge as it is built now, in a copy: a JVM does not outlive its jars being written over."""
        built = present(self._parts.bridge_jar)
        target = self._folder.bridges / tree_hash(built.parent)[:16]
        if not target.exists():
            fresh = target.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(built.parent, fresh)
            fresh.rename(target)
        return target / built.name

    def forget_bridges_but(self, jar: Path) -> None:
        """Delete copies of bridges that no longer run."""
        for copy in self._folder.bridges.iterdir():
            if copy != jar.parent:
                shutil.rmtree(copy)

    def _migrate(self, keys: Sequence[str]) -> None:
        self._progress(f"Migrating the databases of {', '.join(keys)}")

        def migrate(key: str) -> None:
            node = self._folder.node(key)
            self._run_java(
                ["-jar", "corda.jar", "run-migration-scripts", "--core-schemas", "--app-schemas"],
                cwd=node.root,
                console=node.run / "migration.log",
                timeout_seconds=self._settings.migration_timeout_seconds,
                what=f"the database migration of {key}",
            )
            node.migration_due.unlink()

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            list(pool.map(migrate, keys))

    def _write_node(self, key: str) -> None:
        """Lay out a node's folder: Corda, CorDapps, configuration."""
        node = self._folder.node(key)
        node.cordapps.mkdir(parents=True, exist_ok=True)
        node.root.chmod(0o700)
        self._link_corda(node.corda_jar)
        wanted = self._cordapp_jars(key)
        for jar in node.cordapps.glob("*.jar"):
            if jar.name not in {path.name for path in wanted}:
                jar.unlink()
        for jar in wanted:
            _copy_whole(jar, node.cordapps / jar.name)
        for path, text in self._texts(key).items():
            write_private(path, text)
        if self._topology.bridge.tls and self._topology.node(key).has_bridge:
            node.door_keys.make_if_absent(java=self.java, organisation=key, host=self._topology.host)

    def _link_corda(self, target: Path) -> None:
        # One copy for all: 80 MB a node is much, and Gradle's own file may be rewritten while nodes run.
        shared = self._folder.corda_jar
        if not shared.exists() or file_hash(shared) != file_hash(self._parts.corda_jar):
            _copy_whole(self._parts.corda_jar, shared)
        if not target.exists() or not target.samefile(shared):
            target.unlink(missing_ok=True)
            target.hardlink_to(shared)

    def _texts(self, key: str) -> dict[Path, str]:
        node = self._folder.node(key)
        credentials = Credentials.kept_in(node.secrets)
        texts = {
            node.conf: render.node_conf(self._topology, key, credentials),
            node.maintenance_config: render.maintenance_config(self._topology, key, credentials),
        }
        if "core" in self._topology.cordapps_of(key):
            texts[node.core_conf] = render.core_conf(self._topology, key)
        if self._topology.node(key).has_bridge:
            texts[node.bridge_config] = render.bridge_config(self._topology, key, credentials, node.door_keys)
        return texts

    def _cordapp_jars(self, key: str) -> list[Path]:
        return [self._parts.cordapp(name) for name in self._topology.cordapps_of(key)]

    def _run_java(
        self, arguments: Sequence[str | Path], *, cwd: Path, console: Path, timeout_seconds: float, what: str
    ) -> None:
        """Run a Java program to its end, its words going to `console`; BootstrapFailed with their end when it fails."""
        console.parent.mkdir(parents=True, exist_ok=True)
        try:
            with console.open("wb") as log:
                finished = subprocess.run(
                    [self.java, *arguments],
                    cwd=cwd,
                    env={**os.environ, **self.java_environment, "JAVA_TOOL_OPTIONS": _QUICK_START},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=timeout_seconds,
                    check=False,
                )
        except subprocess.TimeoutExpired as error:
            raise BootstrapFailed(f"{what} took more than {timeout_seconds:.0f} s: see {console}") from error
        if finished.returncode != 0:
            raise BootstrapFailed(f"{what} failed. The end of {console}:\n{tail(console, 40)}")


def _copy_whole(source: Path, target: Path) -> None:
    """Copy by a rename, so that `target` is never half a file and a reader of the old one keeps it."""
    fresh = target.with_name(target.name + ".new")
    shutil.copyfile(source, fresh)
    fresh.replace(target)
