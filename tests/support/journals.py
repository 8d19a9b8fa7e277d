"""Making and working messages of a journal, as sources and the delivery do."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from isthmus_runtime.journal.entries import Claim, Draft, Message, Settlement, State, new_uid
from isthmus_runtime.journal.journal import Journal

T = TypeVar("T")

ROUTE = "shop/orders-to-erp"


def draft(body: str = "{}", **given: Any) -> Draft:
    """A message that a webhook brought; `identity` is its uid unless given."""
    uid = given.pop("uid", None) or new_uid()
    whole: dict[str, Any] = {
        "route": ROUTE,
        "uid": uid,
        "identity": uid,
        "body": body.encode(),
    }
    return Draft(**(whole | given))


def broken() -> Draft:
    """A draft that no database can write."""
    return dataclasses.replace(draft(), body=[1])  # type: ignore[arg-type]


def wish(**given: Any) -> Claim:
    """What a worker asks for: everything, without order, for a minute."""
    whole: dict[str, Any] = {
        "route": ROUTE,
        "owner": "worker",
        "limit": 100,
        "lease": 60.0,
        "serial": False,
    }
    return Claim(**(whole | given))


def ended(message: Message, state: State = State.FINISHED, **given: Any) -> Settlement:
    """How an attempt ended."""
    return Settlement(message=message, state=state, **given)


async def accepted(journal: Journal, *bodies: str, **given: Any) -> list[str]:
    """Accept messages with these bodies, one call each; their uids."""
    made = [draft(body, **given) for body in bodies]
    for each in made:
        assert await journal.accept([each]) == 1
    return [each.uid for each in made]


async def one(journal: Journal, **given: Any) -> Message:
    """The only message that can be claimed."""
    [message] = await journal.claim(wish(**given))
    return message


async def bodies(journal: Journal, **given: Any) -> list[str]:
    """Claim what can be claimed; its bodies."""
    return [message.body.decode() for message in await journal.claim(wish(**given))]


async def until(look: Callable[[], Awaitable[T]], *, within: float = 20.0) -> T:
    """Look until there is something, and give it."""
    deadline = time.monotonic() + within
    while not (seen := await look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {within:.0f} s; last seen: {seen!r}")
        await asyncio.sleep(0.01)
    return seen


def older(claim: Message) -> Message:
    """The same message with the token of a claim that somebody else has taken over since."""
    return dataclasses.replace(claim, token=claim.token + 1)
