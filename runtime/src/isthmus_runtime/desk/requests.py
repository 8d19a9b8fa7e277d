"""Requests: what operators ask, checked."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from isthmus_runtime.journal.desk import Filter
from isthmus_runtime.journal.entries import State

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class NotUnderstood(ValueError):
    """A request that is none; the message says what is wrong with it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wanted(_Strict):
    """Which messages are meant; `route` is `namespace/name`."""

    route: str | None = None
    states: tuple[State, ...] = ()
    key: str | None = None
    group: str | None = None
    since: float | None = None
    until: float | None = None
    ids: tuple[Id, ...] = ()

    def within(self, namespace: str | None) -> Filter:
        """As the journal's desk takes it, for no other namespace."""
        return Filter(
            namespace=namespace,
            route=self.route,
            states=self.states,
            key=self.key,
            group=self.group,
            since=self.since,
            until=self.until,
            uids=self.ids,
        )


class Find(_Strict):
    """A page of messages, newest first. An export has their bodies."""

    do: Literal["find", "export"]
    filter: Wanted = Wanted()
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: int | None = None


class Count(_Strict):
    """How many messages an act would take, or failed for which cause."""

    do: Literal["preview", "groups"]
    filter: Wanted = Wanted()


class Show(_Strict):
    """Everything about one message."""

    do: Literal["show"]
    id: Id


class Audit(_Strict):
    """A page of what people did, newest first."""

    do: Literal["audit"]
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: int | None = None


class Remembered(_Strict):
    """What is in a store."""

    do: Literal["remembered"]
    namespace: str
    store: str


class Perform(_Strict):
    """An act on messages. The same `act` goes on where it was interrupted."""

    do: Literal["replay", "drop"]
    filter: Wanted
    act: Annotated[str, Field(min_length=1, max_length=64)]
    who: Annotated[str, Field(min_length=1, max_length=256)]
    why: Annotated[str, Field(min_length=1, max_length=1024)]
    body: str | None = None


class Send(_Strict):
    """A message that no source brought; `parameters` are fields of its body. Without either, a
    schedule fires and a poll reads. A rehearsal tells what it would be. The same `act` counts once.
    """

    do: Literal["send"]
    route: str
    body: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    act: Annotated[str, Field(min_length=1, max_length=64)]
    who: Annotated[str, Field(min_length=1, max_length=256)]
    why: Annotated[str, Field(min_length=1, max_length=1024)]
    rehearsal: bool = False


Request = Find | Count | Show | Audit | Remembered | Perform | Send


class _Any(_Strict):
    request: Annotated[Request, Field(discriminator="do")]


def read(plain: Any) -> Request:
    """A request from decoded JSON, or `NotUnderstood`."""
    try:
        return _Any(request=plain).request
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][2:])
        raise NotUnderstood(
            f"the request is not understood: {place}: {first['msg']}; the command line and the "
            "runtime may be of different versions"
        ) from error
