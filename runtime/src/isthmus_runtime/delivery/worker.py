"""Worker: claims messages of one Route, has them attempted, and settles them.

    claim ─▶ gather ─▶ attempt ─▶ settle      as many at once as there are places
      ▲                              │
      └── woken: a message was accepted, one is due, a place is free

A claim is a lease, extended while the message is under way. When this process dies the lease ends
and another one claims: a message is attempted at least once, and what is written of it is written
by who holds the newest claim. A journal that is away is waited for; nothing is given up meanwhile.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from isthmus_runtime import logs
from isthmus_runtime.delivery.absence import Absence
from isthmus_runtime.delivery.gathering import Gathering, Group
from isthmus_runtime.delivery.tally import Tally
from isthmus_runtime.journal.entries import Claim, Message, Settlement, State
from isthmus_runtime.journal.journal import Messages, Unavailable

_LOOK_AGAIN: Final = 10.0
"""Seconds after which an idle worker claims though nothing woke it, should a wake be lost."""

_FRESH: Final = 1.0
"""Seconds for which it is believed when the next message is due."""

_QUICK: Final = 0.05
"""Seconds below which attempts are so quick that the next messages are claimed ahead of them."""

_LAST_WORDS: Final = 2.0
"""Seconds that a journal has to take claims back when the worker leaves."""


class Attempting(Protocol):
    """Attempts messages together, and says how each is to be settled."""

    async def attempt(self, messages: Sequence[Message]) -> list[Settlement]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a worker claims: for which Route, as who, how many groups at once, one message of a key
    at a time, with what was delivered before, batches as they were; times in seconds."""

    route: str
    owner: str
    places: int
    serial: bool = False
    notes: bool = False
    composed: bool = False
    lease: float = 30.0
    extended_every: float = 10.0


class Worker:
    """Delivers the messages of one Route, from `start` until `stop`."""

    def __init__(
        self,
        terms: Terms,
        journal: Messages,
        attempting: Attempting,
        gathering: Gathering,
        tally: Tally,
    ) -> None:
        self._terms = terms
        self._journal = journal
        self._attempting = attempting
        self._gathering = gathering
        self._tally = tally
        self._now = asyncio.get_running_loop().time
        self._wake = asyncio.Event()
        self._stopped = asyncio.Event()
        self._held: dict[tuple[str, int], Message] = {}
        self._ready: deque[Group] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._pace = _QUICK
        self._more = True
        self._due_at = 0.0
        self._asked_at = -_FRESH
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._forget: Callable[[], None] = lambda: None

    @property
    def in_flight(self) -> int:
        """How many messages are claimed and not settled yet."""
        return len(self._held)

    def start(self) -> None:
        """Begin to claim."""
        self._forget = self._journal.listen(self._terms.route, self._wake.set)
        self._tasks = (asyncio.create_task(self._work()), asyncio.create_task(self._extend()))

    async def stop(self, grace: float) -> None:
        """Claim no more, let what is under way end within `grace` seconds, give the rest back."""
        deadline = self._now() + grace
        self._stopped.set()
        self._wake.set()
        self._forget()
        if not self._tasks:
            return
        work, extending = self._tasks
        await asyncio.wait((work,), timeout=min(grace, _LAST_WORDS))
        work.cancel()
        waiting = [message for group in (*self._ready, self._gathering.take()) for message in group]
        self._ready.clear()
        await self._release(waiting)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=max(deadline - self._now(), 0))
        leaving = (work, extending, *self._under_way)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await self._release(list(self._held.values()))

    async def _work(self) -> None:
        away = Absence("messages cannot be claimed", route=self._terms.route)
        while not self._stopped.is_set():
            self._wake.clear()
            try:
                rest = await self._turn()
            except Exception as failure:
                await self._pause(away.note(failure))
                continue
            away.over()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._wake.wait()

    async def _turn(self) -> float:
        """Claim what there is room for and begin it; seconds to rest after that."""
        self._begin_ready()
        wanted = self._wanted()
        if not wanted:
            self._more = True  # perhaps: nobody has looked
            return _LOOK_AGAIN
        claimed = await self._journal.claim(self._wish(wanted))
        self._held.update({_name(message): message for message in claimed})
        self._more = len(claimed) >= wanted
        self._ready.extend(self._gathering.add(claimed, now=self._now()))
        if ripe := self._gathering.ripe(now=self._now()):
            self._ready.append(ripe)
        self._begin_ready()
        if self._more:
            return 0.0 if self._wanted() else _LOOK_AGAIN
        return await self._until_due()

    @property
    def _places(self) -> int:
        """How many groups may begin. One that only has to be settled leaves its place to the next,
        as long as the journal keeps up."""
        most = self._terms.places
        settling = len(self._under_way) - self._busy
        return most - self._busy - max(0, settling - most)

    def _wanted(self) -> int:
        """How many messages to claim now: few claims of many, rather than many of few."""
        ahead = self._terms.places if self._pace < _QUICK else 0
        groups = self._places + ahead - len(self._ready)
        if self._ready and groups < max(self._terms.places // 2, 1):
            return 0
        return max(self._gathering.wanted(groups), 0) if groups > 0 else 0

    def _wish(self, limit: int) -> Claim:
        terms = self._terms
        return Claim(
            route=terms.route,
            owner=terms.owner,
            limit=limit,
            lease=terms.lease,
            serial=terms.serial,
            notes=terms.notes,
            composed=terms.composed,
        )

    async def _until_due(self) -> float:
        """Seconds until a message is due that waits for its time, or a batch for its end."""
        now = self._now()
        if now - self._asked_at >= _FRESH:
            due = await self._journal.next_due(self._terms.route)
            self._asked_at = now
            self._due_at = now + (_LOOK_AGAIN if due is None else due)
        # What was due is claimed, here or elsewhere; when the next one is, is asked for soon.
        due_at = self._due_at if self._due_at > now else self._asked_at + _FRESH
        ripe = self._gathering.ripe_in(now=now)
        return min(due_at - now, _LOOK_AGAIN, _LOOK_AGAIN if ripe is None else ripe)

    def _begin_ready(self) -> None:
        while self._ready and self._places > 0 and not self._stopped.is_set():
            self._busy += 1
            task = asyncio.create_task(self._deliver(self._ready.popleft()))
            self._under_way.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        """Settled: somebody may wait for its key, or for the journal to keep up."""
        self._under_way.discard(task)
        if self._more or self._ready or self._terms.serial:
            self._wake.set()

    async def _deliver(self, group: Group) -> None:
        try:
            settlements, took = await self._attempt(group)
        except Exception as failure:  # the lease ends, and they are attempted again
            logs.error("messages could not be attempted", failure, route=self._terms.route)
            for message in group:
                self._held.pop(_name(message), None)
            return
        if len(settlements) == 1:
            await self._settle(settlements[0], took)
        else:
            await asyncio.gather(*(self._settle(each, took) for each in settlements))

    async def _attempt(self, group: Group) -> tuple[list[Settlement], float]:
        """Attempt a group, and leave its place."""
        started = self._now()
        self._tally.begin(group)
        try:
            settlements = await self._attempting.attempt(group)
        finally:
            self._tally.end(group)
            self._busy -= 1
        took = self._now() - started
        self._pace += (took - self._pace) / 8
        self._begin_ready()
        if self._more:
            self._wake.set()
        return settlements, took

    async def _settle(self, settlement: Settlement, took: float) -> None:
        """Write how an attempt ended, for as long as it takes."""
        away = Absence("a message cannot be settled", route=self._terms.route)
        name = _name(settlement.message)
        is_bare = False
        while True:
            try:
                is_written = await self._write(settlement)
                break
            except Unavailable as error:
                await asyncio.sleep(away.note(error))
            except Exception as failure:
                logs.error("a message could not be settled", failure, uid=name[0])
                if is_bare:  # the lease ends, and it is attempted again
                    self._held.pop(name, None)
                    return
                settlement, is_bare = _bare(settlement), True
        self._held.pop(name, None)
        if settlement.state is State.RETRY:
            self._due_at = min(self._due_at, self._now() + settlement.delay)
            self._wake.set()
        self._tally.settled(settlement, took, is_written=is_written)

    async def _write(self, settlement: Settlement) -> bool:
        if settlement.counts:
            return await self._journal.settle(settlement)
        await self._journal.release([settlement.message], after=settlement.delay)
        return True

    async def _extend(self) -> None:
        """Keep what is claimed."""
        away = Absence("claims cannot be extended", route=self._terms.route)
        while True:
            await asyncio.sleep(self._terms.extended_every)
            if not self._held:
                continue
            try:
                await self._journal.extend(list(self._held.values()), self._terms.lease)
            except Exception as failure:
                away.note(failure)
            else:
                away.over()

    async def _release(self, messages: Sequence[Message]) -> None:
        """Give claims back; where that fails they end with their lease."""
        for message in messages:
            self._held.pop(_name(message), None)
        if not messages:
            return
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._journal.release(messages)
        except (Unavailable, TimeoutError) as error:
            logs.warning(
                "claims could not be given back; they end with their lease",
                route=self._terms.route,
                count=len(messages),
                detail=str(error),
            )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()


def _name(message: Message) -> tuple[str, int]:
    """A claim: this process may have a message twice, when it lost the first claim unnoticed."""
    return message.uid, message.token


def _bare(settlement: Settlement) -> Settlement:
    """What can be written of an end that cannot: a person must look at it."""
    return replace(
        settlement,
        state=State.DEAD,
        reason="InternalError",
        detail="how it ended could not be written; the runtime's log says why",
        group="InternalError",
        notes=False,
        feeds=(),
        memories=(),
        journey=b"",
    )
