"""What is refused before anything of a node is touched, and what an upgrade does when flows do not end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ippon.local import LocalNetwork
from ippon.upkeep.backup import back_up
from ippon.upkeep.restore import restore
from ippon.upkeep.upgrade import upgrade
from ippon_network import Network, NetworkSettings
from ippon_network.backup import Manifest, write_backup
from ippon_network.errors import BackupRefused, RestoreRefused, StartFailed, UpgradeRefused
from ippon_network.settings import REPOSITORY

NAMES = {
    "notary": "O=Notary, L=Tokyo, C=JP",
    "coin": "O=Coin Issuer, L=Tokyo, C=JP",
    "asset": "O=Asset Registrar, L=Tokyo, C=JP",
}


@pytest.fixture
def local(tmp_path: Path) -> LocalNetwork:
    topology = REPOSITORY / "network-bootstrap" / "topology.yaml"
    return LocalNetwork(Network(settings=NetworkSettings(network_dir=tmp_path / "net", topology=topology)))


def backup(local: LocalNetwork, folder: Path, node: str, network: str | None = None) -> Path:
    manifest = Manifest(
        node=node,
        name=NAMES[node],
        network=network or local.network.topology.identity(),
        taken_at=datetime(2026, 7, 1, tzinfo=UTC),
        drained=True,
        files={},
    )
    (folder / "file").write_text("x", encoding="utf-8")
    write_backup(folder / "backup", manifest, {"node/persistence.mv.db": folder / "file"})
    return folder / "backup"


@pytest.mark.parametrize(
    ("of", "into", "network", "why"),
    [
        ("notary", "notary", None, "spent again"),
        ("asset", "coin", None, "a backup of asset"),
        ("coin", "coin", "another", "another network"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused_and_nothing_touched(
    local: LocalNetwork, tmp_path: Path, of: str, into: str, network: str | None, why: str
) -> None:
    source = backup(local, tmp_path, of, network)
    with pytest.raises(RestoreRefused, match=why):
        restore(local, into, source, keep_agent=True, say=lambda _: None)
    assert not local.network.directory.exists()


def test_a_folder_that_holds_something_takes_no_backup(local: LocalNetwork, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x", encoding="utf-8")
    with pytest.raises(BackupRefused, match="not empty"):
        back_up(local, "coin", tmp_path / "full", drain_seconds=1, say=lambda _: None)
    assert not local.network.directory.exists()


class FakeNetwork:
    """A network of one node that writes down what is done to it."""

    def __init__(self, folder: Path, *, running: list[dict[str, str]], starts: bool = True) -> None:
        self.done: list[str] = []
        self.running = running
        self.starts = starts
        self.jars = "old"
        (folder / "cordapps").mkdir()
        (folder / "cordapps" / "ippon-core.jar").write_text("old", encoding="utf-8")
        self._folder = SimpleNamespace(cordapps=folder / "cordapps")

    def check_cordapps(self, *_: object) -> tuple[int, int]:
        return 1, 2

    def folder(self, _: str) -> Any:
        return self._folder

    def maintenance(self, _: str) -> Any:
        return self

    def drain(self, *, seconds: int) -> dict[str, Any]:
        self.done.append(f"drain {seconds}")
        return {"running": self.running}

    def resume(self) -> None:
        self.done.append("resume")

    def status(self) -> dict[str, Any]:
        return {"cordapps": [{"name": "ippon core", "version": self.jars}]}

    def stop(self, _: str, *, bridge: bool) -> None:
        assert not bridge
        self.done.append("stop")

    def replace_cordapps(self, _: str, folder: Path) -> None:
        self.jars = "new" if folder.parent.name == "new" else (folder / "ippon-core.jar").read_text()
        self.done.append(f"put in {self.jars}")

    def start(self, _: str) -> None:
        self.done.append("start")
        if self.jars == "new" and not self.starts:
            raise StartFailed("node of coin died")


def upgraded(network: FakeNetwork, folder: Path) -> Any:
    local = cast("LocalNetwork", SimpleNamespace(network=network))
    return upgrade(local, "coin", folder / "new", drain_seconds=5, say=lambda _: None)


def test_an_upgrade_drains_exchanges_and_lets_flows_in_again(tmp_path: Path) -> None:
    network = FakeNetwork(tmp_path, running=[])
    assert upgraded(network, tmp_path).cordapps == [{"name": "ippon core", "version": "new"}]
    assert network.done == ["drain 5", "stop", "put in new", "start", "resume"]


def test_an_upgrade_when_flows_do_not_end_changes_nothing(tmp_path: Path) -> None:
    network = FakeNetwork(tmp_path, running=[{"flow": "SettleFills", "run_id": "R-1"}])
    with pytest.raises(UpgradeRefused, match=r"SettleFills \(R-1\)"):
        upgraded(network, tmp_path)
    assert network.done == ["drain 5", "resume"]


def test_a_node_that_does_not_start_with_the_new_jars_has_the_old_ones_back(tmp_path: Path) -> None:
    network = FakeNetwork(tmp_path, running=[], starts=False)
    with pytest.raises(UpgradeRefused, match="runs with the old"):
        upgraded(network, tmp_path)
    assert network.done == [
        *("drain 5", "stop", "put in new", "start"),
        *("stop", "put in old", "start", "resume"),
    ]
