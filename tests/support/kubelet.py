"""A kubelet as far as logs need one: the API server asks it for those of the pods on its node.

It keeps the lines of each pod in memory, and knows the parameters that the API server hands on.
"""

import asyncio
import contextlib
import datetime
import json
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import trustme
from aiohttp import web
from operating import Cluster

from isthmus_operator.kube import kinds

HOST = "127.0.0.1"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@dataclass
class Log:
    """The log of a container that runs until it is `ended`."""

    lines: list[tuple[datetime.datetime, str]] = field(default_factory=list)
    ended: bool = False
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    followed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Kubelet:
    """The pods of one namespace on one node."""

    cluster: Cluster
    node: str
    logs: defaultdict[str, Log] = field(default_factory=lambda: defaultdict(Log))

    @property
    def silent(self) -> str:
        """Another node, whose kubelet is away."""
        return f"{self.node}-silent"

    async def pod(self, name: str, *, route: str = "it", node: str = "") -> None:
        """A pod of a Route that runs here, or on another node."""
        labels = {"isthmus.dev/route": route, "app.kubernetes.io/managed-by": "isthmus"}
        container = {"name": "route", "image": "runtime"}
        await self.cluster.client.create(
            kinds.PODS,
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": self.cluster.namespace,
                    "labels": labels,
                },
                "spec": {"nodeName": node or self.node, "containers": [container]},
            },
        )
        state = {"name": "route", "image": "", "imageID": "", "ready": True, "restartCount": 0}
        running = {"containerStatuses": [state | {"state": {"running": {}}}], "phase": "Running"}
        await self.cluster.play("Pod", name, running)

    def says(self, pod: str, second: float, text: str | dict[str, Any]) -> None:
        """A container writes a line, so many seconds after the start."""
        log = self.logs[pod]
        line = text if isinstance(text, str) else json.dumps(text)
        log.lines.append((START + datetime.timedelta(seconds=second), line))
        log.grown.set()

    def ends(self, pod: str) -> None:
        """A container ends, and who followed its log hears so."""
        self.logs[pod].ended = True
        self.logs[pod].grown.set()

    def restarts(self, pod: str) -> None:
        """It runs again; its log begins anew."""
        self.logs[pod] = Log()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """GET /containerLogs/NAMESPACE/POD/CONTAINER."""
        query = dict(request.query)
        log = self.logs[request.match_info["pod"]]
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        sent = len(log.lines)
        for line in _selected(log.lines, query):
            await response.write(_written(line, query))
        if "follow" in query:
            log.followed.set()
        while "follow" in query and not log.ended:
            log.grown.clear()
            for line in log.lines[sent:]:
                await response.write(_written(line, query))
            sent = len(log.lines)
            await log.grown.wait()
        return response


@contextlib.asynccontextmanager
async def kubelet(cluster: Cluster) -> AsyncIterator[Kubelet]:
    """A node of the cluster whose kubelet answers for as long as the block lasts."""
    made = Kubelet(cluster, f"node-{cluster.namespace}")
    app = web.Application()
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(HOST).configure_cert(tls)
    site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    nodes = {made.node: port, made.silent: 9}
    for name, each in nodes.items():
        await cluster.kubectl("create", "-f", "-", stdin=json.dumps(_node(name, each)))
    try:
        yield made
    finally:
        await runner.cleanup()
        await cluster.kubectl("delete", "node", *nodes)


def _node(name: str, port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {
            "addresses": [{"type": "InternalIP", "address": HOST}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        },
    }


def _selected(
    lines: list[tuple[datetime.datetime, str]], query: dict[str, str]
) -> list[tuple[datetime.datetime, str]]:
    if "sinceTime" in query:
        since = datetime.datetime.fromisoformat(query["sinceTime"])
        lines = [line for line in lines if line[0] >= since]
    if "tailLines" in query:
        tail = int(query["tailLines"])
        lines = lines[-tail:] if tail else []
    return list(lines)


def _written(line: tuple[datetime.datetime, str], query: dict[str, str]) -> bytes:
    at, text = line
    stamp = f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z " if query.get("timestamps") == "true" else ""
    return f"{stamp}{text}\n".encode()
