"""The connections to one origin: which request gets which, who waits, and when a new one opens.

A request takes an idle link, or else waits; while there is room, a link is opened for it. Whatever
link comes free first, old or new, takes the request that has waited longest. So no task owns a
link that has to be given back, and a cancelled one cannot leak it: a place in `open` belongs to an
attempt to connect, and after that to its link until that is lost.
"""

import asyncio
import ssl
from dataclasses import dataclass

from isthmus_runtime.http import errors, exchange, limits, link, targets


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests go. An IPv6 host is written without brackets."""

    scheme: str
    host: str
    port: int

    def __post_init__(self) -> None:
        if self.scheme not in ("http", "https"):
            raise ValueError(f"the scheme is http or https, not {self.scheme!r}")
        if not self.host or not targets.is_host(self.authority.encode()):
            raise ValueError(f"not a host: {self.host!r}")

    @property
    def authority(self) -> str:
        """What the Host header says: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


class Pool:
    """The links of one client."""

    def __init__(
        self,
        origin: Origin,
        client_limits: limits.ClientLimits,
        ssl_context: ssl.SSLContext | None,
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
        self._ssl = ssl_context
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
        for waiting in self.waiting:
            if not waiting.repeated:  # that one waits for a fresh link
                self._dequeue(waiting)
                freed.start(waiting)
                return
        if self.closed:
            freed.close()
        else:
            freed.rest(self.limits.idle_timeout)
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
        except errors.ConnectFailed as error:
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
        if begun in self.waiting:
            self._dequeue(begun)
            opened.start(begun)
        else:
            self.release(opened)

    async def _opened(self) -> link.Link:
        origin = self._origin
        secure = origin.scheme == "https"
        opened = link.Link(self)
        try:
            async with asyncio.timeout(self.limits.connect_timeout):
                await self.loop.create_connection(
                    lambda: opened,
                    origin.host,
                    origin.port,
                    ssl=self._ssl if secure else None,
                    server_hostname=origin.host if secure else None,
                )
        except TimeoutError as error:
            if opened.alive:
                opened.close()
            raise errors.ConnectFailed(
                f"no connection to {origin.authority} in {self.limits.connect_timeout:g} s"
            ) from error
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
