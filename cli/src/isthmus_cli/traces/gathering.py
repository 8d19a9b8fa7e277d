"""Gathering: what a cluster has of one Route, with the user's rights."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from isthmus_api import references
from isthmus_api.resources import MAPPING, ROUTE, Key
from isthmus_cli.cluster import kinds, routes
from isthmus_cli.cluster.api import Api, Object
from isthmus_cli.cluster.sight import Sight
from isthmus_cli.cluster.standing import State
from isthmus_cli.traces import nodes
from isthmus_cli.traces.nodes import Family, Node
from isthmus_operator.desired import selector

EVENTS: Final = 5
"""The newest that are shown."""


def family(api: Api, namespace: str, name: str) -> tuple[Family, list[str]]:
    """All that belongs to a Route, and what the user may not see of it."""
    found = routes.get(api, namespace, name)
    sight = Sight()
    seen = sight.of
    labels = selector(name)
    return Family(
        route=found,
        named=_named(api, found, seen),
        deployment=seen(lambda: api.find(kinds.DEPLOYMENTS, namespace, name), None),
        autoscaler=seen(lambda: _autoscaler(api, found), None),
        replica_sets=seen(lambda: list(api.list(kinds.REPLICA_SETS, namespace, labels=labels)), []),
        pods=seen(lambda: list(api.list(kinds.PODS, namespace, labels=labels)), []),
        events=seen(lambda: _events(api, namespace, name), []),
    ), sight.hidden


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


def _autoscaler(api: Api, route: Object) -> Object | None:
    """The one that the Route's status names."""
    scale = (route.get("status") or {}).get("scale") or {}
    name = scale.get("autoscaler")
    return api.find(kinds.AUTOSCALERS, route["metadata"]["namespace"], name) if name else None


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
