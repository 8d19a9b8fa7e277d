"""Arguments and options that several commands share."""

from pathlib import Path

import click

from isthmus_cli import report
from isthmus_cli.folder import Loaded

WRONG_USE = 2

folder = click.argument(
    "path", metavar="DIR", type=click.Path(exists=True, readable=False, path_type=Path)
)
"""A folder of manifests, or one file."""

output = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the result is written.",
)


def refuse_empty(loaded: Loaded, path: Path) -> None:
    """End with a wrong use when there is nothing of ours: most likely the path is not the one."""
    if loaded.objects or loaded.problems:
        return
    others = f" ({report.number(loaded.others, 'other object')})" if loaded.others else ""
    raise click.UsageError(
        f"there is no Connector, Mapping or Route in {path}{others}; name the folder or file that "
        "holds them"
    )
