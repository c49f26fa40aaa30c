"""The simulator: agents on a model ledger, a few seeds of it; many are in tests/simulator."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippon.simulator.__main__ import app
from ippon.simulator.book import REGISTRAR, Book, Position, holding
from ippon.simulator.day import OPENING
from ippon.simulator.member import SIGNED, Member
from ippon.simulator.play import Stage, play_many

SEEDS = 20
FILLS = 2


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


def trace(stage: Stage, seed: int) -> list[str]:
    lines: list[str] = []
    stage.play(seed, fills=FILLS, trace=lines.append)
    return lines


def test_a_day_when_nothing_goes_wrong_then_all_settles_and_holds(stage: Stage) -> None:
    verdict = stage.play(1, fills=20, faulty=False)
    assert verdict.violations == ()
    assert verdict.settled > 0
    assert verdict.faults == {}


def test_twenty_seeds_of_two_hundred_fills_when_faults_stop_then_all_holds() -> None:
    verdicts = list(play_many(range(1, SEEDS + 1), jobs=2))
    assert {verdict.seed: verdict.violations for verdict in verdicts if verdict.violations} == {}
    assert len(verdicts) == SEEDS
    assert len({name for verdict in verdicts for name in verdict.faults}) >= 20


def test_a_seed_when_it_is_played_again_then_its_trace_is_the_same(stage: Stage) -> None:
    first = trace(stage, 7)
    assert trace(stage, 7) == first
    assert len(first) > 50


def test_the_command_when_a_seed_holds_then_it_ends_with_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, ["--seed", "3", "--fills", "2"])
    assert result.exit_code == 0, result.output
    assert "0 with violations" in result.output


def test_the_command_when_something_is_wrong_then_it_names_it_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippon.simulator.play.violations", lambda *_: ["I3 EX-1: settled twice"])
    result = CliRunner().invoke(app, ["--seed", "3", "--fills", "1", "--trace"])
    assert result.exit_code == 1
    assert "VIOLATION I3 EX-1: settled twice" in result.output


def test_no_file_when_a_seed_is_over_then_none_is_left_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ippon.simulator.play.MEMORY", tmp_path)
    stage.play(2, fills=1)
    assert list(tmp_path.iterdir()) == []


def test_a_signed_transaction_when_it_came_only_in_a_chain_then_it_is_still_pending() -> None:
    book, position = Book(), Position("Custodian A", "IN-A1", "ZA101")
    issued = book.build("Issue", {}, outputs=(holding(position, 10),))
    signed = book.build("Settle", {}, inputs=issued.outputs, outputs=(holding(position, 10),))
    later = book.build("Settle", {}, inputs=signed.outputs, outputs=(holding(position, 10),))
    member = Member(REGISTRAR, book, lambda: OPENING)
    member.record(issued)
    deadline = OPENING + timedelta(seconds=60)
    member.pend("run", SIGNED, "Custodian A", deadline, transaction_id=signed.transaction_id, inputs=signed.inputs)
    member.resolve(later)
    assert [row.transaction_id for row in member.pending()] == [signed.transaction_id]
    member.record(signed)
    assert member.pending() == []
