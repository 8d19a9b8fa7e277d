"""Values of a Route, by where they come from: which call's answer, and which field of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final

from isthmus_api.contracts.sent import UNKNOWN, Sent
from isthmus_api.problems import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """The answer of the call at `call`, or what stands in it at `fields`; lists do not count."""

    call: Path
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """What a body or a variable may be.

    `is_other` says that it may also be something that no call answered. `parts` are the fields of
    an object that is put together of values, such as the result of a scatter.
    """

    origins: frozenset[Origin] = frozenset()
    is_other: bool = False
    parts: Mapping[str, Value] = field(default_factory=dict)
    made: Sent = UNKNOWN

    def at(self, name: str) -> Value:
        """The value of a field."""
        inner = Value(
            frozenset(replace(each, fields=(*each.fields, name)) for each in self.origins),
            is_other=self.is_other,
        )
        return inner.or_else(self.parts[name]) if name in self.parts else inner

    def or_else(self, other: Value) -> Value:
        """One of two."""
        if self == other:
            return self
        names = {**self.parts, **other.parts}
        return Value(
            self.origins | other.origins,
            self.is_other or other.is_other,
            {name: _either(self.parts.get(name), other.parts.get(name)) for name in names},
            self.made if self.made == other.made else UNKNOWN,
        )


NOTHING: Final = Value()
OTHER: Final = Value(is_other=True)


@dataclass(frozen=True, slots=True)
class State:
    """The body and the variables at one point of a Route."""

    body: Value
    variables: Mapping[str, Value] = field(default_factory=dict)

    def bind(self, name: str, value: Value) -> State:
        """The same, and a variable."""
        return replace(self, variables={**self.variables, name: value})

    def or_else(self, other: State) -> State:
        """One of two; a variable that is bound in one of them may be there."""
        names = {**self.variables, **other.variables}
        return State(
            self.body.or_else(other.body),
            {n: _either(self.variables.get(n), other.variables.get(n)) for n in names},
        )


def joined(states: Iterator[State | None]) -> State | None:
    """One of several; nothing where none of them goes on."""
    return reduce(_joined, states, None)


def _joined(one: State | None, other: State | None) -> State | None:
    return one.or_else(other) if one and other else one or other


def _either(one: Value | None, other: Value | None) -> Value:
    return one.or_else(other) if one and other else one or other or NOTHING
