"""Alembic's way in: the connection comes from `Store.migrate`, with its transaction."""

from alembic import context

from ippon.agent.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can roll back DDL once its transactions are begun by hand, and ours are.
    transactional_ddl=True,
)
context.run_migrations()
