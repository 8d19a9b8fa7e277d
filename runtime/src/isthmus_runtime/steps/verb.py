"""What a verb is: the seam between a step's own work and everything around it."""

from collections.abc import Awaitable, Callable

from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange

Verb = Callable[[Exchange], Awaitable[Body | None]]
"""The work of one step. It gives the step's result, or nothing where a step has none; to end the
Route it calls `Exchange.end`. It fails with a `Fault`, an `ExpressionError` or a
`JsonTextError`."""

Run = Callable[[Exchange], Awaitable[None]]
"""A list of steps, run on a message."""
