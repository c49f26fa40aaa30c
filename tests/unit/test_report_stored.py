"""Reading a node's database: a copy, tried again when it cannot be opened, and nothing secret on a command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ippon.errors import StoreError
from ippon.report.stored import COPY_TRIES, Store, read_store
from unit.stored_sample import document


class Reader:
    """Stands for the JVM: fails some times, then answers; remembers what it was given."""

    def __init__(self, *, failures: int = 0, answer: str | None = None) -> None:
        self.failures = failures
        self.answer = json.dumps(document()) if answer is None else answer
        self.commands: list[list[str]] = []
        self.inputs: list[str] = []
        self.copies: list[bytes] = []

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        self.inputs.append(options["input"])
        self.copies.append(Path(command[command.index("-jar") + 2]).read_bytes())
        if len(self.commands) <= self.failures:
            return subprocess.CompletedProcess(command, 2, "", "the file is corrupted")
        return subprocess.CompletedProcess(command, 0, self.answer, "")


@pytest.fixture(autouse=True)
def java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA8_HOME", "/java")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "node" / "persistence.mv.db"
    path.parent.mkdir()
    path.write_bytes(b"H:2")
    return path


def read(database: Path, reader: Reader, **options: Any) -> Store:
    jar = database.parent / "reader.jar"
    jar.touch()
    return read_store(database, reader=jar, run=reader, sleep=lambda _: None, **options)


def test_read_store_when_it_reads_then_it_reads_a_copy_that_is_gone_afterwards(database: Path) -> None:
    reader = Reader()
    assert len(read(database, reader).transactions) == 8
    copy = Path(reader.commands[0][reader.commands[0].index("-jar") + 2])
    assert reader.copies == [b"H:2"]
    assert copy.name == database.name
    assert copy != database
    assert not copy.exists()


def test_read_store_when_a_copy_cannot_be_opened_then_copies_again(database: Path) -> None:
    reader = Reader(failures=2)
    assert read(database, reader).h2 == "1.4.199"
    assert len(reader.commands) == 3


def test_read_store_when_no_copy_can_be_opened_then_says_why(database: Path) -> None:
    with pytest.raises(StoreError, match="the file is corrupted"):
        read(database, Reader(failures=COPY_TRIES))


def test_read_store_when_texts_are_wanted_then_they_stand_on_no_command_line(database: Path) -> None:
    reader = Reader()
    read(database, reader, wanted=["secret-1", "secret-2"], values=["EXCHANGE_FILL.SALT"])
    assert reader.inputs == ["secret-1\nsecret-2"]
    assert reader.commands[0][-1] == "EXCHANGE_FILL.SALT"
    assert "secret" not in " ".join(reader.commands[0])


def test_read_store_when_there_is_no_database_then_says_what_to_do(database: Path) -> None:
    database.unlink()
    reader = Reader()
    with pytest.raises(StoreError, match="ippon network up"):
        read(database, reader)
    assert reader.commands == []


def test_read_store_when_the_reader_is_of_another_build_then_says_so(database: Path) -> None:
    with pytest.raises(StoreError, match="make build"):
        read(database, Reader(answer='{"h2": "1.4.199"}'))
