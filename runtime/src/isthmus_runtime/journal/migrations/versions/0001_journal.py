"""The journal: messages, what is open, how things ended, tasks, the store, and the audit.

`messages` holds what came and hardly ever changes. `queue` has a row for what still has to be
worked on and stays small: claims write only there. `outcomes` has one for what is settled. So a
body is written once, and pruning deletes from tables that nobody else writes to.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
"""Compared by bytes: quicker, and the same in both homes."""
TIME: sa.Double[float] = sa.Double()
"""Unix seconds by the journal's clock."""
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _messages()
    _queue()
    _outcomes()
    _delivered()
    _tasks()
    _store()
    _permits()
    _audit()
    op.create_table(
        "meta",
        _text("name", primary_key=True),
        _text("value"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO meta (name, value) VALUES ('level', '1'), ('oldest', '1')")


def _messages() -> None:
    op.create_table(
        "messages",
        _counted("sequence"),
        _text("uid"),
        _text("route"),
        _text("key", nullable=True),
        _text("version", nullable=True),
        _text("identity"),
        _text("content_type"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        _text("correlation_id"),
        _text("trace"),
        _text("parent", nullable=True),
        _time("accepted_at"),
    )
    op.create_index("messages_uid", "messages", ["uid"], unique=True)
    _partial("messages_parent", "messages", ["parent"], "parent IS NOT NULL")


def _queue() -> None:
    op.create_table(
        "queue",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
        _text("route"),
        _text("key", nullable=True),
        sa.Column("run", NUMBER, nullable=True),
        _text("state"),  # new, processing, retry; dead: it holds its key
        sa.Column("turn", sa.SmallInteger(), nullable=False),  # see below
        _time("due_at", nullable=True),  # of a claimed one: when the claim ends
        _time("since"),  # when it came into its state
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", NUMBER, nullable=False),  # 0: not claimed
        _text("owner", nullable=True),
    )
    # Order per key costs nothing when a message is accepted: `turn` is 0 until a claim looks at it.
    # Then it is 1, it may be claimed, or 2, it waits for another of its key; only what was looked
    # at is in the index of keys, and only what does not wait in that of due ones.
    _partial("queue_due", "queue", ["route", "due_at", "sequence"], "turn < 2")
    _partial("queue_key", "queue", ["key", "route", "turn", "sequence"], "turn > 0")
    _partial("queue_run", "queue", ["route", "run"], "run IS NOT NULL")
    # Rows come and go: PostgreSQL's defaults, a share of the table, fit a table that only grows.
    _on_postgresql(
        "ALTER TABLE queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, "
        "autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0)"
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
        _text("route"),
        _text("key", nullable=True),
        *_ending("settled_at"),
    )
    # An index by key would be written all over, a page for each message that is settled. The key is
    # at the end of an index that grows at its end instead: a search reads all of that, and no row.
    op.create_index("outcomes_state", "outcomes", ["route", "state", "sequence", "key"])
    _partial("outcomes_failed", "outcomes", ["sequence"], "state IN ('dead', 'rejected')")
    op.create_table(  # earlier ones of a message: the last is its outcome
        "attempts",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("token", NUMBER, primary_key=True, autoincrement=False),
        *_ending("ended_at", token=False),
    )


def _ending(time: str, *, token: bool = True) -> list[sa.Column[object]]:
    return [
        _text("state"),
        _text("reason"),
        _text("detail"),
        _text("failure_group"),
        _time("claimed_at", nullable=True),
        _time(time),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *([_number("token")] if token else []),
        _text("owner", nullable=True),
        sa.Column("journey", sa.LargeBinary(), nullable=False),
    ]


def _delivered() -> None:
    op.create_table(
        "deliveries",
        _text("route", primary_key=True),
        _text("identity", primary_key=True),
        _time("at"),
        sqlite_with_rowid=False,
    )
    op.create_index("deliveries_at", "deliveries", ["route", "at"])
    op.create_table(
        "latest",
        _text("route", primary_key=True),
        _text("key", primary_key=True),
        _text("version", nullable=True),
        _text("identity", nullable=True),  # what was delivered last
        _time("at"),
        _text("coming", nullable=True),  # what was accepted last, where that comes once
        sa.Column("coming_sequence", NUMBER, nullable=True),
        sqlite_with_rowid=False,
    )


def _tasks() -> None:
    op.create_table(
        "fires",
        _text("route", primary_key=True),
        _time("at", primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leads",
        _text("task", primary_key=True),
        _text("owner"),
        _time("until"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        _counted("run"),
        _text("route"),
        _text("watermark", nullable=True),
        sa.Column("ended", sa.Boolean(), nullable=False),
    )
    op.create_index("runs_route", "runs", ["route", "run"])
    op.create_table(
        "watermarks",
        _text("route", primary_key=True),
        _text("watermark"),
        _time("at"),
        sqlite_with_rowid=False,
    )


def _store() -> None:
    op.create_table(
        "memories",
        _text("namespace", primary_key=True),
        _text("store", primary_key=True),
        _text("key", primary_key=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        _text("reference", nullable=True),
        _time("expires_at", nullable=True),
        _time("written_at"),
        sqlite_with_rowid=False,
    )
    _partial(
        "memories_reference",
        "memories",
        ["namespace", "store", "reference"],
        "reference IS NOT NULL",
    )
    _partial("memories_expiry", "memories", ["expires_at"], "expires_at IS NOT NULL")


def _permits() -> None:
    """Only where several processes share limits."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.create_table(
        "limits",
        _text("name", primary_key=True),
        sa.Column("per", TIME, primary_key=True),
        sa.Column("slot", NUMBER, nullable=False),  # the last of `used`
        sa.Column("used", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),  # by the last draw
        _time("at"),
    )
    op.create_table(
        "places",
        _text("name", primary_key=True),
        _text("owner", primary_key=True),
        sa.Column("held", sa.Integer(), nullable=False),
        _time("until"),
    )
    # Few rows, written all the time: there should be room beside each.
    for table in ("limits", "places"):
        op.execute(
            f"ALTER TABLE {table} SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.0,"
            " autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0)"
        )


def _audit() -> None:
    op.create_table(
        "audit",
        _counted("id"),
        _time("at"),
        _text("act"),  # of one command, however many messages
        _text("action"),
        _text("who"),
        _text("why"),
        sa.Column("sequence", NUMBER, nullable=False),
        _text("uid"),
        _text("route"),
        _text("before"),
        _text("after"),
    )
    op.create_index("audit_act", "audit", ["act", "sequence"])
    op.create_index("audit_uid", "audit", ["uid"])
    op.create_table(  # bodies as they were before somebody edited them
        "revisions",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        _text("content_type"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _time("at"),  # when it was replaced
        sqlite_with_rowid=False,
    )


def _counted(name: str) -> sa.Column[object]:
    return sa.Column(name, NUMBER, sa.Identity(always=False), primary_key=True)


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, NUMBER, nullable=False)


def _text(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[object]:
    return sa.Column(name, TEXT, nullable=nullable, primary_key=primary_key)


def _time(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=nullable, primary_key=primary_key)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _on_postgresql(statement: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(statement)
