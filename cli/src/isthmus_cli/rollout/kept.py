"""The revisions of a Route that a cluster keeps."""

from isthmus_cli.cluster import kinds, revisions, routes
from isthmus_cli.cluster.api import Object
from isthmus_cli.cluster.options import Place
from isthmus_cli.cluster.revisions import Revision
from isthmus_operator.desired import selector


def of(place: Place, name: str) -> tuple[Object, list[Revision]]:
    """A Route, and its revisions with the oldest first; none before it has a Deployment."""
    api, namespace = place.api, place.namespace
    route = routes.get(api, namespace, name)
    deployment = api.find(kinds.DEPLOYMENTS, namespace, name)
    if deployment is None:
        return route, []
    sets = list(api.list(kinds.REPLICA_SETS, namespace, labels=selector(name)))
    return route, revisions.of(deployment, sets)
