"""What can go wrong with a network on this machine.

NetworkError
 ├── TopologyInvalid      the topology file does not describe a network
 ├── TopologyChanged      the file no longer fits the network that was bootstrapped from it
 ├── PartsMissing         CorDapps, tools or the bridge are not built
 ├── DirectoryRefused     the network's folder holds something else
 ├── BootstrapFailed      the network bootstrapper or a migration stopped
 ├── PortTaken            another program listens where a node should
 ├── StartFailed          a node or a bridge died or was not ready in time
 ├── UnknownNode          no node of that name
 ├── MaintenanceFailed    a node could not be drained, cleared or have its records recovered
 ├── BackupRefused        a backup cannot be written where, or as, it was asked for
 ├── RestoreRefused       a backup is not whole, or of another node or network
 └── UpgradeRefused       a node is not put onto other CorDapps
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


class MaintenanceFailed(NetworkError):
    """What whoever keeps a node asked of it was not done."""

    code = "MAINTENANCE_FAILED"


class BackupRefused(NetworkError):
    """No backup was written."""

    code = "BACKUP_REFUSED"


class RestoreRefused(NetworkError):
    """Nothing was put back, or not all."""

    code = "RESTORE_REFUSED"


class UpgradeRefused(NetworkError):
    """The node has the CorDapps that it had."""

    code = "UPGRADE_REFUSED"
