"""Backups of one node as folders of plain files: whole or not at all, for their owner's eyes, each file with its hash.

    <backup>/backup.json        what it is of, when it was taken, and the SHA-256 of every file
    <backup>/node/…             what the node keeps: database, message broker, keys, configuration, CorDapps
    <backup>/agent/…            what its agent keeps, where there is one

The node must be stopped: its database and its broker are one state, and only at rest do two files on a disk agree.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ippon_network.credentials import write_private
from ippon_network.errors import BackupRefused, RestoreRefused
from ippon_network.folder import NodeFolder
from ippon_network.parts import file_hash

MANIFEST = "backup.json"
NODE_PART, AGENT_PART = "node", "agent"
KEPT_FILES = ("persistence.mv.db", "network-parameters", "node.conf", "secrets.json", "maintenance.json")
KEPT_FOLDERS = ("artemis", "certificates", "additional-node-infos", "bridge", "cordapps", "drivers")
MADE_ANEW = ("brokers", "persistence.trace.db", "persistence.lock.db")
"""Left out of a backup, and taken away before one is put back: of another time than the rest."""


class Manifest(BaseModel):
    """What a backup is of."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    node: str
    name: str
    network: str
    """The network's identity: a backup fits no other."""
    taken_at: datetime
    drained: bool
    """Whether nothing was under way in the node."""
    files: Mapping[str, str]


def node_files(folder: NodeFolder) -> Iterator[tuple[str, Path]]:
    """What a backup keeps of a node: name in the backup, file."""
    kept = [folder.root / name for name in KEPT_FILES]
    kept += sorted(folder.root.glob("nodeInfo-*"))
    for name in KEPT_FOLDERS:
        kept += sorted(path for path in (folder.root / name).rglob("*") if path.is_file())
    for path in kept:
        if path.is_file():
            yield f"{NODE_PART}/{path.relative_to(folder.root)}", path


def write_backup(target: Path, manifest: Manifest, files: Mapping[str, Path]) -> Manifest:
    """Copy `files` (name in the backup → file) into the new folder `target`; the manifest with their hashes."""
    if target.exists() and any(target.iterdir()):
        raise BackupRefused(f"{target} is there already and not empty: a backup is never written over another one")
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    _make_folder(fresh)
    for name, path in files.items():
        _copy_private(path, fresh / name)
    whole = manifest.model_copy(update={"files": {name: file_hash(fresh / name) for name in files}})
    write_private(fresh / MANIFEST, whole.model_dump_json(indent=2))
    if target.exists():
        target.rmdir()
    fresh.rename(target)
    return whole


def read_backup(source: Path) -> Manifest:
    """The manifest of the backup in `source`; RestoreRefused unless every file is there as it was written."""
    try:
        manifest = Manifest.model_validate_json((source / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RestoreRefused(f"{source} is no backup: it has no {MANIFEST}") from error
    except ValidationError as error:
        raise RestoreRefused(f"{source / MANIFEST} cannot be read: {error.errors()[0]['msg']}") from error
    wrong = [name for name, digest in manifest.files.items() if _hash(source / name) != digest]
    if wrong:
        raise RestoreRefused(
            f"{len(wrong)} files of {source} are missing or not as they were written, such as {wrong[0]}"
        )
    return manifest


def put_back(source: Path, manifest: Manifest, part: str, root: Path, *, aside: Path) -> None:
    """Put a part of a backup into `root`; what stands in its place goes to the folder `aside`."""
    names = [name.removeprefix(f"{part}/") for name in manifest.files if name.startswith(f"{part}/")]
    _make_folder(aside)
    for first in sorted({name.partition("/")[0] for name in names} | set(MADE_ANEW)):
        if (root / first).exists():
            (root / first).rename(aside / first)
    for name in names:
        _copy_private(source / part / name, root / name)


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)


def _copy_private(source: Path, target: Path) -> None:
    for folder in [one for one in reversed(target.parents) if not one.exists()]:
        folder.mkdir(mode=0o700)
    # The mode is given at creation: a file that is open to all for a moment has been open.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        shutil.copyfileobj(reader, writer)


def _hash(path: Path) -> str | None:
    return file_hash(path) if path.is_file() else None
