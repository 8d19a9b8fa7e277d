"""CircuitBreaker: when a system that fails is left alone, and how it is tried again."""

from typing import Annotated, Any, Final

from pydantic import Field

from isthmus_api.model import Model
from isthmus_api.quantities import Duration
from isthmus_api.rate_limit import Window
from isthmus_api.rules import Rule, at_most_one_of

_MIN_CALLS: Final = 10
_PAUSE, _MAX_PAUSE = Duration("5s"), Duration("1m")


def _can_be_reached(written: dict[str, Any]) -> bool:
    calls = written.get("calls")
    return calls is None or int(written.get("minCalls") or _MIN_CALLS) <= int(calls)


def _grows(written: dict[str, Any]) -> bool:
    first, longest = written.get("pause") or _PAUSE, written.get("maxPause") or _MAX_PAUSE
    return Duration(first).seconds <= Duration(longest).seconds


_IS_REACHED: Final = Rule(
    cel="!has(self.calls) || self.minCalls <= self.calls",
    message=f"minCalls ({_MIN_CALLS} unless written) must not be more than calls",
    holds=_can_be_reached,
    fields=("minCalls", "calls"),
)
_IS_NO_LESS: Final = Rule(
    cel="duration(self.pause) <= duration(self.maxPause)",
    message=f"pause ({_PAUSE} unless written) must not be longer than maxPause ({_MAX_PAUSE})",
    holds=_grows,
    fields=("pause", "maxPause"),
)


class CircuitBreaker(Model):
    """When a system that fails is left alone: calls then fail at once with `CircuitOpen`.

    No connection, no answer in time and a 5xx are failures; any other answer is none. Each process
    judges by its own calls, of all Routes that it runs.
    """

    rules = (at_most_one_of("window", "calls"), _IS_REACHED, _IS_NO_LESS)

    failure_rate: Annotated[int, Field(ge=1, le=100)] = Field(
        50, description="Per cent of the calls looked at that must have failed."
    )
    window: Window | None = Field(
        None,
        description="Look at the calls that ended in this time; 30s unless `calls` is written.",
    )
    calls: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="Look at this many calls, the latest, instead of those of a time."
    )
    min_calls: Annotated[int, Field(ge=1, le=10_000)] = Field(
        _MIN_CALLS, description="With fewer calls to look at, nothing is decided."
    )
    patience: Duration = Field(
        Duration("500ms"),
        description="A call without an answer counts as failed when it has waited this long: a "
        "caller in a hurry says nothing of the system.",
    )
    pause: Window = Field(_PAUSE, description="How long no call is made at first.")
    max_pause: Window = Field(
        _MAX_PAUSE,
        description="The longest pause; each one that ends in a failure is followed by one twice "
        "as long.",
    )
    probes: Annotated[int, Field(ge=1, le=100)] = Field(
        1,
        description="Calls made after a pause. When none of them has failed, calls go on; the "
        "first failure begins another pause.",
    )
