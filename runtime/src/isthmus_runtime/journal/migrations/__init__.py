"""Migrations as SQL text, made by Alembic without a connection: one source for both dialects."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from isthmus_runtime.journal.schema import Dialect

HERE: Final = Path(__file__).parent


def sql(level: int, wanted: int, dialect: Dialect) -> str:
    """The statements that lead from one level to another; they go into one transaction."""
    text = io.StringIO()
    config = Config(output_buffer=text)
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["dialect"] = dialect
    steps = f"{revision(level)}:{revision(wanted)}" if level else revision(wanted)
    command.upgrade(config, steps, sql=True)
    return text.getvalue()


def revision(level: int) -> str:
    """The name of a level's migration."""
    return f"{level:04d}"
