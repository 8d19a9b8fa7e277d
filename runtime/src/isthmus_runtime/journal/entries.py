"""What a journal holds: messages, how they end, and what was remembered on the way."""

import hashlib
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from random import SystemRandom
from typing import Final

_RANDOM: Final = SystemRandom()


class State(StrEnum):
    """Where a message stands. No message leaves the journal's sight without one and a reason."""

    NEW = "new"
    PROCESSING = "processing"
    RETRY = "retry"
    FINISHED = "finished"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    DEAD = "dead"


ACTIVE: Final = (State.NEW, State.PROCESSING, State.RETRY)
"""States in which a message still has to be worked on."""

SETTLED: Final = (State.FINISHED, State.SKIPPED, State.REJECTED, State.DEAD)


def new_uid() -> str:
    """An id for a message: 32 hexadecimal digits that begin with the time, so that new ones sort
    behind old ones and an index grows at its end."""
    return f"{time.time_ns() // 1_000_000:012x}{_RANDOM.getrandbits(80):020x}"


_LONGEST_KEY: Final = 512
"""Characters; PostgreSQL's indexes take no more than 2,700 bytes a row."""


def fitting(key: str) -> str:
    """A key as journals keep it: the end of a very long one is replaced by a hash of all of it."""
    if not key.isascii() or "\0" in key:
        key = legible(key)
    if len(key) <= _LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: _LONGEST_KEY - len(digest) - 1]}#{digest}"


def legible(text: str) -> str:
    """Text that every database can hold: no NUL, and nothing that is not Unicode."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that a source wants accepted.

    `route` is `namespace/name`. `request` is `$request` as JSON, as far as expressions read it.
    `identity` tells content apart: the same identity is the same content of the same thing, however
    often it comes, and targets get it as their idempotency key; the uid where a Route names no key.
    With `once` a draft is passed over when the message that was accepted last for its key has its
    identity, unless that was delivered and another one since; and when the last that was delivered
    has it, and none is under way. So what died waits as a dead letter, and does not come again.
    `run` is the poll that found it.
    Accepting a uid that is there already changes nothing, so it may be tried again.
    """

    route: str
    uid: str
    identity: str
    body: bytes
    content_type: str = "application/json"
    request: bytes = b"{}"
    key: str | None = None
    version: str | None = None
    once: bool = False
    correlation_id: str = ""
    trace: str = ""
    parent: str | None = None
    run: int | None = None

    def harmless(self) -> "Draft":
        """The same with texts that every database can hold."""
        return replace(
            self,
            uid=legible(self.uid),
            identity=legible(self.identity),
            content_type=legible(self.content_type),
            version=self.version and legible(self.version),
            correlation_id=legible(self.correlation_id),
            trace=legible(self.trace),
            parent=self.parent and legible(self.parent),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """What was delivered last for a key."""

    version: str | None
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A batch that is to come again as it was: `key` is what its target knows it by, `size` of how
    many messages it is."""

    key: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that was claimed. `token` is the claim: who has an older one settles nothing.

    `attempt` counts from 1. Times are Unix seconds by the journal's clock. `latest` is what was
    delivered last for its key, `delivered` whether its identity was delivered before; both are
    known only to Routes that ask for them. `composition` is the batch that it was left in.
    """

    route: str
    uid: str
    sequence: int
    token: int
    identity: str
    body: bytes
    content_type: str
    request: bytes
    key: str | None
    version: str | None
    correlation_id: str
    trace: str
    parent: str | None
    attempt: int
    accepted_at: float
    claimed_at: float
    latest: Latest | None = None
    delivered: bool = False
    composition: Composition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A value of the keyed store. `reference` finds the key from the other side; `value` is JSON.

    `ttl` is in seconds; without one it stays.
    """

    namespace: str
    store: str
    key: str
    value: bytes
    reference: str | None = None
    ttl: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended; all of it is written in one transaction, or none of it.

    `state` is RETRY or one of SETTLED. `delay` is for RETRY, in seconds. `reason` is a CamelCase
    word from a bounded set, `detail` a sentence without values of the message, `group` what
    failures of one cause have in common. `holds` keeps the key of a dead message from going on.
    `counts` is false for RETRY of a message with which nothing was done: its claim is given back,
    and nothing else is written. `notes` says that identity and version are to be remembered as
    delivered. `feeds` are messages for other Routes. `journey` is what the steps did, as JSON,
    already masked. `composition` is for RETRY: the batch in which the message is to come again.
    """

    message: Message
    state: State
    reason: str = ""
    detail: str = ""
    group: str = ""
    delay: float = 0.0
    holds: bool = False
    counts: bool = True
    notes: bool = False
    feeds: tuple[Draft, ...] = ()
    memories: tuple[Memory, ...] = ()
    journey: bytes = b""
    composition: Composition | None = None

    def harmless(self) -> "Settlement":
        """The same with texts that every database can hold."""
        return replace(
            self,
            reason=legible(self.reason),
            detail=legible(self.detail),
            group=legible(self.group),
            feeds=tuple(feed.harmless() for feed in self.feeds),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a worker asks for.

    `serial` lets one message of a key be under way at a time, oldest first. `notes` asks for
    `latest` and `delivered`. With `composed` a message brings those of its composition along, which
    may be more than `limit`. The claim ends after `lease` seconds unless it is extended.
    """

    route: str
    owner: str
    limit: int
    lease: float
    serial: bool
    notes: bool = False
    composed: bool = False
