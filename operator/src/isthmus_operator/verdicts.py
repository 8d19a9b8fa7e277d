"""Verdicts: what is wrong with a Mapping, by looking at it and by running its own tests.

Each version of a Mapping, with those of the Mappings that it calls, is judged once, however many
Routes use it.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, cast

from isthmus_api import mapping_tests
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan import check
from isthmus_api.problems import Problem, errors
from isthmus_api.resources import Key, Resource, Resources
from isthmus_operator.declared import Declared

Version = tuple[Key, str, int]
"""Of an object: its key, uid and generation."""


class _Judged(NamedTuple):
    versions: tuple[Version, ...]
    problems: asyncio.Task[tuple[Problem, ...]]


class Verdicts:
    """What was found out about each Mapping."""

    def __init__(self) -> None:
        self._judged: dict[Key, _Judged] = {}

    async def of(self, mapping: Declared, called: Sequence[Declared]) -> tuple[Problem, ...]:
        """The errors of a Mapping and of those that it calls; none when it may be used."""
        versions = tuple((each.key, each.uid, each.generation) for each in (mapping, *called))
        judged = self._judged.get(mapping.key)
        if judged is None or judged.versions != versions:
            task = asyncio.ensure_future(self._judge(mapping, called))
            judged = _Judged(versions, task)
            self._judged[mapping.key] = judged
        # One who waits may be cancelled; the others still want to know.
        return await asyncio.shield(judged.problems)

    def forget(self, key: Key) -> None:
        """A Mapping is gone."""
        self._judged.pop(key, None)

    async def _judge(self, declared: Declared, called: Sequence[Declared]) -> tuple[Problem, ...]:
        read = declared.read()
        if not isinstance(read, Resource):
            return read
        others = [each.read() for each in called]
        found = [other for other in others if isinstance(other, Resource)]
        wrong = [problem for other in others if isinstance(other, tuple) for problem in other]
        resources = Resources.of([read, *found])
        # Its tests may compute for a while, and the event loop has watches to serve.
        mapping = cast(Resource[MappingSpec], read)
        return await asyncio.to_thread(_examine, mapping, resources, tuple(wrong))


def _examine(
    mapping: Resource[MappingSpec], resources: Resources, wrong: tuple[Problem, ...]
) -> tuple[Problem, ...]:
    found = (*errors(check(resources)), *wrong)
    if found:
        # What is wrong with itself is told first; errors of those that it calls follow.
        return tuple(sorted(found, key=lambda each: each.subject != str(mapping.key)))
    if any(each.spec.shared_tables for each in resources.mappings()):
        return ()  # their rows are the pods' to read; `isthmus test` runs such tests
    return mapping_tests.problems(mapping, resources)
