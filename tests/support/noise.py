"""What an event loop is told of errors that nobody looked at."""

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def unheard() -> Iterator[list[str]]:
    """What would be logged while the block runs, such as that a future's exception was never
    retrieved."""
    loop, noise = asyncio.get_running_loop(), list[str]()

    def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        noise.append(f"{context.get('message')}: {context.get('exception')!r}")

    before = loop.get_exception_handler()
    loop.set_exception_handler(note)
    try:
        yield noise
        gc.collect()  # they are told of when they go
    finally:
        loop.set_exception_handler(before)
