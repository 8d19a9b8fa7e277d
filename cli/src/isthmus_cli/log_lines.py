"""Lines of the logs of pods: what they say, which are meant, and how people read them. Pure."""

import datetime
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import click

from isthmus_cli.report import printable

LEVELS: Final = ("info", "warning", "error")
_COLOURS: Final = {"warning": "yellow", "error": "red"}
_POD_COLOURS: Final = ("cyan", "magenta", "blue", "green", "bright_cyan", "bright_magenta")
_START: Final = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Line:
    """One line of a pod's log."""

    pod: str
    at: str
    """When the node took it, as the node writes it."""
    text: str

    @functools.cached_property
    def moment(self) -> datetime.datetime:
        """When that was; the beginning of time where it is not known."""
        try:
            return datetime.datetime.fromisoformat(self.at)
        except ValueError:
            return _START

    @functools.cached_property
    def fields(self) -> dict[str, Any] | None:
        """What the runtime says; None of what it did not write, such as a traceback of Python."""
        if not self.text.startswith("{"):
            return None
        try:
            found: Any = json.loads(self.text)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are meant."""

    level: str = "info"
    """This level and those above it."""
    correlation_id: str = ""
    message: str = ""
    """The id of a message of the journal."""

    @property
    def is_all(self) -> bool:
        """Whether every line is meant."""
        return self == Wanted()

    def takes(self, line: Line) -> bool:
        """Whether a line is meant. One that the runtime did not write has no level: it may be why
        a process ended, and is left out only where one request or message is asked for."""
        if line.fields is None:
            return not (self.correlation_id or self.message)
        said = line.fields
        return (
            _rank(said.get("level")) >= _rank(self.level)
            and self.correlation_id in ("", said.get("correlationId"))
            and self.message in ("", said.get("uid"))
        )


def of(pod: str, raw: bytes) -> Line:
    """A line as the API server gives it, with the node's time in front."""
    at, _, text = raw.decode("utf-8", "replace").partition(" ")
    return Line(pod, at, text)


def as_json(line: Line) -> str:
    """One object: what the runtime says and the pod that said it."""
    said = {"timestamp": line.at, "text": line.text} if line.fields is None else line.fields
    return json.dumps({"pod": line.pod, **said}, ensure_ascii=False)


def as_text(line: Line) -> Iterator[str]:
    """A line as people read it; an exception stands below it."""
    pod = click.style(line.pod, fg=_POD_COLOURS[sum(line.pod.encode()) % len(_POD_COLOURS)])
    if line.fields is None:
        yield f"{_clock(line.moment)} {pod} {printable(line.text)}"
        return
    said = dict(line.fields)
    moment = _moment(said.pop("timestamp", None), line)
    level, event = str(said.pop("level", "")), str(said.pop("event", ""))
    exception = said.pop("exception", None)
    keys = " ".join(f"{key}={_value(value)}" for key, value in said.items())
    shown = click.style(printable(f"{level:<7}"), fg=_COLOURS.get(level))
    yield f"{_clock(moment)} {pod} {shown} {printable(f'{event}  {keys}'.rstrip())}"
    for each in str(exception).splitlines() if exception else ():
        yield f"    {printable(each)}"


def _rank(level: Any) -> int:
    """Unknown levels are looked at as if they were the highest."""
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def _moment(said: Any, line: Line) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(str(said))
    except ValueError:
        return line.moment


def _clock(moment: datetime.datetime) -> str:
    local = moment if moment is _START else moment.astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
