"""isthmus messages send: have a Route deliver a message that no source brought."""

import json
import uuid
from collections.abc import Sequence
from typing import IO, Any

import click

from isthmus_cli import options, report
from isthmus_cli.messages import acts, journeys, places, selection
from isthmus_cli.messages.office import Answer, Request, answers


@click.command()
@click.argument("route")
@click.option(
    "--body",
    "file",
    type=click.File("r", encoding="utf-8"),
    help="A file with the body, JSON or else plain text; - is the standard input.",
)
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A field of the body; the value is JSON, or else a text. Repeatable.",
)
@click.option("--reason", default="", help="Why; it is kept with who did it.")
@click.option("--dry-run", is_flag=True, help="Show the message, and do nothing.")
@places.options
@options.output
def send(
    route: str,
    file: IO[str] | None,
    parameters: Sequence[str],
    reason: str,
    dry_run: bool,
    output: report.Output,
    **given: Any,
) -> None:
    """Have a Route deliver a message that no source brought.

    The message gets its key and version as others of ROUTE do, and goes through the same steps. A
    Route with a schedule needs no body: it is what a time that is now would say. One with a poll
    reads now. The command ends when the message is safe; `show` tells what became of it.
    """
    place = places.made(given)
    asked: Request = {"parameters": dict(_parameter(each) for each in parameters)}
    if file is not None:
        asked["body"] = _text(file)
    with place.office() as office:
        named = selection.qualified(route, office)
        asked |= {"do": "send", "route": named, "act": uuid.uuid4().hex, "who": office.who}
        asked |= {"why": reason or acts.UNSAID, "rehearsal": dry_run}
        [answer] = answers(office, asked, route=named)
    if output == "json":
        click.echo(json.dumps(_told(answer, dry_run=dry_run), indent=2))
    elif "reads" in answer:
        click.echo(f"would have {named} read now" if dry_run else f"{named} reads within 5 seconds")
    elif dry_run:
        click.echo(journeys.draft(answer["draft"]))
        click.echo(f"would send this to {named}; nothing was done")
    else:
        click.echo(answer["done"][0])
        click.echo(f"sent to {named}; `isthmus messages show` tells what becomes of it", err=True)


def _parameter(given: str) -> tuple[str, Any]:
    name, equals, text = given.partition("=")
    if not (name and equals):
        raise click.BadParameter(
            f"'{given}' is not NAME=VALUE, as in --param since=2026-01-31", param_hint="--param"
        )
    try:
        return name, json.loads(text)
    except json.JSONDecodeError:
        return name, text


def _text(file: IO[str]) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{file.name} is not UTF-8", param_hint="--body") from error


def _told(answer: Answer, *, dry_run: bool) -> Answer:
    told = {"ids": answer["done"]} if "done" in answer else answer
    return {"dryRun": True, **told} if dry_run else told
