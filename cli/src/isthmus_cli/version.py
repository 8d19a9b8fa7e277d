"""isthmus version: what is installed."""

import json
import platform
from importlib import metadata

import click


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is written.",
)
def version(output: str) -> None:
    """Print the version."""
    number = metadata.version("isthmus")
    if output == "json":
        click.echo(json.dumps({"version": number, "python": platform.python_version()}))
    else:
        click.echo(f"isthmus {number}")
