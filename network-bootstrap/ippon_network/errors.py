"""What can go wrong with a network on this machine.

NetworkError
 ├── TopologyInvalid      the topology file does not describe a network
 ├── TopologyChanged      the file no longer fits the network that was bootstrapped from it
 ├── PartsMissing         CorDapps, tools or the bridge are not built
 ├── DirectoryRefused     the network's folder holds something else
 ├── BootstrapFailed      the network bootstrapper or a migration stopped
 ├── PortTaken            another program listens where a node should
 ├── StartFailed          a node or a bridge died or was not ready in time
 └── UnknownNode          no node of that name
"""


class NetworkError(Exception):
    """Base of all; `code` is stable, the message says what to do."""

    code = "NETWORK"


class TopologyInvalid(NetworkError):
    """The topology file does not describe a network."""

    code = "TOPOLOGY_INVALID"


class TopologyChanged(NetworkError):
    """The topology no longer fits the network that was bootstrapped from it."""

    code = "TOPOLOGY_CHANGED"


class PartsMissing(NetworkError):
    """A jar or a tool is not there."""

    code = "PARTS_MISSING"


class DirectoryRefused(NetworkError):
    """The folder is not a network's and not empty."""

    code = "DIRECTORY_REFUSED"


class BootstrapFailed(NetworkError):
    """The bootstrapper, or a database migration, stopped."""

    code = "BOOTSTRAP_FAILED"


class PortTaken(NetworkError):
    """Another program listens on a port that the topology gives to a node or a bridge."""

    code = "PORT_TAKEN"


class StartFailed(NetworkError):
    """A node or a bridge died while starting, or was not ready in time."""

    code = "START_FAILED"


class UnknownNode(NetworkError):
    """The topology has no node of that name."""

    code = "UNKNOWN_NODE"
