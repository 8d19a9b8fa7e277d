"""What a model found wrong with an object, as problems a person can act on."""

import difflib
import typing
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from isthmus_api.problems import Code, Path, Problem, field_path
from isthmus_api.resources import Origin

_TYPES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "float_type": "a number",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def problem(error: ErrorDetails, model: type[BaseModel], prefix: Path, origin: Origin) -> Problem:
    """Say one pydantic error in the words of the manifest. `prefix` is where `model` stands."""
    path = (*prefix, *(part for part in error["loc"] if part != "[key]"))
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
            message, hint = _said(error, model)
            return Problem(
                Code.INVALID_VALUE,
                message,
                hint=hint,
                path=path,
                location=origin.locate(path),
            )


def unknown_field(path: Path, known: Iterable[str], origin: Origin) -> Problem:
    """The last part of `path` is none of `known`."""
    known = sorted(known)
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"the fields here are {', '.join(known)}"
    return Problem(
        Code.UNKNOWN_FIELD,
        f"unknown field '{path[-1]}'",
        hint=hint,
        path=path,
        location=origin.locate(path),
    )


def _said(error: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    """A message and a hint for one error that is neither an unknown nor a missing field."""
    value = error["input"]
    if error["loc"] and error["loc"][-1] == "[key]":
        return f"the key '{value}' is not allowed: {error['msg']}", ""
    if wanted := _TYPES.get(error["type"]):
        hint = f'quote it: "{value}"' if _is_quotable(error["type"], value) else ""
        return f"this must be {wanted}, not {_typed(value)}", hint
    context = error.get("ctx", {})
    match error["type"]:
        case "literal_error":
            near = difflib.get_close_matches(str(value), _listed(context["expected"]), n=1)
            hint = f"did you mean {near[0]}?" if near else ""
            return f"{_typed(value)} is not one of {context['expected']}", hint
        case "string_pattern_mismatch":
            hint = _described(model, error["loc"])
            return f"{_typed(value)} does not have the form {context['pattern']}", hint
        case _:
            return error["msg"][:1].lower() + error["msg"][1:], ""


def _is_quotable(error_type: str, value: Any) -> bool:
    return error_type == "string_type" and isinstance(value, int | float | bool)


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
    *parents, last = (part for part in loc if isinstance(part, str) and part != "[key]")
    owner = _model_at(model, parents)
    for name, field in owner.model_fields.items() if owner else ():
        if (field.alias or name) == last:
            return field.description or ""
    return ""


def _fields_at(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    owner = _model_at(model, (part for part in loc if isinstance(part, str)))
    fields = owner.model_fields.items() if owner else ()
    return [field.alias or name for name, field in fields]


def _model_at(model: type[BaseModel], names: Iterable[str]) -> type[BaseModel] | None:
    """Follow field names down to the model that stands there; keys of maps are passed over."""
    current: type[BaseModel] | None = model
    for name in names:
        fields = current.model_fields.items() if current else ()
        annotation = next((f.annotation for n, f in fields if (f.alias or n) == name), None)
        if annotation is not None:
            current = _model_in(annotation)
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((found for found in inner if found), None)
