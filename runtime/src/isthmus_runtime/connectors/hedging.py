"""Hedging: a read that has no answer yet is made once more, and the first answer is used.

A second attempt takes a turn of its own under a rate limit, and is not made where none is free; nor
where the circuit is open. It is made at most once a call, retries included.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

from isthmus_api.hedge import Hedge
from isthmus_runtime import metrics
from isthmus_runtime.connectors.connector import Call, Send
from isthmus_runtime.faults import Upstream
from isthmus_runtime.http.messages import Response

_READS: Final = frozenset({"GET", "HEAD"})
_SAVED: Final = 10.0
"""Second attempts that a system which was quick for long may have in a row."""

_REFUSALS: Final = frozenset({"CircuitOpen", "RateLimited"})

Result = Literal["won", "lost", "refused"]


class Budget:
    """A share of the calls, of which some may be saved; there is one to begin with. Pure."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._left = 1.0

    def earn(self) -> None:
        """One more call is made."""
        self._left = min(self._left + self._share, _SAVED)

    def take(self) -> bool:
        """Whether a second attempt may be made; it is spent by that."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def give_back(self) -> None:
        """It was not made after all."""
        self._left += 1.0


class Hedging:
    """The hedging of one Connector."""

    def __init__(self, namespace: str, name: str, spec: Hedge) -> None:
        self._after = spec.after.seconds
        self._budget = Budget(spec.budget / 100)
        self._labels = (namespace, name)
        self._now = asyncio.get_running_loop().time

    def around(self, send: Send, attempt: Send) -> Send:
        """The same call; `attempt` makes a second one, without retries."""

        async def hedged(call: Call, deadline: float) -> Response:
            # What goes into a stream cannot come in twice.
            is_read = call.method in _READS and call.into is None
            if not is_read or deadline - self._now() <= self._after:
                return await send(call, deadline)
            self._budget.earn()
            tries = [asyncio.create_task(send(call, deadline))]
            try:
                await asyncio.wait(tries, timeout=self._after)
                if not tries[0].done() and self._budget.take():
                    second = call._replace(waits=False)
                    tries.append(asyncio.create_task(attempt(second, deadline)))
                    used = await _first_answer(tries)
                    self._note(tries, used)
                    return await used
                return await tries[0]
            finally:
                for each in tries:
                    each.cancel()

        return hedged

    def _note(self, tries: Sequence[asyncio.Task[Response]], used: asyncio.Task[Response]) -> None:
        second = tries[1]
        result: Result = "won" if used is second else "lost"
        if second.done() and _was_refused(second):
            result = "refused"
            self._budget.give_back()
        metrics.HEDGES.labels(*self._labels, result).inc()


async def _first_answer(tries: Sequence[asyncio.Task[Response]]) -> asyncio.Task[Response]:
    """The first of them that has an answer; where none gets one, the first of all."""
    pending = set(tries)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for each in tries:
            if each in done and _is_answer(each):
                return each
    return tries[0]


def _is_answer(ended: asyncio.Task[Response]) -> bool:
    """Whether the system has said what it would say again: also a 304 or 404."""
    error = ended.exception()
    if isinstance(error, Upstream):
        return error.answered is not None and error.answered < 500 and not error.passing
    return error is None


def _was_refused(ended: asyncio.Task[Response]) -> bool:
    error = ended.exception()
    return isinstance(error, Upstream) and error.reason in _REFUSALS
