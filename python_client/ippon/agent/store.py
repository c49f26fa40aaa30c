"""The agent's store: one database per organisation, SQLite unless its settings name another.

    with store.write() as session: ...      one transaction; on SQLite the only one that writes
    with store.read() as session: ...       a consistent look

Several workers may share a store. What two of them must not do at once is either done in one `write`, or leased.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from ippon.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30.0
_READ_ONLY = "ippon_read"


class Store:
    """Sessions on one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._write = sessionmaker(engine, expire_on_commit=False)
        self._read = sessionmaker(engine.execution_options(**{_READ_ONLY: True}), expire_on_commit=False)

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
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and leaves nothing behind when the block raises."""
        with self._write.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent look; whatever is changed in it is lost."""
        with self._read() as session:
            yield session
            # What was read stays readable after the block.
            session.expunge_all()

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # The driver's own idea of transactions begins them too late for "read, decide, write".
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
