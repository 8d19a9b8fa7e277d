"""Folders of manifests: which files are read, and what they hold together.

Reads `*.yaml`, `*.yml` and `*.json` below a folder, sorted by name. Left out are hidden files and
folders, and folders that hold other people's files. A link is followed once; one that leads back
into itself is a problem. A single file is read whatever its name is.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from isthmus_api import manifests
from isthmus_api.manifests import MAX_FILE_BYTES, ConfigMap, Manifests
from isthmus_api.model import Model
from isthmus_api.problems import Code, Location, Problem
from isthmus_api.resources import Key, Resource, Resources
from isthmus_cli import shared_tables

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
FOREIGN = frozenset({"node_modules", "site-packages", "venv", "__pycache__"})
"""Folders of programs, whose YAML and JSON is not meant for us."""

_OPENAPI = re.compile(rb"^(openapi|swagger) *:|\A\s*\{\s*\"(openapi|swagger)\"", re.MULTILINE)
_HEAD_BYTES = 4096
"""An OpenAPI document says in its first lines that it is one. Vendors' documents are larger than
manifests may be, and are read where a Connector names them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds: our objects, what is wrong with them, and how many are not ours."""

    resources: Resources
    problems: tuple[Problem, ...] = ()
    others: int = 0
    config_maps: shared_tables.Found = field(default_factory=dict)

    @property
    def objects(self) -> int:
        """How many objects of ours there are, those that cannot be used included."""
        broken = {problem.subject for problem in self.problems if problem.subject}
        return len(broken | {str(key) for key in self.resources.by_key})


Parse = Callable[[bytes, str], Manifests]
"""From the bytes of a file and its name to what it holds."""


def parse(raw: bytes, file: str) -> Manifests:
    """Read one file."""
    return manifests.read(raw, file=file)


def load(path: Path, parse: Parse = parse) -> Loaded:
    """Read a folder, or a single file."""
    reading = _Reading(parse)
    for found in files(path):
        if isinstance(found, Problem):
            reading.problems.append(found)
        else:
            reading.file(found)
    resources = Resources(reading.resources)
    config_maps = shared_tables.collected(tuple(reading.config_maps))
    return Loaded(resources, tuple(reading.problems), reading.others, config_maps)


class _Reading:
    """Objects collected so far."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse
        self.resources: dict[Key, Resource[Model]] = {}
        self.problems: list[Problem] = []
        self.others = 0
        self.config_maps: list[ConfigMap] = []

    def file(self, path: Path) -> None:
        """Add what a file holds; of two objects with one name the first stays."""
        raw = read(path)
        if isinstance(raw, Problem):
            self.problems.append(raw)
            return
        if is_openapi(raw):
            self.others += 1
            return
        found = self._parse(raw, str(path))
        self.problems += found.problems
        self.others += found.others
        self.config_maps += found.config_maps
        for resource in found.resources:
            first = self.resources.setdefault(resource.key, resource)
            if first is not resource:
                self.problems.append(_duplicate(resource, first))


def _duplicate(second: Resource[Model], first: Resource[Model]) -> Problem:
    path = ("metadata", "name")
    return Problem(
        Code.DUPLICATE_RESOURCE,
        f"{second.key} is written twice; the first one is at {first.origin.locate(path)}",
        hint="remove one of the two, or give it another name or namespace",
        subject=str(second.key),
        path=path,
        location=second.origin.locate(path),
    )


def files(path: Path) -> Iterator[Path | Problem]:
    """The files to read below `path`, which may be one itself."""
    if path.is_dir():
        yield from _Walk().below(path, ())
    elif path.exists():
        yield path
    else:
        yield _unreadable(path, "there is no such file or folder", "check the path")


class _Walk:
    """One walk over a tree of folders, in which every file is met once."""

    def __init__(self) -> None:
        self._seen: set[Path] = set()

    def below(self, folder: Path, parents: tuple[Path, ...]) -> Iterator[Path | Problem]:
        """The files below `folder`; `parents` are the folders around it, links resolved."""
        try:
            real = folder.resolve(strict=True)
            names = sorted(os.listdir(folder))
        except OSError as error:
            yield _unreadable(folder, _said(error), "check the permissions of the folder")
            return
        if real in parents:
            yield _unreadable(folder, "the link leads back to a folder around it", "remove it")
            return
        if self._is_new(real):
            for name in names:
                yield from self._entry(folder / name, (*parents, real))

    def _entry(self, path: Path, parents: tuple[Path, ...]) -> Iterator[Path | Problem]:
        if path.name.startswith("."):
            return
        if path.is_dir():
            if path.name not in FOREIGN:
                yield from self.below(path, parents)
        elif path.suffix.lower() in SUFFIXES:
            yield from self._file(path)

    def _file(self, path: Path) -> Iterator[Path | Problem]:
        try:
            real = path.resolve(strict=True)
            is_file = stat.S_ISREG(path.stat().st_mode)
        except (OSError, RuntimeError) as error:  # a link to itself is a RuntimeError until 3.13
            yield _unreadable(path, _said(error), "remove the link, or mend it")
            return
        if not is_file:
            yield _unreadable(path, "this is no file", "remove it, or give it another name")
        elif self._is_new(real):
            yield path

    def _is_new(self, real: Path) -> bool:
        is_new = real not in self._seen
        self._seen.add(real)
        return is_new


def read(path: Path) -> bytes | Problem:
    """The file's bytes, never more than a manifest may have and one."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return _unreadable(path, _said(error), "check the permissions of the file")


def is_openapi(raw: bytes) -> bool:
    """Whether a file holds an OpenAPI document."""
    return _OPENAPI.search(raw[:_HEAD_BYTES]) is not None


def _said(error: OSError | RuntimeError) -> str:
    text = (isinstance(error, OSError) and error.strerror) or "the link leads back to itself"
    return text[:1].lower() + text[1:]


def _unreadable(path: Path, message: str, hint: str) -> Problem:
    return Problem(Code.UNREADABLE, message, hint=hint, location=Location(str(path)))
