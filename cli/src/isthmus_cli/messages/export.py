"""isthmus messages export: messages, or what is in a store, as JSON, one a line."""

import json
from typing import Any

import click

from isthmus_cli.messages import acts, places, selection


@click.command()
@selection.options
@click.option("--store", metavar="NAME", help="What this store holds, instead of messages.")
@places.options
def export(store: str | None, **given: Any) -> None:
    """Write messages as JSON, one a line, with their bodies, the newest first.

    What the Route masks is ***. With --store, what `remember` steps keep there, by key.
    """
    place, wanted = places.made(given), selection.made(given)
    if store and not wanted.is_all:
        raise click.UsageError("--store is exported whole; leave out what chooses messages")
    with place.office() as office:
        if store:
            asked = {"do": "remembered", "namespace": office.namespace, "store": store}
            for answer in office.ask(asked):
                if "memory" in answer:
                    click.echo(json.dumps(answer["memory"], ensure_ascii=False))
            return
        chosen = wanted.filter(office)
        request = {"do": "export", "filter": chosen}
        for answer in acts.pages(office, request, route=chosen.get("route", "")):
            click.echo(json.dumps(answer["message"], ensure_ascii=False))
