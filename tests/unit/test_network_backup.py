"""Backups as folders: whole, private, checked before anything is put back."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ippon_network.backup import MANIFEST, NODE_PART, Manifest, node_files, put_back, read_backup, write_backup
from ippon_network.errors import BackupRefused, RestoreRefused
from ippon_network.folder import NodeFolder

TAKEN = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
KEPT = {
    "persistence.mv.db": "the ledger",
    "artemis/journal/1.amq": "messages",
    "certificates/nodekeystore.jks": "keys",
    "nodeInfo-ABC": "me",
    "cordapps/ippon-core.jar": "core",
    "cordapps/config/ippon-core.conf": "{}",
    "secrets.json": "secret",
    "node.conf": "conf",
}
LEFT = {"logs/node.log": "log", "run/node.pid.json": "pid", "corda.jar": "corda", "brokers/rpc/x": "rpc"}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def texts(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def node(tmp_path: Path) -> NodeFolder:
    write(tmp_path / "custodian-b", KEPT | LEFT)
    return NodeFolder(tmp_path / "custodian-b")


@pytest.fixture
def backup(tmp_path: Path, node: NodeFolder) -> Path:
    manifest = Manifest(node="custodian-b", name="O=B", network="N", taken_at=TAKEN, drained=True, files={})
    write_backup(tmp_path / "backup", manifest, dict(node_files(node)))
    return tmp_path / "backup"


def test_a_backup_has_what_the_node_keeps_and_nothing_of_its_process(backup: Path) -> None:
    assert texts(backup / NODE_PART) == KEPT
    assert read_backup(backup).taken_at == TAKEN
    assert not backup.with_name("backup.new").exists()


def test_a_backup_is_its_owners_alone(backup: Path) -> None:
    for path in [backup, *backup.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_backup_is_never_written_over_another(backup: Path, node: NodeFolder) -> None:
    before = texts(backup)
    with pytest.raises(BackupRefused, match="not empty"):
        write_backup(backup, read_backup(backup), dict(node_files(node)))
    assert texts(backup) == before


@pytest.mark.parametrize("name", [*(f"{NODE_PART}/{name}" for name in KEPT)])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_backup_that_is_not_whole_is_refused(backup: Path, name: str, how: str) -> None:
    if how == "changed":
        (backup / name).write_text("other", encoding="utf-8")
    else:
        (backup / name).unlink()
    with pytest.raises(RestoreRefused, match="not as they were written") as refused:
        read_backup(backup)
    assert name in str(refused.value)


def test_what_is_no_backup_is_refused(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(RestoreRefused, match="is no backup"):
        read_backup(tmp_path)
    content = json.loads((backup / MANIFEST).read_text())
    (backup / MANIFEST).write_text(json.dumps({**content, "format": 2}), encoding="utf-8")
    with pytest.raises(RestoreRefused, match="cannot be read"):
        read_backup(backup)


def test_put_back_sets_aside_what_is_there(tmp_path: Path, backup: Path, node: NodeFolder) -> None:
    write(node.root, {"persistence.mv.db": "newer", "artemis/journal/2.amq": "newer", "certificates/x": "newer"})
    put_back(backup, read_backup(backup), NODE_PART, node.root, aside=node.root / "aside")
    kept = {name: text for name, text in texts(node.root).items() if not name.startswith("aside/")}
    assert kept == KEPT | {name: text for name, text in LEFT.items() if not name.startswith("brokers")}
    aside = texts(node.root / "aside")
    assert (aside["persistence.mv.db"], aside["artemis/journal/2.amq"], aside["brokers/rpc/x"]) == (
        "newer",
        "newer",
        "rpc",
    )
    assert stat.S_IMODE((node.root / "aside").stat().st_mode) == 0o700


def test_a_lost_node_is_put_back_into_an_empty_folder(tmp_path: Path, backup: Path) -> None:
    put_back(backup, read_backup(backup), NODE_PART, tmp_path / "fresh", aside=tmp_path / "fresh" / "aside")
    assert texts(tmp_path / "fresh") == KEPT
