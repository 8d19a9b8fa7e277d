"""Retention: how long the journal keeps messages that are done with."""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import Model
from isthmus_api.quantities import Duration


class Retention(Model):
    """How long finished, skipped and rejected messages are kept.

    Dead ones stay until somebody replays or drops them.
    """

    age: Duration = Field(Duration("168h"), description="How long after their end.")
    count: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        1_000_000, description="How many at most; the oldest go first."
    )
