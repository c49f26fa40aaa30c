"""How the maintenance program is run, with a java that answers as it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ippon_network.errors import MaintenanceFailed
from ippon_network.maintenance import Maintenance

JAVA = """#!/bin/sh
echo "$*" > "{calls}"
echo 'a line of some library'
echo '{answer}'
echo 'what went wrong' >&2
exit {code}
"""


def maintenance(folder: Path, answer: str, code: int = 0) -> Maintenance:
    java = folder / "java"
    java.write_text(JAVA.format(calls=folder / "calls", answer=answer, code=code), encoding="utf-8")
    java.chmod(0o755)
    return Maintenance(java=java, bridge_jar=folder / "bridge.jar", config=folder / "maintenance.json")


def called(folder: Path) -> str:
    return (folder / "calls").read_text().split("Maintain ")[1].strip()


def test_an_answer_is_the_last_line(tmp_path: Path) -> None:
    found = maintenance(tmp_path, '{"draining": true, "running": []}').drain(seconds=5)
    assert found == {"draining": True, "running": []}
    assert called(tmp_path) == f"--config {tmp_path}/maintenance.json drain 5"


def test_recover_names_the_moment_in_utc(tmp_path: Path) -> None:
    moment = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
    maintenance(tmp_path, '{"recovered": [], "unanswered": []}').recover(since=moment, seconds=7, members=4)
    assert called(tmp_path).endswith("recover 7 2026-07-01T03:00:00Z")


def test_an_error_is_told_with_its_code(tmp_path: Path) -> None:
    broken = maintenance(tmp_path, '{"error": {"code": "FORBIDDEN", "message": "not you"}}', code=1)
    with pytest.raises(MaintenanceFailed, match="'resume' failed: FORBIDDEN not you"):
        broken.resume()


def test_a_program_that_says_nothing_is_told_by_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(MaintenanceFailed, match="what went wrong"):
        maintenance(tmp_path, "no json", code=2).status()
