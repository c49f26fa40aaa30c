"""A seed that failed anywhere fails here in the same way: the trace of a process of its own is the same to the byte."""

import os
import subprocess
import sys


def trace(seed: int, hash_seed: str) -> bytes:
    command = [sys.executable, "-m", "ippon.simulator", "--seed", str(seed), "--fills", "40", "--trace"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, check=False, capture_output=True, env=environment, timeout=120).stdout


def test_a_trace_when_the_seed_is_played_by_two_processes_with_other_hashes_then_it_is_the_same() -> None:
    first = trace(7, "1")
    assert first.count(b"\n") > 100
    assert trace(7, "2") == first
    assert trace(8, "1") != first
