"""Caller limit: how often each caller may call."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import Model
from isthmus_api.quantities import Duration


class CallerLimit(Model):
    """How often each caller may call; one that calls more often gets 429 and when to come back.

    Each replica counts for itself.
    """

    requests: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Requests that one caller may make in a row, and in each window."
    )
    per: Duration = Field(Duration("1m"), description="Length of the window.")
    by: Literal["address", "caller"] = Field(
        "address",
        description="What tells callers apart: the address that they call from, or the name that "
        "they prove.",
    )
