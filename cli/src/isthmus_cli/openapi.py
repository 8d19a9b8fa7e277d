"""isthmus openapi: the served Routes as an OpenAPI document."""

import json
import sys
from pathlib import Path

import click
import yaml

from isthmus_api.openapi import document
from isthmus_api.plan import check
from isthmus_api.problems import errors
from isthmus_cli import folder, options, report


@click.command()
@options.folder
@click.option("--title", default="", help="Title of the document; by default the folder's name.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "yaml"]),
    default="json",
    show_default=True,
    help="How it is written.",
)
def openapi(path: Path, title: str, output: str) -> None:
    """Describe the served Routes as an OpenAPI 3.1 document.

    Ends with 1 when the manifests have errors; they go to standard error.
    """
    loaded = folder.load(path)
    options.refuse_empty(loaded, path)
    wrong = errors((*loaded.problems, *check(loaded.resources)))
    if wrong:
        report.show(wrong, err=True, objects=loaded.objects, others=loaded.others)
        sys.exit(1)
    described = document(loaded.resources, title=title or path.resolve().stem or "Isthmus")
    if output == "yaml":
        text = yaml.safe_dump(described, sort_keys=False, allow_unicode=True)
        click.echo(text, nl=False)
    else:
        click.echo(json.dumps(described, indent=2, ensure_ascii=False))
