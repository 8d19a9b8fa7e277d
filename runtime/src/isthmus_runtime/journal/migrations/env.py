"""What Alembic runs: it writes SQL, and never connects."""

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect"],
    transactional_ddl=False,  # who runs the text has a transaction of its own
)
context.run_migrations()
