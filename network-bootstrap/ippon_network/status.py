"""What a network tells about itself, and what a client needs to reach it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from ippon_network.credentials import DoorTokens
from ippon_network.topology import Ports


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProcessStatus(_Model):
    """One process (with its children): memory in bytes."""

    pid: int | None
    alive: bool
    ready: bool
    rss_bytes: int
    pss_bytes: int


class NodeStatus(_Model):
    """One organisation's node, and its bridge when it has one."""

    node: str
    name: str
    roles: tuple[str, ...]
    ports: Ports
    process: ProcessStatus
    bridge: ProcessStatus | None

    @property
    def ready(self) -> bool:
        """Whether node and bridge both answer."""
        return self.process.ready and (self.bridge is None or self.bridge.ready)


class NetworkStatus(_Model):
    """The whole network."""

    directory: Path
    bootstrapped: bool
    nodes: tuple[NodeStatus, ...]

    @property
    def ready(self) -> bool:
        """Whether every node and bridge answers."""
        return self.bootstrapped and all(node.ready for node in self.nodes)

    @property
    def pss_bytes(self) -> int:
        """Memory of all JVMs together, shared pages counted once."""
        processes = [process for node in self.nodes for process in (node.process, node.bridge) if process]
        return sum(process.pss_bytes for process in processes)


class BridgeAccess(_Model):
    """How to reach one organisation's bridge. Whoever holds this can act as that organisation."""

    organisation: str
    http_host: str
    http_port: int
    py4j_host: str
    py4j_port: int
    tokens: DoorTokens
    py4j_token: SecretStr
    ca_file: Path | None = None
    """The certificate to trust where the HTTP door speaks HTTPS; None where it does not."""

    @property
    def http_url(self) -> str:
        """Base address of the HTTP door."""
        return f"{'https' if self.ca_file else 'http'}://{self.http_host}:{self.http_port}"
