"""Ids carry the run, days become today, times stay in order and out of the future."""

import csv
import io
import json
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippon.demo.run import DATE_COLUMNS, ID_COLUMNS, TIME_COLUMNS, Run, base36
from unit.demo_fakes import DAY_1, a_run

EVENING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 17:00 in Tokyo
NIGHT = datetime(2026, 11, 22, 15, 0, 1, tzinfo=UTC)  # 00:00:01 in Tokyo
FILES = sorted(path.relative_to(DAY_1).as_posix() for kind in ("csv", "json") for path in DAY_1.glob(f"*/*.{kind}"))


def cells(run: Run, name: str) -> list[tuple[str, str, str]]:
    """(column, before, after) of every cell of a file."""
    content = (DAY_1 / name).read_bytes()
    changed = run.rewrite(name, content)
    if name.endswith(".json"):
        pairs = zip(json.loads(content)["lines"], json.loads(changed)["lines"], strict=True)
    else:
        old, new = (list(csv.DictReader(io.StringIO(text.decode()))) for text in (content, changed))
        pairs = zip(old, new, strict=True)
    return [(column, str(one[column]), str(two[column])) for one, two in pairs for column in one]


@pytest.mark.parametrize("name", FILES)
def test_every_cell_of_day_1_is_rewritten_as_its_column_says(name: str) -> None:
    run = a_run()
    for column, before, after in cells(run, name):
        if column in ID_COLUMNS and before:
            assert after == (f"TI-rt1-{before[3:]}" if before.startswith("TI-") else f"rt1-{before}")
        elif column in DATE_COLUMNS:
            assert after == "2026-11-23"
        elif column in TIME_COLUMNS:
            assert after.endswith("Z")
        else:
            assert after == before


def test_every_column_with_ids_is_known() -> None:
    columns = {column for name in FILES for column, _, _ in cells(a_run(), name)}
    assert {column for column in columns if column.endswith("_id")} - {"token_transaction_id"} <= ID_COLUMNS


def test_an_empty_id_stays_empty() -> None:
    assert a_run().id("") == ""


def test_a_row_of_the_wrong_width_is_left_for_the_agent_to_refuse() -> None:
    content = b"execution_id,reason\nEX-1\nEX-2,why,more\n"
    assert a_run().rewrite("busts-1.csv", content) == b"execution_id,reason\nrt1-EX-1\nrt1-EX-2,why,more\n"


def test_quoted_cells_survive() -> None:
    content = b'execution_id,reason\nEX-1,"a, ""b"""\n'
    assert a_run().rewrite("busts-1.csv", content) == b'execution_id,reason\nrt1-EX-1,"a, ""b"""\n'


def test_after_the_session_times_of_day_stay() -> None:
    run = a_run(now=EVENING)
    assert run.time("2026-07-01T00:12:00.000Z") == "2026-11-23T00:12:00.000Z"
    assert run.time("2026-06-30T23:30:00.000Z") == "2026-11-22T23:30:00.000Z"


def test_in_the_small_hours_the_day_is_squeezed_and_stays_today_in_tokyo() -> None:
    run = a_run(now=NIGHT)
    assert run.day == date(2026, 11, 23)
    moved = datetime.fromisoformat(run.time("2026-07-01T05:00:00.000Z"))
    assert datetime(2026, 11, 22, 15, tzinfo=UTC) <= moved <= NIGHT


@given(
    st.integers(1_767_225_600, 1_798_761_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.lists(st.integers(0, 6 * 3600 + 1800), min_size=2, max_size=5),
)
def test_times_of_the_session_are_never_in_the_future_and_keep_their_order(now: datetime, seconds: list[int]) -> None:
    run = a_run(now=now)
    opening = datetime(2026, 7, 1, 0, 0, tzinfo=UTC).timestamp()
    texts = [datetime.fromtimestamp(opening + one, UTC).isoformat() for one in sorted(seconds)]
    moved = [datetime.fromisoformat(run.time(text)) for text in texts]
    assert moved == sorted(moved)
    assert all(one <= now for one in moved)


def test_dates_keep_their_distance_to_the_day() -> None:
    assert a_run().date("2026-07-03") == "2026-11-25"


def test_a_run_is_named_by_its_second() -> None:
    run = Run.at(datetime(2026, 11, 23, tzinfo=UTC), script_day=date(2026, 7, 1), session_ends=time(15, 30))
    assert run.prefix == f"r{base36(int(run.now.timestamp()))}-"
    assert int(run.name, 36) == int(run.now.timestamp())
    assert base36(0) == "0"


def test_files_are_named_by_the_run_so_that_each_is_read() -> None:
    assert a_run().file_name("fills-1.csv") == "fills-rt1-1.csv"
