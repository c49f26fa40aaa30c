"""The stage for all tests here, and the table that a run of all cases leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.stage import Stage, staged


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs the network."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.network)


# Ends with this folder: the next one brings up a network of its own, on the same ports.
@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """See `staged`."""
    with staged(tmp_path_factory.mktemp("stage")) as found:
        yield found
