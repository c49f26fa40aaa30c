"""A Corda network on this machine: made once, started, looked at, stopped.

    network = Network()
    network.up()                       # bootstraps when there is none, takes up new jars, starts what does not run
    network.access("custodian-a")      # how to reach that organisation's bridge
    network.down()                     # the ledger stays; down(wipe=True) deletes it

A folder holds one network: a folder a node, and what all nodes share. The ledger is never lost by `up`: new jars are
put into the nodes that are there and their databases migrated; a topology that no longer fits is refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from ippon_network import render
from ippon_network.credentials import Credentials, write_private
from ippon_network.errors import BootstrapFailed, DirectoryRefused, NetworkError, PortTaken, TopologyChanged
from ippon_network.parts import Parts, file_hash, java_home, present
from ippon_network.process import Supervised, tail
from ippon_network.settings import NetworkSettings
from ippon_network.status import BridgeAccess, NetworkStatus, NodeStatus, ProcessStatus, Stamp
from ippon_network.topology import Topology, load_topology

NODE_READY = "started up and registered"
BRIDGE_READY = "Bridge ready"

LogSource = Literal["node", "console", "bridge"]
Progress = Callable[[str], None]

_POLL_SECONDS = 0.2
# No JVM options here: corda.jar starts the node proper as a child and would hand them on. Those are in node.conf.
_CORDA = ("-jar", "corda.jar")


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """Where one node keeps what."""

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
    def bridge_config(self) -> Path:
        """What the bridge is started with."""
        return self.root / "bridge" / "config.json"

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


class Network:
    """The network in one folder."""

    def __init__(
        self,
        directory: Path | None = None,
        *,
        settings: NetworkSettings | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`directory` overrides the setting; `progress` is told in a sentence what is being done."""
        self._settings = settings or NetworkSettings()
        self.directory = (directory or self._settings.network_dir).resolve()
        self._parts = Parts.of(self._settings)
        self._progress: Progress = progress or (lambda _: None)

    @cached_property
    def topology(self) -> Topology:
        """The topology, read when it is first needed."""
        return load_topology(self._settings.topology)

    @property
    def organisations(self) -> tuple[str, ...]:
        """Nodes that have a bridge, in the topology's order."""
        return tuple(key for key, node in self.topology.nodes.items() if node.has_bridge)

    def bootstrap(self) -> None:
        """Make the network when there is none; else put what has changed into the nodes that do not run."""
        with self._locked():
            self._bootstrap_if_absent()
            waiting = [key for key in self._changed() if self._folder(key).node_process().alive]
            self._take_up([key for key in self._changed() if key not in waiting])
            if waiting:
                self._progress(f"{', '.join(waiting)}: changes wait for the next 'up', the node is running")

    def up(self, *, bridges: bool = True) -> NetworkStatus:
        """Bring everything up and wait until it is ready; what already runs unchanged is left alone."""
        with self._locked():
            self._bootstrap_if_absent()
            changed = self._changed()
            self._stop(process for key in changed for process in self._processes(key))
            self._take_up(changed)
            self._start(self.topology.nodes, bridges=bridges)
        return self.status()

    def down(self, *, wipe: bool = False) -> None:
        """Stop all nodes and bridges; with `wipe`, delete the ledger and everything else of the network."""
        if not self.directory.exists():
            return
        with self._locked():
            # By what is in the folder, not by the topology, which may have changed since.
            folders = [NodeFolder(run.parent) for run in sorted(self.directory.glob("*/run"))]
            self._stop(folder.bridge_process() for folder in folders)
            self._stop(folder.node_process() for folder in folders)
            if wipe:
                self._wipe()

    def restart(self, node: str, *, bridge: bool = True) -> NodeStatus:
        """Stop one node and start it again, with its bridge unless told otherwise."""
        self.topology.node(node)
        with self._locked():
            self._require_bootstrapped()
            folder = self._folder(node)
            self._stop([folder.bridge_process(), folder.node_process()] if bridge else [folder.node_process()])
            self._take_up([node] if node in self._changed() else [])
            self._start([node], bridges=bridge)
        return self._node_status(node)

    def kill(self, node: str, number: signal.Signals = signal.SIGKILL, *, bridge: bool = False) -> None:
        """Send a signal to a node's processes, or to its bridge's, and return at once."""
        self.topology.node(node)
        folder = self._folder(node)
        (folder.bridge_process() if bridge else folder.node_process()).signal(number)

    def status(self) -> NetworkStatus:
        """How every node and bridge is now."""
        return NetworkStatus(
            directory=self.directory,
            bootstrapped=self._stamp() is not None,
            nodes=tuple(self._node_status(key) for key in self.topology.nodes),
        )

    def logs(self, node: str, *, lines: int = 50, source: LogSource = "node") -> str:
        """The last lines of a node's log, its console or its bridge's console."""
        self.topology.node(node)
        folder = self._folder(node)
        if source == "console":
            return folder.node_process().tail(lines)
        if source == "bridge":
            return folder.bridge_process().tail(lines)
        logs = sorted((folder.root / "logs").glob("node-*.log"), key=lambda path: path.stat().st_mtime)
        return tail(logs[-1], lines) if logs else ""

    def access(self, organisation: str) -> BridgeAccess:
        """How to reach an organisation's bridge, secrets included."""
        node = self.topology.node(organisation)
        if node.ports.http is None or node.ports.py4j is None:
            raise NetworkError(f"{organisation} has no bridge: its ports in the topology name no http and no py4j")
        self._require_bootstrapped()
        credentials = Credentials.kept_in(self._folder(organisation).secrets)
        return BridgeAccess(
            organisation=organisation,
            http_host=self.topology.host,
            http_port=node.ports.http,
            py4j_host="127.0.0.1",
            py4j_port=node.ports.py4j,
            tokens=credentials.tokens,
            py4j_token=credentials.py4j_token,
        )

    # Making a network, and changing it

    def _bootstrap_if_absent(self) -> None:
        stamp = self._stamp()
        if stamp is None:
            self._bootstrap()
        elif stamp.identity != self.topology.identity():
            raise TopologyChanged(
                f"{self._settings.topology} no longer fits the network in {self.directory}: names, roles, the notary "
                "or p2p addresses have changed, and only a new ledger can take that up. Undo the change, or run "
                "'ippon network down --wipe' (or 'make clean'), which deletes the ledger, and start again."
            )

    def _bootstrap(self) -> None:
        started = time.monotonic()
        present(self._parts.corda_jar)
        present(self._parts.bootstrapper_jar)
        # Without a stamp nothing was ever started here, so there is no ledger to lose.
        self._clear_nodes()
        for key in self.topology.nodes:
            self._write_node(key)
        self._progress(f"Bootstrapping {len(self.topology.nodes)} nodes in {self.directory} (minutes, once)")
        self._run_java(
            ["-jar", self._parts.bootstrapper_jar, "--dir", self.directory, "--copy-cordapps", "No"],
            cwd=self.directory,
            console=self.directory / "bootstrapper.log",
            timeout_seconds=self._settings.bootstrap_timeout_seconds,
            what="the network bootstrapper",
        )
        stamp = Stamp(
            identity=self.topology.identity(),
            corda_hash=file_hash(self._parts.corda_jar),
            nodes=tuple(self.topology.nodes),
            bootstrapped_at=datetime.now(UTC),
        )
        write_private(self._stamp_path, stamp.model_dump_json(indent=2))
        self._progress(f"Bootstrapped in {time.monotonic() - started:.0f} s")

    def _changed(self) -> list[str]:
        """Nodes whose jars or configuration are not what Gradle built and the topology says."""
        return [key for key in self.topology.nodes if self._jars_changed(key) or self._texts_changed(key)]

    def _jars_changed(self, key: str) -> bool:
        folder = self._folder(key)
        if folder.migration_due.exists():
            return True
        wanted = {jar.name: jar for jar in self._cordapp_jars(key)}
        installed = {jar.name: jar for jar in folder.cordapps.glob("*.jar")}
        if wanted.keys() != installed.keys():
            return True
        return any(file_hash(wanted[name]) != file_hash(installed[name]) for name in wanted) or self._corda_changed

    @cached_property
    def _corda_changed(self) -> bool:
        stamp = self._stamp()
        return stamp is not None and file_hash(present(self._parts.corda_jar)) != stamp.corda_hash

    def _texts_changed(self, key: str) -> bool:
        return any(not path.exists() or path.read_text() != text for path, text in self._texts(key).items())

    def _take_up(self, keys: Sequence[str]) -> None:
        """Put new jars and configuration into stopped nodes, and migrate the databases of those with new jars."""
        if not keys:
            return
        due = []
        for key in keys:
            if self._jars_changed(key):
                folder = self._folder(key)
                folder.run.mkdir(parents=True, exist_ok=True)
                folder.migration_due.touch()
                due.append(key)
            self._write_node(key)
        if due:
            self._migrate(due)
        stamp = self._stamp()
        if self._corda_changed and stamp and not any(self._folder(key).migration_due.exists() for key in stamp.nodes):
            self._renew_corda_hash(stamp)

    def _renew_corda_hash(self, stamp: Stamp) -> None:
        renewed = stamp.model_copy(update={"corda_hash": file_hash(self._parts.corda_jar)})
        write_private(self._stamp_path, renewed.model_dump_json(indent=2))
        del self._corda_changed

    def _migrate(self, keys: Sequence[str]) -> None:
        self._progress(f"Migrating the databases of {', '.join(keys)}")

        def migrate(key: str) -> None:
            folder = self._folder(key)
            self._run_java(
                [*_CORDA, "run-migration-scripts", "--core-schemas", "--app-schemas"],
                cwd=folder.root,
                console=folder.run / "migration.log",
                timeout_seconds=self._settings.migration_timeout_seconds,
                what=f"the database migration of {key}",
            )
            folder.migration_due.unlink()

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            list(pool.map(migrate, keys))

    def _write_node(self, key: str) -> None:
        """Lay out a node's folder: Corda, CorDapps, configuration. The node must not be running."""
        folder = self._folder(key)
        folder.cordapps.mkdir(parents=True, exist_ok=True)
        folder.root.chmod(0o700)
        self._link_corda(folder)
        wanted = self._cordapp_jars(key)
        for jar in folder.cordapps.glob("*.jar"):
            if jar.name not in {path.name for path in wanted}:
                jar.unlink()
        for jar in wanted:
            _copy_whole(jar, folder.cordapps / jar.name)
        for path, text in self._texts(key).items():
            write_private(path, text)

    def _link_corda(self, folder: NodeFolder) -> None:
        # One copy for all: 80 MB a node is much, and Gradle's own file may be rewritten while nodes run.
        shared = self.directory / "corda.jar"
        if not shared.exists() or file_hash(shared) != file_hash(self._parts.corda_jar):
            _copy_whole(self._parts.corda_jar, shared)
        if not folder.corda_jar.exists() or not folder.corda_jar.samefile(shared):
            folder.corda_jar.unlink(missing_ok=True)
            folder.corda_jar.hardlink_to(shared)

    def _texts(self, key: str) -> dict[Path, str]:
        folder = self._folder(key)
        credentials = Credentials.kept_in(folder.secrets)
        texts = {folder.conf: render.node_conf(self.topology, key, credentials)}
        if "core" in self.topology.cordapps_of(key):
            texts[folder.core_conf] = render.core_conf(self.topology, key)
        if self.topology.node(key).has_bridge:
            texts[folder.bridge_config] = render.bridge_config(self.topology, key, credentials)
        return texts

    def _cordapp_jars(self, key: str) -> list[Path]:
        return [self._parts.cordapp(name) for name in self.topology.cordapps_of(key)]

    # Starting and stopping

    def _start(self, keys: Iterable[str], *, bridges: bool) -> None:
        """Start what does not run, a few nodes at a time, each bridge as soon as its node is ready."""
        if bridges and self.organisations:
            present(self._parts.bridge_jar)
        started = time.monotonic()
        node_deadline = started + self._settings.node_start_timeout_seconds
        waiting = deque(keys)
        nodes: list[str] = []
        bridge_deadlines: dict[str, float] = {}
        count = 0
        while waiting or nodes or bridge_deadlines:
            while waiting and len(nodes) < self._settings.start_parallelism:
                count += self._start_node(waiting[0])
                nodes.append(waiting.popleft())
            for key in list(nodes):
                if self._folder(key).node_process().check_start(deadline=node_deadline):
                    nodes.remove(key)
                    if bridges and self.topology.node(key).has_bridge:
                        count += self._start_bridge(key)
                        bridge_deadlines[key] = time.monotonic() + self._settings.bridge_start_timeout_seconds
            for key, deadline in list(bridge_deadlines.items()):
                if self._folder(key).bridge_process().check_start(deadline=deadline):
                    del bridge_deadlines[key]
            time.sleep(_POLL_SECONDS)
        if count:
            self._progress(f"{count} processes started in {time.monotonic() - started:.0f} s")

    def _start_node(self, key: str) -> bool:
        process = self._folder(key).node_process()
        if process.alive:
            return False
        node = self.topology.node(key)
        self._require_free(key, (node.ports.p2p, node.ports.rpc, node.ports.rpc_admin))
        self._progress(f"Starting node {key}")
        process.start(
            [self._java, *_CORDA, "--no-local-shell"],
            cwd=self._folder(key).root,
            environment=self._java_environment,
        )
        return True

    def _start_bridge(self, key: str) -> bool:
        folder = self._folder(key)
        process = folder.bridge_process()
        if process.alive:
            return False
        node = self.topology.node(key)
        self._require_free(key, [port for port in (node.ports.http, node.ports.py4j) if port])
        process.start(
            [
                self._java,
                *self.topology.jvm.bridge,
                "-jar",
                self._parts.bridge_jar.resolve(),
                "--config",
                folder.bridge_config,
            ],
            cwd=folder.bridge_config.parent,
            environment={},
        )
        return True

    def _stop(self, processes: Iterable[Supervised]) -> None:
        """Stop all of them at once, the hard way when they take too long."""
        running = [process for process in processes if process.alive]
        for process in running:
            process.ask_to_stop()
        deadline = time.monotonic() + self._settings.stop_timeout_seconds
        for process in running:
            process.await_end(deadline=deadline)

    def _processes(self, key: str) -> tuple[Supervised, Supervised]:
        folder = self._folder(key)
        return folder.bridge_process(), folder.node_process()

    def _require_free(self, key: str, ports: Iterable[int]) -> None:
        for port in ports:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.topology.host, port))
                except OSError as error:
                    raise PortTaken(
                        f"port {port}, which the topology gives to {key}, is not free ({error.strerror}): stop the "
                        f"other program or change the ports in {self._settings.topology}"
                    ) from error

    def _node_status(self, key: str) -> NodeStatus:
        folder = self._folder(key)
        node = self.topology.node(key)
        return NodeStatus(
            node=key,
            name=node.name,
            roles=node.roles,
            ports=node.ports,
            process=_process_status(folder.node_process()),
            bridge=_process_status(folder.bridge_process()) if node.has_bridge else None,
        )

    # Java

    @cached_property
    def _java(self) -> Path:
        return java_home() / "bin" / "java"

    @property
    def _java_environment(self) -> dict[str, str]:
        # corda.jar unpacks itself; once for all nodes is enough.
        return {"CAPSULE_CACHE_DIR": str(self.directory / ".cache")}

    def _run_java(
        self, arguments: Sequence[str | Path], *, cwd: Path, console: Path, timeout_seconds: float, what: str
    ) -> None:
        console.parent.mkdir(parents=True, exist_ok=True)
        try:
            with console.open("wb") as log:
                finished = subprocess.run(
                    [self._java, *arguments],
                    cwd=cwd,
                    env={**os.environ, **self._java_environment},
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

    # The folder

    def _folder(self, key: str) -> NodeFolder:
        return NodeFolder(self.directory / key)

    @property
    def _stamp_path(self) -> Path:
        return self.directory / "bootstrapped.json"

    @property
    def _mark(self) -> Path:
        return self.directory / ".ippon-network"

    def _stamp(self) -> Stamp | None:
        try:
            return Stamp.model_validate_json(self._stamp_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def _require_bootstrapped(self) -> None:
        if self._stamp() is None:
            raise NetworkError(f"there is no network in {self.directory}: run 'ippon network up' first")

    def _clear_nodes(self) -> None:
        for path in self.directory.iterdir():
            if path not in (self._mark, self._lock_path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _wipe(self) -> None:
        # The stamp first: without it, what a broken wipe leaves is no network.
        self._stamp_path.unlink(missing_ok=True)
        self._clear_nodes()

    @property
    def _lock_path(self) -> Path:
        return self.directory / ".lock"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time may change the network; also makes sure that the folder is ours."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self._mark.exists():
            if any(self.directory.iterdir()):
                raise DirectoryRefused(f"{self.directory} is not empty and no network of ippon: choose another folder")
            self._mark.touch()
        with self._lock_path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._progress("Waiting for another program that is changing the network")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _copy_whole(source: Path, target: Path) -> None:
    """Copy by a rename, so that `target` is never half a file and a reader of the old one keeps it."""
    fresh = target.with_name(target.name + ".new")
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def _process_status(process: Supervised) -> ProcessStatus:
    memory = process.memory()
    return ProcessStatus(
        pid=process.pid,
        alive=process.alive,
        ready=process.ready,
        rss_bytes=memory.rss_bytes,
        pss_bytes=memory.pss_bytes,
    )
