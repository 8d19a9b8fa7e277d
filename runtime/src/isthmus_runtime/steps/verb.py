"""What a verb is: the seam between a step's own work and everything around it."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction

from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange

Plain = Callable[[Exchange], Body | None]
"""The work of a step that waits for nothing. It gives the step's result, or nothing where a step
has none; to end the Route it calls `Exchange.end`. It fails with a `Fault`, an `ExpressionError` or
a `JsonTextError`."""

Waiting = Callable[[Exchange], Awaitable[Body | None]]
"""The work of a step that waits, for a system or for other steps; a coroutine function."""

Verb = Plain | Waiting

Run = Callable[[Exchange], Awaitable[None] | None]
"""Steps, run on a message. What waits for nothing is done when it returns, and gives nothing to
await: a coroutine for each step would be a tenth of our own work."""


def waits(work: Verb | Run) -> bool:
    """Whether this work has to be awaited."""
    return iscoroutinefunction(work)
