"""Autoscalers: the HorizontalPodAutoscalers whose target is a Route, watched.

KEDA makes one of each ScaledObject, so these are found, too. What an autoscaler measures changes
all the time and wakes nobody; only its target and the count that it wants are remembered.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus_api.model import GROUP
from isthmus_api.resources import ROUTE, Key
from isthmus_operator.informer import Informer, Name
from isthmus_operator.kube import Client, kinds


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """One HorizontalPodAutoscaler."""

    name: str
    route: str
    """The Route that is its target; empty when it scales something else."""
    wants: int | None
    """The count that it came to last; None while it has come to none."""
    version: int = field(compare=False)

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Autoscaler":
        """From an object as the API server gives it."""
        target = found["spec"]["scaleTargetRef"]
        group = str(target.get("apiVersion", "")).partition("/")[0]
        ours = (group, target["kind"]) == (GROUP, ROUTE.name)
        return cls(
            name=found["metadata"]["name"],
            route=target["name"] if ours else "",
            wants=(found.get("status") or {}).get("desiredReplicas") if ours else None,
            version=int(found["metadata"]["resourceVersion"]),
        )


class Autoscalers:
    """One informer for each namespace. `wake` gets the Route whose autoscaler changed."""

    def __init__(
        self, client: Client, *, namespaces: Sequence[str | None], wake: Callable[[Key], None]
    ) -> None:
        self._wake = wake
        self._of_route: dict[Key, Name] = {}
        self._everywhere = None in namespaces
        self._informers = {
            namespace: Informer(
                client,
                kinds.AUTOSCALERS,
                namespace=namespace,
                selector="",
                remember=Autoscaler.of,
                changed=self._changed,
            )
            for namespace in namespaces
        }

    def of(self, route: Key) -> Autoscaler | None:
        """The one that scales a Route; of several, which must not be, the one seen last."""
        name = self._of_route.get(route)
        if name is None:
            return None
        return self._informers[None if self._everywhere else route.namespace].get(name)

    def informers(self) -> Iterator[Informer[Any]]:
        """All of them, to run and to look after."""
        yield from self._informers.values()

    async def ready(self) -> None:
        """Return once all are known."""
        await asyncio.gather(*(informer.ready() for informer in self.informers()))

    def _changed(self, name: Name, before: Autoscaler | None, now: Autoscaler | None) -> None:
        if before and before.route and self._of_route.get(_route(name, before)) == name:
            del self._of_route[_route(name, before)]
        if now and now.route:
            self._of_route[_route(name, now)] = name
        for each in (before, now):
            if each and each.route:
                self._wake(_route(name, each))


def _route(name: Name, autoscaler: Autoscaler) -> Key:
    return Key(ROUTE.name, name[0], autoscaler.route)
