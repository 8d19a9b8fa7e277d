"""Circuit: whether calls of a system go, by what became of those before.

    closed ── too many have failed ──> open ── the pause is over ──> half-open
       ^                                 ^                              │
       │                                 └──── a probe has failed ──────┤
       └──────────────────── all probes were answered ──────────────────┘

Pure: the time is handed in, in seconds of any clock that does not go back.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, Self

from isthmus_api.circuit_breaker import CircuitBreaker

State = Literal["closed", "open", "half-open"]
STATES: Final[tuple[State, ...]] = ("closed", "open", "half-open")

_WINDOW: Final = 30.0
_SLICES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When it opens and closes; `share` is between 0 and 1, times are in seconds. The window is
    `calls` long where that is given, otherwise `seconds`."""

    share: float
    min_calls: int
    pause: float
    max_pause: float
    probes: int
    seconds: float = _WINDOW
    calls: int | None = None

    @classmethod
    def of(cls, spec: CircuitBreaker) -> Self:
        """The terms that a Connector declares."""
        return cls(
            share=spec.failure_rate / 100,
            min_calls=spec.min_calls,
            pause=spec.pause.seconds,
            max_pause=spec.max_pause.seconds,
            probes=spec.probes,
            seconds=spec.window.seconds if spec.window else _WINDOW,
            calls=spec.calls,
        )


class Window(Protocol):
    """The calls that are looked at."""

    calls: int
    failed: int

    def note(self, now: float, *, failed: bool) -> None:
        """One more has ended."""
        ...


class LastCalls:
    """The latest calls, so many of them."""

    def __init__(self, most: int) -> None:
        self.calls = 0
        self.failed = 0
        self._most = most
        self._results: deque[bool] = deque()

    def note(self, now: float, *, failed: bool) -> None:
        """One more has ended; the oldest makes room for it."""
        self._results.append(failed)
        self.failed += failed
        if len(self._results) > self._most:
            self.failed -= self._results.popleft()
        self.calls = len(self._results)


class LastSeconds:
    """The calls of a time, counted in tenths of it; those of the oldest tenth leave together."""

    def __init__(self, seconds: float) -> None:
        self.calls = 0
        self.failed = 0
        self._width = seconds / _SLICES
        self._slices: deque[list[int]] = deque()

    def note(self, now: float, *, failed: bool) -> None:
        """One more has ended; what is too old is forgotten."""
        number = int(now / self._width)
        while self._slices and self._slices[0][0] <= number - _SLICES:
            _, calls, fails = self._slices.popleft()
            self.calls -= calls
            self.failed -= fails
        if not self._slices or self._slices[-1][0] != number:
            self._slices.append([number, 0, 0])
        self._slices[-1][1] += 1
        self._slices[-1][2] += failed
        self.calls += 1
        self.failed += failed


class Circuit:
    """One circuit; `changed` is called after each change of its state.

    A call asks `begin` before it goes and tells `end` what became of it. What a call says that
    began under an earlier state is not listened to: it tells of a time that is over.
    """

    def __init__(self, terms: Terms, changed: Callable[[], None] = lambda: None) -> None:
        self.state: State = "closed"
        self.pause = terms.pause
        """The length of this pause, or of the next one."""
        self._terms = terms
        self._changed = changed
        self._window = self._fresh()
        self._until = 0.0
        self._era = 0
        self._to_begin = self._to_succeed = 0

    @property
    def seen(self) -> tuple[int, int]:
        """How many calls it looks at, or looked at when it opened, and how many of them failed."""
        return self._window.calls, self._window.failed

    def wait(self, now: float) -> float:
        """For how many seconds no call may go; 0 when one may."""
        if self.state == "closed":
            return 0.0
        if self.state == "open":
            return max(0.0, self._until - now)
        # How the probes end is not known yet; another pause is the least when they fail.
        return 0.0 if self._to_begin else self._terms.pause

    def begin(self, now: float) -> int | None:
        """Let a call go, which is to be named so at its `end`; nothing where none may."""
        if self.state == "closed":
            return self._era
        if self.wait(now):
            return None
        if self.state == "open":
            self._to_begin = self._to_succeed = self._terms.probes
            self._turn("half-open")
        self._to_begin -= 1
        return self._era

    def end(self, call: int, now: float, *, failed: bool | None) -> None:
        """What became of a call; with nothing it says nothing of the system."""
        if call != self._era:
            return
        if self.state == "half-open":
            self._end_probe(now, failed=failed)
        elif failed is not None:
            self._window.note(now, failed=failed)
            calls, fails = self.seen
            if calls >= self._terms.min_calls and fails >= self._terms.share * calls:
                self._open(now, self._terms.pause)

    def _end_probe(self, now: float, *, failed: bool | None) -> None:
        if failed is None:
            self._to_begin += 1
        elif failed:
            self._open(now, min(self.pause * 2, self._terms.max_pause))
        else:
            self._to_succeed -= 1
            if not self._to_succeed:
                self._window = self._fresh()
                self._turn("closed")

    def _open(self, now: float, pause: float) -> None:
        self.pause = pause
        self._until = now + pause
        self._turn("open")

    def _turn(self, state: State) -> None:
        self.state = state
        self._era += 1
        self._changed()

    def _fresh(self) -> Window:
        calls = self._terms.calls
        return LastSeconds(self._terms.seconds) if calls is None else LastCalls(calls)
