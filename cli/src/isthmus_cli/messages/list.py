"""isthmus messages list: which messages there are."""

import json
from typing import Any

import click

from isthmus_cli import options, report
from isthmus_cli.messages import acts, places, selection, summaries


@click.command("list")
@selection.options
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="How many are shown at most.",
)
@places.options
@options.output
def list(limit: int, output: report.Output, **given: Any) -> None:
    """List messages, the newest first."""
    place, wanted = places.made(given), selection.made(given)
    with place.office() as office:
        asked = {"do": "find", "filter": wanted.filter(office)}
        found = [each["message"] for each in acts.pages(office, asked, at_most=limit + 1)]
    more = len(found) > limit
    if output == "json":
        click.echo(json.dumps({"messages": found[:limit], "more": more}, indent=2))
        return
    if not found:
        click.echo("no messages")
        return
    for line in summaries.messages(found[:limit]):
        click.echo(line)
    if more:
        click.echo(f"there are more; --limit {limit * 10} shows more", err=True)
