"""Subjects: which expression is meant, and what it finds around it."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from pydantic import ValidationError

from isthmus_api.expressions import calls
from isthmus_api.mapping import MappingSpec
from isthmus_api.model import ObjectMeta
from isthmus_api.plan import called, check
from isthmus_api.problems import Location, Problem, errors
from isthmus_api.problems import Path as FieldPath
from isthmus_api.resources import MAPPING, Key, Origin, Resource, Resources
from isthmus_api.shared_table import ConfigMaps
from isthmus_cli import folder, shared_tables
from isthmus_cli.folder import Loaded

Command = TypeVar("Command", bound=Callable[..., Any])

ARGUMENT: Final = "EXPRESSION"
"""The file, as it were, in which an argument stands."""
PATH: Final[FieldPath] = ("spec", "expression")


class Refused(Exception):
    """What is meant cannot be run; `problems` say why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Subject:
    """A Mapping without errors, and what it may call and look up."""

    mapping: Resource[MappingSpec]
    resources: Resources
    config_maps: ConfigMaps

    @property
    def source(self) -> str:
        """The expression."""
        return self.mapping.spec.expression


_OPTIONS: Final = (
    click.argument("expression", metavar="[EXPRESSION]", required=False),
    click.option(
        "-f",
        "--file",
        "path",
        metavar="PATH",
        type=click.Path(exists=True, readable=False, path_type=Path),
        help="A folder of manifests, or one file.",
    ),
    click.option(
        "--mapping",
        metavar="[NAMESPACE/]NAME",
        help="The Mapping that is meant; not needed where there is a single one.",
    ),
)


def options(command: Command) -> Command:
    """Add the options to a command, which hands them to `made`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def made(given: dict[str, Any]) -> Subject:
    """The subject of the options; `Refused` where it has errors, `UsageError` if there is none."""
    expression, path, name = given["expression"], given["path"], given["mapping"]
    if expression is None and path is None:
        raise click.UsageError("give an EXPRESSION, or name manifests with -f")
    if name and path is None:
        raise click.UsageError("--mapping names one of the manifests of -f")
    loaded = folder.load(path) if path else Loaded(Resources({}))
    found = _mapping(loaded, name, path, is_needed=expression is None or name is not None)
    mapping = _holding(expression, found) if expression is not None else found
    if mapping is None:
        raise click.UsageError("give an EXPRESSION, or name a Mapping")
    return _subject(mapping, loaded)


def _subject(mapping: Resource[MappingSpec], loaded: Loaded) -> Subject:
    namespace = mapping.key.namespace
    others = Resources({**loaded.resources.by_key, mapping.key: mapping})
    reached = called.reached(calls.mappings(mapping.spec.expression), namespace, others)
    concerned = Resources.of([mapping, *reached.values()])
    unreadable = shared_tables.problems(concerned, loaded.config_maps)
    if wrong := errors((*check(concerned), *unreadable)):
        raise Refused(wrong)
    return Subject(mapping, concerned, shared_tables.within(namespace, loaded.config_maps))


def _mapping(
    loaded: Loaded, name: str | None, path: Path | None, *, is_needed: bool
) -> Resource[MappingSpec] | None:
    """The Mapping of that name, or the single one."""
    namespace, _, own = (name or "").rpartition("/")
    there = list(loaded.resources.mappings())
    found = [each for each in there if _is_named(each, namespace, own)]
    if len(found) == 1:
        return found[0]
    if not is_needed:
        return None
    if not found and (broken := tuple(_of_the_missing(loaded, own))):
        raise Refused(broken)
    raise click.UsageError(_choice(found or there, own, path, is_known=bool(found)))


def _is_named(mapping: Resource[MappingSpec], namespace: str, name: str) -> bool:
    return name in ("", mapping.key.name) and namespace in ("", mapping.key.namespace)


def _of_the_missing(loaded: Loaded, name: str) -> Iterator[Problem]:
    """What may be the reason that a Mapping is missed."""
    for each in errors(loaded.problems):
        kind, _, key = each.subject.partition(" ")
        if not each.subject or (kind == MAPPING.name and (not name or key.endswith(f"/{name}"))):
            yield each


def _choice(
    there: list[Resource[MappingSpec]], name: str, path: Path | None, *, is_known: bool
) -> str:
    names = sorted(f"{each.key.namespace}/{each.key.name}" for each in there)
    listed = f"there are: {', '.join(names)}" if names else "there is none"
    if is_known:
        return f"say which Mapping with --mapping NAME; in {path} {listed}"
    near = difflib.get_close_matches(name, [each.key.name for each in there], n=1)
    meant = f"did you mean '{near[0]}'?" if near else listed
    return f"there is no Mapping '{name}' in {path}; {meant}" if name else f"in {path} {listed}"


class _Argument(Origin):
    """An argument of the command line, as a place."""

    def locate(self, path: FieldPath) -> Location | None:
        return Location(ARGUMENT)

    def locate_text(self, path: FieldPath, *, line: int, column: int) -> Location | None:
        return Location(ARGUMENT, line, column)


def _holding(expression: str, mapping: Resource[MappingSpec] | None) -> Resource[MappingSpec]:
    """The Mapping with another expression; without one, a Mapping of the expression alone."""
    try:
        checked = MappingSpec(expression=expression)
    except ValidationError as error:
        raise click.UsageError(f"EXPRESSION: {error.errors()[0]['msg']}") from error
    if mapping is None:
        key = Key(MAPPING.name, "default", "expression")
        return Resource(key, ObjectMeta(name=key.name), checked, _Argument())
    spec = mapping.spec.model_copy(update={"expression": expression})
    return replace(mapping, spec=spec, origin=_Argument())
