"""RateLimit: how hard a system may be leaned on, and what is learnt from its answers."""

from typing import Annotated, Final

from pydantic import Field

from isthmus_api.model import Model
from isthmus_api.quantities import Duration
from isthmus_api.rules import ValueRule, at_least_one_of, needs

_SHORTEST, _LONGEST = Duration("10ms"), Duration("744h")

_IS_A_WINDOW: Final = ValueRule(
    cel=f"duration(self) >= duration('{_SHORTEST}') && duration(self) <= duration('{_LONGEST}')",
    message=f"a length of time from {_SHORTEST} to {_LONGEST} is wanted",
    hint="write it like 1s, 1m or 24h",
    holds=lambda text: _SHORTEST.seconds <= Duration(text).seconds <= _LONGEST.seconds,
)

Window = Annotated[Duration, _IS_A_WINDOW]


class RateLimit(Model):
    """How hard we may lean on the system.

    It holds over all Routes of the namespace that use the Connector, and over all their replicas,
    where the cluster has a journal in a database; without one, in each replica.
    """

    rules = (at_least_one_of("requests", "concurrency"), needs("burst", "requests"))

    requests: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Calls allowed in any window of time; left out, any number."
    )
    per: Window = Field(Duration("1s"), description="Length of the window.")
    burst: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None,
        description="Count by a bucket of so many calls, which is filled again at the rate of "
        "`requests` in `per`, instead of a window: for systems that count in this way.",
    )
    concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="Calls under way at once; left out, as many as there are connections."
    )
    max_waiting: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1000,
        description="Calls that wait in a replica at most; further ones fail at once.",
    )
    learn: bool = Field(
        True,
        description="Hold calls back for as long as the system asks: by `Retry-After` of a 429 or "
        "503, or by `RateLimit`, `RateLimit-Reset` or `X-RateLimit-Reset` when nothing remains.",
    )
    max_pause: Window = Field(
        Duration("1m"),
        description="The longest that calls are held back for one such answer; then one may go and "
        "be told again.",
    )
