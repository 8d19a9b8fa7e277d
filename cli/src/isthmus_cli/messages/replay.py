"""isthmus messages replay: deliver messages again."""

import sys
from pathlib import Path
from typing import Any

import click

from isthmus_cli import options, report
from isthmus_cli.messages import acts, editing, places, selection
from isthmus_cli.messages.office import Office
from isthmus_cli.messages.selection import Selection
from isthmus_cli.messages.show import whole


@click.command()
@selection.ids
@selection.options
@click.option("--edit", is_flag=True, help="Change the body of one message in $EDITOR first.")
@click.option(
    "--body",
    "body_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Give one message the body in this file.",
)
@click.option("--reason", default="", help="Why; it is kept with who did it.")
@acts.options
@places.options
@options.output
def replay(
    edit: bool,
    body_file: Path | None,
    reason: str,
    output: report.Output,
    **given: Any,
) -> None:
    """Deliver messages again, as they were or with another body.

    Names messages by ID, or chooses them by options; without --state those that are dead or were
    rejected. A message keeps its id and the identity that Connectors send as idempotency key, so a
    system that honours it takes each once.
    """
    place, wanted, manner = places.made(given), selection.made(given), acts.made(given)
    manner.check(wanted)
    if (edit or body_file) and len(wanted.ids) != 1:
        raise click.UsageError("--edit and --body are for one message, named by its ID")
    if edit and body_file:
        raise click.UsageError("--edit and --body exclude each other")
    with place.office() as office:
        body = _body(office, wanted, edit=edit, file=body_file)
        why = reason or ("" if manner.dry_run or manner.yes else _asked())
        act = manner.act("replay", "replayed", wanted.filter(office), why=why, body=body)
        code = acts.perform(office, act, manner, output=output)
    sys.exit(code)


def _body(office: Office, wanted: Selection, *, edit: bool, file: Path | None) -> str | None:
    """Another body, where one is wanted; one that is left as it was ends the command."""
    if not edit and file is None:
        return None
    message = whole(office, wanted.ids[0])["message"]
    if file:
        return editing.of_file(file, message)
    body = editing.in_editor(message)
    if body is None:
        click.echo("isthmus: the body was not changed, so nothing was done", err=True)
        sys.exit(acts.FOUND)
    return body


def _asked() -> str:
    """The reason, from whoever can be asked for it."""
    if not sys.stdin.isatty():
        return ""
    reason: str = click.prompt("Why (may be left empty)", default="", show_default=False, err=True)
    return reason
