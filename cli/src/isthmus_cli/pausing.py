"""Pausing: the field `spec.paused` of a Route, written with the user's rights."""

from collections.abc import Iterator

import click

from isthmus_cli.cluster import kinds, options, ownership, routes, standing
from isthmus_cli.cluster.api import Object
from isthmus_cli.cluster.ownership import GITOPS
from isthmus_cli.report import printable


def write(name: str, namespace: str | None, context: str | None, *, paused: bool) -> None:
    """Set the field, and say who would set it back."""
    with options.place(context, namespace) as place:
        before = routes.get(place.api, place.namespace, name)
        if bool((before.get("spec") or {}).get("paused")) is paused:
            click.echo(f"route/{name} is {'paused' if paused else 'not paused'} already")
            return
        change = {"spec": {"paused": paused}}
        place.api.patch(kinds.ROUTES, place.namespace, name, change)
    for line in warnings(before):
        click.echo(f"isthmus: {printable(line)}", err=True)
    click.echo(_told(name, before, paused=paused))


def warnings(before: Object) -> Iterator[str]:
    """Who has the field in a manifest of theirs; `before` is the Route as they left it."""
    for manager in dict.fromkeys(ownership.keepers(before, "spec", "paused")):
        tool = ownership.tool(manager)
        if tool in GITOPS:
            yield (
                f"{tool} ({manager}) has spec.paused in its manifest and puts it back with its "
                "next sync; change it in Git to have it stay"
            )
        else:
            yield f"{manager} has spec.paused in its manifest: applying that again puts it back"


def _told(name: str, before: Object, *, paused: bool) -> str:
    replicas = standing.replicas(before)
    if paused:
        return f"route/{name} is paused: its pods end, and replicas ({replicas}) is kept"
    return (
        f"route/{name} is resumed with replicas {replicas}; `isthmus rollout status {name}` waits"
    )
