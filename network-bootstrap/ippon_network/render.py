"""Topology and secrets in, the text of configuration files out. No file is touched here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ippon_network.credentials import Credentials
from ippon_network.tls import DoorKeys
from ippon_network.topology import DOOR_USERS, USER_NAMES, Topology

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class _RpcUser:
    name: str
    password: str
    permissions: tuple[str, ...]


@cache
def _environment() -> Environment:
    # Nothing here becomes HTML: values are quoted as JSON, which HOCON reads.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


def node_conf(topology: Topology, key: str, credentials: Credentials) -> str:
    """node.conf of one node. Holds passwords."""
    node = topology.node(key)
    users = [
        _RpcUser(user, getattr(credentials.passwords, user).get_secret_value(), topology.permissions(key, user))
        for user in USER_NAMES
    ]
    return (
        _environment()
        .get_template("node.conf.j2")
        .render(
            node=node,
            notary=topology.notary_of(key),
            jvm_args=list(node.jvm or topology.jvm.node),
            users=users,
            address=lambda port: f"{topology.host}:{port}",
        )
    )


def core_conf(topology: Topology, key: str) -> str:
    """The node's ippon-core.conf; JSON, which is HOCON too."""
    return json.dumps(topology.core_settings(key), ensure_ascii=False, indent=2) + "\n"


def bridge_config(topology: Topology, key: str, credentials: Credentials, keys: DoorKeys) -> str:
    """The JSON file that one organisation's bridge is started with. Holds passwords and tokens."""
    node = topology.node(key)
    users = {
        user: {"name": user, "password": getattr(credentials.passwords, user).get_secret_value()} for user in DOOR_USERS
    }
    tls = {"tls": {"keystore": str(keys.keystore), "password_file": str(keys.password_file)}}
    return json.dumps(
        {
            "organisation": key,
            "rpc": {"host": topology.host, "port": node.ports.rpc},
            "users": users,
            "http": {"host": topology.host, "port": node.ports.http},
            "py4j": {"host": "127.0.0.1", "port": node.ports.py4j},
            "tokens": credentials.tokens.model_dump(mode="json"),
            "py4j_token": credentials.py4j_token.get_secret_value(),
            "max_request_bytes": topology.bridge.max_request_bytes,
            **(tls if topology.bridge.tls else {}),
        },
        indent=2,
    )


def maintenance_config(topology: Topology, key: str, credentials: Credentials) -> str:
    """The JSON file with which whoever keeps the node drains it and has it learn what it has lost. Holds a password."""
    password = credentials.passwords.maintainer.get_secret_value()
    return json.dumps(
        {
            "rpc": {"host": topology.host, "port": topology.node(key).ports.rpc},
            "user": {"name": "maintainer", "password": password},
            "members": topology.other_members(key),
            "recover": topology.recovery_flows(key),
        },
        indent=2,
    )
