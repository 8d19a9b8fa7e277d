"""Logs: one line an event, as JSON for machines or as text for people.

A line carries a constant message and keys; bodies, headers and secrets are never among them.
"""

import sys
from typing import Any, Literal

import orjson
import structlog

Format = Literal["json", "console"]


def setup(form: Format) -> None:
    """Choose how lines look; they go to standard error."""
    structlog.configure(
        processors=_processors(form),
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer)
        if form == "json"
        else structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _processors(form: Format) -> list[Any]:
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=form == "json"),
    ]
    if form == "json":
        return [
            *shared,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        sort_keys=False,
        pad_event_to=0,
        # The default one shows local variables, and secrets are among them.
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [*shared, console]
