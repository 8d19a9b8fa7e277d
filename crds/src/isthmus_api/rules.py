"""Rules about one value and between the fields of one object, written once and kept in two places.

A rule is checked by the models when a file is read, and by the API server as a CEL rule of the
generated CRD. Both give the same message.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

CEL_RULES = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence about an object: the CEL the API server runs, and the same test in Python.

    `shape` says it in OpenAPI: CEL sees no field that may be any JSON.
    """

    cel: str
    message: str
    holds: Callable[[dict[str, Any]], bool]
    fields: tuple[str, ...]
    shape: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValueRule:
    """One sentence about a value, put beside its type: `Annotated[str, ValueRule(...)]`."""

    cel: str
    message: str
    hint: str
    holds: Callable[[Any], bool]

    def check(self, value: Any) -> Any:
        """The value; an error of pydantic when the rule does not hold."""
        if not self.holds(value):
            told = {"message": self.message, "hint": self.hint}
            raise PydanticCustomError("value_rule", "{message}", told)
        return value

    @property
    def validation(self) -> dict[str, str]:
        """The rule as a CRD says it."""
        return {"rule": self.cel, "message": self.message}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        node = handler(schema)
        return {**node, CEL_RULES: [*node.get(CEL_RULES, []), self.validation]}


def exactly_one_of(*fields: str) -> Rule:
    """One of `fields` is set, and no second one."""
    return Rule(
        cel=f"[{', '.join(f'has(self.{cel_name(name)})' for name in fields)}].exists_one(x, x)",
        message=f"{'exactly one of ' if len(fields) > 1 else ''}{', '.join(fields)} must be set",
        holds=lambda present: sum(name in present for name in fields) == 1,
        fields=fields,
        shape={"oneOf": [{"required": [name]} for name in fields]},
    )


def at_most_one_of(*fields: str) -> Rule:
    """None of `fields` is set, or a single one."""
    listed = ", ".join(f"has(self.{cel_name(name)})" for name in fields)
    return Rule(
        cel=f"[{listed}].filter(x, x).size() <= 1",
        message=f"at most one of {', '.join(fields)} may be set",
        holds=lambda present: sum(name in present for name in fields) <= 1,
        fields=fields,
        shape={"not": {"anyOf": [{"required": list(two)} for two in combinations(fields, 2)]}},
    )


def at_least_one_of(*fields: str) -> Rule:
    """One or more of `fields` is set."""
    return Rule(
        cel=" || ".join(f"has(self.{cel_name(name)})" for name in fields),
        message=f"at least one of {', '.join(fields)} must be set",
        holds=lambda present: any(name in present for name in fields),
        fields=fields,
        shape={"anyOf": [{"required": [name]} for name in fields]},
    )


def only_with(field: str, *hosts: str) -> Rule:
    """`field` is set only beside one of `hosts`."""
    beside = " || ".join(f"has(self.{cel_name(name)})" for name in hosts)
    return Rule(
        cel=f"!has(self.{cel_name(field)}) || {beside}",
        message=f"{field} belongs to {_either(hosts)} only",
        holds=lambda present: field not in present or any(name in present for name in hosts),
        fields=(field, *hosts),
    )


def needs(field: str, other: str) -> Rule:
    """`field` is of no use without `other`."""
    return Rule(
        cel=f"!has(self.{cel_name(field)}) || has(self.{cel_name(other)})",
        message=f"{field} needs {other}",
        holds=lambda present: field not in present or other in present,
        fields=(field, other),
    )


def _either(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


# https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
# "escaping": CEL keywords used as property names are written __name__.
_CEL_KEYWORDS = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import"}
    | {"in", "let", "loop", "namespace", "null", "package", "return", "true", "var", "void"}
    | {"while"}
)


def cel_name(field: str) -> str:
    """Escape a property name for a CEL rule."""
    return f"__{field}__" if field in _CEL_KEYWORDS else field
