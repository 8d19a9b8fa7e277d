"""Autoscalers: the HorizontalPodAutoscalers whose target is a Route or its Deployment, watched.

KEDA makes one of each ScaledObject, so these are found, too. What an autoscaler measures changes
all the time and wakes nobody; only its target, the count that it wants and why it cannot scale are
remembered.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from isthmus_api.model import GROUP
from isthmus_api.resources import ROUTE, Key
from isthmus_operator.index import discard
from isthmus_operator.informer import Informer, Name
from isthmus_operator.kube import Client, kinds
from isthmus_operator.live import owner

_DEPLOYMENT: Final = ("apps", kinds.DEPLOYMENTS.kind)


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """One HorizontalPodAutoscaler."""

    name: str
    route: str
    """The Route whose pods it scales, if there is such a Route: its target is called so. Empty when
    its target is something else."""
    of_route: bool
    """Whether its target is the Route itself, not its Deployment."""
    ours: bool
    """Whether the operator made it."""
    wants: int | None
    """The count that it came to last; None while it has come to none."""
    trouble: str
    """Why it cannot scale, in one word of its own; empty while it can."""
    version: int = field(compare=False)

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Autoscaler":
        """From an object as the API server gives it."""
        target = found["spec"]["scaleTargetRef"]
        group = str(target.get("apiVersion", "")).partition("/")[0]
        of_route = (group, target["kind"]) == (GROUP, ROUTE.name)
        concerns = of_route or (group, target["kind"]) == _DEPLOYMENT
        ours = owner(found["metadata"]) == target["name"]
        status = found.get("status") or {}
        return cls(
            name=found["metadata"]["name"],
            route=target["name"] if concerns else "",
            of_route=of_route,
            ours=ours,
            wants=status.get("desiredReplicas") if of_route else None,
            trouble=_trouble(status) if ours else "",
            version=int(found["metadata"]["resourceVersion"]),
        )


def _trouble(status: dict[str, Any]) -> str:
    for condition in status.get("conditions") or ():
        if condition["type"] in ("AbleToScale", "ScalingActive") and condition["status"] == "False":
            return str(condition.get("reason", condition["type"]))
    return ""


class Autoscalers:
    """One informer for each namespace. `wake` gets the Route whose autoscaler changed."""

    def __init__(
        self, client: Client, *, namespaces: Sequence[str | None], wake: Callable[[Key], None]
    ) -> None:
        self._wake = wake
        self._of_route: defaultdict[Key, set[Name]] = defaultdict(set)
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

    def of(self, route: Key) -> tuple[Autoscaler, ...]:
        """Those that scale the pods of a Route, by name; more than one is a mistake."""
        informer = self._informers[None if self._everywhere else route.namespace]
        found = (informer.get(name) for name in sorted(self._of_route.get(route, ())))
        return tuple(each for each in found if each is not None)

    def informers(self) -> Iterator[Informer[Any]]:
        """All of them, to run and to look after."""
        yield from self._informers.values()

    async def ready(self) -> None:
        """Return once all are known."""
        await asyncio.gather(*(informer.ready() for informer in self.informers()))

    def _changed(self, name: Name, before: Autoscaler | None, now: Autoscaler | None) -> None:
        if before and before.route:
            discard(self._of_route, _route(name, before), name)
        if now and now.route:
            self._of_route[_route(name, now)].add(name)
        for each in (before, now):
            if each and each.route:
                self._wake(_route(name, each))


def _route(name: Name, autoscaler: Autoscaler) -> Key:
    return Key(ROUTE.name, name[0], autoscaler.route)
