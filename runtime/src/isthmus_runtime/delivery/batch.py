"""Batch: several messages through the steps as one list of their bodies.

A message is settled as if it were alone: what one does wrong must not befall the others. So where
the steps fail for good, each half of the batch is attempted by itself, down to the message that is
at fault; and where the system says which positions failed, only those are tried again.
"""

from collections.abc import Sequence
from dataclasses import replace

import orjson

from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan
from isthmus_runtime import faults
from isthmus_runtime.body import Body
from isthmus_runtime.delivery import attempt, policy
from isthmus_runtime.delivery.attempt import Attempts
from isthmus_runtime.delivery.passage import Passage, Passed
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.faults import Broken, Fault
from isthmus_runtime.journal.entries import Message, Settlement, State
from isthmus_runtime.steps.bound import Template

_Able = Sequence[tuple[Message, Body]]


class Batches(Attempts):
    """Attempts messages of one Route, several at once. `failures` reads from the result of the
    steps which positions failed."""

    def __init__(
        self,
        plan: RoutePlan,
        passage: Passage,
        *,
        drafter: Drafter,
        feeds: Sequence[Drafter],
        detects_changes: bool = False,
        failures: Template | None,
    ) -> None:
        super().__init__(
            plan, passage, drafter=drafter, feeds=feeds, detects_changes=detects_changes
        )
        self._failures = failures

    async def attempt(self, messages: Sequence[Message]) -> list[Settlement]:
        """Attempt all of them at once; how each is settled."""
        settled: list[Settlement] = []
        able: list[tuple[Message, Body]] = []
        for message in map(self._completed, messages):
            body, verdict = attempt.body(message), self._before(message)
            if verdict is None and (fault := _undecodable(body)):
                verdict = self._judged(message, fault)
            if verdict is None:
                able.append((message, body))
            else:
                settled.append(self._settled(message, verdict))
        return settled + await self._several(able)

    async def _several(self, able: _Able) -> list[Settlement]:
        if not able:
            return []
        passed = await self._passage.through(
            _joined(able),
            {
                **self._variables,
                "request": {},
                "messages": [attempt.about(message) for message, _ in able],
            },
            trace=attempt.trace(able[0][0]),
        )
        failure = passed.failure
        if failure is None:
            return self._passed(able, passed)
        if len(able) == 1 or policy.is_passing(failure):
            return self._ended(able, passed, failure, range(len(able)))
        half = len(able) // 2
        return [*await self._several(able[:half]), *await self._several(able[half:])]

    def _passed(self, able: _Able, passed: Passed) -> list[Settlement]:
        """How the messages end when the steps did not fail."""
        try:
            failed = self._positions(passed, len(able))
        except Fault as fault:
            return self._ended(able, passed, fault, range(len(able)))
        refused = Fault("RefusedInBatch", "the system took the batch without this message")
        return self._ended(able, passed, refused, failed)

    def _ended(
        self, able: _Able, passed: Passed, failure: Fault, failed: Sequence[int]
    ) -> list[Settlement]:
        """A settlement for each. What was remembered, what is fed to others and the journey are
        there once: the first that is through has them, or the first of all."""
        ends = [
            (message, self._judged(message, failure if at in failed else None, passed))
            for at, (message, _) in enumerate(able)
        ]
        first = next(
            (at for at, (_, verdict) in enumerate(ends) if verdict.state is State.FINISHED), 0
        )
        told = ends[first][0].uid
        return [
            self._settled(message, verdict, passed)
            if at == first
            else replace(self._settled(message, verdict), journey=_see(told))
            for at, (message, verdict) in enumerate(ends)
        ]

    def _positions(self, passed: Passed, count: int) -> list[int]:
        """The positions that the result of the steps names as failed; a `Fault` where it cannot be
        read. Then nobody knows which messages the system has, and none is sent again by itself."""
        if self._failures is None or passed.is_filtered:
            return []
        passed.x.body = passed.result
        try:
            found = self._failures.value(passed.x)
        except ExpressionError as error:
            raise faults.from_expression(error) from error
        positions = found if isinstance(found, list) else [] if found is None else [found]
        for position in positions:
            if not isinstance(position, int | float) or position not in range(count):
                detail = f"delivery.batch.failures gives no positions from 0 to {count - 1}"
                raise Broken("InvalidFailures", detail)
        return [int(position) for position in positions]


def _see(uid: str) -> bytes:
    """The journey of a message that is told with another one of its batch."""
    return orjson.dumps({"batch": {"toldWith": uid}})


def _joined(able: _Able) -> Body:
    large = frozenset[str]().union(*(body.large for _, body in able))
    return Body.of([body.value for _, body in able], large)


def _undecodable(body: Body) -> Fault | None:
    try:
        body.value  # noqa: B018 - decoded here, kept for the list
    except Fault as fault:
        return fault
    return None
