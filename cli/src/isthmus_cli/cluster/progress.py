"""Progress: a line on the terminal while something takes long; none in pipes."""

import os
import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

AFTER_SECONDS: Final = 2.0
"""What is over by then needs no word."""
_EVERY_SECONDS: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """One line on standard error; each takes the place of the one before."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Time runs from now."""
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._next = clock() + AFTER_SECONDS
        self._is_terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._is_written = False

    def tell(self, what: str, done: int, total: int | None = None) -> None:
        """Say how many of what are done, if the time for it has come."""
        if not self._is_terminal or self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY_SECONDS
        of = f" of {total:,}" if total else ""
        self._write(f"{_CLEAR}isthmus: {done:,}{of} {what}")
        self._is_written = True

    def clear(self) -> None:
        """Leave the line empty for whatever is said next."""
        if self._is_written:
            self._write(_CLEAR)
            self._is_written = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
