"""The player drops, waits with limits, and tells what it waited for; the outcome is compared with the script."""

from collections.abc import Callable
from datetime import UTC, datetime

from ippon.demo.floor import FileStand, Holding
from ippon.demo.outcome import make_report
from ippon.demo.play import Played, Player
from ippon.demo.script import load_script
from ippon.model import DeskState, InstructionStatus
from ippon.report.day import DayReport
from ippon.report.invariants import prove
from unit.demo_fakes import DAY_1, FakeClock, FakeFloor, Quiet, a_run
from unit.report_world import honest_day


def play(floor: FakeFloor, listener: Quiet | None = None, clock: FakeClock | None = None) -> Played:
    clock = clock or FakeClock()
    player = Player(
        script=load_script(DAY_1),
        folder=DAY_1,
        run=floor.run,
        floor=floor,
        listener=listener or Quiet(),
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )
    return player.play()


def report_of(floor: FakeFloor, played: Played) -> DayReport:
    return make_report(
        script=floor.script,
        run=floor.run,
        floor=floor,
        played=played,
        ended_at=datetime(2026, 11, 23, 8, 1, tzinfo=UTC),
        proof=prove(honest_day().snapshot()),
        quiet=True,
        directory="nowhere",
        snapshot="none",
    )


def on_fills(change: Callable[[FakeFloor], object]) -> FakeFloor:
    """A floor on which something goes otherwise once the fills have come."""

    def after_drop(floor: FakeFloor, source: str) -> None:
        if source == "exchange/fills-1.csv":
            change(floor)

    return FakeFloor(a_run(), after_drop=after_drop)


def test_an_honest_day_is_played_to_its_end_without_surprise() -> None:
    floor, listener = FakeFloor(a_run()), Quiet()
    played = play(floor, listener)
    report = report_of(floor, played)
    assert played.stopped is None
    assert report.surprises == []
    assert report.passed
    assert len(listener.begun) == len(played.steps) == len(floor.script.steps)
    assert [row.status for row in report.refused].count("duplicate") == 1
    assert len(report.refused) == len(floor.script.expect.refused)
    assert [fill.outcome for fill in report.fills].count("waiting") == 1


def test_files_carry_the_run_in_name_and_content() -> None:
    floor = FakeFloor(a_run("zz"))
    play(floor)
    assert ("exchange", "fills-rzz-1.csv") in floor.files
    assert b"rzz-EX-0001" in floor.files["exchange", "fills-rzz-1.csv"]


def test_a_wait_over_its_limit_stops_the_day_and_says_what_it_waited_for() -> None:
    floor, clock, listener = on_fills(lambda one: one.move("EX-0003", DeskState.SENDING)), FakeClock(), Quiet()
    played = play(floor, listener, clock)
    assert played.stopped == (
        "'The venue's orders and fills' was given 300 s and still waits: EX-0003 must be settled, is sending"
    )
    assert 300 <= clock.seconds < 302
    assert listener.stopped[-1]
    assert "EX-0003 must be settled, is sending" in listener.unmet
    report = report_of(floor, played)
    assert not report.passed
    assert played.stopped in report.surprises


def test_what_can_never_come_is_not_waited_for() -> None:
    floor, clock = on_fills(lambda one: one.move("EX-0003", DeskState.REFUSED, reason=None)), FakeClock()
    played = play(floor, clock=clock)
    assert played.stopped is None
    assert clock.seconds == 0
    assert report_of(floor, played).surprises == ["rt1-EX-0003: must be settled, is refused"]


def test_an_unread_file_is_named() -> None:
    floor = on_fills(lambda one: one.stands.pop(("exchange", "orders-rt1-1.csv")))
    assert "exchange's agent has not read orders-rt1-1.csv" in (play(floor).stopped or "")


def test_a_dead_agent_stops_the_day_at_once() -> None:
    def die(floor: FakeFloor) -> None:
        floor.died = "the agent of exchange does not run"
        floor.move("EX-0001", DeskState.SENDING)

    clock = FakeClock()
    assert "the agent of exchange does not run" in (play(on_fills(die), clock=clock).stopped or "")
    assert clock.seconds == 0


def test_a_rejected_instruction_that_had_to_be_executed_is_not_waited_for() -> None:
    def reject(floor: FakeFloor, source: str) -> None:
        if source == "custodian-b/cash-1.csv":
            floor.instruction_stands["custodian-b"]["TI-rt1-CL-0004"] = InstructionStatus.REJECTED

    clock = FakeClock()
    assert play(FakeFloor(a_run(), after_drop=reject), clock=clock).stopped is None
    assert clock.seconds == 0


def surprises(change: Callable[[FakeFloor], object]) -> list[str]:
    floor = FakeFloor(a_run())
    played = play(floor)
    change(floor)
    return report_of(floor, played).surprises


def test_a_fill_on_no_desk_is_a_surprise() -> None:
    found = surprises(lambda floor: floor.fill_stands.pop("rt1-EX-0007"))
    assert found == ["rt1-EX-0007: must be settled, but is on no desk"]


def test_another_reason_is_a_surprise() -> None:
    found = surprises(lambda floor: floor.move("EX-0020", DeskState.WAITING, cause="ROUTE_MISSING"))
    assert found == ["rt1-EX-0020: must wait because of ROUTE_BANK, but does because of ROUTE_MISSING"]


def test_a_row_refused_for_another_reason_or_not_at_all_is_a_surprise() -> None:
    def accept_all(floor: FakeFloor) -> None:
        floor.stands["exchange", "busts-rt1-1.csv"] = FileStand(status="read")

    assert surprises(accept_all) == ["exchange/busts-1.csv line 3 (rt1-EX-0001) must be refused, but was not"]

    def refuse_file(floor: FakeFloor) -> None:
        floor.stands["asset", "positions-rt1-1.csv"] = FileStand(status="refused", code="BAD_FILE", reason="not UTF-8")

    assert surprises(refuse_file) == ["asset/positions-1.csv line 0 (None) was refused: BAD_FILE not UTF-8"]


def test_another_shortage_is_a_surprise() -> None:
    found = surprises(lambda floor: floor.told["custodian-b"].update({"rt1-EX-0015": 1}))
    assert found == ["custodian-b must be told that EX-0015 lacks 151,400 yen, but was told 1"]


def test_balances_are_of_this_run_before_trading_and_after() -> None:
    def trade(floor: FakeFloor, source: str) -> None:
        if source == "custodian-b/cash-1.csv":
            floor.held = [holding("rt1-INV-A01", 100), holding("rother-INV-A01", 7)]
        elif source == "exchange/fills-1.csv":
            floor.held = [holding("rt1-INV-A01", 40), holding("rt1-INV-B02", 60)]

    floor = FakeFloor(a_run(), after_drop=trade)
    report = report_of(floor, play(floor))
    assert [(row.investor_id, row.before, row.after, row.change) for row in report.balances] == [
        ("rt1-INV-A01", 100, 40, -60),
        ("rt1-INV-B02", 0, 60, 60),
    ]


def holding(investor_id: str, total: int) -> Holding:
    return Holding(custodian="Custodian A", investor_id=investor_id, asset="COINS", total=total)
