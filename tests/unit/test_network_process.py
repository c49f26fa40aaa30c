"""Processes that outlive us: found, signalled, stopped, and never confused with others."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ippon_network.errors import StartFailed
from ippon_network.process import Supervised, tail

# A parent with a child, as corda.jar is; the parent passes SIGTERM on.
PAIR = 'sleep 60 & child=$!; trap "kill $child; exit" TERM; echo all set; wait'


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Supervised]:
    supervised = Supervised("node", owner="coin", run_dir=tmp_path / "run", marker="all set")
    yield supervised
    supervised.signal(signal.SIGKILL)


def start(process: Supervised, script: str, tmp_path: Path) -> None:
    process.start(["sh", "-c", script], cwd=tmp_path, environment={"WORD": "hello"})


def wait_ready(process: Supervised) -> None:
    deadline = time.monotonic() + 10
    while not process.check_start(deadline=deadline):
        time.sleep(0.02)


def test_starts_in_a_session_of_its_own_and_says_so(process: Supervised, tmp_path: Path) -> None:
    start(process, PAIR, tmp_path)
    wait_ready(process)

    assert process.ready
    assert process.pid is not None
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert len(process.processes()) == 2
    assert process.memory().pss_bytes > 0


def test_gets_its_environment_and_folder(process: Supervised, tmp_path: Path) -> None:
    start(process, "echo $WORD from $PWD; echo all set; exec sleep 60", tmp_path)
    wait_ready(process)

    assert process.tail(5) == f"hello from {tmp_path}\nall set"


def test_stops_when_asked(process: Supervised, tmp_path: Path) -> None:
    start(process, PAIR, tmp_path)
    wait_ready(process)

    process.ask_to_stop()
    process.await_end(deadline=time.monotonic() + 10)

    assert not process.alive
    assert process.pid is None
    assert not list((tmp_path / "run").glob("*.json"))


def test_is_killed_when_it_does_not_listen(process: Supervised, tmp_path: Path) -> None:
    start(process, "trap '' TERM; echo all set; while true; do sleep 0.1; done", tmp_path)
    wait_ready(process)

    process.ask_to_stop()
    process.await_end(deadline=time.monotonic() + 0.3)

    assert not process.alive


def test_an_orphan_of_a_dead_leader_is_still_found(process: Supervised, tmp_path: Path) -> None:
    start(process, PAIR, tmp_path)
    wait_ready(process)
    leader = process.pid
    assert leader is not None

    os.kill(leader, signal.SIGKILL)
    time.sleep(0.2)

    assert [member.pid for member in process.processes()] != [leader]
    assert process.alive
    process.ask_to_stop()
    process.await_end(deadline=time.monotonic() + 5)
    assert not process.alive


def test_a_pid_given_to_somebody_else_is_not_ours(process: Supervised, tmp_path: Path) -> None:
    start(process, "echo all set; exec sleep 60", tmp_path)
    wait_ready(process)
    record_path = tmp_path / "run" / "node.pid.json"
    record = json.loads(record_path.read_text(encoding="utf-8"))

    record_path.write_text(json.dumps({**record, "started_ticks": record["started_ticks"] - 1}), encoding="utf-8")
    assert not process.alive
    record_path.write_text(json.dumps({**record, "boot_id": "another boot"}), encoding="utf-8")
    assert not process.alive

    record_path.write_text(json.dumps(record), encoding="utf-8")
    assert process.alive


def test_death_while_starting_is_told_with_its_last_words(process: Supervised, tmp_path: Path) -> None:
    start(process, "sleep 0.2; echo keyStores not found; exit 1", tmp_path)

    with pytest.raises(StartFailed, match=r"(?s)node of coin died while starting.*keyStores not found"):
        wait_ready(process)


def test_a_slow_start_is_told(process: Supervised, tmp_path: Path) -> None:
    start(process, "echo thinking; sleep 60", tmp_path)
    while not process.tail(1):
        time.sleep(0.02)

    with pytest.raises(StartFailed, match=r"(?s)node of coin was not ready in time.*thinking"):
        process.check_start(deadline=time.monotonic() - 1)


def test_a_restart_does_not_take_the_former_runs_word_for_it(process: Supervised, tmp_path: Path) -> None:
    start(process, "echo all set; exec sleep 60", tmp_path)
    wait_ready(process)
    process.ask_to_stop()
    process.await_end(deadline=time.monotonic() + 5)

    start(process, "exec sleep 60", tmp_path)

    assert process.alive
    assert not process.ready
    assert (tmp_path / "run" / "node.console.previous.log").read_text(encoding="utf-8") == "all set\n"


def test_tail_of_a_file_and_of_none(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\ntwo\nthree\n", encoding="utf-8")

    assert tail(log, 2) == "two\nthree"
    assert tail(log, 0) == ""
    assert tail(tmp_path / "none", 2) == ""


def test_what_runs_is_not_started_a_second_time(process: Supervised, tmp_path: Path) -> None:
    start(process, PAIR, tmp_path)
    pid = process.pid

    with pytest.raises(StartFailed, match=f"node of coin runs already, as process {pid}"):
        start(process, PAIR, tmp_path)

    assert process.pid == pid


def test_no_core_file_is_left_by_what_crashes(process: Supervised, tmp_path: Path) -> None:
    start(process, "ulimit -c; echo all set; exec sleep 60", tmp_path)
    wait_ready(process)

    assert process.tail(5) == "0\nall set"
