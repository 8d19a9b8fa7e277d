"""isthmus messages audit: what people did to messages."""

import json
from typing import Any

import click

from isthmus_cli import options, report
from isthmus_cli.messages import acts, places, summaries


@click.command()
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="How many are shown at most.",
)
@places.options
@options.output
def audit(limit: int, output: report.Output, **given: Any) -> None:
    """List what people did to messages and why, the newest first."""
    with places.made(given).office() as office:
        found = [each["act"] for each in acts.pages(office, {"do": "audit"}, at_most=limit)]
    if output == "json":
        click.echo(json.dumps({"acts": found}, indent=2))
    elif found:
        for line in summaries.acts(found):
            click.echo(line)
    else:
        click.echo("nobody did anything")
