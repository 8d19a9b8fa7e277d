"""Inputs: on what an expression is tried."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from isthmus_api import json_text, mapping_tests
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.problems import Code, Location, Problem
from isthmus_api.resources import Resource
from isthmus_cli.mapping.subjects import Refused

Command = TypeVar("Command", bound=Callable[..., Any])

STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """A body and variables, in JSON."""

    body: bytes
    variables: dict[str, bytes]


_OPTIONS: Final = (
    click.option(
        "-i",
        "--input",
        "file",
        metavar="FILE|-",
        help="The input, in JSON; null without this option.",
    ),
    click.option("--text", is_flag=True, help="The input is text, such as XML or CSV: a string."),
    click.option(
        "--variable",
        "variables",
        multiple=True,
        metavar="NAME=JSON|NAME=@FILE",
        help="A variable that the expression reads; may be given repeatedly.",
    ),
    click.option(
        "--test",
        metavar="TEXT",
        help="Input and variables are those of the Mapping's test with TEXT in its name.",
    ),
)


def options(command: Command) -> Command:
    """Add the options to a command, which hands them to `made`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def made(given: dict[str, Any], mapping: Resource[MappingSpec]) -> Input:
    """The input of the options; `Refused` or `UsageError` where there is none."""
    file, is_text, test = given["file"], given["text"], given["test"]
    if test is not None and file is not None:
        raise click.UsageError("--test brings its own input; leave --input out")
    if is_text and file is None:
        raise click.UsageError("--text says what --input is; give that, too")
    variables = dict(_variable(each) for each in given["variables"])
    if test is not None:
        body, bound = mapping_tests.message_of(_test(mapping.spec, test))
        return Input(body, {**bound, **variables})
    return Input(_body(file, is_text) if file else b"null", variables)


def files(given: dict[str, Any]) -> list[Path]:
    """The files that the options name; `UsageError` where one can be read only once."""
    if given["file"] == STDIN:
        raise click.UsageError("--watch needs files: name one with --input")
    named = [given["file"]] if given["file"] else []
    values = (each.partition("=")[2] for each in given["variables"])
    return [Path(each) for each in (*named, *(v[1:] for v in values if v.startswith("@")))]


def _body(file: str, is_text: bool) -> bytes:
    raw = _read(file, "--input")
    if not is_text:
        return _checked(raw, file, "the input is not JSON; for text such as XML or CSV give --text")
    try:
        return json.dumps(raw.decode()).encode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"--text: {file} is not UTF-8 from byte {error.start} on") from error


def _variable(given: str) -> tuple[str, bytes]:
    name, _, value = given.partition("=")
    if not name.isidentifier() or not value:
        raise click.UsageError(f"--variable {given}: write NAME=JSON, or NAME=@FILE")
    if value.startswith("@"):
        raw = _read(value[1:], f"--variable {name}")
        return name, _checked(raw, value[1:], f"what ${name} shall be is not JSON")
    try:
        json_text.decode(value.encode())
    except json_text.JsonTextError as error:
        raise click.UsageError(
            f"--variable {name}: {error}; a string has quotes of its own: '{name}=\"…\"'"
        ) from error
    return name, value.encode()


def _read(file: str, option: str) -> bytes:
    try:
        with click.open_file(file, "rb") as opened:
            raw: bytes = opened.read()
    except OSError as error:
        raise click.UsageError(f"{option}: {file} cannot be read: {error.strerror}") from error
    return raw


def _checked(raw: bytes, file: str, message: str) -> bytes:
    try:
        json_text.decode(raw)
    except json_text.InvalidJson as error:
        place = Location(file, error.line, error.column)
        problem = Problem(Code.INVALID_VALUE, message, hint=error.message, location=place)
        raise Refused((problem,)) from error
    return raw


def _test(spec: MappingSpec, text: str) -> MappingTest:
    found = [each for each in spec.tests if text.lower() in each.name.lower()]
    exact = [each for each in found if each.name == text]
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0]
    names = "; ".join(each.name for each in (found or spec.tests)) or "it has none"
    counted = "several tests have" if found else "no test has"
    raise click.UsageError(f"{counted} '{text}' in the name: {names}")
