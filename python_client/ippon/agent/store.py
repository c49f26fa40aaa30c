"""The agent's store: one database per organisation, SQLite unless its settings name another.

    with store.write() as session: ...      one transaction; on SQLite the only one that writes
    later(session, statement, …)            something that this transaction does at its end, together with its like
    with store.read() as session: ...       a consistent look
    with store.look() as connection: ...    the same without entities, which costs half

Several workers may share a store. What two of them must not do at once is either done in one `write`, or leased.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Insert, Update, create_engine, event, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from ippon.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30.0
STATEMENTS = 1000
"""Statements that SQLite's driver keeps prepared; a list of ids makes one of each length."""


class Store:
    """Sessions on one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._make = sessionmaker(engine, expire_on_commit=False)
        # To make a session costs about as much as to use it for a query.
        self._idle: list[Session] = []
        self.written = 0
        """Transactions that were begun here to write."""

    @classmethod
    def open(cls, url: str, *, migrate: bool = True) -> Self:
        """Connect, and bring the tables up to this version unless told otherwise.

        Args:
            url: SQLAlchemy URL, `sqlite:////absolute/path` or `postgresql+psycopg://…`.
            migrate: False leaves the tables as they are.

        Raises: StoreError.
        """
        try:
            store = cls(_engine(url))
            if migrate:
                store.migrate()
        except SQLAlchemyError as problem:
            raise StoreError(f"The store {make_url(url).render_as_string()} cannot be opened: {problem}") from problem
        return store

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables up to this version, or to an older revision; does nothing when they are there."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.begin() as connection:
            _begin(connection, "BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and leaves nothing behind when the block raises."""
        self.written += 1
        session = self._idle_session()
        try:
            _begin(session.connection(), "BEGIN IMMEDIATE")
            yield session
            run_late(session)
            session.commit()
        finally:
            self._put_back(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent look; whatever is changed in it is lost. What was read stays readable after the block."""
        session = self._idle_session()
        try:
            _begin(session.connection(), "BEGIN")
            yield session
        finally:
            self._put_back(session)

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A consistent look at columns."""
        with self.engine.connect() as connection:
            _begin(connection, "BEGIN")
            yield connection

    def _idle_session(self) -> Session:
        try:
            return self._idle.pop()
        except IndexError:
            return self._make()

    def _put_back(self, session: Session) -> None:
        session.info.clear()
        session.close()
        self._idle.append(session)

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def later(session: Session, statement: Insert | Update, **values: Any) -> None:
    """Run a statement at the end of the transaction: once for all values that it was given, in their order.

    Entities would be written one by one. What is left for later is not seen by queries of this transaction.
    """
    session.info.setdefault(statement, []).append(values)


def run_late(session: Session) -> None:
    """Run now what was left for later."""
    for statement, values in session.info.items():
        session.connection().execute(statement, values)
    session.info.clear()


def _begin(connection: Connection, how: str) -> None:
    # By hand: SQLite's driver begins transactions too late for "read, decide, write".
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        try:
            driver.execute(how)
        except sqlite3.Error as problem:
            raise OperationalError(how, None, problem) from problem


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "cached_statements": STATEMENTS}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
