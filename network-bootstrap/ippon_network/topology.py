"""The topology file: which organisations run which nodes, and what each may do."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ippon_network.errors import TopologyInvalid, UnknownNode

UserName = Literal["bridge", "reader", "operator", "maintainer"]
USER_NAMES: tuple[UserName, ...] = ("bridge", "reader", "operator", "maintainer")
DOOR_USERS: tuple[UserName, ...] = ("bridge", "reader", "operator")
"""Those whose logins a bridge has: who keeps the node has no door there."""

Port = Annotated[int, Field(ge=1024, le=65535)]
JsonValue = Any


def _x500(name: str) -> str:
    parts = dict(re.findall(r"(\w+)\s*=\s*([^,]+)", name))
    if missing := [part for part in ("O", "L", "C") if not parts.get(part, "").strip()]:
        raise ValueError(f"X.500 name {name!r} lacks {', '.join(missing)}")
    return ", ".join(f"{key}={parts[key].strip()}" for key in ("CN", "OU", "O", "L", "ST", "C") if key in parts)


def _class_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_][\w$]*)+", name):
        raise ValueError(f"{name!r} is no full class name")
    return name


X500Name = Annotated[str, AfterValidator(_x500)]
ClassName = Annotated[str, AfterValidator(_class_name)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ports(_Model):
    """Ports of one node, and of its bridge when it has one; all on the topology's host."""

    p2p: Port
    rpc: Port
    rpc_admin: Port
    http: Port | None = None
    py4j: Port | None = None

    def all(self) -> tuple[int, ...]:
        """Every port that is given."""
        return tuple(port for port in (self.p2p, self.rpc, self.rpc_admin, self.http, self.py4j) if port is not None)


class Notary(_Model):
    """How a notary works."""

    validating: bool = False
    extra_config: Mapping[str, int | float | bool | str] = Field(default_factory=dict)


class RoleFlows(_Model):
    """Flows, by full class name, that each RPC user may start."""

    bridge: tuple[ClassName, ...] = ()
    reader: tuple[ClassName, ...] = ()
    operator: tuple[ClassName, ...] = ()
    maintainer: tuple[ClassName, ...] = ()


class Role(_Model):
    """What a node of this role carries and may do."""

    anchors: str | None = None
    cordapps: tuple[str, ...] = ()
    flows: RoleFlows = RoleFlows()
    settings: Mapping[str, JsonValue] = Field(default_factory=dict)
    notary: Notary | None = None


class Node(_Model):
    """One node of one organisation."""

    name: X500Name
    roles: tuple[str, ...] = Field(min_length=1)
    ports: Ports
    settings: Mapping[str, JsonValue] = Field(default_factory=dict)
    jvm: tuple[str, ...] | None = None

    @property
    def has_bridge(self) -> bool:
        """Whether a bridge stands before this node."""
        return self.ports.http is not None


class JvmOptions(_Model):
    """Options of the Java processes."""

    node: tuple[str, ...]
    bridge: tuple[str, ...]


class BridgeOptions(_Model):
    """What all bridges have in common."""

    max_request_bytes: int = Field(default=1_048_576, gt=0)
    tls: bool = False
    """Whether their HTTP doors speak HTTPS only."""


class Users(_Model):
    """RPC methods that each user of a node may call."""

    bridge: tuple[str, ...]
    reader: tuple[str, ...]
    operator: tuple[str, ...]
    maintainer: tuple[str, ...] = ()


class Topology(_Model):
    """A whole network."""

    host: str = "127.0.0.1"
    jvm: JvmOptions
    bridge: BridgeOptions = BridgeOptions()
    users: Users
    settings: Mapping[str, JsonValue] = Field(default_factory=dict)
    roles: Mapping[str, Role]
    nodes: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], Node] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key, node in self.nodes.items():
            for role in node.roles:
                if role not in self.roles:
                    raise ValueError(f"node {key} has the unknown role {role!r}; roles are {', '.join(self.roles)}")
            if (node.ports.http is None) != (node.ports.py4j is None):
                raise ValueError(f"node {key} needs both an http and a py4j port, or neither")
        _refuse_repeats("X.500 name", ((node.name, key) for key, node in self.nodes.items()))
        _refuse_repeats("port", ((port, key) for key, node in self.nodes.items() for port in node.ports.all()))
        if len(notaries := [key for key in self.nodes if self.notary_of(key)]) != 1:
            raise ValueError(f"a network has one notary, this one has {len(notaries)}")
        return self

    def node(self, key: str) -> Node:
        """The node called `key`; UnknownNode when there is none."""
        if key not in self.nodes:
            raise UnknownNode(f"no node is called {key!r}; nodes are {', '.join(self.nodes)}")
        return self.nodes[key]

    def roles_of(self, key: str) -> tuple[Role, ...]:
        """The roles of a node, in the topology's order."""
        return tuple(self.roles[role] for role in self.node(key).roles)

    def notary_of(self, key: str) -> Notary | None:
        """How the node notarises, if it does."""
        return next((role.notary for role in self.roles_of(key) if role.notary), None)

    def cordapps_of(self, key: str) -> tuple[str, ...]:
        """The node's CorDapps by short name ('core' for ippon-core.jar), each once."""
        return tuple(dict.fromkeys(cordapp for role in self.roles_of(key) for cordapp in role.cordapps))

    def permissions(self, key: str, user: UserName) -> tuple[str, ...]:
        """Corda's permission strings of one RPC user of a node."""
        methods = (f"InvokeRpc.{method}" for method in getattr(self.users, user))
        flows = (f"StartFlow.{flow}" for role in self.roles_of(key) for flow in getattr(role.flows, user))
        return tuple(dict.fromkeys((*methods, *flows)))

    def anchors(self) -> dict[str, JsonValue]:
        """Who may be venue, custodian, registrar, coin issuer and notary: the same on every node."""
        anchors: dict[str, JsonValue] = {role.anchors: [] for role in self.roles.values() if role.anchors}
        for key, node in self.nodes.items():
            for role in self.roles_of(key):
                if role.anchors:
                    anchors[role.anchors].append(node.name)
        anchors["notary"] = next(node.name for key, node in self.nodes.items() if self.notary_of(key))
        return anchors

    def recovery_flows(self, key: str) -> tuple[str, ...]:
        """What the node's maintainer starts to have it learn what it has lost."""
        return tuple(dict.fromkeys(flow for role in self.roles_of(key) for flow in role.flows.maintainer))

    def other_members(self, key: str) -> tuple[str, ...]:
        """The X.500 names of all others that record transactions: those that sign the most first, the venues last."""
        order = ("coinIssuers", "registrars", "custodians", "venues")
        anchors = self.anchors()
        names = [name for anchor in order for name in anchors.get(anchor, [])]
        names += [name for anchor, found in anchors.items() if anchor not in (*order, "notary") for name in found]
        return tuple(name for name in dict.fromkeys(names) if name != self.node(key).name)

    def core_settings(self, key: str) -> dict[str, JsonValue]:
        """The content of the node's ippon-core.conf."""
        merged = {**self.anchors(), **self.settings}
        for settings in (*(role.settings for role in self.roles_of(key)), self.node(key).settings):
            merged.update(settings)
        return merged

    def identity(self) -> str:
        """Hash of what a bootstrapped network carries signed and cannot change: see topology.yaml."""
        fixed = {
            key: [node.name, list(node.roles), self.host, node.ports.p2p, notary.validating if notary else None]
            for key, node in sorted(self.nodes.items())
            for notary in [self.notary_of(key)]
        }
        return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def _refuse_repeats(what: str, pairs: Iterable[tuple[object, str]]) -> None:
    seen: dict[object, str] = {}
    for value, key in pairs:
        if value in seen:
            raise ValueError(f"{what} {value} is given to both {seen[value]} and {key}")
        seen[value] = key


def load_topology(path: Path) -> Topology:
    """Read and check a topology file; TopologyInvalid tells the first thing that is wrong, and where."""
    try:
        return Topology.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise TopologyInvalid(f"there is no topology file {path}") from error
    except yaml.YAMLError as error:
        raise TopologyInvalid(f"{path} is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TopologyInvalid(f"{path}: {where + ': ' if where else ''}{first['msg']}") from error
