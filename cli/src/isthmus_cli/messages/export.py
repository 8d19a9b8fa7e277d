"""isthmus messages export: messages as JSON, one a line."""

import json
from typing import Any

import click

from isthmus_cli.messages import acts, places, selection


@click.command()
@selection.options
@places.options
def export(**given: Any) -> None:
    """Write messages as JSON, one a line, with their bodies, the newest first.

    What the Route masks is ***.
    """
    place, wanted = places.made(given), selection.made(given)
    with place.office() as office:
        chosen = wanted.filter(office)
        asked = {"do": "export", "filter": chosen}
        for answer in acts.pages(office, asked, route=chosen.get("route", "")):
            click.echo(json.dumps(answer["message"], ensure_ascii=False))
