"""Settings of the network on this machine, each also an environment variable.

IPPON_NETWORK_DIR                  where nodes live                                  build/network
IPPON_TOPOLOGY                     the topology file                                 network-bootstrap/topology.yaml
IPPON_BUILD_DIR                    where Gradle put CorDapps and tools               build
IPPON_BRIDGE_DIR                   where Gradle put the bridge                       bridge/build/install
IPPON_STORE_READER_DIR             where Gradle put the reader of nodes' databases   store-reader/build/install
IPPON_NODE_START_TIMEOUT_SECONDS   how long nodes that start together may take       300
IPPON_BRIDGE_START_TIMEOUT_SECONDS the same for bridges                              90
IPPON_STOP_TIMEOUT_SECONDS         from SIGTERM to SIGKILL                           30
IPPON_MIGRATION_TIMEOUT_SECONDS    for one node's database                           180
IPPON_BOOTSTRAP_TIMEOUT_SECONDS    for the network bootstrapper                      900
IPPON_START_PARALLELISM            nodes that start at a time                        3
IPPON_START_TRIES                  how often a node that dies while starting is started  3
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]


class NetworkSettings(BaseSettings):
    """Where things are and how long they may take."""

    model_config = SettingsConfigDict(env_prefix="IPPON_", frozen=True, extra="ignore")

    network_dir: Path = REPOSITORY / "build" / "network"
    topology: Path = REPOSITORY / "network-bootstrap" / "topology.yaml"
    build_dir: Path = REPOSITORY / "build"
    bridge_dir: Path = REPOSITORY / "bridge" / "build" / "install"
    store_reader_dir: Path = REPOSITORY / "store-reader" / "build" / "install"
    node_start_timeout_seconds: float = Field(default=300, gt=0)
    bridge_start_timeout_seconds: float = Field(default=90, gt=0)
    stop_timeout_seconds: float = Field(default=30, gt=0)
    migration_timeout_seconds: float = Field(default=180, gt=0)
    bootstrap_timeout_seconds: float = Field(default=900, gt=0)
    start_parallelism: int = Field(default=3, ge=1, le=64)
    start_tries: int = Field(default=3, ge=1, le=10)
