"""The network on this machine as a client sees it: who is who, and how to reach each organisation's bridge.

Tokens come out of 0600 files in the network's folder and are never printed. A program that acts for one organisation
asks for that one only; the demo and the proof, which look at all, hold reader tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ippon.model import Role, organisation
from ippon.node import HttpNode, Token
from ippon_network import Network

Right = Literal["agent", "reader", "operator"]
AGENTS_FOLDER = "agents"
BANK_FOLDER = "bank"


@dataclass(frozen=True)
class Member:
    """One organisation with a node. `key` is the node's name in the topology, `name` the organisation."""

    key: str
    name: str
    x500: str
    roles: tuple[Role, ...]


class LocalNetwork:
    """What clients need of a `Network`."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @property
    def members(self) -> tuple[Member, ...]:
        """Organisations that have a bridge, in the topology's order."""
        known = {role.value for role in Role}
        members = []
        for key in self.network.organisations:
            node = self.network.topology.node(key)
            roles = tuple(Role(role) for role in node.roles if role in known)
            members.append(Member(key=key, name=organisation(node.name), x500=node.name, roles=roles))
        return tuple(members)

    def member(self, text: str) -> Member | None:
        """The member of this key (`custodian-a`), name (`Custodian A`) or X.500 name."""
        return next((one for one in self.members if text == one.key or organisation(text) == one.name), None)

    def with_role(self, role: Role) -> tuple[Member, ...]:
        """Members that hold a role."""
        return tuple(member for member in self.members if role in member.roles)

    def node(self, member: Member, right: Right, *, timeout_seconds: float = 30.0) -> HttpNode:
        """A client of the member's bridge that may do what `right` allows."""
        access = self.network.access(member.key)
        secret = getattr(access.tokens, right).get_secret_value()
        return HttpNode(
            url=access.http_url, token=Token(secret), ca_file=access.ca_file, timeout_seconds=timeout_seconds
        )

    @property
    def agents_dir(self) -> Path:
        """Where agents keep configuration, inboxes, receipts and stores, a folder each; a wipe takes them along."""
        return self.network.directory / AGENTS_FOLDER

    @property
    def bank_dir(self) -> Path:
        """The trust account's statements as the bank sent them, all runs'."""
        return self.network.directory / BANK_FOLDER

    @property
    def statements(self) -> list[Path]:
        """The statement files, oldest name first."""
        return sorted(self.bank_dir.glob("*.json"))
