"""Logs: one JSON object a line on standard error: a constant message and keys.

Keys are what `extra` gives, and the object that is worked on: `about` binds it for all that runs
inside. Only short texts, numbers and truths are written; of anything else, such as a body, only
its type. kopf and aiohttp log through the same handler, and only from WARNING on.
"""

import contextlib
import logging
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
MAX_TEXT: Final = 1024
_NOISY: Final = ("kopf", "aiohttp", "asyncio")
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FOREIGN: Final = frozenset({"k8s_ref", "k8s_skip", "settings"})
"""What kopf adds to its records for itself."""

_object: ContextVar[dict[str, str] | None] = ContextVar("object", default=None)


def setup(level: str, stream: TextIO | None = None) -> None:
    """Send all logs of the process to `stream` (standard error) from `level` on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


@contextlib.contextmanager
def about(kind: str, namespace: str, name: str) -> Iterator[None]:
    """Name this object in every line until the block ends, in this task and those it starts."""
    token = _object.set({"kind": kind, "namespace": namespace, "name": name})
    try:
        yield
    finally:
        _object.reset(token)


class Lines(logging.Formatter):
    """Records as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its end."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "event": record.getMessage()[:MAX_TEXT],
            "logger": record.name,
            **(_object.get() or {}),
        }
        line |= {
            _key(key, line): _plain(value)
            for key, value in vars(record).items()
            if key not in _OWN and key not in _FOREIGN
        }
        if record.exc_info and record.exc_info[1]:
            # Without local variables.
            line["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()


def _key(key: str, line: dict[str, Any]) -> str:
    """No key hides one that says which object or what happened."""
    return f"{key}_" if key in line else key


def _plain(value: object) -> str | float | bool | None:
    match value:
        case str():
            return value[:MAX_TEXT]
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 2**63 else str(value)
        case _:
            return f"<{type(value).__name__}>"
