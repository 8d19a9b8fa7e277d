"""isthmus rollout history: what the pods of a Route ran before."""

import datetime
import json
from collections.abc import Sequence
from typing import Final

import click

from isthmus_cli import tables
from isthmus_cli.cluster import options
from isthmus_cli.cluster.revisions import Revision
from isthmus_cli.rollout import kept

_HEAD: Final = ("REVISION", "PODS", "AGE", "PLAN", "CHANGED", "IMAGE", "CAUSE")


@click.command()
@options.route
@options.namespace
@options.context
@options.output
def history(name: str, namespace: str | None, context: str | None, output: str) -> None:
    """Show the revisions of a Route's pods that the cluster keeps, the newest last.

    CHANGED says in what a revision differs from the one above it: the plan (what the Route, its
    Connectors and Mappings say), the image of the runtime, the pods' other fields, or nothing but a
    restart. Needs get on routes and deployments, and list on replicasets.
    """
    with options.place(context, namespace) as place:
        _, found = kept.of(place, name)
    if output == "json":
        click.echo(json.dumps({"route": name, "revisions": [e.plain() for e in found]}, indent=2))
        return
    if not found:
        click.echo(f"route/{name} has no revisions yet")
        return
    for line in table(found, datetime.datetime.now(datetime.UTC)):
        click.echo(line)


def table(found: Sequence[Revision], now: datetime.datetime) -> list[str]:
    """The lines of a table; `*` marks the revision that the Deployment is at."""
    return tables.table(_HEAD, [_row(each, now) for each in found])


def _row(revision: Revision, now: datetime.datetime) -> tuple[str, ...]:
    return (
        f"{revision.number}{' *' if revision.is_current else ''}",
        f"{revision.ready}/{revision.wanted}",
        tables.age(revision.made, now),
        revision.plan,
        ", ".join(revision.changed) or "-",
        revision.image,
        revision.cause or "-",
    )
