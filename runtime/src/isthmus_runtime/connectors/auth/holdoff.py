"""Holdoff: for how long nothing is asked after a sign-in failed.

Longer each time, with jitter, and as long as the other side wants (`Retry-After`). A Secret that
has changed since ends it at once: what failed would be asked in another way now.
"""

import random
from collections.abc import Callable, Iterable
from typing import Final

from isthmus_api.connector import Backoff
from isthmus_api.model import KeyRef
from isthmus_api.quantities import Duration
from isthmus_runtime.connectors import backoff
from isthmus_runtime.secrets import MissingSecret, Secrets

WHEN_FAILED: Final = Backoff(initial=Duration("200ms"), max=Duration("30s"))
WHEN_REFUSED: Final = Backoff(initial=Duration("5s"), max=Duration("5m"))
"""Where the credentials themselves are refused, somebody has to do something first."""
WHEN_IN_VAIN: Final = Backoff(initial=Duration("2s"), max=Duration("30s"))
"""Where the system does not take what the other side has just given."""

Fingerprint = Callable[[], int]
"""Another number when one of the values that a sign-in reads is another."""


def fingerprint(refs: Iterable[KeyRef], secrets: Secrets) -> Fingerprint:
    """Of the values that are referred to; one that is missing counts as a value."""
    wanted = tuple(refs)

    def value(ref: KeyRef) -> str | None:
        try:
            return secrets.read(ref)
        except MissingSecret:
            return None

    return lambda: hash(tuple(map(value, wanted)))


class Holdoff:
    """The wait after failures of one kind."""

    def __init__(
        self,
        fingerprint: Fingerprint,
        now: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._fingerprint = fingerprint
        self._now = now
        self._jitter = jitter
        self._failures = 0
        self._until = 0.0
        self._failed_with = 0

    @property
    def left(self) -> float:
        """Seconds that are left of it."""
        left = self._until - self._now()
        return left if left > 0.0 and self._fingerprint() == self._failed_with else 0.0

    def begin(self, terms: Backoff, *, used: int, retry_after: float | None = None) -> None:
        """It failed once more, with Secrets of the fingerprint `used`.

        Failures that lie further back than the longest wait do not count any more.
        """
        now = self._now()
        if now > self._until + terms.max.seconds or used != self._failed_with:
            self._failures = 0
        self._failures += 1
        self._failed_with = used
        self._until = now + backoff.wait(
            self._failures, terms, retry_after=retry_after, jitter=self._jitter
        )

    def end(self) -> None:
        """It worked."""
        self._failures, self._until = 0, 0.0
