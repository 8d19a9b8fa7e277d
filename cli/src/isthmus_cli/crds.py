"""isthmus crds: the CustomResourceDefinitions that this version speaks."""

import json

import click

from isthmus_api import crd
from isthmus_api.resources import KINDS, Kind

_BY_NAME = {name: kind for kind in KINDS.values() for name in (kind.name.lower(), kind.plural)}


@click.command()
@click.argument("kinds", nargs=-1, metavar="[KIND]...", type=click.Choice(list(_BY_NAME)))
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="How they are written.",
)
def crds(kinds: tuple[str, ...], output: str) -> None:
    """Print the CustomResourceDefinitions, all or those of some kinds.

    `isthmus crds | kubectl apply --server-side -f -` installs them.
    """
    chosen = list(dict.fromkeys(_BY_NAME[name] for name in kinds)) or list(KINDS.values())
    click.echo(_json(chosen) if output == "json" else _yaml(chosen), nl=False)


def _yaml(kinds: list[Kind]) -> str:
    return "---\n".join(crd.to_yaml(kind) for kind in kinds)


def _json(kinds: list[Kind]) -> str:
    listed = {"apiVersion": "v1", "kind": "List", "items": [crd.crd(kind) for kind in kinds]}
    return json.dumps(listed, indent=2) + "\n"
