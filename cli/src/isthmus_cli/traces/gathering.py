"""Gathering: what a cluster has of one Route, with the user's rights."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from isthmus_api import references
from isthmus_api.resources import MAPPING, ROUTE, Key
from isthmus_cli.cluster import kinds
from isthmus_cli.cluster.api import Api, Object
from isthmus_cli.cluster.errors import NoCluster, NotFound, Refused
from isthmus_cli.cluster.standing import State
from isthmus_cli.traces import nodes
from isthmus_cli.traces.nodes import Family, Node
from isthmus_operator.desired import selector

FORBIDDEN: Final = 403
EVENTS: Final = 5
"""The newest that are shown."""


def route(api: Api, namespace: str, name: str) -> Object:
    """A Route; of one that is not there it is told which was meant."""
    try:
        return api.get(kinds.ROUTES, namespace, name)
    except NotFound as error:
        known = [each["metadata"]["name"] for each in api.list(kinds.ROUTES, namespace)]
        raise NoCluster(_no_route(name, namespace, known)) from error


def family(api: Api, namespace: str, name: str) -> tuple[Family, list[str]]:
    """All that belongs to a Route, and what the user may not see of it."""
    found = route(api, namespace, name)
    hidden: list[str] = []
    seen = partial(_seen, hidden)
    labels = selector(name)
    return Family(
        route=found,
        named=_named(api, found, seen),
        deployment=seen(lambda: api.find(kinds.DEPLOYMENTS, namespace, name), None),
        replica_sets=seen(lambda: list(api.list(kinds.REPLICA_SETS, namespace, labels=labels)), []),
        pods=seen(lambda: list(api.list(kinds.PODS, namespace, labels=labels)), []),
        events=seen(lambda: _events(api, namespace, name), []),
    ), list(dict.fromkeys(hidden))


def _seen(hidden: list[str], ask: Callable[[], Any], otherwise: Any) -> Any:
    """What a question is answered; where that is forbidden, what is to be taken otherwise."""
    try:
        return ask()
    except Refused as error:
        if error.status != FORBIDDEN:
            raise
        hidden.append(str(error))
        return otherwise


def moment(event: Object) -> str:
    """When an Event last happened."""
    times = (event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((each for each in times if each), event["metadata"]["creationTimestamp"]))


def _named(api: Api, found: Object, seen: Callable[[Callable[[], Any], Any], Any]) -> list[Node]:
    own = Key(ROUTE.name, found["metadata"]["namespace"], found["metadata"]["name"])
    named = dict.fromkeys(references.of(own, found.get("spec")))
    there: list[Node] = [seen(partial(_look, api, key), _hidden(key)) for key in named]
    there += seen(lambda: list(_fed(api, own)), [])
    return there


def _look(api: Api, key: Key, above: tuple[Key, ...] = ()) -> Node:
    """What is named; below a Mapping those that it calls, but for those that lead to it."""
    found = api.find(kinds.OURS[key.kind], key.namespace, key.name)
    trail = (*above, key)
    called = _called(key, found) if found else ()
    below = tuple(_look(api, each, trail) for each in called if each not in trail)
    return nodes.declared(key.kind, key.name, found, role=_role(key), nodes=below)


def _called(key: Key, found: Object) -> Iterable[Key]:
    """The Mappings that a Mapping calls: what is behind another Route is not told here."""
    return dict.fromkeys(references.of(key, found.get("spec"))) if key.kind == MAPPING.name else ()


def _hidden(key: Key) -> Node:
    return Node(key.kind, key.name, State.PENDING, "may not be seen by you", _role(key))


def _role(key: Key) -> str:
    return "source" if key.kind == ROUTE.name else ""


def _fed(api: Api, own: Key) -> Iterator[Node]:
    """The Routes whose source is this one."""
    for each in api.list(kinds.ROUTES, own.namespace):
        source = (each.get("spec") or {}).get("source")
        fed_by = source.get("route") if isinstance(source, dict) else None
        if isinstance(fed_by, dict) and fed_by.get("name") == own.name:
            name = each["metadata"]["name"]
            yield nodes.declared(ROUTE.name, name, each | {"kind": ROUTE.name}, role="fed")


def _events(api: Api, namespace: str, name: str) -> list[Object]:
    fields = f"involvedObject.kind={ROUTE.name},involvedObject.name={name}"
    found = list(api.list(kinds.EVENTS, namespace, fields=fields))
    return sorted(found, key=moment)[-EVENTS:]


def _no_route(name: str, namespace: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        meant = f"did you mean route/{near[0]}?"
    elif known:
        meant = f"`kubectl -n {namespace} get routes` lists those there are"
    else:
        meant = "it has no Routes at all; name another with -n"
    return f"there is no Route {name} in the namespace {namespace}; {meant}"
