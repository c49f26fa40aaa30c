"""Stores in memory, one for each organisation: quick to empty, and made to lock up, be full, or die in the middle."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from ippon.agent.store import STATEMENTS, Store
from ippon.simulator.faults import Faults

LOCKED, FULL = "database is locked", "database or disk is full"


class Disk:
    """One database in memory. Emptied, it is used again: statements once compiled stay compiled."""

    def __init__(self) -> None:
        engine = create_engine(
            "sqlite://",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "isolation_level": None, "cached_statements": STATEMENTS},
        )
        self.engine: Engine = engine
        self.store = Store(engine)
        self._connection = self._driver()
        self._connection.deserialize(_empty_database())

    def empty(self) -> None:
        """As new."""
        self._connection.deserialize(_empty_database())

    def read(self, query: str, values: tuple[str, ...] = ()) -> list[Any]:
        """What is in it, past all that stands between an agent and its store."""
        return self._connection.execute(query, values).fetchall()

    def move(self) -> None:
        """What a new version does to a store first."""
        self.store.migrate()

    def _driver(self) -> sqlite3.Connection:
        with self.engine.connect() as connection:
            driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101
        return driver


@cache
def _empty_database() -> bytes:
    """Tables with nothing in them, as the migrations make them."""
    store = Store(create_engine("sqlite://", poolclass=StaticPool, connect_args={"isolation_level": None}))
    store.migrate()
    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101
        return driver.serialize()


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
        self._may_read()
        with super().read() as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """See `Store`."""
        self._may_read()
        with super().look() as connection:
            yield connection

    def _may_read(self) -> None:
        self._gate("read")
        if self._faults.happens("store_locked"):
            raise OperationalError("BEGIN", None, sqlite3.OperationalError(LOCKED))
