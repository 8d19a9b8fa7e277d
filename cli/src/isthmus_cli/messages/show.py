"""isthmus messages show: one message and everything that happened to it."""

import json
from typing import Any, Final

import click

from isthmus_cli import options, report
from isthmus_cli.messages import journeys, places, selection
from isthmus_cli.messages.office import Answer, Office, Refused, answers

LINES: Final = 200
"""A longer text is shown in a pager."""
MOST: Final = 20
"""Messages of one key."""


@click.command()
@click.argument(
    "message",
    metavar="[ID]",
    required=False,
    callback=lambda _, __, given: given and selection.an_id(given),
)
@click.option("--key", metavar="KEY", help="Show all messages with this message.key instead.")
@places.options
@options.output
def show(message: str | None, key: str | None, output: report.Output, **given: Any) -> None:
    """Show one message and everything that happened to it.

    Steps are shown with what they got and gave, as long as the journal keeps them. What the Route
    masks is shown as ***. With --key, the journey of a thing over all Routes: every message of that
    key, the oldest first.
    """
    if (message is None) == (key is None):
        raise click.UsageError("give the ID of a message, or --key")
    with places.made(given).office() as office:
        shown = _of_key(office, key) if key else [whole(office, message or "")]
    if output == "json":
        document = {"messages": shown} if key else shown[0]
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    text = "\n\n\n".join(map(journeys.text, shown))
    if text.count("\n") > LINES:
        click.echo_via_pager(text)
    else:
        click.echo(text)


def _of_key(office: Office, key: str) -> list[Answer]:
    """The newest messages of a key, the oldest of them first."""
    asked = {"do": "find", "filter": {"key": key}, "limit": MOST + 1}
    found = [each["message"]["id"] for each in answers(office, asked)]
    if not found:
        raise Refused(f"there is no message with the key {key}")
    if len(found) > MOST:
        click.echo(f"these are the newest {MOST}; `list --key {key}` has all", err=True)
    return [whole(office, each) for each in reversed(found[:MOST])]


def whole(office: Office, message: str) -> Answer:
    """A message with its body and its journey."""
    asked = {"do": "find", "filter": {"ids": [message]}}
    for found in answers(office, asked):
        # Only the Route's own pods know what it masks.
        route = found["message"]["route"]
        for answer in answers(office, {"do": "show", "id": message}, route=route):
            shown: Answer = answer["shown"]
            return shown
    raise Refused(f"there is no message {message}; `isthmus messages list` has those there are")
