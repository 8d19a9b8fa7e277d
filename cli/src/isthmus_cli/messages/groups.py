"""isthmus messages groups: how many messages failed for the same cause."""

import json
from typing import Any

import click

from isthmus_cli import options, report
from isthmus_cli.messages import places, selection, summaries
from isthmus_cli.messages.office import answers


@click.command()
@selection.options
@places.options
@options.output
def groups(output: report.Output, **given: Any) -> None:
    """Count failed messages by their cause.

    The first column names a group in `--group` of the other commands.
    """
    place, wanted = places.made(given), selection.made(given)
    with place.office() as office:
        asked = {"do": "groups", "filter": wanted.filter(office)}
        found = [each["group"] for each in answers(office, asked)]
    if output == "json":
        named = [{"id": selection.group_id(each["group"]), **each} for each in found]
        click.echo(json.dumps({"groups": named}, indent=2))
    elif found:
        for line in summaries.groups(found):
            click.echo(line)
    else:
        click.echo("no failures")
