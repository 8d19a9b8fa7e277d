"""Stopping: the first SIGTERM or SIGINT lets a process end in peace, the second ends it at once.

Used by the pod's entry point and by `isthmus run`.
"""

import asyncio
import signal

from isthmus_runtime import logs
from isthmus_runtime.runtime import Runtime


class Signals:
    """The signals that came to this process since this was made, on the running loop."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self._second = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._note)

    async def drain(self, runtime: Runtime) -> bool:
        """Drain a runtime; stop that at the second signal, and say that it did not end."""
        draining = asyncio.create_task(runtime.drain())
        hurry = asyncio.create_task(self._second.wait())
        try:
            await asyncio.wait((draining, hurry), return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurry.cancel()
        if draining.done():
            await draining
            return True
        draining.cancel()
        logs.warning("a second signal ended the drain", inFlight=runtime.in_flight)
        return False

    def _note(self) -> None:
        (self._second if self.first.is_set() else self.first).set()
