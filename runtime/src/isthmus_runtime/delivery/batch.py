"""Batch: several messages through the steps as one list of their bodies.

A message is settled as if it were alone: what one does wrong must not befall the others. So where
the steps fail for good, each half of the batch is attempted by itself, down to the message that is
at fault; and where the system says which positions failed, only those are tried again.

A target knows a batch by a key that follows from its messages. A batch of which nobody knows
whether it arrived is tried again as it was, under the same key; what the target has refused of a
batch comes again together, as a call of its own.
"""

from collections.abc import Sequence
from dataclasses import replace

import orjson

from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan
from isthmus_runtime import faults
from isthmus_runtime.body import Body
from isthmus_runtime.delivery import attempt, composing, policy
from isthmus_runtime.delivery.attempt import Attempts
from isthmus_runtime.delivery.passage import Passage, Passed
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.exchange import IDENTITY
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
        for message in map(self._completed, sorted(messages, key=lambda each: each.sequence)):
            body, verdict = attempt.body(message), self._before(message)
            if verdict is None and (fault := _undecodable(body)):
                verdict = self._judged(message, fault)
            if verdict is None:
                able.append((message, body))
            else:
                settled.append(self._settled(message, verdict))
        return settled + (await self._several(able, composing.key(_messages(able))) if able else [])

    async def _several(self, able: _Able, key: str) -> list[Settlement]:
        passed = await self._passage.through(
            _joined(able),
            {
                **self._variables,
                IDENTITY: key,
                "request": {},
                "messages": [attempt.about(message) for message, _ in able],
            },
            trace=attempt.trace(able[0][0]),
        )
        failure = passed.failure
        if failure is None:
            return self._passed(able, passed, key)
        if len(able) == 1 or policy.is_passing(failure):
            return self._ended(able, passed, failure, again=key)
        half = len(able) // 2
        halves = able[:half], able[half:]
        return [
            each
            for part in halves
            for each in await self._several(part, composing.fresh(_messages(part)))
        ]

    def _passed(self, able: _Able, passed: Passed, key: str) -> list[Settlement]:
        """How the messages end when the steps did not fail."""
        try:
            failed = self._positions(passed, len(able))
        except Fault as fault:
            return self._ended(able, passed, fault, again=key)
        refused = Fault("RefusedInBatch", "the system took the batch without this message")
        again = composing.fresh([able[at][0] for at in sorted(set(failed))], before=key)
        return self._ended(able, passed, refused, failed, again=again)

    def _ended(
        self,
        able: _Able,
        passed: Passed,
        failure: Fault,
        failed: Sequence[int] | None = None,
        *,
        again: str,
    ) -> list[Settlement]:
        """A settlement for each; `failed` are all unless given. What was remembered, what is fed to
        others and the journey are there once: the first that is through has them, or the first of
        all. Those that are tried again come together, under the key `again`."""
        at_fault = range(len(able)) if failed is None else frozenset(failed)
        ends = [
            (message, self._judged(message, failure if at in at_fault else None, passed))
            for at, (message, _) in enumerate(able)
        ]
        first = next(
            (at for at, (_, verdict) in enumerate(ends) if verdict.state is State.FINISHED), 0
        )
        told = ends[first][0].uid
        settled = [
            self._settled(message, verdict, passed)
            if at == first
            else replace(self._settled(message, verdict), journey=_see(told))
            for at, (message, verdict) in enumerate(ends)
        ]
        return composing.together(settled, key=again, size=len(at_fault))

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


def _messages(able: _Able) -> list[Message]:
    return [message for message, _ in able]


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
