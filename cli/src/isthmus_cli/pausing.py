"""Pausing: the field `spec.paused` of a Route, written with the user's rights."""

import json
from collections.abc import Iterator
from typing import Any

import click

from isthmus_cli.cluster import kinds, options, ownership, routes, standing
from isthmus_cli.cluster.api import Object
from isthmus_cli.cluster.ownership import GITOPS
from isthmus_cli.report import printable


def write(
    name: str, namespace: str | None, context: str | None, *, paused: bool, output: str
) -> None:
    """Set the field, and say who would set it back."""
    with options.place(context, namespace) as place:
        before = routes.get(place.api, place.namespace, name)
        is_so = bool((before.get("spec") or {}).get("paused")) is paused
        if not is_so:
            change = {"spec": {"paused": paused}}
            place.api.patch(kinds.ROUTES, place.namespace, name, change)
    warned = [] if is_so else list(warnings(before))
    if output == "json":
        told = _plain(before, warned, paused=paused, changed=not is_so)
        click.echo(json.dumps(told, indent=2))
        return
    for line in warned:
        click.echo(f"isthmus: {printable(line)}", err=True)
    if is_so:
        click.echo(f"route/{name} is {'paused' if paused else 'not paused'} already")
    else:
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


def _plain(before: Object, warned: list[str], *, paused: bool, changed: bool) -> dict[str, Any]:
    return {
        "route": before["metadata"]["name"],
        "namespace": before["metadata"]["namespace"],
        "paused": paused,
        "changed": changed,
        "replicas": standing.replicas(before),
        "warnings": warned,
    }


def _told(name: str, before: Object, *, paused: bool) -> str:
    replicas = standing.replicas(before)
    if paused:
        return f"route/{name} is paused: its pods end, and replicas ({replicas}) is kept"
    return (
        f"route/{name} is resumed with replicas {replicas}; `isthmus rollout status {name}` waits"
    )
