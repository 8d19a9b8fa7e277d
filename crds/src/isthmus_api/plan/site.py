"""Site: a place where an expression may stand, and the variables it may read there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from isthmus_api.answer import Answer
from isthmus_api.problems import Path
from isthmus_api.step import Call, Respond


@dataclass(frozen=True, slots=True)
class Template:
    """A string that may hold `{% … %}`; where it `is_whole` it must be one such expression."""

    path: Path
    text: str
    variables: frozenset[str]
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Inline:
    """A JSONata expression without marks around it."""

    path: Path
    text: str
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class MappingUse:
    """A step runs a Mapping."""

    path: Path
    mapping: str
    variables: frozenset[str]


Site = Template | Inline | MappingUse


def call(written: Call, path: Path, known: frozenset[str]) -> Iterator[Site]:
    """The sites of a call."""
    yield Template((*path, "path"), written.path, known)
    yield from tree(written.query, (*path, "query"), known)
    yield from tree(written.headers, (*path, "headers"), known)
    yield from tree(written.body, (*path, "body"), known)
    yield from tree(written.form, (*path, "form"), known)
    for index, part in enumerate(written.multipart or ()):
        yield Template((*path, "multipart", index, "value"), part.value, known)
        if part.file_name:
            yield Template((*path, "multipart", index, "fileName"), part.file_name, known)
    if written.text is not None:
        yield Template((*path, "text"), written.text, known)
    if written.answer:
        yield from answer(written.answer, (*path, "answer"))


def answer(written: Answer, path: Path) -> Iterator[Template]:
    """The sites of how an answer is taken: they read nothing of the message."""
    if written.fail_when:
        known = frozenset({"status", "headers"})
        yield Template((*path, "failWhen"), written.fail_when, known, is_whole=True)


def respond(written: Respond, path: Path, known: frozenset[str]) -> Iterator[Site]:
    """The sites of an answer."""
    yield from tree(written.headers, (*path, "headers"), known)
    yield from tree(written.body, (*path, "body"), known)


def tree(value: Any, path: Path, known: frozenset[str]) -> Iterator[Site]:
    """The strings in free-form JSON."""
    match value:
        case str():
            yield Template(path, value, known)
        case dict():
            for key, item in value.items():
                yield from tree(item, (*path, key), known)
        case list() | tuple():
            for index, item in enumerate(value):
                yield from tree(item, (*path, index), known)
