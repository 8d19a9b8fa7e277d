"""The connections to one origin: which request gets which, who waits, and when a new one opens.

A request takes an idle link, or else waits; while there is room, a link is opened for it. Whatever
link comes free first, old or new, takes the request that has waited longest. So no task owns a
link that has to be given back, and a cancelled one cannot leak it: a place in `open` belongs to an
attempt to connect, and after that to its link until that is lost.
"""

import asyncio
import random
import ssl
from typing import Final

from isthmus_runtime.http import dialling, errors, exchange, limits, link, origins

_SPREAD: Final = 0.2
"""Connections that were opened together do not all end together."""


class Pool:
    """The links of one client."""

    def __init__(
        self,
        origin: origins.Origin,
        client_limits: limits.ClientLimits,
        dial: dialling.Dial,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.limits = client_limits
        self.loop = loop
        self.open = 0
        self.opened = 0
        self.repeats = 0
        self.idle: list[link.Link] = []
        self.waiting: dict[exchange.Exchange, None] = {}
        self.closed = False
        self._origin = origin
        self._dial = dial
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()

    def submit(self, begun: exchange.Exchange) -> None:
        """Start a request, or let it wait for a link."""
        while self.idle:
            resting = self.idle.pop()
            if resting.alive:
                resting.start(begun)
                return
        self._enqueue(begun)
        self._open_for(begun)

    def abandon(self, begun: exchange.Exchange) -> None:
        """Forget a request that nobody awaits. A link that carries it is of no more use."""
        if begun in self.waiting:
            self._dequeue(begun)
            self._note_empty()
        elif begun.link is not None and begun.link.exchange is begun:
            begun.link.close()

    async def aclose(self) -> None:
        """Close what is idle; wait until what has begun is through."""
        self.closed = True
        for resting in self.idle:
            resting.close()
        self.idle.clear()
        self._note_empty()
        await self._empty.wait()

    # What links call.

    def release(self, freed: link.Link, /) -> None:
        now = self.loop.time()
        if now >= freed.old_at:  # the one opened in its place asks for the address anew
            freed.close()
            return
        for waiting in self.waiting:
            if not waiting.repeated:  # that one waits for a fresh link
                self._dequeue(waiting)
                freed.start(waiting)
                return
        if self.closed:
            freed.close()
        else:
            freed.rest(min(now + self.limits.idle_timeout, freed.old_at))
            self.idle.append(freed)

    def lost(self, link: link.Link, /) -> None:
        if link in self.idle:
            self.idle.remove(link)
        if link.adopted:
            self._give_up_place()

    def repeat(self, failed: exchange.Exchange, /) -> None:
        failed.repeated = True
        failed.connecting = False
        failed.link = None
        self.repeats += 1
        self._enqueue(failed)
        self._begin_connecting(failed)  # in the place of the link that is being lost

    # Waiting.

    def _enqueue(self, begun: exchange.Exchange) -> None:
        self.waiting[begun] = None
        begun.timer = self.loop.call_at(begun.deadline, self._expire, begun)

    def _dequeue(self, begun: exchange.Exchange) -> None:
        del self.waiting[begun]
        begun.stop_timer()

    def _expire(self, begun: exchange.Exchange) -> None:
        self._dequeue(begun)
        begun.fail(errors.DeadlineExceeded("connect" if begun.connecting else "pool"))
        self._note_empty()

    # Connecting.

    def _open_for(self, begun: exchange.Exchange) -> None:
        if self.open < self.limits.max_connections:
            self._begin_connecting(begun)

    def _begin_connecting(self, begun: exchange.Exchange) -> None:
        begun.connecting = True
        self.open += 1
        task = self.loop.create_task(self._connect(begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, begun: exchange.Exchange) -> None:
        """Open a link, and give it to whom it was opened for, or else to whoever waits."""
        try:
            opened = await self._opened()
        except errors.ClientError as error:
            if begun in self.waiting:
                self._dequeue(begun)
                begun.fail(error)
            self._give_up_place()
            return
        except BaseException:
            self._give_up_place()
            raise
        self.opened += 1
        opened.adopted = True
        lasts = self.limits.max_age * (1 - _SPREAD * random.random())  # noqa: S311 - no secret
        opened.old_at = self.loop.time() + lasts
        if begun in self.waiting:
            self._dequeue(begun)
            opened.start(begun)
        else:
            self.release(opened)

    async def _opened(self) -> link.Link:
        opened = link.Link(self)
        origin = self._origin
        try:
            async with asyncio.timeout(self.limits.connect_timeout):
                await self._dial(opened)
        except TimeoutError as error:
            if opened.alive:
                opened.close()
            raise errors.ConnectFailed(
                f"no connection to {origin.authority} in {self.limits.connect_timeout:g} s"
            ) from error
        except ssl.SSLCertVerificationError as error:
            raise errors.Untrusted(error.verify_message) from error
        except (OSError, ValueError) as error:  # ValueError: a host name that is none
            raise errors.ConnectFailed(f"no connection to {origin.authority}: {error}") from error
        if not opened.alive:
            raise errors.ConnectFailed(f"{origin.authority} closed the connection at once")
        return opened

    def _give_up_place(self) -> None:
        self.open -= 1
        for waiting in self.waiting:
            if not waiting.connecting:
                self._open_for(waiting)
                break
        self._note_empty()

    def _note_empty(self) -> None:
        if self.closed and not self.open and not self.waiting:
            self._empty.set()
