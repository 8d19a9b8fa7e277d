"""Shapes of what is told of messages."""

from typing import Any, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from isthmus_cli.shapes.shape import EXACT


@with_config(EXACT)
class Message(TypedDict):
    id: str
    route: str
    state: str
    reason: str
    detail: str
    group: str
    key: str | None
    version: str | None
    identity: str
    acceptedAt: str
    since: str
    attempts: int
    holds: bool
    dueInSeconds: float | None
    size: int
    correlationId: str
    parent: str | None


@with_config(EXACT)
class WholeMessage(Message):
    contentType: str
    body: Any
    bodyIs: str
    withheld: NotRequired[str]
    """Why the body is not shown."""
    edits: int


@with_config(EXACT)
class Messages(TypedDict):
    messages: list[Message]
    more: bool
    """Whether there are more than `--limit`."""


@with_config(EXACT)
class Attempt(TypedDict):
    attempt: int
    endedAt: str
    seconds: float | None
    state: str
    reason: str
    detail: str
    group: str
    owner: str
    journey: Any
    """What the steps got and gave."""


@with_config(EXACT)
class Act(TypedDict):
    at: str
    action: str
    id: str
    route: str
    act: str
    who: str
    why: str
    before: Any
    after: Any


@with_config(EXACT)
class Shown(TypedDict):
    message: WholeMessage
    attempts: list[Attempt]
    acts: list[Act]
    cameFrom: list[Message]
    ledTo: list[Message]
    correlated: list[Message]


@with_config(EXACT)
class ShownByKey(TypedDict):
    messages: list[Shown]


@with_config(EXACT)
class Group(TypedDict):
    id: str
    """For `--group`."""
    group: str
    route: str
    state: str
    reason: str
    messages: int
    oldest: str
    newest: str
    sample: str
    detail: str


@with_config(EXACT)
class Groups(TypedDict):
    groups: list[Group]


@with_config(EXACT)
class Standing(TypedDict):
    route: str
    state: str
    messages: int


@with_config(EXACT)
class NotDone(TypedDict):
    id: str
    state: str


# With --dry-run the first three, else the others; `not` is a word of Python.
Done = TypedDict(
    "Done",
    {
        "dryRun": NotRequired[bool],
        "messages": NotRequired[int],
        "standings": NotRequired[list[Standing]],
        "act": NotRequired[str],
        "replayed": NotRequired[int],
        "dropped": NotRequired[int],
        "ids": NotRequired[list[str]],
        "not": NotRequired[list[NotDone]],
    },
)
with_config(EXACT)(Done)


@with_config(EXACT)
class Draft(TypedDict):
    route: str
    key: str | None
    version: str | None
    size: int
    contentType: str
    body: Any
    bodyIs: str
    withheld: NotRequired[str]


@with_config(EXACT)
class Sent(TypedDict):
    dryRun: NotRequired[bool]
    draft: NotRequired[Draft]
    """With --dry-run: what would be sent."""
    ids: NotRequired[list[str]]
    """What was sent."""
    reads: NotRequired[Any]
    """Of a Route with a poll, which reads now instead."""


@with_config(EXACT)
class Acts(TypedDict):
    acts: list[Act]


@with_config(EXACT)
class Remembered(TypedDict):
    store: str
    key: str
    reference: str | None
    value: Any
    ttlInSeconds: float | None
