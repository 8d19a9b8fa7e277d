"""isthmus import: manifests made of what others publish.

`openapi` is the command; `connectors` and `stubs` make the objects, `manifest_texts` their YAML.
"""

from typing import Final

import click

from isthmus_cli.commands import Commands

_LINES: Final = {"openapi": "Make a Connector, and Routes that call it, of an OpenAPI document."}


@click.group(cls=Commands, lines=_LINES, package="isthmus_cli.importing")
def importing() -> None:
    """Make manifests of what others publish."""
