"""Hedge: a second attempt at a read that is slow."""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import Model
from isthmus_api.rate_limit import Window


class Hedge(Model):
    """Make a GET or HEAD a second time when it has no answer yet; the first answer is used."""

    after: Window = Field(
        description="How long the first attempt goes alone: about what the slowest one in twenty "
        "takes."
    )
    budget: Annotated[int, Field(ge=1, le=100)] = Field(
        10,
        description="Per cent of the calls that are made a second time at most, so that a system "
        "that is slow as a whole does not get twice the calls.",
    )
