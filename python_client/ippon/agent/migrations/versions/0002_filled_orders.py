"""Orders know what fills take of them; a fill's row is found by its id; waiting rows are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The two order columns of a fill are of different sides, so one order is named in one of them only.
_FILLED = """
UPDATE venue_order SET filled = (
    SELECT COALESCE(SUM(f.quantity), 0) FROM venue_fill f
    WHERE f.state IN ('pending', 'unknown', 'notified')
      AND (f.sell_order_id = venue_order.order_id OR f.buy_order_id = venue_order.order_id)
)
"""


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("venue_order") as table:
        table.add_column(sa.Column("filled", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(_FILLED)
    with op.batch_alter_table("venue_order") as table:
        table.alter_column("filled", server_default=None)
    with op.batch_alter_table("venue_fill") as table:
        table.drop_column("row_id")
    op.create_index("inbox_row_waiting", "inbox_row", ["status", "promised"])


def downgrade() -> None:
    """Back from it."""
    op.drop_index("inbox_row_waiting", "inbox_row")
    with op.batch_alter_table("venue_fill") as table:
        table.add_column(sa.Column("row_id", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("venue_order") as table:
        table.drop_column("filled")
