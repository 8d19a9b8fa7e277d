"""Sides: a state of the objects that are compared, and the two of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, cast

from isthmus_api.manifests import Manifests
from isthmus_api.model import Model
from isthmus_api.plan import RoutePlan, joined
from isthmus_api.resources import ROUTE, Key, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_cli import folder, rendering, shared_tables
from isthmus_cli.folder import Loaded

_NO_CONFIG_MAPS: Final[shared_tables.Found] = {}


@dataclass(frozen=True)
class Side:
    """One state."""

    resources: Resources
    config_maps: shared_tables.Found = field(default_factory=lambda: _NO_CONFIG_MAPS)

    @classmethod
    def of(cls, loaded: Loaded, namespace: str) -> "Side":
        """What a folder holds; what names no namespace is in this one."""
        return cls(rendering.placed(loaded.resources, namespace), loaded.config_maps)

    def route(self, key: Key) -> Resource[RouteSpec] | None:
        """A Route, if it is there."""
        return self.resources.route(key.namespace, key.name)

    @cached_property
    def plans(self) -> Mapping[Key, RoutePlan]:
        """The plan of every Route, whether it is sound or not."""
        return {each.key: joined(each, self.resources) for each in self.resources.routes()}


@dataclass(frozen=True)
class Sides:
    """What was, and what is to be."""

    old: Side
    new: Side

    @property
    def keys(self) -> list[Key]:
        """What is on either side, in order."""
        keys = self.old.resources.by_key.keys() | self.new.resources.by_key.keys()
        return sorted(keys, key=lambda key: (key.kind, key.namespace, key.name))


def applied(live: Side, loaded: Side) -> Side:
    """A cluster after a folder was applied to it.

    As with `kubectl apply`, what the folder does not hold stays: other objects, labels and
    annotations, and the number of replicas where the folder leaves it to others.
    """
    merged = (
        _over(live.resources.by_key.get(key), each) for key, each in loaded.resources.by_key.items()
    )
    return Side(
        Resources({**live.resources.by_key, **Resources.of(merged).by_key}), loaded.config_maps
    )


def pruned(after: Side, loaded: Side) -> Side:
    """The same, without what the folder does not hold, as tools that prune leave it."""
    kept = {key: each for key, each in after.resources.by_key.items() if _is_in(key, loaded)}
    return replace(after, resources=Resources(kept))


class Once:
    """Reads text that both sides have only once; fits `folder.load`."""

    def __init__(self) -> None:
        self._known: dict[bytes, Manifests] = {}

    def __call__(self, raw: bytes, file: str) -> Manifests:
        """What a file holds."""
        found = self._known.get(raw)
        if found is None:
            found = self._known[raw] = folder.parse(raw, file)
        return found


def _is_in(key: Key, side: Side) -> bool:
    return key in side.resources.by_key


def _over(live: Resource[Model] | None, own: Resource[Model]) -> Resource[Model]:
    if live is None:
        return own
    metadata = own.metadata.model_copy(
        update={
            "labels": {**live.metadata.labels, **own.metadata.labels},
            "annotations": {**live.metadata.annotations, **own.metadata.annotations},
        }
    )
    return replace(own, metadata=metadata, spec=_with_replicas(live, own))


def _with_replicas(live: Resource[Model], own: Resource[Model]) -> Model:
    if own.key.kind != ROUTE.name or "replicas" in own.spec.model_fields_set:
        return own.spec
    update: dict[str, Any] = {"replicas": cast(RouteSpec, live.spec).replicas}
    return own.spec.model_copy(update=update)
