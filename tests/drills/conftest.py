"""A network of the drills' own: what is restored and upgraded here is nobody else's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.stage import Stage, staged
from ippon_network import Network
from ippon_network.settings import NetworkSettings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs the network."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.network)


# Ends with this folder: the next one brings up a network of its own, on the same ports.
@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """See `staged`; on a copy of the usual network when there is one, since making one takes minutes."""
    settings = NetworkSettings()
    usual, own = settings.network_dir, settings.network_dir.with_name("drills")
    Network(usual).down()
    if own.exists():
        Network(own).down(wipe=True)
        shutil.rmtree(own)
    if (usual / "bootstrapped.json").exists():
        shutil.copytree(usual, own, copy_function=_link_jars)
    with staged(tmp_path_factory.mktemp("stage"), own) as found:
        yield found


def _link_jars(source: str, target: str) -> None:
    """Jars are never written into; all else is the copy's own."""
    if source.endswith(".jar"):
        Path(target).hardlink_to(source)
    else:
        shutil.copy2(source, target)
