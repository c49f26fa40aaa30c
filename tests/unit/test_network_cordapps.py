"""Which jars may replace a node's CorDapps, with a keytool that says what a jar's own file says."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ippon_network import Network, NetworkSettings
from ippon_network.cordapps import cordapp_version, signers
from ippon_network.errors import PartsMissing, UpgradeRefused
from ippon_network.settings import REPOSITORY

NAMES = ("contracts", "core", "coin")
KEYTOOL = """#!/bin/sh
unzip -p "$3" META-INF/KEY 2>/dev/null | sed 's/^/         SHA256: /'
"""


def jar(path: Path, *, version: int | None = 1, key: str | None = "AA:01") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = "" if version is None else f"Cordapp-Workflow-Version: {version}\r\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\n{told}Cordapp-Workflow-Name: x\r\n")
        if key:
            archive.writestr("META-INF/KEY", key)
    return path


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    keytool = tmp_path / "jdk" / "bin" / "keytool"
    keytool.parent.mkdir(parents=True)
    keytool.write_text(KEYTOOL, encoding="utf-8")
    keytool.chmod(0o755)
    monkeypatch.setenv("JAVA8_HOME", str(tmp_path / "jdk"))
    topology = REPOSITORY / "network-bootstrap" / "topology.yaml"
    network = Network(settings=NetworkSettings(network_dir=tmp_path / "net", topology=topology))
    for name in NAMES:
        jar(network.folder("coin").cordapps / f"ippon-{name}.jar")
    return network


def parts(folder: Path, **changes: object) -> Path:
    for name in NAMES:
        jar(folder / f"ippon-{name}.jar", **({"version": 2} | changes))  # type: ignore[arg-type]
    return folder


def test_the_next_version_by_the_same_key_is_taken(network: Network, tmp_path: Path) -> None:
    assert network.check_cordapps("coin", parts(tmp_path / "new")) == (1, 2)
    assert network.check_cordapps("coin", parts(tmp_path / "same", version=1)) == (1, 1)


@pytest.mark.parametrize("key", ["BB:02", None])
@pytest.mark.parametrize("name", NAMES)
def test_one_jar_by_another_key_or_none_refuses_all(
    network: Network, tmp_path: Path, name: str, key: str | None
) -> None:
    folder = parts(tmp_path / "new")
    jar(folder / f"ippon-{name}.jar", version=2, key=key)
    with pytest.raises(UpgradeRefused, match=f"ippon-{name}.jar is not signed by the key"):
        network.check_cordapps("coin", folder)


def test_jars_that_nobody_has_signed_replace_none(network: Network, tmp_path: Path) -> None:
    for name in NAMES:
        jar(network.folder("coin").cordapps / f"ippon-{name}.jar", key=None)
    with pytest.raises(UpgradeRefused, match="is not signed"):
        network.check_cordapps("coin", parts(tmp_path / "new", key=None))


def test_an_older_version_is_refused(network: Network, tmp_path: Path) -> None:
    with pytest.raises(UpgradeRefused, match="version 0, older than the version 1"):
        network.check_cordapps("coin", parts(tmp_path / "old", version=0))


def test_a_jar_that_is_missing_is_named(network: Network, tmp_path: Path) -> None:
    folder = parts(tmp_path / "new")
    (folder / "ippon-core.jar").unlink()
    with pytest.raises(PartsMissing, match="ippon-core"):
        network.check_cordapps("coin", folder)


def test_a_version_is_read_and_a_jar_without_one_is_none(network: Network, tmp_path: Path) -> None:
    assert cordapp_version(jar(tmp_path / "a.jar", version=17)) == 17
    assert signers(tmp_path / "a.jar", java=tmp_path / "jdk" / "bin" / "java") == {"AA:01"}
    with pytest.raises(PartsMissing, match="names no version"):
        cordapp_version(jar(tmp_path / "b.jar", version=None))
    with pytest.raises(PartsMissing, match="is no CorDapp"):
        cordapp_version(Path(__file__))
