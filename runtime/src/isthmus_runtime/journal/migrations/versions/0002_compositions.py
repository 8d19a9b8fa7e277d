"""Which messages of a batch are to come together again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "compositions",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("route", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
    )
    op.create_index("compositions_key", "compositions", ["key"])
    op.create_index("compositions_route", "compositions", ["route"])
    op.execute(
        "INSERT INTO meta (name, value) VALUES ('level', '2')"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )
