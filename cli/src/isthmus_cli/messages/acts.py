"""Acts: what is done to many messages, safely.

First it is found out how many are meant, and shown. More than one needs a yes. Then they are done
by and by, each portion in one transaction: after Ctrl-C every message is either done or untouched,
and the same act goes on with the rest.
"""

import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import click

from isthmus_cli.messages import summaries
from isthmus_cli.messages.office import Answer, Office, Request, answers
from isthmus_cli.messages.selection import FAILED, Command, Selection
from isthmus_cli.report import number, printable

PAGE: Final = 100
SHOWN: Final = 10
"""Messages that are shown before; of the others it is told how many there are."""
FOUND: Final = 1
UNSAID: Final = "no reason given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is to be done. The same `id` goes on where it was interrupted."""

    verb: str
    done: str
    """The verb as it is said afterwards."""
    filter: Answer
    why: str
    body: str | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def request(self, who: str) -> Request:
        """As the office takes it."""
        edited = {} if self.body is None else {"body": self.body}
        asked = {"do": self.verb, "filter": self.filter, "act": self.id}
        return asked | {"who": who, "why": self.why or UNSAID} | edited


@dataclass(frozen=True, slots=True)
class Manner:
    """How an act is gone about."""

    everything: bool
    dry_run: bool
    yes: bool
    act_id: str | None

    def check(self, wanted: Selection) -> None:
        """All that failed is meant only when that is said."""
        if wanted.is_all and not self.everything:
            raise click.UsageError(
                "name messages, or choose them by an option; --all is everything that failed"
            )

    def act(
        self, verb: str, done: str, chosen: Answer, *, why: str, body: str | None = None
    ) -> Act:
        """The act, new or gone on with."""
        chosen = chosen or {"states": list(FAILED)}
        given = {"id": self.act_id} if self.act_id else {}
        return Act(verb=verb, done=done, filter=chosen, why=why, body=body, **given)


def options(command: Command) -> Command:
    """The options that make a `Manner`; see `made`."""
    for option in reversed(
        (
            click.option("--all", "everything", is_flag=True, help="Everything that failed."),
            click.option(
                "--dry-run", is_flag=True, help="Show which messages are meant, and do nothing."
            ),
            click.option("--yes", is_flag=True, help="Do not ask."),
            click.option(
                "--act",
                "act_id",
                metavar="ID",
                help="Go on with an act that was interrupted, without what it has done.",
            ),
        )
    ):
        command = option(command)
    return command


def made(options: dict[str, Any]) -> Manner:
    """The manner that the options say; they are taken out of the dictionary."""
    names = ("everything", "dry_run", "yes", "act_id")
    return Manner(**{name: options.pop(name) for name in names})


def perform(office: Office, act: Act, manner: Manner, *, output: str) -> int:
    """Do it, after what has to be asked; the exit code."""
    asked = {"do": "preview", "filter": act.filter}
    standings = [each["standing"] for each in answers(office, asked)]
    total = sum(each["messages"] for each in standings)
    if manner.dry_run:
        return _would(office, act, standings, total, output)
    if total > 1 and not manner.yes:
        for line in _preview(office, act, standings, total):
            click.echo(line, err=True)
        _confirm(f"{act.verb} {number(total, 'message')}?")
    return _do(office, act, total, output)


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes, or --dry-run to see which they are")
    click.confirm(question, abort=True, err=True)


def _do(office: Office, act: Act, total: int, output: str) -> int:
    done: list[str] = []
    bar = click.progressbar(
        length=total,
        label=act.verb,
        file=sys.stderr,
        hidden=total <= SHOWN or not sys.stderr.isatty(),
    )
    try:
        with bar:
            for answer in office.ask(act.request(office.who)):
                ids = answer.get("done", ())
                done += ids
                bar.update(len(ids))
    except KeyboardInterrupt:
        click.echo(
            f"\nisthmus: interrupted after {len(done)} of {number(total, 'message')}; "
            f"the same command with --act {act.id} goes on with the rest",
            err=True,
        )
        _report(act, done, [], output)
        return FOUND
    left = [each for each in act.filter.get("ids", ()) if each not in set(done)]
    return _report(act, done, list(_standings(office, left)), output)


def _standings(office: Office, ids: Sequence[str]) -> Iterator[Answer]:
    """Why messages that were named were not done."""
    for id_ in ids:
        found = answers(office, {"do": "find", "filter": {"ids": [id_]}})
        yield {"id": id_, "state": found[0]["message"]["state"] if found else "there is none"}


def _would(office: Office, act: Act, standings: Sequence[Answer], total: int, output: str) -> int:
    if output == "json":
        told = {"dryRun": True, "messages": total, "standings": standings}
        click.echo(json.dumps(told, indent=2))
        return 0
    for line in _preview(office, act, standings, total) if total else ():
        click.echo(line)
    click.echo(f"would {act.verb} {number(total, 'message')}; nothing was done")
    return 0


def _preview(office: Office, act: Act, standings: Sequence[Answer], total: int) -> Iterator[str]:
    """The newest of the messages, and how many there are of each Route and state."""
    chosen = act.filter if act.filter.get("states") else act.filter | {"states": list(FAILED)}
    asked = {"do": "find", "filter": chosen, "limit": SHOWN}
    yield from summaries.messages(each["message"] for each in answers(office, asked))
    if total > SHOWN:
        yield f"and {total - SHOWN} more"
        for each in standings:
            yield printable(f"{each['messages']:>8}  {each['route']} {each['state']}")


def _report(act: Act, done: Sequence[str], left: Sequence[Answer], output: str) -> int:
    if output == "json":
        told: dict[str, Any] = {"act": act.id, act.done: len(done), "ids": done, "not": left}
        click.echo(json.dumps(told, indent=2))
        return FOUND if left else 0
    for each in left:
        click.echo(f"{each['id']}  not {act.done}: {each['state']}", err=True)
    click.echo(f"{act.done} {number(len(done), 'message')}" if done else f"nothing was {act.done}")
    return FOUND if left else 0


def pages(
    office: Office, request: Request, *, at_most: int | None = None, route: str = ""
) -> Iterator[Answer]:
    """Everything that a request for a list is answered, page by page."""
    cursor: int | None = None
    left = at_most
    while left is None or left > 0:
        page = {"limit": min(PAGE, left or PAGE), **({"cursor": cursor} if cursor else {})}
        cursor = None
        for answer in office.ask(request | page, route=route):
            if "end" in answer:
                cursor = answer["end"]["cursor"]
            else:
                left = None if left is None else left - 1
                yield answer
        if cursor is None:
            return
