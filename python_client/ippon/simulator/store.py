"""Stores in memory, one for each organisation: quick to empty, and made to lock up, be full, or die in the middle."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from ippon.agent.store import Store
from ippon.simulator.faults import Faults

LOCKED, FULL = "database is locked", "database or disk is full"


class Disk:
    """One database in memory. Emptied, it is used again: statements once compiled stay compiled."""

    def __init__(self) -> None:
        engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False, "isolation_level": None}
        )
        event.listen(engine, "begin", _begin)
        self.engine: Engine = engine
        self.store = Store(engine)
        self.store.migrate()
        self._empty = self._driver().serialize()

    def empty(self) -> None:
        """As new."""
        self._driver().deserialize(self._empty)

    def move(self) -> None:
        """What a new version does to a store: its tables go to the revision before, and back to this one."""
        self.store.migrate()

    def _driver(self) -> sqlite3.Connection:
        with self.engine.connect() as connection:
            driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101
        return driver


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


class FaultyStore(Store):
    """A process's own way to a disk. A transaction that fails or dies leaves nothing behind, as on a real one."""

    def __init__(self, disk: Disk, *, faults: Faults, gate: Callable[[str], None]) -> None:
        super().__init__(disk.engine)
        self._faults = faults
        self._gate = gate

    @contextmanager
    def write(self) -> Iterator[Session]:
        """See `Store`."""
        self._gate("write")
        if self._faults.happens("store_locked"):
            raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError(LOCKED))
        with super().write() as session:
            yield session
            self._gate("commit")
            if self._faults.happens("store_full"):
                raise OperationalError("COMMIT", None, sqlite3.OperationalError(FULL))
        self._gate("committed")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """See `Store`."""
        self._gate("read")
        if self._faults.happens("store_locked"):
            raise OperationalError("BEGIN", None, sqlite3.OperationalError(LOCKED))
        with super().read() as session:
            yield session
