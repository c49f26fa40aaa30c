"""The allow-list: what a node of each role may be able to read, kept in `allowed.yaml` with a reason for each thing."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ippon.errors import BadFile

FILE = Path(__file__).with_name("allowed.yaml")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Foreign(_Entry):
    """Fields of a thing in which the node has no part, and why they are on its disk nevertheless."""

    fields: frozenset[str]
    why: str


class RoleList(_Entry):
    """What one role may read. `own`: things in which it has a part, whole. `told`: foreign, and sent on purpose."""

    own: frozenset[str]
    foreign: dict[str, Foreign]
    told: dict[str, Foreign] = {}
    tables: frozenset[str]


class NotaryTable(_Entry):
    """A table of the notary's: all its columns, and what they are for."""

    columns: frozenset[str]
    why: str


class Attachments(_Entry):
    """What attachments may be."""

    file_names: frozenset[str]
    why: str


class AllowList(_Entry):
    """The whole list. `chain` is what roles that check chains share."""

    chain: dict[str, Foreign]
    roles: dict[str, RoleList]
    notary: dict[str, NotaryTable]
    bookkeeping: frozenset[str]
    attachments: Attachments

    def of(self, roles: tuple[str, ...]) -> RoleList:
        """What a node that runs these roles may read: all that any of them may."""
        lists = [self.roles[role] for role in roles if role in self.roles]
        return RoleList(
            own=frozenset().union(*(one.own for one in lists)),
            foreign=_merged([one.foreign for one in lists]),
            told=_merged([one.told for one in lists]),
            tables=frozenset().union(*(one.tables for one in lists)),
        )


def load_allowed(path: Path = FILE) -> AllowList:
    """The list; BadFile when it is none."""
    try:
        return AllowList.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        raise BadFile(f"{path} is no list of what nodes may read: {error}", where=str(path)) from error


def _merged(lists: list[dict[str, Foreign]]) -> dict[str, Foreign]:
    merged: dict[str, Foreign] = {}
    for one in lists:
        for name, entry in one.items():
            fields = merged[name].fields | entry.fields if name in merged else entry.fields
            merged[name] = Foreign(fields=fields, why=entry.why)
    return merged
