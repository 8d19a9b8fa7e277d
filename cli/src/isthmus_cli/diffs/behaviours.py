"""Behaviours: what the objects of one side make of a message, as JSON, errors included.

Time and chance are the same for both sides as far as a Mapping sees them.
"""

import json
from functools import cached_property
from typing import Any, Final

from isthmus_api import json_text, mapping_tests
from isthmus_api.expressions import calls
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.plan import called, plan
from isthmus_api.resources import Key, Resource
from isthmus_api.route_case import RouteTest
from isthmus_api.shared_table import Data
from isthmus_api.translation import Translation
from isthmus_cli import route_cases, shared_tables
from isthmus_cli.diffs.sides import Side
from isthmus_runtime.shared_tables import GivenConfigMaps, SharedTables

_SEED: Final = 0


class Behaviours:
    """What one side does; `now` is its time, in milliseconds since 1970."""

    def __init__(self, side: Side, *, now: int) -> None:
        self.side = side
        self._now = now
        self._translations: dict[Key, Translation | str] = {}
        self._makings: dict[Key, Any] = {}

    def of_mapping(self, key: Key, body: bytes, variables: dict[str, bytes]) -> Any:
        """The result of a Mapping, or `{"error": …}`."""
        translation = self._translation(key)
        if isinstance(translation, str):
            return {"error": translation}
        try:
            message = translation.message(body, variables)
            return json.loads(translation.result(message, now=self._now, seed=_SEED))
        except (ExpressionError, json_text.JsonTextError) as error:
            return {"error": str(error)}

    def of_mapping_test(self, key: Key, test: MappingTest) -> Any:
        """The result for a test of it."""
        try:
            body, variables = mapping_tests.message_of(test)
        except ValueError as error:
            return {"error": f"the test is no JSON: {error}"}
        return self.of_mapping(key, body, variables)

    def of_route(self, key: Key, test: RouteTest) -> Any:
        """What a Route does with a test of it, or `{"error": …}`."""
        try:
            return route_cases.behaviour(self.side.plans[key], test, self._tables)
        except (ExpressionError, ValueError) as error:  # of a side that nobody has linted
            return {"error": str(error)}

    def runs(self, key: Key) -> bool:
        """Whether a Route is there with all that it names; its expressions are not looked at."""
        route = self.side.route(key)
        return route is not None and bool(
            plan(route, self.side.resources, passed=self.side.plans[key].hash).plan
        )

    def makings(self, key: Key) -> Any:
        """All that what a Mapping or a Route does depends on; None when it is not there."""
        if key not in self._makings:
            self._makings[key] = self._made_of(key)
        return self._makings[key]

    def _made_of(self, key: Key) -> Any:
        if whole := self.side.plans.get(key):
            return whole.hash, self._data(key.namespace, whole.config_maps)
        mapping = self.side.resources.mapping(key.namespace, key.name)
        return None if mapping is None else self._of_reached(mapping)

    @cached_property
    def _tables(self) -> SharedTables:
        return SharedTables(GivenConfigMaps(self.side.config_maps))

    def _of_reached(self, mapping: Resource[MappingSpec]) -> Any:
        names = calls.mappings(mapping.spec.expression)
        reached = called.reached(names, mapping.key.namespace, self.side.resources)
        specs = [each.spec for each in (mapping, *reached.values())]
        shared = (table for spec in specs for table in spec.shared_tables.values())
        maps = {part.name for table in shared for part in table.config_maps}
        # What only says what is expected makes no difference to what is made.
        plain = [{**each.canonical(), "tests": None} for each in specs]
        return plain, self._data(mapping.key.namespace, sorted(maps))

    def _data(self, namespace: str, names: Any) -> list[Data | None]:
        return [self.side.config_maps.get((namespace, name)) for name in names]

    def _translation(self, key: Key) -> Translation | str:
        """The Mapping, compiled, or why there is none."""
        if key not in self._translations:
            self._translations[key] = self._compiled(key)
        return self._translations[key]

    def _compiled(self, key: Key) -> Translation | str:
        mapping = self.side.resources.mapping(key.namespace, key.name)
        if mapping is None:
            return "the Mapping is not there"
        tables = shared_tables.within(key.namespace, self.side.config_maps)
        try:
            return Translation(mapping, self.side.resources, config_maps=tables)
        except (ExpressionError, ValueError) as error:
            return str(error)
