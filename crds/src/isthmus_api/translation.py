"""Translation: a Mapping ready to run, as a `map` step runs it.

With the Mappings that it calls and its tables, those in ConfigMaps included. For whoever runs one
outside of a Route: its tests, and people who try it. Running takes as long as the engine's guards
let it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isthmus_api import json_text
from isthmus_api.expressions import calls, composition, jlens_engine, watch
from isthmus_api.expressions.accounts import Account
from isthmus_api.expressions.bodies import Body, TextBody, ValueBody
from isthmus_api.expressions.engine import Clock, Engine, Reads
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan import called, expression_checks
from isthmus_api.resources import Resource, Resources
from isthmus_api.shared_table import ConfigMaps, no_config_maps, rows


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it reaches the step: its body, and what steps before have bound."""

    body: Body
    variables: dict[str, Any]


class Translation:
    """A Mapping that has no errors, compiled."""

    def __init__(
        self,
        mapping: Resource[MappingSpec],
        resources: Resources,
        by: Engine = jlens_engine.ENGINE,
        config_maps: ConfigMaps = no_config_maps,
    ) -> None:
        """`TableError` where a table cannot be read."""
        spec = mapping.spec
        found = called.reached(calls.mappings(spec.expression), mapping.key.namespace, resources)
        others = {name: _filled(each.spec, config_maps) for name, each in found.items()}
        self._watch = watch.Watch()
        self._expression = composition.compile(
            _filled(spec, config_maps), others, by, watched=self._watch
        )
        self.warned: tuple[watch.Warned, ...] = ()
        """What the Mappings that it calls warned of, in the last result."""
        self._read = frozenset(expression_checks.read_by(spec))

    @property
    def reads(self) -> Reads:
        """What the expression reads of its input and of variables."""
        return self._expression.reads()

    def message(self, body: bytes, variables: Mapping[str, bytes]) -> Message:
        """The message of a body and variables in JSON; `JsonTextError` where one is none."""
        text = TextBody(body)
        decoded = {name: json_text.decode(value) for name, value in variables.items()}
        # A message knows the large integers of all its parts, and then travels as a value.
        large = frozenset[str]().union(*(each.large for each in decoded.values()))
        bound = {name: each.value for name, each in decoded.items() if name in self._read}
        return Message(ValueBody(text.value, text.large | large) if large else text, bound)

    def result(
        self, message: Message, *, now: Clock | None = None, seed: int | None = None
    ) -> bytes:
        """The result as JSON, `null` where there is none.

        `ExpressionError` where the expression fails, `JsonTextError` where the body is no JSON or
        the result has no JSON form.
        """
        with self._watch.over(lambda: message.body.large) as warned:
            try:
                return self._result(message, now, seed)
            finally:
                self.warned = tuple(warned.values())

    def _result(self, message: Message, now: Clock | None, seed: int | None) -> bytes:
        body, variables = message.body, message.variables or None
        if body.raw is not None:
            found = self._expression.evaluate_json(body.raw, variables, now=now, seed=seed)
            return found or b"null"
        value = self._expression.evaluate(body.value, variables, now=now, seed=seed)
        return json_text.encode(value, body.large)

    def account(
        self, message: Message, *, now: Clock | None = None, seed: int | None = None
    ) -> Account:
        """What each part gave, up to where the expression failed if it does."""
        body, variables = message.body, message.variables or None
        with self._watch.over(lambda: body.large):
            return self._expression.account(body.value, variables, now=now, seed=seed)


def _filled(spec: MappingSpec, config_maps: ConfigMaps) -> composition.Filled:
    shared = {name: rows(name, table, config_maps) for name, table in spec.shared_tables.items()}
    return composition.Filled(spec.expression, {**spec.tables, **shared}, spec.input, spec.output)
