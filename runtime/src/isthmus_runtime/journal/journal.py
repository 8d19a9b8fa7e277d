"""What a journal does: the seam between sources, delivery and operators on one side, SQL on the
other.

    JournalError              the journal could not do it
    ├── WrongAddress          the address names no journal
    ├── Unavailable           the database cannot be reached, its disk is full, or it is shutting
    │                         down: nothing was written, trying again may help
    └── Incompatible          the database was migrated by a runtime that this one cannot follow
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from isthmus_runtime.journal.entries import Claim, Draft, Memory, Message, Settlement
from isthmus_runtime.journal.permits import Permits


class JournalError(Exception):
    """The journal could not do it; the message says what to look at and holds no credential."""


class WrongAddress(JournalError):
    """The message says what to write, and nothing of the address."""


class Unavailable(JournalError):
    """Nothing was written, and trying again may help."""


class Incompatible(JournalError):
    """The database has a newer form than this runtime understands."""


class Messages(Protocol):
    """Messages on their way."""

    async def accept(self, drafts: Sequence[Draft]) -> int:
        """Write all drafts or none; durable when it returns. How many were not passed over."""
        ...

    async def claim(self, wish: Claim) -> list[Message]:
        """Take due messages, in the order in which they were accepted."""
        ...

    async def settle(self, settlement: Settlement) -> bool:
        """Write how an attempt ended; false when the claim was lost, and nothing is written."""
        ...

    async def extend(self, messages: Sequence[Message], lease: float) -> None:
        """Keep claims for `lease` more seconds."""
        ...

    async def release(self, messages: Sequence[Message], *, after: float = 0.0) -> None:
        """Give claims back untouched, as a process that leaves does; the attempt does not count,
        and they are due in so many seconds."""
        ...

    async def next_due(self, route: str) -> float | None:
        """Seconds until a message of the Route is due that waits for its time or its lease."""
        ...

    def listen(self, route: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` on this loop when work may have come, by whoever; returns how to stop."""
        ...

    async def backlog(self, route: str) -> int:
        """How many messages of the Route still have to be worked on."""
        ...

    async def overdue(self, route: str) -> float:
        """For how many seconds the message waits that is due the longest; 0 where none does."""
        ...


class Tasks(Protocol):
    """What happens once, however many replicas there are."""

    async def fire(self, route: str, at: datetime, drafts: Sequence[Draft]) -> bool:
        """Note that a schedule fired for `at` and accept its drafts, both or none; false when
        another replica did."""
        ...

    async def last_fire(self, route: str) -> datetime | None:
        """For when the schedule fired last."""
        ...

    async def lead(self, task: str, owner: str, lease: float) -> bool:
        """Be, or stay, the one that does a task for `lease` seconds."""
        ...

    async def resign(self, task: str, owner: str) -> None:
        """Let another one do it."""
        ...

    async def is_asked(self, task: str) -> bool:
        """Whether somebody wants it done now; that is told once."""
        ...

    async def watermark(self, route: str) -> str | None:
        """The committed watermark of a poll, as JSON."""
        ...

    async def begin_run(self, route: str) -> int:
        """A number for a poll; commits what earlier ones read, where all of it is settled."""
        ...

    async def end_run(self, route: str, run: int, watermark: str | None) -> None:
        """The poll has read everything; its watermark commits when its messages are settled."""
        ...


class Store(Protocol):
    """The keyed store that Routes of a namespace share."""

    async def put(self, memories: Sequence[Memory]) -> None:
        """Write values; durable when it returns."""
        ...

    async def get(
        self, namespace: str, store: str, *, key: str | None = None, reference: str | None = None
    ) -> Memory | None:
        """A value that has not expired, by its key or from the other side."""
        ...


class Journal(Messages, Tasks, Store, Protocol):
    """A journal. It is opened by `opening.open` and closed once."""

    @property
    def permits(self) -> Permits | None:
        """Limits that all who work on the journal share; none where that is one process."""
        ...

    async def prune(self, route: str, *, settled_for: float, at_most: int) -> int:
        """Forget settled messages that are older than so many seconds, and the oldest beyond
        `at_most`, in short transactions; dead ones stay. How many went."""
        ...

    async def close(self) -> None:
        """Let what is under way end, then close."""
        ...
