"""Routes of a cluster, asked for by name."""

import difflib
from collections.abc import Sequence

from isthmus_cli.cluster import kinds
from isthmus_cli.cluster.api import Api, Object
from isthmus_cli.cluster.errors import NoCluster, NotFound


def get(api: Api, namespace: str, name: str) -> Object:
    """A Route; of one that is not there it is told which was meant."""
    try:
        return api.get(kinds.ROUTES, namespace, name)
    except NotFound as error:
        raise NoCluster(_no_route(name, namespace, api.names(kinds.ROUTES, namespace))) from error


def _no_route(name: str, namespace: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        meant = f"did you mean route/{near[0]}?"
    elif known:
        meant = f"`kubectl -n {namespace} get routes` lists those there are"
    else:
        meant = "it has no Routes at all; name another with -n"
    return f"there is no Route {name} in the namespace {namespace}; {meant}"
