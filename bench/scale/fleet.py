"""The fleet: Routes that each name one of fifty Connectors and one of fifty Mappings.

They are applied by a bare client, so that what is measured is the operator and not kubectl.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import aiohttp
import orjson

from isthmus_operator.kube import Access

NAMESPACE: Final = "fleet"
SHARED: Final = 50
"""Connectors, and Mappings."""
AT_ONCE: Final = 16
"""As many as the operator has workers."""

_API: Final = "isthmus.dev/v1alpha1"
_EXPRESSION: Final = """{
  "items": [hits.{
    "sku": sku, "name": name, "category": category, "price": $lookup($prices, sku)
  }],
  "total": estimatedTotalHits, "source": %d
}"""

Object = dict[str, Any]
T = TypeVar("T")


def shared() -> list[Object]:
    """What the Routes name."""
    return [make(number) for number in range(SHARED) for make in (_connector, _mapping)]


def route(number: int) -> Object:
    """One Route: two calls, a join, and an answer for each that may fail."""
    used = number % SHARED
    search = {
        "name": "search",
        "call": {
            "connector": f"system-{used}",
            "path": "/products/search",
            "query": {"q": "{% $request.query.q %}", "limit": "{% $request.query.limit %}"},
        },
        "onError": {"respond": {"status": 502, "body": {"detail": "{% $failure.message %}"}}},
    }
    prices = {
        "name": "prices",
        "call": {
            "connector": f"system-{used}",
            "method": "POST",
            "path": "/prices",
            "idempotent": True,
            "body": {"skus": "{% [hits.sku] %}", "country": "{% $env.country %}"},
        },
        "into": "prices",
        "timeout": "300ms",
        "onError": {"use": {}},
    }
    spec = {
        "source": {"http": {"method": "GET", "path": f"/search/{number}", "timeout": "3s"}},
        "env": {"country": "NL"},
        "steps": [search, prices, {"name": "join", "map": {"mapping": f"join-{used}"}}],
    }
    return _object("Route", f"route-{number}", spec)


def _connector(number: int) -> Object:
    key = {"secretKeyRef": {"name": f"system-{number}", "key": "token"}}
    http = {
        "baseUrl": f"https://system-{number}.example.com",
        "auth": {"bearer": {"token": key}},
        "timeout": "2s",
        "retry": {"attempts": 3},
    }
    return _object("Connector", f"system-{number}", {"http": http})


def _mapping(number: int) -> Object:
    return _object("Mapping", f"join-{number}", {"expression": _EXPRESSION % number})


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def path(found: Object) -> str:
    """Where the API server has an object."""
    version, kind = found["apiVersion"], found["kind"].lower()
    root = "apis" if "/" in version else "api"
    plural = {"networkpolicy": "networkpolicies"}.get(kind, f"{kind}s")
    name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
    return f"/{root}/{version}/namespaces/{namespace}/{plural}/{name}"


class Writer:
    """Applies ready-made bodies, and does nothing else."""

    def __init__(self, session: aiohttp.ClientSession, access: Access, manager: str) -> None:
        self._session, self._access = session, access
        self._query = f"?fieldManager={manager}&force=true"
        self._headers = {
            "Authorization": f"Bearer {access.token}",
            "Content-Type": "application/apply-patch+yaml",
            "Accept": "application/json",
        }

    async def apply(self, where: str, body: bytes) -> bytes:
        """Server-side apply; the answer as it came."""
        address = self._access.server + where + self._query
        async with self._session.patch(address, data=body, headers=self._headers) as answer:
            text = await answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{where}: {answer.status} {text[:300]!r}")
            return text

    async def apply_all(self, found: Iterable[Object]) -> None:
        """Apply objects, as many at once as the operator would."""
        await side_by_side(found, lambda each: self.apply(path(each), orjson.dumps(each)))


@asynccontextmanager
async def writer(access: Access, *, manager: str) -> AsyncIterator[Writer]:
    """A client with connections of its own."""
    connector = aiohttp.TCPConnector(ssl=access.trust(), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Writer(session, access, manager)


async def together(do: Callable[[T], Awaitable[object]], work: Iterable[T]) -> None:
    """Do all at the same time."""
    await asyncio.gather(*map(do, work))


async def side_by_side(work: Iterable[T], do: Callable[[T], Awaitable[object]]) -> None:
    """Do all, `AT_ONCE` at a time, in order."""
    ahead = iter(work)

    async def one_worker() -> None:
        for each in ahead:
            await do(each)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(one_worker())
