"""A Corda network on this machine: made once, started, looked at, stopped.

    network = Network()
    network.up()                       # bootstraps when there is none, takes up new jars, starts what does not run
    network.access("custodian-a")      # how to reach that organisation's bridge
    network.down()                     # the ledger stays; down(wipe=True) deletes it

A folder holds one network: a folder a node, and what all nodes share. The ledger is never lost by `up`: new jars are
put into the nodes that are there and their databases migrated; a topology that no longer fits is refused.
"""

from __future__ import annotations

import signal
import socket
import time
from collections import Counter, deque
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

from ippon_network.cordapps import cordapp_version, signers
from ippon_network.credentials import Credentials
from ippon_network.errors import NetworkError, PortTaken, StartFailed, UpgradeRefused
from ippon_network.folder import NetworkFolder, NodeFolder, Progress
from ippon_network.installer import Installer
from ippon_network.maintenance import Maintenance
from ippon_network.parts import present
from ippon_network.process import Supervised, tail
from ippon_network.settings import NetworkSettings
from ippon_network.status import BridgeAccess, NetworkStatus, NodeStatus, ProcessStatus
from ippon_network.topology import Topology, load_topology

LogSource = Literal["node", "console", "bridge"]

_POLL_SECONDS = 0.2


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
        self._folder = NetworkFolder((directory or self._settings.network_dir).resolve())
        self._progress: Progress = progress or (lambda _: None)

    @property
    def directory(self) -> Path:
        """Where it lives."""
        return self._folder.root

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
        with self._folder.locked(self._progress):
            self._installer.bootstrap_if_absent()
            changed = self._installer.changed()
            running = [key for key in changed if self._node(key).node_process().alive]
            self._installer.take_up([key for key in changed if key not in running])
            if running:
                self._progress(f"{', '.join(running)}: running, so changes wait for the next 'up'")

    def up(self, *, bridges: bool = True) -> NetworkStatus:
        """Bring everything up and wait until it is ready; what already runs unchanged is left alone."""
        with self._folder.locked(self._progress):
            self._installer.bootstrap_if_absent()
            changed = self._installer.changed()
            self._stop([self._node(key) for key in changed])
            self._installer.take_up(changed)
            self._start(self.topology.nodes, bridge=self._take_up_bridge() if bridges else None)
        return self.status()

    def _take_up_bridge(self) -> Path | None:
        """The bridge to start; bridges of a former build are stopped, so that they are started anew."""
        if not self.organisations:
            return None
        jar = self._installer.take_up_bridge()
        running = [self._node(key).bridge_process() for key in self.organisations]
        self._end(process for process in running if not process.runs(jar))
        self._installer.forget_bridges_but(jar)
        return jar

    def down(self, *, wipe: bool = False) -> None:
        """Stop all nodes and bridges; with `wipe`, delete the ledger and everything else of the network."""
        if not self.directory.exists():
            return
        with self._folder.locked(self._progress):
            # By what is in the folder, not by the topology, which may have changed since.
            self._stop(self._folder.nodes())
            if wipe:
                self._folder.clear()

    def restart(self, node: str, *, bridge: bool = True) -> NodeStatus:
        """Stop one node and start it again, with its bridge unless told otherwise."""
        folder = self._node(node)
        has_bridge = self.topology.node(node).has_bridge
        with self._folder.locked(self._progress):
            self._require_bootstrapped()
            self._stop([folder], bridges=bridge)
            if node in self._installer.changed():
                self._installer.take_up([node])
            self._start([node], bridge=self._installer.take_up_bridge() if bridge and has_bridge else None)
        return self._node_status(node)

    def stop(self, node: str, *, bridge: bool = True) -> None:
        """Stop one node, and its bridge unless told otherwise."""
        folder = self._node(node)
        with self._folder.locked(self._progress):
            self._stop([folder], bridges=bridge)

    def start(self, node: str, *, bridge: bool = True) -> NodeStatus:
        """Start one node as its folder is, taking up nothing new, and its bridge unless told otherwise."""
        has_bridge = self.topology.node(node).has_bridge
        with self._folder.locked(self._progress):
            self._require_bootstrapped()
            self._installer.link_corda(node)
            self._start([node], bridge=self._installer.take_up_bridge() if bridge and has_bridge else None)
        return self._node_status(node)

    def check_cordapps(self, node: str, cordapp_dir: Path) -> tuple[int, int]:
        """The versions of a node's CorDapps and of those in a folder, which may replace them.

        Raises: UpgradeRefused when another key has signed them, or they are older; PartsMissing when one is not there.
        """
        folder = self._node(node)
        versions = (0, 0)
        for name in self.topology.cordapps_of(node):
            old, new = folder.cordapps / f"ippon-{name}.jar", present(cordapp_dir / f"ippon-{name}.jar")
            keys = signers(new, java=self._installer.java)
            if not keys or signers(old, java=self._installer.java) != keys:
                raise UpgradeRefused(
                    f"{new} is not signed by the key that signed {old}: it could spend nothing of what is on the ledger"
                )
            found = cordapp_version(old), cordapp_version(new)
            if found[1] < found[0]:
                raise UpgradeRefused(f"{new} is version {found[1]}, older than the version {found[0]} that {node} has")
            versions = max(versions, found)
        return versions

    def replace_cordapps(self, node: str, cordapp_dir: Path) -> None:
        """Put other CorDapps into a stopped node and migrate its database."""
        if self._node(node).node_process().alive:
            raise UpgradeRefused(f"{node} runs: stop it first")
        with self._folder.locked(self._progress):
            self._require_bootstrapped()
            self._installer.replace_cordapps(node, cordapp_dir)

    def maintenance(self, node: str) -> Maintenance:
        """What may be done to a node that runs by whoever keeps it."""
        folder = self._node(node)
        with self._folder.locked(self._progress):
            bridge = self._installer.take_up_bridge()
        return Maintenance(java=self._installer.java, bridge_jar=bridge, config=folder.maintenance_config)

    def kill(self, node: str, number: signal.Signals = signal.SIGKILL, *, bridge: bool = False) -> None:
        """Send a signal to a node's processes, or to its bridge's, and return at once."""
        self.process(node, bridge=bridge).signal(number)

    def process(self, node: str, *, bridge: bool = False) -> Supervised:
        """A node's process, or its bridge's, whether it runs or not."""
        folder = self._node(node)
        return folder.bridge_process() if bridge else folder.node_process()

    def status(self) -> NetworkStatus:
        """How every node and bridge is now."""
        return NetworkStatus(
            directory=self.directory,
            bootstrapped=self._folder.stamp() is not None,
            nodes=tuple(self._node_status(key) for key in self.topology.nodes),
        )

    def logs(self, node: str, *, lines: int = 50, source: LogSource = "node") -> str:
        """The last lines of a node's log, its console or its bridge's console."""
        folder = self._node(node)
        if source == "console":
            return folder.node_process().tail(lines)
        if source == "bridge":
            return folder.bridge_process().tail(lines)
        # Corda names the log after the host.
        logs = [path for path in (folder.root / "logs").glob("node-*.log") if "info-gen" not in path.name]
        newest = max(logs, key=lambda path: path.stat().st_mtime, default=None)
        return tail(newest, lines) if newest else ""

    def folder(self, node: str) -> NodeFolder:
        """A node's files; UnknownNode when the topology has none of that name."""
        return self._node(node)

    def access(self, organisation: str) -> BridgeAccess:
        """How to reach an organisation's bridge, secrets included."""
        node = self.topology.node(organisation)
        if node.ports.http is None or node.ports.py4j is None:
            raise NetworkError(f"{organisation} has no bridge: its ports in the topology name no http and no py4j")
        self._require_bootstrapped()
        credentials = Credentials.kept_in(self._node(organisation).secrets)
        return BridgeAccess(
            organisation=organisation,
            http_host=self.topology.host,
            http_port=node.ports.http,
            py4j_host="127.0.0.1",
            py4j_port=node.ports.py4j,
            tokens=credentials.tokens,
            py4j_token=credentials.py4j_token,
            ca_file=self._node(organisation).door_keys.certificate if self.topology.bridge.tls else None,
        )

    @cached_property
    def _installer(self) -> Installer:
        return Installer(self._folder, topology=self.topology, settings=self._settings, progress=self._progress)

    def _start(self, keys: Iterable[str], *, bridge: Path | None) -> None:
        """Start what does not run, a few nodes at a time, each bridge as soon as its node is ready."""
        started = time.monotonic()
        node_deadline = started + self._settings.node_start_timeout_seconds
        waiting = deque(keys)
        nodes: list[str] = []
        bridge_deadlines: dict[str, float] = {}
        failures: Counter[str] = Counter()
        count = 0
        while waiting or nodes or bridge_deadlines:
            while waiting and len(nodes) < self._settings.start_parallelism:
                count += self._start_node(waiting[0])
                nodes.append(waiting.popleft())
            for key in list(nodes):
                if self._node_started(key, failures, deadline=node_deadline):
                    nodes.remove(key)
                    if bridge and self.topology.node(key).has_bridge:
                        count += self._start_bridge(key, bridge)
                        bridge_deadlines[key] = time.monotonic() + self._settings.bridge_start_timeout_seconds
            for key, deadline in list(bridge_deadlines.items()):
                if self._node(key).bridge_process().check_start(deadline=deadline):
                    del bridge_deadlines[key]
            time.sleep(_POLL_SECONDS)
        if count:
            self._progress(f"{count} processes started in {time.monotonic() - started:.0f} s")

    def _node_started(self, key: str, failures: Counter[str], *, deadline: float) -> bool:
        """Whether a node is ready; one that died is started again, a few times.

        A port that another process holds for a moment, or a machine with more to do than it has cores, ends a Corda
        4.10 node for good where a second start goes through.
        """
        try:
            return self._node(key).node_process().check_start(deadline=deadline)
        except StartFailed as failure:
            failures[key] += 1
            if failures[key] >= self._settings.start_tries or time.monotonic() >= deadline:
                raise
            self._progress(f"Node {key} died while starting; starting it again ({failure.code})")
            self._start_node(key)
            return False

    def _start_node(self, key: str) -> bool:
        """Whether it had to be started."""
        process = self._node(key).node_process()
        if process.alive:
            return False
        ports = self.topology.node(key).ports
        self._require_free(key, (ports.p2p, ports.rpc, ports.rpc_admin))
        self._progress(f"Starting node {key}")
        process.start(
            # No JVM options here: corda.jar hands its own on to the node proper, whose options are in node.conf.
            [self._installer.java, "-jar", "corda.jar", "--no-local-shell"],
            cwd=self._node(key).root,
            environment=self._installer.java_environment,
        )
        return True

    def _start_bridge(self, key: str, jar: Path) -> bool:
        """Whether it had to be started."""
        folder = self._node(key)
        process = folder.bridge_process()
        if process.alive:
            return False
        ports = self.topology.node(key).ports
        self._require_free(key, [port for port in (ports.http, ports.py4j) if port])
        process.start(
            [self._installer.java, *self.topology.jvm.bridge, "-jar", jar, "--config", folder.bridge_config],
            cwd=folder.bridge_config.parent,
            environment={},
        )
        return True

    def _stop(self, folders: Iterable[NodeFolder], *, bridges: bool = True) -> None:
        """Stop bridges, then nodes, all of a kind at once; the hard way when they take too long."""
        folders = list(folders)
        if bridges:
            self._end([folder.bridge_process() for folder in folders])
        self._end([folder.node_process() for folder in folders])

    def _end(self, processes: Iterable[Supervised]) -> None:
        running = [process for process in processes if process.alive]
        for process in running:
            process.ask_to_stop()
        deadline = time.monotonic() + self._settings.stop_timeout_seconds
        for process in running:
            process.await_end(deadline=deadline)

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

    def _node(self, key: str) -> NodeFolder:
        self.topology.node(key)
        return self._folder.node(key)

    def _node_status(self, key: str) -> NodeStatus:
        folder = self._node(key)
        node = self.topology.node(key)
        return NodeStatus(
            node=key,
            name=node.name,
            roles=node.roles,
            ports=node.ports,
            process=_process_status(folder.node_process()),
            bridge=_process_status(folder.bridge_process()) if node.has_bridge else None,
        )

    def _require_bootstrapped(self) -> None:
        if self._folder.stamp() is None:
            raise NetworkError(f"there is no network in {self.directory}: run 'ippon network up' first")


def _process_status(process: Supervised) -> ProcessStatus:
    memory = process.memory()
    return ProcessStatus(
        pid=process.pid,
        alive=process.alive,
        ready=process.ready,
        rss_bytes=memory.rss_bytes,
        pss_bytes=memory.pss_bytes,
    )
