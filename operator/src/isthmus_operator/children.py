"""The children of all Routes, watched: what there is of each Route, and who is told of a change."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from isthmus_api.resources import ROUTE, Key
from isthmus_operator.desired import CHILDREN_SELECTOR, Manifest
from isthmus_operator.index import discard
from isthmus_operator.informer import Informer, Name
from isthmus_operator.kube import Client, kinds
from isthmus_operator.live import Child, Pod

Wake = Callable[[Key], None]


class Children:
    """One informer for each kind of child and namespace. `wake` gets the Route of what changed."""

    def __init__(self, client: Client, *, namespaces: Sequence[str | None], wake: Wake) -> None:
        self._wake = wake
        self._of_route: defaultdict[Key, set[tuple[str, str]]] = defaultdict(set)
        self._pods_of_route: defaultdict[Key, set[Name]] = defaultdict(set)
        self._children: dict[tuple[str, str | None], Informer[Child]] = {
            (kind, namespace): Informer(
                client,
                resource,
                namespace=namespace,
                selector=CHILDREN_SELECTOR,
                remember=Child.of,
                changed=partial(self._child_changed, kind),
            )
            for kind, resource in kinds.CHILDREN.items()
            for namespace in namespaces
        }
        self._pods = {
            namespace: Informer(
                client,
                kinds.PODS,
                namespace=namespace,
                selector=CHILDREN_SELECTOR,
                remember=Pod.of,
                changed=self._pod_changed,
            )
            for namespace in namespaces
        }
        self._everywhere = None in namespaces
        self._settled: dict[str, tuple[int, int]] = {}

    def get(self, kind: str, namespace: str, name: str) -> Child | None:
        """One child."""
        return self._informer(kind, namespace).get((namespace, name))

    def of(self, route: Key) -> list[tuple[str, str]]:
        """Kinds and names of all that a Route has, sorted."""
        return sorted(self._of_route.get(route, ()))

    def pods(self, route: Key) -> list[Pod]:
        """The pods of a Route."""
        informer = self._pods[None if self._everywhere else route.namespace]
        found = (informer.get(name) for name in sorted(self._pods_of_route.get(route, ())))
        return [pod for pod in found if pod is not None]

    def put(self, found: dict[str, Any]) -> Child:
        """Take in a child as a request returned it."""
        kind, metadata = found["kind"], found["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        informer = self._informer(kind, namespace)
        before = informer.get((namespace, name))
        child = informer.put(found)
        self._index(kind, (namespace, name), before, child)
        return child

    def settle(self, child: Child, manifest: Manifest) -> None:
        """Note that a child is what the API server makes of a manifest, though it looks otherwise.

        It writes some values in a form of its own, such as `1` for `1000m`.
        """
        self._settled[child.uid] = _sign(child, manifest)

    def settled(self, child: Child, manifest: Manifest) -> bool:
        """Whether that was noted of this very state."""
        return self._settled.get(child.uid) == _sign(child, manifest)

    def drop(self, kind: str, namespace: str, name: str) -> None:
        """Take in that a child was deleted."""
        informer = self._informer(kind, namespace)
        self._index(kind, (namespace, name), informer.get((namespace, name)), None)
        informer.drop((namespace, name))

    def served(self, kind: str) -> bool:
        """Whether the API server has a kind at all."""
        return any(each.served for (of, _), each in self._children.items() if of == kind)

    def informers(self) -> Iterator[Informer[Any]]:
        """All of them, to run and to look after."""
        yield from self._children.values()
        yield from self._pods.values()

    async def ready(self) -> None:
        """Return once all kinds are known."""
        await asyncio.gather(*(informer.ready() for informer in self.informers()))

    def _informer(self, kind: str, namespace: str) -> Informer[Child]:
        return self._children[kind, None if self._everywhere else namespace]

    def _child_changed(
        self, kind: str, name: Name, before: Child | None, now: Child | None
    ) -> None:
        self._index(kind, name, before, now)
        for each in (before, now):
            if each and each.owner:
                self._wake(_route(name, each.owner))

    def _index(self, kind: str, name: Name, before: Child | None, now: Child | None) -> None:
        if before and now is None:
            self._settled.pop(before.uid, None)
        if before and before.owner:
            discard(self._of_route, _route(name, before.owner), (kind, name[1]))
        if now and now.owner:
            self._of_route[_route(name, now.owner)].add((kind, name[1]))

    def _pod_changed(self, name: Name, before: Pod | None, now: Pod | None) -> None:
        if before:
            discard(self._pods_of_route, _route(name, before.owner), name)
        if now:
            self._pods_of_route[_route(name, now.owner)].add(name)
        for each in (before, now):
            if each:
                self._wake(_route(name, each.owner))


def _sign(child: Child, manifest: Manifest) -> tuple[int, int]:
    return hash(child.body), hash(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS))


def _route(name: Name, route: str) -> Key:
    return Key(ROUTE.name, name[0], route)
