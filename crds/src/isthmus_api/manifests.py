"""Manifests: the text of a file in, resources and problems out, with the place of every field.

Objects of other groups are left alone, so a folder may hold Deployments and Secrets too.
"""

import codecs
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from isthmus_api import documents, invalid
from isthmus_api.documents import Document
from isthmus_api.model import API_VERSION, GROUP, Model
from isthmus_api.problems import Code, Location, Problem
from isthmus_api.resources import KINDS, Key, Kind, Origin, Resource
from isthmus_api.shared_table import Data

ConfigMaps = dict[tuple[str, str], dict[str, str]]
"""What ConfigMaps hold, by namespace and name."""

MAX_FILE_BYTES: Final = 16 * 1024 * 1024

_SECTIONS: Final = ("apiVersion", "kind", "metadata", "spec")
_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap of some text."""

    namespace: str
    name: str
    data: Data


@dataclass(frozen=True, slots=True)
class Manifests:
    """What was found in some text: our resources, what is wrong, and how much was not ours.

    ConfigMaps are not ours: they may hold the rows of tables, and contracts of Connectors.
    """

    resources: tuple[Resource[Model], ...] = ()
    problems: tuple[Problem, ...] = ()
    others: int = 0
    config_maps: tuple[ConfigMap, ...] = ()


def read(raw: bytes, *, file: str) -> Manifests:
    """Read all YAML documents of one file."""
    if len(raw) > MAX_FILE_BYTES:
        return Manifests(problems=(_too_large(raw, file),))
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        return Manifests(problems=(_not_utf8(raw, fault, file),))
    resources: list[Resource[Model]] = []
    problems: list[Problem] = []
    others = 0
    config_maps: list[ConfigMap] = []
    for document in documents.read(text, file=file):
        if isinstance(document, Problem):
            problems.append(document)
            continue
        for found in document.objects():
            if not _is_ours(found.value):
                others += 1
                config_maps += _config_map(found.value)
            elif isinstance(resource := _resource(found), Resource):
                resources.append(resource)
            else:
                problems += resource
    return Manifests(tuple(resources), tuple(problems), others, tuple(config_maps))


def _config_map(value: Any) -> Iterator[ConfigMap]:
    """A ConfigMap, as far as it has texts."""
    if not isinstance(value, dict):
        return
    data, metadata = value.get("data"), value.get("metadata")
    if documents.is_config_map(value.get("kind"), value.get("apiVersion")) and isinstance(
        metadata, dict
    ):
        texts = data.items() if isinstance(data, dict) else ()
        yield ConfigMap(
            str(metadata.get("namespace") or "default"),
            str(metadata.get("name")),
            {key: text for key, text in texts if isinstance(text, str)},
        )


def _too_large(raw: bytes, file: str) -> Problem:
    return Problem(
        Code.UNREADABLE,
        f"the file has {len(raw)} bytes; at most {MAX_FILE_BYTES} are read",
        hint="split it; the API server takes about 1.5 MiB for one object",
        location=Location(file),
    )


def _not_utf8(raw: bytes, fault: UnicodeDecodeError, file: str) -> Problem:
    before = raw[: fault.start].decode()
    return Problem(
        Code.UNREADABLE,
        f"the file is not UTF-8: byte 0x{raw[fault.start]:02x}",
        hint="save it as UTF-8",
        location=Location(file, before.count("\n") + 1, len(before) - before.rfind("\n")),
    )


def _is_ours(value: Any) -> bool:
    """Whether an object is of our group, in whatever version, or forgot to say its group."""
    if not isinstance(value, dict):
        return False
    version = value.get("apiVersion")
    if version is None:
        return isinstance(kind := value.get("kind"), str) and kind in KINDS
    return isinstance(version, str) and version.split("/")[0] == GROUP


def _resource(document: Document) -> Resource[Model] | list[Problem]:
    kind = _kind(document)
    if isinstance(kind, Problem):
        return [*document.problems, kind]
    checked = check(document.value, kind=kind, origin=document)
    if not document.problems:
        return checked
    # What the model says of the same fields would be about a value that nobody meant.
    told = {problem.path for problem in document.problems}
    found = checked if isinstance(checked, list) else []
    subject = str(_key(document.value, kind))
    return [
        *(replace(problem, subject=subject) for problem in document.problems),
        *(problem for problem in found if problem.path not in told),
    ]


def _kind(document: Document) -> Kind | Problem:
    version, name = (document.value.get(field) for field in ("apiVersion", "kind"))
    if version is None:
        return _missing("apiVersion", f"write apiVersion: {API_VERSION}", document)
    if version != API_VERSION:
        return Problem(
            Code.UNKNOWN_KIND,
            f"there is no version {version}",
            hint=f"write apiVersion: {API_VERSION}",
            path=("apiVersion",),
            location=document.locate(("apiVersion",)),
        )
    if name is None:
        return _missing("kind", f"the kinds are {', '.join(KINDS)}", document)
    return KINDS.get(str(name)) or _unknown_kind(str(name), document)


def _missing(field: str, hint: str, document: Document) -> Problem:
    return Problem(
        Code.MISSING_FIELD,
        f"{field} is missing",
        hint=hint,
        path=(field,),
        location=document.locate((field,)),
    )


def _unknown_kind(kind: str, document: Document) -> Problem:
    near = difflib.get_close_matches(kind, KINDS, n=1)
    return Problem(
        Code.UNKNOWN_KIND,
        f"{API_VERSION} has no kind {kind}",
        hint=f"did you mean {near[0]}?" if near else f"the kinds are {', '.join(KINDS)}",
        path=("kind",),
        location=document.locate(("kind",)),
    )


def check(value: dict[str, Any], *, kind: Kind, origin: Origin) -> Resource[Model] | list[Problem]:
    """Check one object against its model: the resource, or what is wrong with it."""
    problems: list[Problem] = []
    metadata = _section(kind.metadata, value, "metadata", origin, problems)
    spec = _section(kind.spec, value, "spec", origin, problems)
    unknown = value.keys() - {*_SECTIONS, "status"}
    problems += (invalid.unknown_field((name,), _SECTIONS, origin) for name in sorted(unknown))
    if metadata is None or spec is None or problems:
        subject = str(_key(value, kind))
        return [replace(problem, subject=subject) for problem in problems]
    key = Key(kind.name, metadata.namespace, metadata.name)
    return Resource(key=key, metadata=metadata, spec=spec, origin=origin)


def _key(value: dict[str, Any], kind: Kind) -> Key:
    """What names an object that may be broken."""
    metadata = value.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    return Key(kind.name, str(known.get("namespace") or "default"), str(known.get("name") or "?"))


def _section(
    model: type[_M], value: dict[str, Any], name: str, origin: Origin, problems: list[Problem]
) -> _M | None:
    section = value.get(name)
    try:
        return model.model_validate({} if section is None else section)
    except ValidationError as fault:
        problems += invalid.problems(fault, model, (name,), origin)
        return None
