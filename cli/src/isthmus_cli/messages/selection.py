"""Selection: the options that say which messages are meant."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from isthmus_cli.messages.office import Office, Refused, answers
from isthmus_cli.moments import Moment

Command = TypeVar("Command", bound=Callable[..., Any])

STATES: Final = ("new", "processing", "retry", "finished", "skipped", "rejected", "dead")
FAILED: Final = ("dead", "rejected")
"""What waits for a person."""
_ID: Final = re.compile(r"[0-9a-f]{32}")
_HASH: Final = re.compile(r"#?[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages are meant; nothing set means all."""

    ids: tuple[str, ...] = ()
    route: str | None = None
    states: tuple[str, ...] = ()
    key: str | None = None
    group: str | None = None
    since: float | None = None
    until: float | None = None

    @property
    def is_all(self) -> bool:
        """Whether no option was given."""
        return self == Selection()

    def filter(self, office: Office) -> dict[str, Any]:
        """As a request says it."""
        chosen: dict[str, Any] = {
            "ids": list(self.ids),
            "route": self.route and qualified(self.route, office),
            "states": list(self.states),
            "key": self.key,
            "group": self.group and _group(self.group, office),
            "since": self.since,
            "until": self.until,
        }
        return {name: value for name, value in chosen.items() if value not in (None, [])}


def options(command: Command) -> Command:
    """The options that make a `Selection`; see `made`."""
    for option in reversed(
        (
            click.option("--route", metavar="NAME", help="Of this Route."),
            click.option(
                "--state",
                "states",
                multiple=True,
                type=click.Choice(STATES),
                help="In this state; repeatable.",
            ),
            click.option("--key", metavar="KEY", help="With this message.key."),
            click.option(
                "--group", metavar="GROUP", help="Failed for this cause; `groups` shows them."
            ),
            click.option(
                "--since", type=Moment(), metavar="TIME", help="Accepted since, as 2h or a time."
            ),
            click.option(
                "--until", type=Moment(), metavar="TIME", help="Accepted before, as 2h or a time."
            ),
        )
    ):
        command = option(command)
    return command


def ids(command: Command) -> Command:
    """The arguments that name messages one by one."""
    return click.argument("ids", nargs=-1, metavar="[ID]...", callback=_ids)(command)


def made(options: dict[str, Any]) -> Selection:
    """What the options select; they are taken out of the dictionary."""
    names = ("ids", "route", "states", "key", "group", "since", "until")
    return Selection(**{name: options.pop(name) for name in names if name in options})


def qualified(route: str, office: Office) -> str:
    """A Route's name with its namespace."""
    return route if "/" in route else f"{office.namespace}/{route}"


def group_id(group: str) -> str:
    """A short name for a group, to type."""
    return hashlib.sha256(group.encode()).hexdigest()[:8]


def _group(given: str, office: Office) -> str:
    """A group as it is written in full, from its short name."""
    if not _HASH.fullmatch(given):
        return given
    wanted = given.removeprefix("#")
    for answer in answers(office, {"do": "groups"}):
        if group_id(answer["group"]["group"]) == wanted:
            return str(answer["group"]["group"])
    raise Refused(f"there is no group {given}; `isthmus messages groups` shows which there are")


def _ids(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(an_id, given))


def an_id(given: str) -> str:
    """An id as it was given, if it can be one."""
    if not _ID.fullmatch(given):
        raise click.BadParameter(
            f"'{given}' is no id of a message; `isthmus messages list` has them"
        )
    return given
