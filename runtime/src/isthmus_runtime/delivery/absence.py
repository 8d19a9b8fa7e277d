"""Absence: a journal that is away, said once and waited for ever longer."""

from typing import Final

from isthmus_runtime import logs
from isthmus_runtime.journal.journal import Unavailable

_FIRST: Final = 0.1
_LONGEST: Final = 5.0


class Absence:
    """What cannot be done for now: says so when that begins, when the cause changes, and when it is
    over."""

    def __init__(self, event: str, **about: str) -> None:
        self._event = event
        self._about = about
        self._cause = ""
        self._wait = 0.0

    def note(self, failure: Exception) -> float:
        """It failed: seconds to wait before it is tried again."""
        cause = f"{type(failure).__name__}: {failure}"
        if cause != self._cause:
            self._cause = cause
            if isinstance(failure, Unavailable):
                logs.warning(self._event, **self._about, detail=str(failure))
            else:
                logs.error(self._event, failure, **self._about)
        self._wait = min(max(self._wait * 2, _FIRST), _LONGEST)
        return self._wait

    def over(self) -> None:
        """It succeeded."""
        if self._cause:
            logs.info("it works again", **self._about, after=self._event)
        self._cause, self._wait = "", 0.0
