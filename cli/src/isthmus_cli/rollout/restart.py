"""isthmus rollout restart: replace the pods of a Route without a gap."""

import datetime
import json

import click

from isthmus_cli.cluster import kinds, options, routes
from isthmus_cli.cluster.errors import Unready
from isthmus_cli.cluster.revisions import RESTARTED


@click.command()
@options.route
@options.namespace
@options.context
@options.output
def restart(name: str, namespace: str | None, context: str | None, output: str) -> None:
    """Replace the pods of a Route, as its roll-outs do: the new ones answer before the old ones go.

    Writes the annotation of `kubectl rollout restart` on the pod template of its Deployment; the
    operator and tools that deploy from Git leave it alone. Needs get on routes and deployments, and
    patch on deployments.
    """
    with options.place(context, namespace) as place:
        route = routes.get(place.api, place.namespace, name)
        if (route.get("spec") or {}).get("paused"):
            raise Unready(f"route/{name} is paused and has no pods; `isthmus resume {name}`")
        if place.api.find(kinds.DEPLOYMENTS, place.namespace, name) is None:
            raise Unready(f"route/{name} has no Deployment yet; `isthmus trace {name}` says why")
        now = _now()
        place.api.patch(kinds.DEPLOYMENTS, place.namespace, name, change(now))
    if output == "json":
        told = {"route": name, "namespace": place.namespace, "restartedAt": _written(now)}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(f"route/{name} restarts; `isthmus rollout status {name}` waits for it")


def change(now: datetime.datetime) -> dict[str, object]:
    """The change of a Deployment that replaces its pods."""
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: _written(now)}}}}}


def _written(now: datetime.datetime) -> str:
    """To the millisecond, so that a second restart within a second is one as well."""
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
