"""The desk: where operators find messages, see what became of them, and send them again.

It stands beside the runtime, on the same database, and needs none to run. It is made by
`opening.desk`. What is looked for is said by a `Filter`; `replay` and `drop` go in steps, each a
transaction, and are told under which name they do it, so that a repeated command goes on. `send`
accepts a message that no source brought, `read_now` has a poll read.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final, Protocol

from isthmus_runtime.journal import mending, searching, showing
from isthmus_runtime.journal.entries import Draft, Memory, State
from isthmus_runtime.journal.findings import Audited, Group, Page, Record, Standing
from isthmus_runtime.journal.journal import JournalError
from isthmus_runtime.journal.mending import Act, Body, Step
from isthmus_runtime.journal.script import Script, T, query
from isthmus_runtime.journal.searching import Bounds, Filter

__all__ = [
    "Act",
    "Audited",
    "Body",
    "Desk",
    "Filter",
    "Group",
    "Page",
    "Record",
    "Standing",
    "Step",
    "WrongWish",
]

PAGE: Final = 100


class WrongWish(JournalError):
    """What was asked for cannot be done; the message says what to say instead."""


class Hands(Protocol):
    """How a desk reaches its database."""

    async def read(self, make: Callable[[], Script[T]]) -> T:
        """Play a script that reads."""
        ...

    async def write(self, make: Callable[[], Script[T]]) -> T:
        """Play a script as a transaction."""
        ...

    async def ring(self, routes: frozenset[str]) -> None:
        """Tell who delivers that there is work."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


class Desk:
    """What operators do."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def find(self, chosen: Filter, *, limit: int = PAGE, cursor: int | None = None) -> Page:
        """A page of messages, newest first; `cursor` of a page begins the next one."""
        return await self._hands.read(lambda: searching.find(chosen, limit=limit, cursor=cursor))

    async def count(self, chosen: Filter) -> tuple[Standing, ...]:
        """How many are meant, by Route and state."""
        return await self._hands.read(lambda: searching.count(chosen))

    async def preview(self, chosen: Filter) -> tuple[Standing, ...]:
        """How many a replay or a drop would take."""
        return await self.count(replace(chosen, states=chosen.states or searching.FAILED))

    async def groups(self, chosen: Filter) -> tuple[Group, ...]:
        """Failures by cause."""
        return await self._hands.read(lambda: searching.groups(chosen))

    async def show(self, uid: str) -> Record | None:
        """Everything about one message."""
        return await self._hands.read(lambda: showing.show(uid))

    async def audit(
        self, namespace: str | None = None, *, limit: int = PAGE, cursor: int | None = None
    ) -> tuple[list[Audited], int | None]:
        """What was done, newest first, and where the next page begins."""
        return await self._hands.read(lambda: showing.audit(namespace, limit=limit, cursor=cursor))

    async def replay(
        self, act: Act, chosen: Filter, *, body: Body | None = None
    ) -> AsyncIterator[Step]:
        """Make messages new again, dead and rejected ones unless other states are named. With a
        `body`, the one that is meant says that from now on; what it said is kept."""
        allowed = (State.FINISHED, State.SKIPPED, *mending.REPLAYED)
        self._check(act, chosen, allowed, "replayed")
        if body is not None and len(chosen.uids) != 1:
            raise WrongWish("an edited body is for one message; name one uid")
        async for step in self._go(
            chosen, lambda bounds: mending.replay(act, chosen, bounds, body=body)
        ):
            yield step

    async def drop(self, act: Act, chosen: Filter) -> AsyncIterator[Step]:
        """Skip messages for good, dead and rejected ones unless other states are named."""
        self._check(act, chosen, mending.DROPPED, "dropped")
        async for step in self._go(chosen, lambda bounds: mending.drop(act, chosen, bounds)):
            yield step

    async def send(self, act: Act, draft: Draft) -> Step:
        """Accept a message; one that the same act accepted before is told, and nothing done."""
        self._check_act(act)
        step = await self._hands.write(lambda: mending.send(act, draft))
        await self._hands.ring(step.routes)
        return step

    async def read_now(self, act: Act, route: str) -> None:
        """Have a Route read what it polls, without waiting for its time."""
        self._check_act(act)
        await self._hands.ring(await self._hands.write(lambda: mending.read_now(act, route)))

    async def remembered(self, namespace: str, store: str) -> AsyncIterator[Memory]:
        """Everything in a store that has not expired, by key."""
        after: str | None = None
        while True:
            found = await self._hands.read(lambda: _memories(namespace, store, after))  # noqa: B023
            for memory in found:
                yield memory
            if len(found) < PAGE:
                return
            after = found[-1].key

    async def close(self) -> None:
        """Let go of the database."""
        await self._hands.close()

    def _check(self, act: Act, chosen: Filter, allowed: tuple[State, ...], done: str) -> None:
        self._check_act(act)
        if chosen == Filter():
            raise WrongWish("say which messages: by uid, Route, state, key, group or time")
        wrong = [state.value for state in chosen.states if state not in allowed]
        if wrong:
            raise WrongWish(
                f"messages that are {' or '.join(wrong)} cannot be {done}; "
                f"those that are {', '.join(allowed)} can"
            )

    def _check_act(self, act: Act) -> None:
        if not (act.name and act.who and act.why):
            raise WrongWish("say who does it, and why")

    async def _go(
        self, chosen: Filter, make: Callable[[Bounds], Script[Step]]
    ) -> AsyncIterator[Step]:
        """Step by step, up to the newest message there was at the beginning."""
        bounds = await self._hands.read(lambda: searching.between(chosen))
        while True:
            step = await self._hands.write(lambda: make(bounds))  # noqa: B023 - made at once
            if step.routes:
                await self._hands.ring(step.routes)
            if step.uids:
                yield step
            if step.reached is None:
                return
            bounds = replace(bounds, above=step.reached)


def _memories(namespace: str, store: str, after: str | None) -> Script[list[Memory]]:
    rows = yield query(
        "SELECT key, value, reference, expires_at - @now FROM memories"
        " WHERE namespace = $1 AND store = $2 AND (CAST($3 AS text) IS NULL OR key > $3)"
        " AND (expires_at IS NULL OR expires_at > @now) ORDER BY key LIMIT $4",
        namespace,
        store,
        after,
        PAGE,
    )
    return [
        Memory(
            namespace=namespace, store=store, key=row[0], value=row[1], reference=row[2], ttl=row[3]
        )
        for row in rows
    ]
