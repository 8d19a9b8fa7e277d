"""An informer: what the API server has of one kind, kept up to date by list and watch.

It remembers of each object only what `remember` makes of it, and tells `changed` what it was and
what it is now when the two differ. After a gap in the watch it lists again and forgets what is
gone, so a delete that nobody saw is noticed. kopf, which watches what people write, does not do
that and keeps some 16 KB an object; see docs/adr/0006.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, Protocol, TypeVar

from isthmus_operator import metrics
from isthmus_operator.kube import Client, Gone, NotFound, Resource
from isthmus_operator.kube.errors import ApiError
from isthmus_operator.queue import Backoff

Name = tuple[str, str]
"""Namespace and name."""


class Remembered(Protocol):
    """What an informer keeps of an object. Two that are equal need nobody's attention."""

    @property
    def version(self) -> int:
        """The resourceVersion; Kubernetes lets clients compare them from 1.35 on."""


Record = TypeVar("Record", bound=Remembered)

_log = logging.getLogger(__name__)
_AWAY_SECONDS: Final = 30.0
"""How long to wait before asking again for a kind that the API server does not serve."""


class Informer(Generic[Record]):
    """Records of one kind. Reading is immediate; `run` keeps them true until it is cancelled."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        namespace: str | None,
        selector: str,
        remember: Callable[[dict[str, Any]], Record],
        changed: Callable[[Name, Record | None, Record | None], None],
    ) -> None:
        self.resource = resource
        self._client = client
        self._namespace = namespace
        self._selector = selector
        self._remember = remember
        self._changed = changed
        self._records: dict[Name, Record] = {}
        self._since = ""
        self._listed = asyncio.Event()
        self._heard = 0.0
        self.served = False
        """Whether the API server has this kind, as far as is known."""

    def get(self, name: Name) -> Record | None:
        """What is known of an object; None when there is none."""
        return self._records.get(name)

    def __iter__(self) -> Iterator[tuple[Name, Record]]:
        return iter(self._records.items())

    def __len__(self) -> int:
        return len(self._records)

    def put(self, found: dict[str, Any]) -> Record:
        """Take in an object as a request returned it; what is known unless the watch knew more."""
        name, record = _name(found), self._remember(found)
        known = self._records.get(name)
        if known and known.version > record.version:
            return known
        self._records[name] = record
        return record

    def drop(self, name: Name) -> None:
        """Take in that an object is gone, sooner than the watch tells of it."""
        self._records.pop(name, None)

    async def ready(self) -> None:
        """Return once the kind was listed, or is known not to be served."""
        await self._listed.wait()

    def silent_for(self) -> float:
        """Seconds since the server said anything of this kind."""
        return asyncio.get_running_loop().time() - self._heard if self._heard else 0.0

    async def run(self) -> None:
        """List and watch for as long as the task lives."""
        backoff, failures = Backoff(first=0.5, longest=15.0), 0
        while True:
            try:
                await self._list_and_watch()
                failures = 0
            except Gone:
                self._since = ""
            except NotFound:
                self._absent()
                await asyncio.sleep(_AWAY_SECONDS)
            except ApiError as error:
                failures += 1
                _log.warning(
                    "watch ended",
                    extra={"kind": self.resource.kind, "reason": error.reason},
                )
                await asyncio.sleep(max(error.after, backoff.delay(failures)))

    async def _list_and_watch(self) -> None:
        if not self._since:
            await self._list()
        events = self._client.watch(
            self.resource, self._namespace, since=self._since, selector=self._selector
        )
        async with contextlib.aclosing(events):
            async for kind, found in events:
                self._since = found["metadata"]["resourceVersion"]
                self._take(kind, found)

    async def _list(self) -> None:
        seen: set[Name] = set()
        since = ""
        async for chunk, version in self._client.list(
            self.resource, self._namespace, selector=self._selector
        ):
            for found in chunk:
                seen.add(_name(found))
                self._take("ADDED", found)
            since = version
            await asyncio.sleep(0)  # others get their turn between two chunks
        for name in self._records.keys() - seen:
            self._forget(name)
        self._since = since
        self.served = True
        self._hear()
        self._listed.set()

    def _take(self, event: str, found: dict[str, Any]) -> None:
        self._hear()
        metrics.heard(self.resource.kind)
        if event == "BOOKMARK":
            return
        name = _name(found)
        if event == "DELETED":
            self._forget(name)
            return
        record, before = self._remember(found), self._records.get(name)
        if before and before.version >= record.version:
            return  # a request has already told us more
        self._records[name] = record
        if before != record:
            self._changed(name, before, record)

    def _forget(self, name: Name) -> None:
        before = self._records.pop(name, None)
        if before is not None:
            self._changed(name, before, None)

    def _absent(self) -> None:
        for name in list(self._records):
            self._forget(name)
        self._since = ""
        self.served = False
        self._hear()
        self._listed.set()

    def _hear(self) -> None:
        self._heard = asyncio.get_running_loop().time()


def _name(found: dict[str, Any]) -> Name:
    metadata = found["metadata"]
    return metadata["namespace"], metadata["name"]
