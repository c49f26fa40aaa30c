"""One network of liars for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from liars.opening import staged
from liars.stage import Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs the network."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.network)


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """See `staged`; over with the last test here, so that the next tests find ports and memory."""
    with staged(tmp_path_factory.mktemp("liars")) as found:
        yield found
