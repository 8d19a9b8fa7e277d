"""Lines: calls that wait, in their order.

Slots                so many at once, handed from call to call
Served               a task gives the turns, while there are any who wait

NoTurn               a call may not be made
├── Overdue          the limits would let it pass only after its deadline
└── Crowded          too many wait already
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class NoTurn(Exception):
    """A call may not be made; `wait` is in how many seconds it might have been, where known."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Overdue(NoTurn):
    """The limits would let the call pass only after its deadline."""

    def __init__(self, wait: float | None = None) -> None:
        super().__init__("leaves no room for this call in time", wait)


class Crowded(NoTurn):
    """Too many calls wait already."""

    def __init__(self) -> None:
        super().__init__("has too many calls waiting for it")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T]):
    deadline: float
    turn: asyncio.Future[T]


class Line(Generic[T]):
    """Calls in a line; each gets a `T` with its turn. Subclasses say how turns are come by."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting[T]] = deque()
        self._loop = asyncio.get_running_loop()

    async def wait(self, deadline: float, *, first: bool = False) -> T:
        """Wait for the turn, before all others if `first`; the deadline is on the loop's clock."""
        waiting: _Waiting[T] = _Waiting(deadline, self._loop.create_future())
        (self._waiting.appendleft if first else self._waiting.append)(waiting)
        self._joined()
        try:
            async with asyncio.timeout_at(deadline):
                return await waiting.turn
        except BaseException as error:
            if waiting.turn.done() and not waiting.turn.cancelled() and _gave(waiting.turn):
                self._refused()  # it came at the moment at which nobody waited any more
            if isinstance(error, TimeoutError):
                raise Overdue from None
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(waiting)

    def _joined(self) -> None:
        """A call waits that did not before."""

    def _refused(self) -> None:
        """A turn was given to a call that did not take it."""

    def _let_pass(self, count: int, turn: T) -> int:
        """Let the first of the line pass; how many there were."""
        passed = 0
        while passed < count and self._waiting:
            first = self._waiting.popleft()
            if not first.turn.done():
                first.turn.set_result(turn)
                passed += 1
        return passed


class Slots(Line[None]):
    """So many calls at once; while some are free, nobody waits."""

    def __init__(self, free: int) -> None:
        super().__init__()
        self.free = free
        """How many there are for who comes next, to be taken by one less."""

    async def take(self, deadline: float) -> None:
        """Take one, as soon as there is one."""
        if self.free:
            self.free -= 1
        else:
            await self.wait(deadline)

    def give_back(self) -> None:
        """The call is over, so the next one may go."""
        if not self._waiting or not self._let_pass(1, None):
            self.free += 1

    def _refused(self) -> None:
        self.give_back()


class Served(Line[T]):
    """A line that a task serves while there is one; subclasses say how."""

    def __init__(self) -> None:
        super().__init__()
        self._serving: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Serve nobody any more."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    def _joined(self) -> None:
        if self._serving is None or self._serving.done():
            self._serving = self._loop.create_task(self._serve_all())

    async def _serve_all(self) -> None:
        while self._waiting:
            try:
                await self._serve()
            except Exception as error:  # theirs, whatever it is: nobody else could tell of it
                self._fail(error)

    async def _serve(self) -> None:
        raise NotImplementedError

    def _drop_overdue(self, wait: float) -> None:
        """Tell those whose deadline is before anything can be granted; they need not wait."""
        soonest = self._loop.time() + wait
        for waiting in self._waiting:
            if waiting.deadline <= soonest and not waiting.turn.done():
                waiting.turn.set_exception(Overdue(wait))

    def _fail(self, error: Exception) -> None:
        for waiting in self._waiting:
            if not waiting.turn.done():
                waiting.turn.set_exception(error)
        self._waiting.clear()


def _gave(turn: "asyncio.Future[T]") -> bool:
    return turn.exception() is None
