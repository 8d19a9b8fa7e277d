"""Composing: what a target knows a batch by, and which messages come together again. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from isthmus_runtime import identity
from isthmus_runtime.journal.entries import Composition, Message, Settlement, State

LATER: Final = 60.0
"""Seconds after the first of a batch in which the others are due by themselves, should the first
not take them along: somebody dropped it."""


def key(messages: Sequence[Message]) -> str:
    """What the target knows these messages by. What is left of a batch is not the same as all."""
    left = messages[0].composition
    if left is None:
        return fresh(messages)
    return left.key if len(messages) == left.size else fresh(messages, before=left.key)


def fresh(messages: Iterable[Message], before: str = "") -> str:
    """What the target is to know messages by that come together for the first time. `before` is
    the key under which it was told of them, and answered."""
    return identity.of_batch((message.identity for message in messages), before)


def together(settlements: Sequence[Settlement], *, key: str, size: int) -> list[Settlement]:
    """Have those that are tried again come as one batch, whose first takes the others along when it
    is due. Where some of the `size` that go by `key` are not tried any more, the rest has another
    key."""
    again = [each for each in settlements if each.state is State.RETRY and each.counts]
    if not again:  # none is, or nothing was done with any: they are what they were
        return list(settlements)
    if len(again) < size:
        key = fresh((each.message for each in again), before=key)
    composition = Composition(key=key, size=len(again))
    first = max((each.delay for each in again), default=0.0)
    return [
        each
        if each.state is not State.RETRY
        else replace(
            each, composition=composition, delay=first if each is again[0] else first + LATER
        )
        for each in settlements
    ]
