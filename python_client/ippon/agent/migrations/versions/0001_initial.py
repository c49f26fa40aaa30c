"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "attempt",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=128), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=8), nullable=True),
        sa.Column("reason", sa.String(length=4), nullable=True),
        sa.Column("missing", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("execution_id", "number"),
    )
    op.create_index(op.f("ix_attempt_client_id"), "attempt", ["client_id"], unique=False)
    op.create_table(
        "cursor",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "event",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=96), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(op.f("ix_event_subject"), "event", ["subject"], unique=False)
    op.create_table(
        "inbox_file",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("name", "sha256", name="inbox_file_once"),
    )
    op.create_index(op.f("ix_inbox_file_name"), "inbox_file", ["name"], unique=False)
    op.create_table(
        "notice",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=4), nullable=True),
        sa.Column("missing", sa.BigInteger(), nullable=True),
        sa.Column("investor_id", sa.String(length=64), nullable=True),
        sa.Column("counterparty", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index(op.f("ix_notice_execution_id"), "notice", ["execution_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("business_id", sa.String(length=112), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("destination", sa.String(length=128), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("business_id"),
    )
    op.create_index("outbox_due", "outbox", ["state", "next_try_at"], unique=False)
    op.create_table(
        "settlement",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("platform_code", sa.String(length=64), nullable=False),
        sa.Column("security_code", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("seller_custodian", sa.String(length=128), nullable=False),
        sa.Column("seller_investor_id", sa.String(length=64), nullable=False),
        sa.Column("buyer_custodian", sa.String(length=128), nullable=False),
        sa.Column("buyer_investor_id", sa.String(length=64), nullable=False),
        sa.Column("trade_date", sa.Date(), nullable=False),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settle_date", sa.Date(), nullable=False),
        sa.Column("reverses", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=4), nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("missing", sa.BigInteger(), nullable=True),
        sa.Column("failing", sa.Boolean(), nullable=False),
        sa.Column("transaction_id", sa.String(length=64), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_cause", sa.String(length=12), nullable=True),
        sa.Column("wake_cause", sa.String(length=12), nullable=True),
        sa.Column("largest_batch", sa.Integer(), nullable=True),
        sa.Column("units_seen", sa.BigInteger(), nullable=True),
        sa.Column("route_seen", sa.String(length=96), nullable=True),
        sa.Column("client_id", sa.String(length=128), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("execution_id"),
    )
    op.create_index("settlement_buyer", "settlement", ["buyer_investor_id", "state"], unique=False)
    op.create_index("settlement_due", "settlement", ["state", "next_try_at"], unique=False)
    op.create_index("settlement_seller", "settlement", ["seller_investor_id", "state"], unique=False)
    op.create_table(
        "shortage",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=5), nullable=False),
        sa.Column("investor_id", sa.String(length=64), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.Column("counterparty", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("announcements", sa.Integer(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("covered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("execution_id", "asset"),
    )
    op.create_index("shortage_open", "shortage", ["asset", "state", "investor_id"], unique=False)
    op.create_table(
        "start",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("client_id", sa.String(length=128), nullable=False),
        sa.Column("business_id", sa.String(length=112), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("handler", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("client_id"),
    )
    op.create_index(op.f("ix_start_business_id"), "start", ["business_id"], unique=False)
    op.create_index("start_open", "start", ["state", "lane", "number"], unique=False)
    op.create_table(
        "trust_line",
        sa.Column("line_id", sa.String(length=64), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=140), nullable=False),
        sa.Column("custodian", sa.String(length=128), nullable=False),
        sa.Column("used_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("line_id"),
    )
    op.create_index(op.f("ix_trust_line_reference"), "trust_line", ["reference"], unique=False)
    op.create_table(
        "trust_order",
        sa.Column("custodian", sa.String(length=128), nullable=False),
        sa.Column("instruction_id", sa.String(length=64), nullable=False),
        sa.Column("investor_id", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=6), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("line_id", sa.String(length=64), nullable=True),
        sa.Column("transaction_id", sa.String(length=64), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doing", sa.String(length=6), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("custodian", "instruction_id"),
    )
    op.create_index("trust_order_status", "trust_order", ["status", "investor_id"], unique=False)
    op.create_table(
        "venue_fill",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("sell_order_id", sa.String(length=64), nullable=False),
        sa.Column("buy_order_id", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("transaction_id", sa.String(length=64), nullable=True),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("execution_id"),
    )
    op.create_index(op.f("ix_venue_fill_buy_order_id"), "venue_fill", ["buy_order_id"], unique=False)
    op.create_index(op.f("ix_venue_fill_sell_order_id"), "venue_fill", ["sell_order_id"], unique=False)
    op.create_index("venue_fill_state", "venue_fill", ["state"], unique=False)
    op.create_table(
        "venue_order",
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("custodian", sa.String(length=128), nullable=False),
        sa.Column("investor_id", sa.String(length=64), nullable=False),
        sa.Column("security_code", sa.String(length=64), nullable=False),
        sa.Column("platform_code", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_table(
        "inbox_row",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("file_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("row_id", sa.String(length=96), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("promised", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("field", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("transaction_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_number"],
            ["inbox_file.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("file_number", "line", name="inbox_row_once"),
    )
    op.create_index("inbox_row_id", "inbox_row", ["kind", "row_id", "status"], unique=False)


def downgrade() -> None:
    """Back from it."""
    op.drop_index("inbox_row_id", table_name="inbox_row")
    op.drop_table("inbox_row")
    op.drop_table("venue_order")
    op.drop_index("venue_fill_state", table_name="venue_fill")
    op.drop_index(op.f("ix_venue_fill_sell_order_id"), table_name="venue_fill")
    op.drop_index(op.f("ix_venue_fill_buy_order_id"), table_name="venue_fill")
    op.drop_table("venue_fill")
    op.drop_index("trust_order_status", table_name="trust_order")
    op.drop_table("trust_order")
    op.drop_index(op.f("ix_trust_line_reference"), table_name="trust_line")
    op.drop_table("trust_line")
    op.drop_index("start_open", table_name="start")
    op.drop_index(op.f("ix_start_business_id"), table_name="start")
    op.drop_table("start")
    op.drop_index("shortage_open", table_name="shortage")
    op.drop_table("shortage")
    op.drop_index("settlement_seller", table_name="settlement")
    op.drop_index("settlement_due", table_name="settlement")
    op.drop_index("settlement_buyer", table_name="settlement")
    op.drop_table("settlement")
    op.drop_index("outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_notice_execution_id"), table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_inbox_file_name"), table_name="inbox_file")
    op.drop_table("inbox_file")
    op.drop_index(op.f("ix_event_subject"), table_name="event")
    op.drop_table("event")
    op.drop_table("cursor")
    op.drop_index(op.f("ix_attempt_client_id"), table_name="attempt")
    op.drop_table("attempt")
