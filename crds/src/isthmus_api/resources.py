"""The kinds of Isthmus as whole objects, and a set of them to look things up in."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Generic, TypeVar, cast

from pydantic import Field

from isthmus_api.connector import ConnectorSpec
from isthmus_api.mapping import MappingSpec
from isthmus_api.model import Model, ObjectMeta, ObjectName
from isthmus_api.problems import Location, Path
from isthmus_api.route import RouteSpec
from isthmus_api.rules import ValueRule
from isthmus_api.status import ConnectorStatus, MappingStatus, RouteStatus, Status

Spec = TypeVar("Spec", bound=Model, covariant=True)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its names, and the models of its spec and status."""

    name: str
    plural: str
    short: str
    spec: type[Model]
    status: type[Status]
    summary: str
    metadata: type[ObjectMeta] = ObjectMeta
    rules: tuple[ValueRule, ...] = ()
    """Rules about the metadata, in CEL about the whole object."""


SERVICE_NAME = ValueRule(
    cel="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && "
    "size(self.metadata.name) <= 63",
    message="the name becomes that of a Service: small letters, digits and '-', a letter first, "
    "at most 63 characters",
    hint="choose another name",
    holds=lambda name: len(name) <= 63 and bool(re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)),
)
"""An RFC 1035 label."""


class RouteMeta(ObjectMeta):
    """The metadata of a Route, whose name is also that of its Service."""

    name: Annotated[ObjectName, SERVICE_NAME] = Field(
        description=ObjectMeta.model_fields["name"].description
    )


CONNECTOR = Kind(
    name="Connector",
    plural="connectors",
    short="conn",
    spec=ConnectorSpec,
    status=ConnectorStatus,
    summary="A Connector is one system: how to reach it, how to prove who we are, how hard we may "
    "lean on it.",
)
MAPPING = Kind(
    name="Mapping",
    plural="mappings",
    short="mapg",
    spec=MappingSpec,
    status=MappingStatus,
    summary="A Mapping is one translation, written in JSONata, with its tables and tests.",
)
ROUTE = Kind(
    name="Route",
    plural="routes",
    short="rt",
    spec=RouteSpec,
    status=RouteStatus,
    summary="A Route is one flow: a source, steps, and an answer or a delivery.",
    metadata=RouteMeta,
    rules=(SERVICE_NAME,),
)
KINDS = {kind.name: kind for kind in (CONNECTOR, MAPPING, ROUTE)}


@dataclass(frozen=True, slots=True)
class Key:
    """What names an object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Origin:
    """Where an object was written. Without a file, nothing is known of places in it."""

    def locate(self, path: Path) -> Location | None:
        """The place of the field at `path`, or of the nearest one around it."""
        return None

    def locate_key(self, path: Path) -> Location | None:
        """The place of the key that `path` ends with."""
        return self.locate(path)

    def locate_text(self, path: Path, *, line: int, column: int) -> Location | None:
        """The place of a line and column inside the string at `path`; both count from 1."""
        return self.locate(path)


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Resource(Generic[Spec]):
    """One object of ours, checked against its model."""

    key: Key
    metadata: ObjectMeta
    spec: Spec
    origin: Origin = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Resources:
    """A set of objects; references are looked up within a namespace."""

    by_key: dict[Key, Resource[Model]]

    @classmethod
    def of(cls, resources: Iterable[Resource[Model]]) -> "Resources":
        """Collect resources; of two with one key the later stays."""
        return cls({resource.key: resource for resource in resources})

    def routes(self) -> Iterator[Resource[RouteSpec]]:
        """All Routes, in the order they were given."""
        return cast(Iterator[Resource[RouteSpec]], self._of_kind(ROUTE))

    def mappings(self) -> Iterator[Resource[MappingSpec]]:
        """All Mappings, in the order they were given."""
        return cast(Iterator[Resource[MappingSpec]], self._of_kind(MAPPING))

    def connectors(self) -> Iterator[Resource[ConnectorSpec]]:
        """All Connectors, in the order they were given."""
        return cast(Iterator[Resource[ConnectorSpec]], self._of_kind(CONNECTOR))

    def connector(self, namespace: str, name: str) -> Resource[ConnectorSpec] | None:
        """The Connector of that name, if it is there."""
        found = self.by_key.get(Key(CONNECTOR.name, namespace, name))
        return cast(Resource[ConnectorSpec] | None, found)

    def mapping(self, namespace: str, name: str) -> Resource[MappingSpec] | None:
        """The Mapping of that name, if it is there."""
        found = self.by_key.get(Key(MAPPING.name, namespace, name))
        return cast(Resource[MappingSpec] | None, found)

    def route(self, namespace: str, name: str) -> Resource[RouteSpec] | None:
        """The Route of that name, if it is there."""
        found = self.by_key.get(Key(ROUTE.name, namespace, name))
        return cast(Resource[RouteSpec] | None, found)

    def fed_by(self, namespace: str, name: str) -> tuple[str, ...]:
        """The Routes of the namespace whose source is the Route of that name, by name."""
        return self._feeds.get(Key(ROUTE.name, namespace, name), ())

    @cached_property
    def _feeds(self) -> dict[Key, tuple[str, ...]]:
        """Whom each Route feeds. Looks at all objects, so only once."""
        found: dict[Key, list[str]] = {}
        for route in self.routes():
            if fed := route.spec.source.route:
                key = Key(ROUTE.name, route.key.namespace, fed.name)
                found.setdefault(key, []).append(route.key.name)
        return {key: tuple(sorted(names)) for key, names in found.items()}

    def _of_kind(self, kind: Kind) -> Iterator[Resource[Model]]:
        return (found for key, found in self.by_key.items() if key.kind == kind.name)
