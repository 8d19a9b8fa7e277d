"""Verdicts: what is wrong with a Mapping, by looking at it and by running its own tests.

Each version of a Mapping is judged once, however many Routes use it.
"""

import asyncio
from typing import NamedTuple, cast

from isthmus_api import mapping_tests
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan import check
from isthmus_api.problems import Problem, errors
from isthmus_api.resources import Key, Resource, Resources
from isthmus_operator.declared import Declared


class _Judged(NamedTuple):
    uid: str
    generation: int
    problems: asyncio.Task[tuple[Problem, ...]]


class Verdicts:
    """What was found out about each Mapping."""

    def __init__(self) -> None:
        self._judged: dict[Key, _Judged] = {}

    async def of(self, mapping: Declared) -> tuple[Problem, ...]:
        """The errors of a Mapping; none when it may be used."""
        judged = self._judged.get(mapping.key)
        if judged is None or judged[:2] != (mapping.uid, mapping.generation):
            task = asyncio.ensure_future(self._judge(mapping))
            judged = _Judged(mapping.uid, mapping.generation, task)
            self._judged[mapping.key] = judged
        # One who waits may be cancelled; the others still want to know.
        return await asyncio.shield(judged.problems)

    def forget(self, key: Key) -> None:
        """A Mapping is gone."""
        self._judged.pop(key, None)

    async def _judge(self, mapping: Declared) -> tuple[Problem, ...]:
        read = mapping.read()
        if not isinstance(read, Resource):
            return read
        # Its tests may compute for a while, and the event loop has watches to serve.
        return await asyncio.to_thread(_examine, cast(Resource[MappingSpec], read))


def _examine(mapping: Resource[MappingSpec]) -> tuple[Problem, ...]:
    return errors(check(Resources.of([mapping]))) or mapping_tests.problems(mapping)
