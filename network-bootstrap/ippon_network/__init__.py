"""A Corda network on one machine: from topology.yaml to running nodes and bridges."""

from ippon_network.errors import NetworkError
from ippon_network.network import Network
from ippon_network.settings import NetworkSettings
from ippon_network.status import BridgeAccess, NetworkStatus, NodeStatus, ProcessStatus

__all__ = ["BridgeAccess", "Network", "NetworkError", "NetworkSettings", "NetworkStatus", "NodeStatus", "ProcessStatus"]
