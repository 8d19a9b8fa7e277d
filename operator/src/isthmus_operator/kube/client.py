"""The client: list, watch, read, apply, create, delete. Objects are plain dicts.

Every write of an object of ours is a server-side apply with one manager name, so it may be repeated
at any time and a late one does no harm. Errors are those of `errors`; an answer that never came is
an `ApiError` with status 0.
"""

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import orjson

from isthmus_operator.kube import errors
from isthmus_operator.kube.access import Access
from isthmus_operator.kube.kinds import Resource

MANAGER: Final = "isthmus"
CHUNK: Final = 500
"""Objects of one list answer: keeps the pauses of the event loop short."""
TIMEOUT_SECONDS: Final = 30.0
WATCH_SECONDS: Final = 290
"""The server ends a watch after this; it then goes on from where it was."""
WATCH_SILENCE_SECONDS: Final = 90.0
"""Bookmarks come about once a minute, so a stream that is silent for longer is dead."""
_SHORT: Final = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
_MAX_LINE: Final = 4 * 1024 * 1024
_CLOSES_SLOWLY: Final = sys.version_info < (3, 12, 8)
"""A TLS connection that is left in the middle, as watches are, waits for the server's goodbye, and
on these versions outlives its event loop unless aiohttp ends it."""

Object = dict[str, Any]


class Client:
    """A pool of connections to one API server. Use it as an async context manager."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Watches last for minutes and would otherwise use up the connections of short requests.
        connector = aiohttp.TCPConnector(
            ssl=self._access.trust(), limit=0, enable_cleanup_closed=_CLOSES_SLOWLY
        )
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=_MAX_LINE)
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
        return await self._send("GET", resource.path(namespace, name))

    async def list(
        self, resource: Resource, namespace: str | None, *, selector: str = ""
    ) -> AsyncIterator[tuple[list[Object], str]]:
        """All objects in chunks, each with the resourceVersion to watch from."""
        query = {"limit": str(CHUNK), "labelSelector": selector}
        while True:
            answer = await self._send("GET", resource.path(namespace), query=query)
            metadata = answer.get("metadata", {})
            yield answer.get("items") or [], metadata.get("resourceVersion", "")
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
        limits = aiohttp.ClientTimeout(total=None, sock_read=WATCH_SILENCE_SECONDS)
        try:
            async with self._request(
                "GET", resource.path(namespace), query=query, timeout=limits
            ) as answer:
                await _check(answer)
                async for line in answer.content:
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        raise errors.of(int(event["object"].get("code", 0)), event["object"])
                    yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError, ValueError, orjson.JSONDecodeError) as error:
            raise _unanswered(error) from error

    async def apply(self, resource: Resource, manifest: Object, *, sub: str = "") -> Object:
        """Server-side apply; the object as the server has it afterwards."""
        metadata = manifest["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"])
        return await self._send(
            "PATCH",
            f"{path}/{sub}" if sub else path,
            query={"fieldManager": MANAGER, "force": "true"},
            body=manifest,
            form="application/apply-patch+yaml",
        )

    async def create(self, resource: Resource, manifest: Object) -> Object:
        """Create an object that must not be there yet."""
        path = resource.path(manifest["metadata"]["namespace"])
        return await self._send("POST", path, query={"fieldManager": MANAGER}, body=manifest)

    async def replace(self, resource: Resource, manifest: Object) -> Object:
        """Replace an object in the version that it names; `Conflict` when another was first."""
        metadata = manifest["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"])
        return await self._send("PUT", path, query={"fieldManager": MANAGER}, body=manifest)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete exactly the object with this uid; one that is gone already is well."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        try:
            await self._send("DELETE", resource.path(namespace, name), body=body)
        except errors.NotFound:
            return

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        form: str = "application/json",
    ) -> Object:
        try:
            async with self._request(method, path, query=query, body=body, form=form) as answer:
                await _check(answer)
                found: Object = orjson.loads(await answer.read())
                return found
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise _unanswered(error) from error

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        form: str = "application/json",
        timeout: aiohttp.ClientTimeout = _SHORT,
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
            timeout=timeout,
        )


async def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status < 400:
        return
    text = await answer.read()
    try:
        body: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        body = None
    after = answer.headers.get("Retry-After", "")
    raise errors.of(answer.status, body, after=float(after) if after.isdigit() else 0.0)


def _unanswered(error: Exception) -> errors.ApiError:
    return errors.ApiError(0, "NoAnswer", f"no answer from the API server: {type(error).__name__}")
