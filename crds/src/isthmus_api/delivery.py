"""Delivery: how messages of the journal go through the steps."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import Model, WholeExpression
from isthmus_api.quantities import Duration, Size
from isthmus_api.rules import Rule


class DeliveryBackoff(Model):
    """How long to wait between attempts: doubled each time, with jitter."""

    initial: Duration = Field(Duration("2s"), description="Wait before the second attempt.")
    max: Duration = Field(Duration("10m"), description="The longest wait.")


class DeliveryRetry(Model):
    """Attempts when a message fails in a way that may pass."""

    attempts: Annotated[int, Field(ge=1, le=1000)] = Field(
        10, description="Attempts in all; 1 means no retry."
    )
    backoff: DeliveryBackoff | None = Field(
        None,
        description="Waits between attempts; a longer Retry-After of the Connector is honoured.",
    )


class Batch(Model):
    """Several messages go through the steps as one list of their bodies.

    A batch is full when it has so many messages or so many bytes, and goes when its first message
    has waited long enough. `$messages` is the list of what `$message` is otherwise.
    """

    count: Annotated[int, Field(ge=2, le=10_000)] = Field(
        100, description="Messages of a batch at most."
    )
    size: Size = Field(Size("1Mi"), description="Bytes of bodies of a batch at most.")
    wait: Duration = Field(Duration("1s"), description="How long the first message waits.")
    failures: WholeExpression | None = Field(
        None,
        description="The positions, from 0, of messages that failed though the steps did not, read "
        "from the result of the steps. These are tried again and the others are finished.",
    )


_BLOCKS_A_KEY = Rule(
    cel="!has(self.onFailure) || self.onFailure != 'block' || "
    "(has(self.order) && self.order == 'key')",
    message="onFailure: block needs order: key",
    holds=lambda written: written.get("onFailure") != "block" or written.get("order") == "key",
    fields=("onFailure", "order"),
)


class Delivery(Model):
    """How messages of the journal go through the steps."""

    rules = (_BLOCKS_A_KEY,)

    order: Literal["none", "key"] = Field(
        "none",
        description="Whether messages of one `message.key` go one by one, in the order in which "
        "they were accepted.",
    )
    concurrency: Annotated[int, Field(ge=1, le=1024)] = Field(
        8, description="Messages, or batches, that a replica has under way at once."
    )
    retry: DeliveryRetry | None = Field(
        None, description="Attempts when a message fails in a way that may pass."
    )
    on_failure: Literal["park", "block"] = Field(
        "park",
        description="What to do with a message that failed for good: put it aside, or let it hold "
        "back later ones of its key until it is replayed or dropped.",
    )
    timeout: Duration = Field(Duration("30s"), description="The longest one attempt may take.")
    deadline: Duration | None = Field(
        None,
        description="How long after its acceptance a message may be tried; left out, as long as "
        "there are attempts.",
    )
    skip_if_delivered: bool = Field(
        False,
        description="Skip a message that was delivered before: the same key with the same version "
        "or, without one, the same body.",
    )
    batch: Batch | None = Field(
        None, description="Deliver several messages at once; left out, one by one."
    )
    max_backlog: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        100_000,
        description="Messages that may wait. With more, a webhook answers 503 and a poll pauses.",
    )
