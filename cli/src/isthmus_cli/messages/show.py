"""isthmus messages show: one message and everything that happened to it."""

import json
from typing import Any, Final

import click

from isthmus_cli import options, report
from isthmus_cli.messages import journeys, places, selection
from isthmus_cli.messages.office import Answer, Office, Refused, answers

_LINES: Final = 200
"""A longer text is shown in a pager."""


@click.command()
@click.argument("message", metavar="ID", callback=lambda _, __, given: selection.an_id(given))
@places.options
@options.output
def show(message: str, output: report.Output, **given: Any) -> None:
    """Show one message and everything that happened to it.

    Steps are shown with what they got and gave, as long as the journal keeps them. What the Route
    masks is shown as ***.
    """
    with places.made(given).office() as office:
        shown = whole(office, message)
    if output == "json":
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    text = journeys.text(shown)
    if text.count("\n") > _LINES:
        click.echo_via_pager(text)
    else:
        click.echo(text)


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
