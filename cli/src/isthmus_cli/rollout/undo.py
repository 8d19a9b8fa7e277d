"""isthmus rollout undo: how to go back, and whom to ask. Nothing is written."""

import datetime
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import click

from isthmus_api import references
from isthmus_api.resources import ROUTE, Key
from isthmus_cli import tables
from isthmus_cli.cluster import kinds, options, ownership
from isthmus_cli.cluster.api import Api, Object
from isthmus_cli.cluster.ownership import Owner, Tool
from isthmus_cli.cluster.revisions import Revision
from isthmus_cli.cluster.sight import Sight
from isthmus_cli.report import printable
from isthmus_cli.rollout import kept


@click.command()
@options.route
@options.namespace
@options.context
def undo(name: str, namespace: str | None, context: str | None) -> None:
    """Tell what ran before, whose the Route is, and how its owner goes back. Writes nothing.

    What a Route declares is its owner's, who would put it back: mostly Git. The Deployment is the
    operator's, which makes it of what the Route declares. Ends with 1, for nothing was undone.
    Needs get on routes and deployments, and list on replicasets.
    """
    sight = Sight()
    with options.place(context, namespace) as place:
        route, found = kept.of(place, name)
        objects = [route, *_named(place.api, route, sight)]
    for line in told(objects, found, datetime.datetime.now(datetime.UTC)):
        click.echo(printable(line))
    for each in sight.hidden:
        click.echo(f"isthmus: left out: {each}", err=True)
    sys.exit(options.FOUND)


def told(
    objects: Sequence[Object], found: Sequence[Revision], now: datetime.datetime
) -> Iterator[str]:
    """The lines; `objects` are the Route and what its plan is made of."""
    route, *_ = objects
    name = route["metadata"]["name"]
    current = next((each for each in found if each.is_current), None)
    if current is None:
        yield f"route/{name} has no revisions yet: nothing to go back to"
        return
    yield f"now:     {_revision(current, now)}"
    before = max(
        (each for each in found if each.number < current.number),
        key=lambda each: each.number,
        default=None,
    )
    if before is None:
        yield f"route/{name} has no earlier revision that is kept: nothing to go back to"
        return
    yield f"before:  {_revision(before, now)}"
    yield f"differs: {', '.join(current.changed) or 'in nothing'}"
    yield "written last, the newest first:"
    for line in written(objects, now):
        yield f"  {line}"
    owner = ownership.owner(route)
    yield f"Nothing was changed: route/{name} is kept by {owner}, and pods follow what it declares."
    yield f"To go back: {_advice(owner, route)}"


def written(objects: Sequence[Object], now: datetime.datetime) -> Iterator[str]:
    """Who wrote what the plan is made of, and when."""
    last = [(each, change) for each in objects for change in ownership.changes(each)[:1]]
    for found, change in sorted(last, key=lambda each: each[1].at, reverse=True):
        what = f"{found['kind']}/{found['metadata']['name']}"
        yield f"{what} {tables.age(change.at, now)} ago by {change.manager}"


def _named(api: Api, route: Object, sight: Sight) -> Iterator[Object]:
    """What a Route names, as far as it is there and may be seen."""
    metadata = route["metadata"]
    own = Key(ROUTE.name, metadata["namespace"], metadata["name"])
    for key in dict.fromkeys(references.of(own, route.get("spec"))):
        kind = kinds.OURS[key.kind]
        found = sight.of(partial(api.find, kind, key.namespace, key.name), None)
        if found:
            yield found


def _revision(revision: Revision, now: datetime.datetime) -> str:
    age = tables.age(revision.made, now)
    cause = f", {revision.cause}" if revision.cause else ""
    return (
        f"revision {revision.number}, made {age} ago, plan {revision.plan}, "
        f"image {revision.image}{cause}"
    )


def _advice(owner: Owner, route: Object) -> str:
    """What the owner does. Only Git knows what was declared before; the cluster does not."""
    namespace = route["metadata"]["namespace"]
    revert = "`git revert` the commit that changed it"
    match owner.tool:
        case Tool.ARGO_CD:
            sync = f"argocd app sync {owner.name}" if owner.name else "argocd app sync"
            return f"{revert} where the Application is kept, and `{sync}` unless it syncs by itself"
        case Tool.FLUX:
            place = f" -n {owner.namespace}" if owner.namespace else ""
            command = f"flux reconcile kustomization {owner.name or 'NAME'}{place} --with-source"
            return f"{revert}, and `{command}` or wait"
        case Tool.FLUX_HELM:
            place = f" -n {owner.namespace}" if owner.namespace else ""
            command = f"flux reconcile helmrelease {owner.name or 'NAME'}{place}"
            return f"{revert}, and `{command}` or wait"
        case Tool.HELM:
            place = owner.namespace or namespace
            release = owner.name or "RELEASE"
            return f"`helm history {release} -n {place}` and `helm rollback {release} -n {place}`"
        case _:
            apply = f"`kubectl apply -n {namespace} -f` it"
            return f"{revert}, or take the manifest from before, and {apply}"
