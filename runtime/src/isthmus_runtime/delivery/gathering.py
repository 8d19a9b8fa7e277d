"""Gathering: which claimed messages go through the steps together. Pure: times are handed in."""

from collections.abc import Sequence
from typing import Protocol

from isthmus_runtime.journal.entries import Message

Group = tuple[Message, ...]


class Gathering(Protocol):
    """Puts claimed messages together."""

    def wanted(self, places: int) -> int:
        """How many messages to claim while so many groups may begin."""
        ...

    def add(self, messages: Sequence[Message], *, now: float) -> list[Group]:
        """Take messages, and give the groups that are complete."""
        ...

    def ripe(self, *, now: float) -> Group:
        """The group that is not complete and has waited long enough; empty if there is none."""
        ...

    def ripe_in(self, *, now: float) -> float | None:
        """Seconds until there is one."""
        ...

    def take(self) -> Group:
        """The group that is not complete, as it is."""
        ...


class Singles:
    """Every message goes by itself."""

    def wanted(self, places: int) -> int:
        """One for each place."""
        return places

    def add(self, messages: Sequence[Message], *, now: float) -> list[Group]:
        """Each is complete."""
        return [(message,) for message in messages]

    def ripe(self, *, now: float) -> Group:
        """None waits."""
        return ()

    def ripe_in(self, *, now: float) -> float | None:
        """None waits."""
        return None

    def take(self) -> Group:
        """None waits."""
        return ()


class Batching:
    """At most so many messages, and so many bytes of bodies; the first waits so many seconds.

    What a message has waited in the journal counts: there is no second wait for one that comes from
    a backlog.
    """

    def __init__(self, *, count: int, size: int, wait: float) -> None:
        self._count = count
        self._size = size
        self._wait = wait
        self._open: list[Message] = []
        self._bytes = 0
        self._since = 0.0

    def wanted(self, places: int) -> int:
        """What the open batch has room for."""
        return self._count - len(self._open) if places else 0

    def add(self, messages: Sequence[Message], *, now: float) -> list[Group]:
        """Fill the open batch; one that is full goes, and the next one is begun. What was left of
        an earlier batch goes as it is."""
        full = _left(messages)
        for message in messages:
            if message.composition:
                continue
            if self._open and self._bytes + len(message.body) > self._size:
                full.append(self.take())
            if not self._open:
                self._since = now - (message.claimed_at - message.accepted_at)
            self._open.append(message)
            self._bytes += len(message.body)
            if len(self._open) == self._count:
                full.append(self.take())
        return full

    def ripe(self, *, now: float) -> Group:
        """The open batch, once its first message has waited long enough."""
        left = self.ripe_in(now=now)
        return self.take() if left is not None and left <= 0 else ()

    def ripe_in(self, *, now: float) -> float | None:
        """Seconds until the open batch goes as it is."""
        return max(self._since + self._wait - now, 0.0) if self._open else None

    def take(self) -> Group:
        """The open batch as it is; the next one is begun."""
        taken, self._open, self._bytes = tuple(self._open), [], 0
        return taken


def _left(messages: Sequence[Message]) -> list[Group]:
    """The batches that are tried again."""
    found: dict[str, list[Message]] = {}
    for message in messages:
        if message.composition:
            found.setdefault(message.composition.key, []).append(message)
    return [tuple(group) for group in found.values()]
