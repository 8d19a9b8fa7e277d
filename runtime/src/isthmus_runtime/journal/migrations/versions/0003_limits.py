"""Limits: buckets, and pauses that a system asked for. Only where several processes share them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.create_table(
            "buckets",
            _name(),
            sa.Column("full_at", sa.Double(), nullable=False),
            sa.Column("granted", sa.Integer(), nullable=False),  # by the last draw
            sa.Column("at", sa.Double(), nullable=False),
        )
        op.create_table("pauses", _name(), sa.Column("until", sa.Double(), nullable=False))
        op.execute(
            "ALTER TABLE buckets SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.0,"
            " autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0)"
        )
    op.execute("UPDATE meta SET value = '3' WHERE name = 'level'")


def _name() -> sa.Column[str]:
    return sa.Column("name", sa.Text(collation="C"), primary_key=True)
