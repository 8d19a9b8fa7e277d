"""Logs: one line an event, as JSON for machines or as text for people.

A line carries a constant message and keys; bodies, headers and secrets are never among them. Every
request writes one, so this is on the hot path: the lines of some milliseconds are rendered and
written together (docs/performance.md has the figures). A process that is killed outright takes
those with it; one that ends writes them first.
"""

import asyncio
import atexit
import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson

Format = Literal["json", "console"]
Line = dict[str, Any]
_Noted = tuple[float, str, str, Line]

_GATHERED_SECONDS: Final = 0.02
_COLOURS: Final = {"info": "32", "warning": "33", "error": "31"}


class _Log:
    """Where lines go: rendered, gathered, written."""

    def __init__(self) -> None:
        self.render: Callable[[Line], bytes] = _json
        self.captured: list[Line] | None = None
        self._pending: list[_Noted] = []

    def take(self, noted: _Noted) -> None:
        if self.captured is not None:
            self.captured.append(_line(noted))
            return
        self._pending.append(noted)
        if len(self._pending) == 1:
            try:
                asyncio.get_running_loop().call_later(_GATHERED_SECONDS, self.write)
            except RuntimeError:  # no loop runs: nothing would write it later
                self.write()

    def write(self) -> None:
        lines = b"".join([self.render(_line(noted)) for noted in self._pending])
        self._pending.clear()
        # Who reads our lines may be gone; that must not end what we serve.
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.buffer.write(lines)
            sys.stderr.buffer.flush()


def _line(noted: _Noted) -> Line:
    at, level, event, fields = noted
    moment = datetime.fromtimestamp(at, UTC)
    return {"timestamp": moment, "level": level, "event": event, **fields}


def _json(line: Line) -> bytes:
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:  # half a surrogate pair, in the text of somebody's exception
        return json.dumps(line, default=str).encode() + b"\n"


def _plain(line: Line) -> bytes:
    return _console(line, lambda text, _: text)


def _coloured(line: Line) -> bytes:
    return _console(line, lambda text, level: f"\x1b[{_COLOURS[level]}m{text}\x1b[0m")


def _console(line: Line, paint: Callable[[str, str], str]) -> bytes:
    shown = dict(line)
    at = shown.pop("timestamp").astimezone()
    level, event, trace = shown.pop("level"), shown.pop("event"), shown.pop("exception", "")
    keys = " ".join(f"{key}={value}" for key, value in shown.items())
    text = f"{at:%H:%M:%S.%f} {paint(f'{level:<7}', level)} {event}  {keys}\n"
    return f"{text}{trace}".encode()


_LOG: Final = _Log()
atexit.register(_LOG.write)


def setup(form: Format) -> None:
    """Choose how lines look; they go to standard error."""
    console = _coloured if sys.stderr.isatty() else _plain
    _LOG.render = _json if form == "json" else console


def info(event: str, **fields: Any) -> None:
    """Something happened as it should."""
    note("info", event, fields)


def warning(event: str, **fields: Any) -> None:
    """Something failed that the runtime is made for."""
    note("warning", event, fields)


def error(event: str, failure: BaseException, **fields: Any) -> None:
    """Something failed that nobody foresaw; its traceback goes along, without local variables."""
    fields["exception"] = "".join(traceback.format_exception(failure))
    note("error", event, fields)


def note(level: str, event: str, fields: Line) -> None:
    """Write a line whose fields are at hand as an object already, and stay as they are."""
    _LOG.take((time.time(), level, event, fields))


@contextlib.contextmanager
def captured() -> Iterator[list[Line]]:
    """Gather lines instead of writing them."""
    before, _LOG.captured = _LOG.captured, []
    try:
        yield _LOG.captured
    finally:
        _LOG.captured = before
