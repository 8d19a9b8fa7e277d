"""Absence: a journal that is away, said once and waited for ever longer."""

from typing import Final

from isthmus_runtime import logs
from isthmus_runtime.journal.journal import Unavailable

_FIRST: Final = 0.1
_LONGEST: Final = 5.0


class Absence:
    """What cannot be done while the journal is away, and since when that was said."""

    def __init__(self, event: str, **about: str) -> None:
        self._event = event
        self._about = about
        self._wait = 0.0

    def note(self, failure: Exception) -> float:
        """It failed: seconds to wait before it is tried again."""
        if not isinstance(failure, Unavailable):
            logs.error(self._event, failure, **self._about)
            self._wait = _LONGEST
        elif not self._wait:
            logs.warning(self._event, **self._about, detail=str(failure))
        self._wait = min(max(self._wait * 2, _FIRST), _LONGEST)
        return self._wait

    def over(self) -> None:
        """It succeeded."""
        if self._wait:
            logs.info("the journal is back", **self._about)
        self._wait = 0.0
