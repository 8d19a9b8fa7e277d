"""The edge: kopf watches what people write and tells us of it. There is no logic here.

Nothing but `on.event` is used, so kopf keeps no state on the objects and writes nothing: what an
event means is for the work queue and the reconcile. See docs/adr/0006.
"""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import aiohttp
import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from isthmus_api.model import API_VERSION
from isthmus_api.resources import KINDS, Key
from isthmus_operator.declared import key_of
from isthmus_operator.kube import Access, connections

LOGIN_SECONDS: Final = 600.0
"""Tokens of pods are replaced every hour; kopf asks for ours again after this."""
CHUNK: Final = 100
WORKER_SECONDS: Final = 0.1
"""How long kopf keeps an object's last event, and a task for it, in case another one comes."""
_IDENTITY: Final[Any] = "isthmus"


class Listener(Protocol):
    """Whoever is told of objects."""

    def take(self, found: dict[str, Any]) -> bool:
        """An object is there, or is otherwise than it was."""

    def forget(self, key: Key, *, uid: str) -> bool:
        """An object is gone."""


async def watch(
    access: Access,
    listener: Listener,
    *,
    namespaces: Collection[str],
    stop: asyncio.Event,
) -> None:
    """Watch our kinds, everywhere when no namespaces are given, until `stop` is set."""
    sessions = _Sessions(access)
    try:
        await kopf.operator(
            registry=_registry(sessions, listener),
            settings=_settings(),
            memories=_NoMemories(),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
            # Else kopf asks the system for the name of our user, who has none in a container.
            identity=_IDENTITY,
        )
    finally:
        await sessions.close()


class _Sessions:
    """kopf's sessions with the API server: one after the other, each with the token of its time.

    kopf closes those that it used. They are ours, so that their connections end as our own do.
    """

    def __init__(self, access: Access) -> None:
        self.server = access.server
        self._access = access
        self._open: list[aiohttp.ClientSession] = []

    def open(self) -> aiohttp.ClientSession:
        """A session for the next while."""
        self._open = [each for each in self._open if not each.closed]
        token = self._access.token
        session = aiohttp.ClientSession(
            connector=connections.connector(self._access),
            headers={"Authorization": f"Bearer {token}"} if token else None,
        )
        self._open.append(session)
        return session

    async def close(self) -> None:
        """Close what kopf left open."""
        for each in self._open:
            await each.close()


def _registry(sessions: _Sessions, listener: Listener) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    group, version = API_VERSION.split("/")

    async def log_in(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(
            server=sessions.server,
            aiohttp_session=sessions.open(),
            expiration=datetime.now(UTC) + timedelta(seconds=LOGIN_SECONDS),
        )

    async def hear(event: Any, **_: Any) -> None:
        found = dict(event["object"])
        if event["type"] == "DELETED":
            listener.forget(key_of(found), uid=found["metadata"]["uid"])
        else:
            listener.take(found)

    kopf.on.login(registry=registry)(log_in)
    for kind in KINDS.values():
        kopf.on.event(group, version, kind.plural, registry=registry)(hear)
    return registry


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.watching.chunk_size = CHUNK
    settings.watching.reconnect_backoff = 1.0
    settings.networking.request_timeout = 30.0
    settings.queueing.idle_timeout = WORKER_SECONDS
    settings.posting.enabled = False
    settings.scanning.disabled = True  # our kinds are fixed, so looking for others needs no rights
    settings.peering.standalone = True
    settings.process.ultimate_exiting_timeout = 10.0
    settings.persistence.finalizer = "isthmus.dev/unused"
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.diffbase_storage = _NoDiffBase()
    return settings


class _NoMemories(ResourceMemories):
    """kopf's memory of each object, some 16 KB: only handlers that we do not use need it."""

    async def recall(self, raw_body: Any, **known: Any) -> ResourceMemory:
        return await super().recall(raw_body, **{**known, "ephemeral": True})


class _NoDiffBase(kopf.DiffBaseStorage):
    """kopf's memory of the last handled state: nothing here handles states. Spares deep copies."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class _NoProgress(kopf.ProgressStorage):
    """kopf's memory of handlers under way: there are none."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: Any) -> Any:
        return essence
