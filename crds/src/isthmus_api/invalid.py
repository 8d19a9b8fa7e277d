"""What a model found wrong with an object, as problems a person can act on."""

import difflib
import typing
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from isthmus_api.problems import Code, Path, Problem, field_path
from isthmus_api.quantities import Duration
from isthmus_api.resources import Origin

_TYPES: Final = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "float_type": "a number",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_KEY: Final = "[key]"
"""What pydantic adds to the path of a key that it refuses."""


def problems(
    fault: ValidationError, model: type[BaseModel], prefix: Path, origin: Origin
) -> Iterator[Problem]:
    """Say what pydantic found in the words of the manifest. `prefix` is where `model` stands."""
    for error in fault.errors(include_url=False):
        if not _is_echo(error):
            yield _problem(error, model, prefix, origin)


def _is_echo(error: ErrorDetails) -> bool:
    """Whether a list is only called short because the items in it are wrong."""
    is_short = error["type"] == "too_short"
    return is_short and len(error["input"]) >= error.get("ctx", {})["min_length"]


def _problem(error: ErrorDetails, model: type[BaseModel], prefix: Path, origin: Origin) -> Problem:
    path = (*prefix, *(part for part in error["loc"] if part != _KEY))
    match error["type"]:
        case "extra_forbidden":
            return unknown_field(path, _fields_at(model, error["loc"][:-1]), origin)
        case "missing":
            return Problem(
                Code.MISSING_FIELD,
                f"{field_path(path)} is missing",
                hint=_described(model, error["loc"]),
                path=path,
                location=origin.locate(path),
            )
        case _:
            is_key = _KEY in error["loc"]
            message, hint = _said_of_key(error) if is_key else _said(error, model)
            return Problem(
                Code.INVALID_VALUE,
                message,
                hint=hint or _described(model, error["loc"]),
                path=path,
                location=origin.locate_key(path) if is_key else origin.locate(path),
            )


def unknown_field(path: Path, known: Iterable[str], origin: Origin) -> Problem:
    """The last part of `path` is none of `known`."""
    known = sorted(known)
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    fields = f"the fields here are {', '.join(known)}" if known else "there are none here: write {}"
    return Problem(
        Code.UNKNOWN_FIELD,
        f"unknown field {_typed(path[-1])}",
        hint=f"did you mean '{near[0]}'?" if near else fields,
        path=path,
        location=origin.locate_key(path),
    )


def _said_of_key(error: ErrorDetails) -> tuple[str, str]:
    message, hint = _said_of_value(error)
    return f"the key {_typed(error['input'])} is not allowed: {message}", hint


def _said(error: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    """A message and a hint for one error that is neither an unknown nor a missing field."""
    wanted = _TYPES.get(error["type"])
    if wanted is None:
        return _said_of_value(error)
    return f"this must be {wanted}, not {_typed(error['input'])}", _rewritten(error, model)


def _rewritten(error: ErrorDetails, model: type[BaseModel]) -> str:
    """What to write for a value of another type."""
    value, field = error["input"], _field_at(model, error["loc"])
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match error["type"]:
        case "string_type" if is_number and field and _holds(field.annotation, Duration):
            return f"write {value}s for seconds, or {value}ms for milliseconds"
        case "string_type" if isinstance(value, bool):
            return "put it in quotes: y, n, yes, no, on and off are booleans in YAML"
        case "string_type" if is_number:
            return "put it in quotes"  # not what to put there: 1.10 is 1.1 by now
        case "int_type" | "bool_type" if isinstance(value, str):
            return "write it without quotes"
        case "model_type" | "dict_type" | "model_attributes_type":
            return "write it as an object, each field as 'name: value'"
        case "tuple_type":
            return "write it as a list, each item after '- '"
        case _:
            return ""


def _said_of_value(error: ErrorDetails) -> tuple[str, str]:
    """A message and a hint for a value of the right type that is not allowed."""
    value, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case "literal_error":
            words = {word.lower(): word for word in _listed(context["expected"])}
            near = difflib.get_close_matches(str(value).lower(), words, n=1)
            hint = f"did you mean {words[near[0]]}?" if near else "write one of them"
            return f"{_typed(value)} is not one of {context['expected']}", hint
        case "string_pattern_mismatch":
            return f"{_typed(value)} does not have the form {context['pattern']}", ""
        case "quantity":
            return f"{_typed(value)} is not {context['wanted']}", context["hint"]
        case "string_too_long" | "string_too_short" | "too_long" | "too_short":
            return _size(error["type"], value, context)
        case "value_rule":
            return context["message"], context["hint"]
        case "rule":
            return context["message"], f"set here: {context['set'] or 'none of them'}"
        case _:
            return error["msg"][:1].lower() + error["msg"][1:], ""


def _size(error_type: str, value: Any, context: dict[str, Any]) -> tuple[str, str]:
    what = "character" if error_type.startswith("string") else "item"
    bound = context.get("max_length", context.get("min_length"))
    limit = "at most" if "max_length" in context else "at least"
    plural = "" if bound == 1 else "s"
    hint = "shorten it, or split it" if limit == "at most" else ""
    return f"this must have {limit} {bound} {what}{plural}, not {len(value)}", hint


def _listed(expected: str) -> list[str]:
    return expected.replace(" or ", ", ").replace("'", "").split(", ")


def _typed(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"'{value[:60]}…'" if len(value) > 60 else f"'{value}'"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "an object"
        case _:
            return "a list"


def _described(model: type[BaseModel], loc: Iterable[str | int]) -> str:
    """The description of the field at `loc`, which says what to write there."""
    field = _field_at(model, loc)
    return (field and field.description) or ""


def _field_at(model: type[BaseModel], loc: Iterable[str | int]) -> FieldInfo | None:
    """The last field on the way to `loc`; keys of maps and positions in lists are passed over."""
    current: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in loc:
        found = _fields(current).get(str(part))
        if found is not None:
            field, current = found, _model_in(found.annotation)
    return field


def _fields_at(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    field = _field_at(model, loc)
    return list(_fields(_model_in(field.annotation) if field else model))


def _fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    fields = model.model_fields.items() if model else ()
    return {field.alias or name: field for name, field in fields}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((found for found in inner if found), None)


def _holds(annotation: Any, wanted: type) -> bool:
    arguments = typing.get_args(annotation)
    return annotation is wanted or any(_holds(argument, wanted) for argument in arguments)
