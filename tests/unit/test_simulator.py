"""The simulator: agents on a model ledger, a few seeds of it; all of them are in tests/simulator."""

import pytest

from ippon.simulator.play import Stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


def test_a_day_when_nothing_goes_wrong_then_all_settles_and_holds(stage: Stage) -> None:
    verdict = stage.play(1, fills=20, faulty=False)
    assert verdict.violations == ()
    assert verdict.settled > 0
