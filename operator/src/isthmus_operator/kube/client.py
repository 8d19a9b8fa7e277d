"""The client: list, watch, read, apply, create, delete. Objects are plain dicts.

Every write of an object of ours is a server-side apply with one manager name, so it may be repeated
at any time and a late one does no harm; only a count that is handed to an autoscaler has a manager
of its own. Errors are those of `errors`; an answer that never came is an `ApiError` with status 0.
"""

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import orjson

from isthmus_operator.kube import connections, errors
from isthmus_operator.kube.access import Access
from isthmus_operator.kube.kinds import Resource

MANAGER: Final = "isthmus"
COUNTER: Final = "isthmus-replicas"
"""Who has the count of a Deployment on its way to an autoscaler."""
CHUNK: Final = 100
"""Objects of one list answer. All kinds are listed at once when the operator starts, and what their
decoded objects took is not given back. Few at a time keep the event loop's pauses short, too."""
TIMEOUT_SECONDS: Final = 30.0
WATCH_SECONDS: Final = 290
"""The server ends a watch after this; it then goes on from where it was."""
WATCH_SILENCE_SECONDS: Final = 90.0
"""Bookmarks come about once a minute, so a stream that is silent for longer is dead."""
_MAX_AFTER_SECONDS: Final = 60.0
"""No server may send us away for longer."""
_MAX_LINE: Final = 4 * 1024 * 1024
_METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "patch": "PATCH",
    "create": "POST",
    "update": "PUT",
    "delete": "DELETE",
}
"""By verb, in the words of RBAC."""

Object = dict[str, Any]
Observe = Callable[[str, str, int, float], None]
"""Told of each request: verb, kind (`Route/status` for a part of one), status (0: no answer), and
seconds to the head of the answer."""


def _unobserved(verb: str, kind: str, status: int, seconds: float) -> None: ...


class Client:
    """A pool of connections to one API server. Use it as an async context manager."""

    def __init__(
        self,
        access: Access,
        *,
        observe: Observe = _unobserved,
        timeout: float = TIMEOUT_SECONDS,
        silence: float = WATCH_SILENCE_SECONDS,
    ) -> None:
        self._access = access
        self._observe = observe
        self._short = aiohttp.ClientTimeout(total=timeout)
        self._watching = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=silence)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        pool = connections.connector(self._access)
        self._session = aiohttp.ClientSession(connector=pool, read_bufsize=_MAX_LINE)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object."""
        return await self._send("get", resource.kind, resource.path(namespace, name))

    async def list(
        self, resource: Resource, namespace: str | None, *, selector: str = ""
    ) -> AsyncIterator[tuple[list[Object], str]]:
        """All objects in chunks, each with the resourceVersion to watch from."""
        query = {"limit": str(CHUNK), "labelSelector": selector}
        while True:
            answer = await self._send("list", resource.kind, resource.path(namespace), query=query)
            metadata = answer.get("metadata", {})
            # Items of built-in kinds come without saying what they are.
            said = {"apiVersion": resource.api_version, "kind": resource.kind}
            items = [said | item for item in answer.get("items") or ()]
            yield items, metadata.get("resourceVersion", "")
            if not metadata.get("continue"):
                return
            query["continue"] = metadata["continue"]

    async def watch(
        self, resource: Resource, namespace: str | None, *, since: str, selector: str = ""
    ) -> AsyncGenerator[tuple[str, Object], None]:
        """Events from a resourceVersion on: ADDED, MODIFIED, DELETED, BOOKMARK. Ends now and then.

        `Gone` when the server no longer knows that version.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(WATCH_SECONDS),
            "labelSelector": selector,
        }
        path = resource.path(namespace)
        async with self._answer(
            "watch", resource.kind, path, query=query, limits=self._watching
        ) as answer:
            async for line in answer.content:
                kind, found = _event(line)
                if kind == "ERROR":
                    raise errors.of(int(found.get("code", 0)), found)
                yield kind, found

    async def apply(
        self, resource: Resource, manifest: Object, *, sub: str = "", manager: str = MANAGER
    ) -> Object:
        """Server-side apply; the object as the server has it afterwards."""
        metadata = manifest["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"])
        return await self._send(
            "patch",
            f"{resource.kind}/{sub}" if sub else resource.kind,
            f"{path}/{sub}" if sub else path,
            query={"fieldManager": manager, "force": "true"},
            body=manifest,
            form="application/apply-patch+yaml",
        )

    async def create(self, resource: Resource, manifest: Object) -> Object:
        """Create an object that must not be there yet."""
        path = resource.path(manifest["metadata"]["namespace"])
        query = {"fieldManager": MANAGER}
        return await self._send("create", resource.kind, path, query=query, body=manifest)

    async def replace(self, resource: Resource, manifest: Object) -> Object:
        """Replace an object in the version that it names; `Conflict` when another was first."""
        metadata = manifest["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"])
        query = {"fieldManager": MANAGER}
        return await self._send("update", resource.kind, path, query=query, body=manifest)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete exactly the object with this uid; one that is gone already is well."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        try:
            await self._send("delete", resource.kind, resource.path(namespace, name), body=body)
        except errors.NotFound:
            return

    async def _send(
        self,
        verb: str,
        kind: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        form: str = "application/json",
    ) -> Object:
        async with self._answer(
            verb, kind, path, query=query, body=body, form=form, limits=self._short
        ) as answer:
            return _object(await answer.read())

    @contextlib.asynccontextmanager
    async def _answer(
        self,
        verb: str,
        kind: str,
        path: str,
        *,
        limits: aiohttp.ClientTimeout,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        form: str = "application/json",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer that is a success; whatever goes wrong until its end is an `ApiError`."""
        started, status = time.perf_counter(), 0
        try:
            async with self._request(
                _METHODS[verb], path, query=query, body=body, form=form, limits=limits
            ) as answer:
                status = answer.status
                self._observe(verb, kind, status, time.perf_counter() - started)
                await _check(answer)
                yield answer
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if not status:
                self._observe(verb, kind, 0, time.perf_counter() - started)
            raise _unanswered(error) from error

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        body: Object | None,
        form: str,
        limits: aiohttp.ClientTimeout,
    ) -> Any:
        if self._session is None:
            raise RuntimeError("use the client as an async context manager")
        headers = {"Accept": "application/json"}
        if token := self._access.token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = form
        return self._session.request(
            method,
            self._access.server + path,
            params={name: value for name, value in (query or {}).items() if value},
            data=None if body is None else orjson.dumps(body),
            headers=headers,
            timeout=limits,
            allow_redirects=False,  # our token is for this server and no other
        )


def _object(text: bytes) -> Object:
    found = orjson.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - it came over the wire
    return found


def _event(line: bytes) -> tuple[str, Object]:
    event = _object(line)
    found = event.get("object")
    if not isinstance(found, dict):
        raise ValueError("no watch event")  # noqa: TRY004 - it came over the wire
    return str(event.get("type")), found


async def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status < 300:
        return
    text = await answer.read()
    try:
        body: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        body = None
    raise errors.of(answer.status, body, after=_after(answer.headers.get("Retry-After", "")))


def _after(said: str) -> float:
    return min(float(said), _MAX_AFTER_SECONDS) if said.isdecimal() else 0.0


def _unanswered(error: Exception) -> errors.ApiError:
    return errors.ApiError(0, "NoAnswer", f"no answer from the API server: {type(error).__name__}")
