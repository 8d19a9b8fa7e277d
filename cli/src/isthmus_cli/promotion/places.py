"""Places: where in the files of people a problem of a built object stands."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from isthmus_api import manifests
from isthmus_api.model import Model
from isthmus_api.problems import Location, Problem
from isthmus_api.resources import Resource
from isthmus_cli import folder
from isthmus_cli.promotion.overlays import Overlay
from isthmus_cli.promotion.sets import Object


class Places:
    """Finds objects again in the files that a build has taken them from."""

    def __init__(self, objects: Iterable[Object], target: Overlay) -> None:
        """Objects that are copied stand where they come from, others in files of the target."""
        self._sources = {(each.kind, each.name): each.source for each in objects if each.source}
        own = (target.folder / each for each in target.resources)
        self._own = tuple(each for each in own if each.is_file())
        self._otherwise = Location(str(target.file))
        self._read: dict[Path, tuple[Resource[Model], ...]] = {}

    def located(self, problem: Problem) -> Problem:
        """The problem with the place of its field, or at least its file."""
        kind, _, key = problem.subject.partition(" ")
        wanted = (kind, key.rpartition("/")[2])
        source = self._sources.get(wanted)
        for file in (source,) if source else self._own:
            for found in self._resources(file):
                if (found.key.kind, found.key.name) == wanted:
                    return replace(problem, location=found.origin.locate(problem.path))
        return replace(problem, location=Location(_shown(source)) if source else self._otherwise)

    def _resources(self, file: Path) -> tuple[Resource[Model], ...]:
        if file not in self._read:
            raw = folder.read(file)
            found = raw if isinstance(raw, Problem) else manifests.read(raw, file=_shown(file))
            self._read[file] = () if isinstance(found, Problem) else found.resources
        return self._read[file]


def _shown(file: Path) -> str:
    return os.path.relpath(file)
